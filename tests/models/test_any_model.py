"""Any causal language model of transformers passes every stage, or a stage says in one sentence why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import models.decode.generation
from benchmarks.attention_scope import AttentionScope
from benchmarks.evaluation import draw_questions
from benchmarks.segmented_text import segmented
from benchmarks.stages.attention import read_attention
from benchmarks.stages.save_attention_maps import maps_of
from models.answer_likelihood import answer_likelihoods
from models.attention.attention_errors import AttentionUnavailable
from models.attention.differential import differential_attention
from models.commands.inspect_model import inspect
from models.decode.generation import generate
from models.loading.load_model import LoadedModel, LoadError, load
from models.model_registry import MODELS, ModelSpec
from models.sft.fine_tuning import tune
from models.sft.sft_options import Tuning
from noise import mini
from reports.store.records import Cell

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
#: The configuration of each architecture, by the name of its classes; the comment says why it is included.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "Qwen3": GROUPED,  # the shape most people have: grouped queries, norms of queries and keys
    "GPT2LMHead": OLD_SHAPE,  # learned positions, layers are not nn.Linear
    "Gemma2": {**GROUPED, "sliding_window": 512},  # caps its scores, does not support sdpa
    "Bloom": {"hidden_size": 64, "n_layer": 2, "n_head": 4},  # position biases, an attention of its own
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
NOT_SLOW = ("Qwen3", "Gemma2")


def write_checkpoint(name: str, folder: Path, shape: dict[str, Any]) -> ModelSpec:
    """Write a checkpoint of an architecture with random weights and the miniatures' tokenizer."""
    config_class = getattr(transformers, f"{name.removesuffix('LMHead')}Config")
    model_class = getattr(transformers, f"{name}Model" if name.endswith("LMHead") else f"{name}ForCausalLM")
    special = {f"{end}_token_id": getattr(TOKENIZER, f"{end}_token_id") for end in ("bos", "eos", "pad")}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model_class(config_class(vocab_size=len(TOKENIZER), **special, **shape)).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return ModelSpec(name, str(folder))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in NOT_SLOW else pytest.mark.slow) for name in ARCHITECTURES]
)
def test_a_model_passes_every_stage(name: str, tmp_path: Path) -> None:
    spec = write_checkpoint(name, tmp_path / "base", ARCHITECTURES[name])
    loaded = load(spec, "cpu", "float32")
    questions = [problem.question for problem in PROBLEMS]
    together = generate(loaded, questions, 12)
    assert together == [generate(loaded, [question], 12)[0] for question in questions], "padding changes no answer"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models.decode.generation, "supports_continuous_batching", lambda model: False)
        assert together == generate(loaded, questions, 12), "transformers' own `generate` writes the same"
    before = answer_likelihoods(loaded, PROBLEMS)
    assert all(nats < 0 for nats, _ in before)
    assert_readings_match_own_attentions(loaded, spec)
    assert inspect(loaded).parameters == loaded.model.num_parameters()
    tuned = tune(spec, PROBLEMS, tmp_path / "sft", Tuning(epochs=2, batch=3, rate=1e-2), "cpu", "float32")
    after = answer_likelihoods(load(f"mine={tuned}", "cpu", "float32"), PROBLEMS)
    assert sum(nats for nats, _ in after) > sum(nats for nats, _ in before), "after two steps on these problems"


