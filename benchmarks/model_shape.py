"""The shape of a loaded model, and how its tokenizer counts: what the cost of a run depends on. No torch at import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.model_rates import ModelShape, TextRates
from noise.problems.problem import NoisyProblem

if TYPE_CHECKING:  # torch stays out of `--rates FILE`
    from models.loading.load_model import LoadedModel


def shape_of(loaded: LoadedModel) -> ModelShape:
    """Return the shape of a model; sizes that its configuration does not name count as 0."""
    from models.attention.differential import is_differential
    from models.loading.lora_adapters import lora_targets

    model: Any = loaded.model
    config = model.config.get_text_config()
    heads = getattr(config, "num_attention_heads", 0)
    layers, hidden = getattr(config, "num_hidden_layers", 0), getattr(config, "hidden_size", 0)
    key_heads = getattr(config, "num_key_value_heads", None) or heads
    head_size = getattr(config, "head_dim", None) or (hidden // heads if heads else 0)
    value_bytes = next(model.parameters()).element_size()
    targets = lora_targets(model)
    adapted = [
        module.weight.shape
        for name, module in model.named_modules()
        if getattr(module, "weight", None) is not None
        and module.weight.ndim == 2
        and module is not model.get_output_embeddings()
        and module is not model.get_input_embeddings()
        and (targets == "all-linear" or name.endswith(tuple(targets)))
    ]
    return ModelShape(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        value_bytes=value_bytes,
        cached_bytes=2 * layers * key_heads * head_size * value_bytes,
        layers=layers,
        hidden=hidden,
        vocabulary=getattr(config, "vocab_size", 0),
        differential=is_differential(model),
        adapter=sum(sum(shape) for shape in adapted),
    )


def text_rates(loaded: LoadedModel, problems: Sequence[NoisyProblem]) -> TextRates:
    """Return how the tokenizer counts, over the text of these problems."""

    def tokens(texts: Sequence[str]) -> int:
        return sum(map(len, loaded.encode(texts)["input_ids"]))

    questions = [noisy.question for noisy in problems]
    answers = [noisy.problem.answer for noisy in problems]
    empty = tokens([""])
    of_questions, of_answers = (tokens(texts) - empty * len(texts) for texts in (questions, answers))
    around = (tokens(loaded.prompts(questions)) - of_questions) / len(questions)
    return TextRates(of_questions / sum(map(len, questions)), of_answers / sum(map(len, answers)), around)
