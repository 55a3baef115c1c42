"""Any causal language model of transformers goes through every stage, or a stage says in a sentence why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from benchmarks.attention import read_attention
from benchmarks.evaluate import ask_with
from benchmarks.grid import Looking
from models.generation import generate
from models.inspection import inspect
from models.likelihood import answer_likelihoods
from models.loading import LoadError, load
from models.registry import MODELS, ModelSpec
from models.subtraction import AttentionUnavailable
from models.tuning import tune
from models.tuning_options import Tuning
from noise import mini

PROBLEMS = mini.problems("test")[:3]
TOKENIZER = transformers.AutoTokenizer.from_pretrained(MODELS["llama"].source)
SHAPE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 512,
}
OLD_SHAPE = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512}
GROUPED = {**SHAPE, "num_key_value_heads": 2, "head_dim": 16}
EXPERTS = {"num_local_experts": 2, "num_experts_per_tok": 2}
#: By the name of its classes: the configuration of an architecture, and why it is here.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Qwen3": GROUPED,  # the shape most people have: grouped queries, norms of queries and keys
    "GPT2LMHead": OLD_SHAPE,  # positions are learnt, layers are no nn.Linear
    "Gemma2": {**GROUPED, "sliding_window": 512},  # caps its scores, is not for sdpa
    "Bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4},  # biases for positions, code of its own
    "GptOss": {**GROUPED, **EXPERTS, "sliding_window": 512},  # sinks, experts
    "Mixtral": {**SHAPE, **EXPERTS, "num_key_value_heads": 2},
    "OPT": {
        "hidden_size": 64,
        "word_embed_proj_dim": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "ffn_dim": 64,
        "max_position_embeddings": 512,
    },
    "Phi3": {**SHAPE, "num_key_value_heads": 2},  # one layer for queries, keys and values; peft does not know it
    "Falcon": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4},
    "GPTNeoX": SHAPE,
}
OFTEN = ("Qwen3", "GPT2LMHead", "Gemma2")


def written(name: str, folder: Path, shape: dict[str, Any]) -> ModelSpec:
    """A checkpoint of an architecture with random weights and the miniatures' tokenizer."""
    config_class = getattr(transformers, f"{name.removesuffix('LMHead')}Config")
    model_class = getattr(transformers, f"{name}Model" if name.endswith("LMHead") else f"{name}ForCausalLM")
    special = {f"{end}_token_id": getattr(TOKENIZER, f"{end}_token_id") for end in ("bos", "eos", "pad")}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model_class(config_class(vocab_size=len(TOKENIZER), **special, **shape)).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return ModelSpec(name, str(folder))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in ARCHITECTURES]
)
def test_a_model_goes_through_every_stage(name: str, tmp_path: Path) -> None:
    spec = written(name, tmp_path / "base", ARCHITECTURES[name])
    loaded = load(spec, "cpu", "float32")
    questions = [problem.question for problem in PROBLEMS]
    together = generate(loaded, questions, 12)
    assert together == [generate(loaded, [question], 12)[0] for question in questions], "padding changes nothing"
    before = answer_likelihoods(loaded, PROBLEMS)
    assert all(nats < 0 for nats, _ in before)
    readings = read_attention(loaded, ask_with("inf", PROBLEMS, 0), Looking())
    for reading in readings:
        absolute = torch.tensor(reading.absolute)
        assert absolute.shape == (2, 4, 5)
        assert torch.allclose(absolute.sum(-1), torch.ones(2, 4), atol=1e-4)
        assert reading.lambdas is None
    assert inspect(loaded).parameters == loaded.model.num_parameters()
    tuned = tune(spec, PROBLEMS, tmp_path / "sft", Tuning(epochs=2, batch=3, rate=1e-2), "cpu", "float32")
    after = answer_likelihoods(load(f"mine={tuned}", "cpu", "float32"), PROBLEMS)
    assert sum(nats for nats, _ in after) > sum(nats for nats, _ in before), "two steps on these very problems"


def fails(run: Callable[[], object], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        run()


def test_a_model_without_attention_says_so_and_is_evaluated_all_the_same(tmp_path: Path) -> None:
    loaded = load(written("Mamba", tmp_path / "base", {"hidden_size": 32, "num_hidden_layers": 2}), "cpu", "float32")
    questions = [problem.question for problem in PROBLEMS]
    assert generate(loaded, questions, 8) == [generate(loaded, [question], 8)[0] for question in questions]
    asked = ask_with("inf", PROBLEMS, 0)
    fails(lambda: read_attention(loaded, asked, Looking()), AttentionUnavailable, "with layers of attention heads was")


def test_what_is_no_causal_language_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t5"
    shape = {"vocab_size": len(TOKENIZER), "d_model": 32, "num_layers": 2, "num_heads": 4, "d_ff": 64, "d_kv": 8}
    transformers.T5ForConditionalGeneration(transformers.T5Config(**shape)).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    fails(lambda: load(str(folder)), LoadError, "Unrecognized configuration class .*T5Config")