def assert_readings_match_own_attentions(loaded: LoadedModel, spec: ModelSpec) -> None:
    """The signed masses equal those of the attentions that transformers returns with `eager`, and reading them changes
    no logit."""
    own = transformers.AutoModelForCausalLM.from_pretrained(spec.source, attn_implementation="eager").eval()
    noisy_problems = draw_questions("inf", PROBLEMS, 0)
    for queries in ("answer", "all"):
        for noisy, reading in zip(
            noisy_problems, read_attention(loaded, noisy_problems, AttentionScope(queries)), strict=True
        ):
            text = segmented(loaded, noisy, queries)
            with torch.inference_mode():
                ids = torch.tensor([text.ids])
                reference = own(input_ids=ids, output_attentions=True)
                plain = loaded.model(input_ids=ids).logits
                with differential_attention(loaded.model) as observed:
                    outputs = observed(input_ids=ids, output_attentions=True)
            patterns = torch.stack([pattern[0] for pattern in reference.attentions])
            expected = (patterns[:, :, text.queries] @ text.shares).mean(2)
            assert torch.allclose(torch.tensor(reading.signed), expected, atol=1e-5)
            assert torch.allclose(torch.stack([pattern[0] for pattern in outputs.attentions]), patterns, atol=1e-5)
            assert torch.allclose(outputs.logits, plain, atol=1e-4)
            visible = torch.tril(torch.ones(len(text), len(text))) @ text.shares
            shares = (visible / visible.sum(-1, keepdim=True))[text.queries].mean(0)
            assert torch.allclose(torch.tensor(reading.tokens), shares, atol=1e-5)
            assert reading.lambdas is None


def test_layers_without_attention_are_named_and_can_be_left_out(tmp_path: Path) -> None:
    shape = {**GROUPED, "num_hidden_layers": 4, "layer_types": ["conv", "full_attention", "conv", "full_attention"]}
    loaded = load(write_checkpoint("Lfm2", tmp_path / "base", shape), "cpu", "float32")
    noisy_problems = draw_questions("inf", PROBLEMS, 0)
    fails(
        lambda: read_attention(loaded, noisy_problems, AttentionScope()),
        AttentionUnavailable,
        "2 of 4 layers .*layers 1,3",
    )
    reading = read_attention(loaded, noisy_problems, AttentionScope(layers=(1, 3)))[0]
    assert torch.allclose(torch.tensor(reading.signed).sum(-1), torch.ones(2, 4), atol=1e-4)
    fails(lambda: maps_of(loaded, Cell("lfm", "inf", "attention"), noisy_problems[0], 0, [(1, 0)]),
          AttentionUnavailable, "does not return the pattern of every layer, so no map is drawn")  # fmt: skip


def test_a_sliding_window_under_another_name_is_detected_in_the_patterns(tmp_path: Path) -> None:
    shape = {
        "hidden_size": 64,
        "num_layers": 2,
        "num_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "window_size": 32,
        "attention_types": [[["global", "local"], 1]],
    }
    loaded = load(write_checkpoint("GPTNeo", tmp_path / "base", shape), "cpu", "float32")
    noisy_problems = draw_questions("inf", PROBLEMS, 0)
    fails(
        lambda: read_attention(loaded, noisy_problems, AttentionScope()),
        AttentionUnavailable,
        "the layers see different keys",
    )
    assert read_attention(loaded, noisy_problems, AttentionScope(layers=(1,)))[0].outcome == "measured"


def fails(run: Callable[[], object], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        run()


def test_a_model_without_attention_is_refused_that_stage_and_evaluated(tmp_path: Path) -> None:
    loaded = load(
        write_checkpoint("Mamba", tmp_path / "base", {"hidden_size": 32, "num_hidden_layers": 2}), "cpu", "float32"
    )
    questions = [problem.question for problem in PROBLEMS]
    assert generate(loaded, questions, 8) == [generate(loaded, [question], 8)[0] for question in questions]
    noisy_problems = draw_questions("inf", PROBLEMS, 0)
    fails(
        lambda: read_attention(loaded, noisy_problems, AttentionScope()),
        AttentionUnavailable,
        "expected a model with layers of attention heads",
    )


def test_a_model_other_than_a_causal_language_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "t5"
    shape = {"vocab_size": len(TOKENIZER), "d_model": 32, "num_layers": 2, "num_heads": 4, "d_ff": 64, "d_kv": 8}
    transformers.T5ForConditionalGeneration(transformers.T5Config(**shape)).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    fails(lambda: load(str(folder)), LoadError, "Unrecognized configuration class .*T5Config")
