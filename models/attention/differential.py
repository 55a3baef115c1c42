"""The attention pattern that a differential model really applies, A1 − λ·A2 (Ye et al., arXiv 2410.05258, eq. 1).

transformers computes (A1 − λ·A2)·V as a difference of outputs and gives back the raw softmax of all heads, A1 and A2
one after the other. Here its own extension points, an attention function and a mask function of a name of ours, give
back the difference instead. No file is edited, and the outputs are those of `eager`, to the bit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import torch
import transformers
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

from models.attention.subtraction import (
    AttentionUnavailable,
    NotThroughTheInterface,
    known_subtraction_of,
    subtraction_of,
    subtracts,
)

Part = Literal["difference", "first", "second"]
_NAMES: dict[Part, str] = {
    "difference": "differential",
    "first": "differential_first",
    "second": "differential_second",
}


@contextmanager
def differential_attention(model: PreTrainedModel, part: Part = "difference") -> Iterator[PreTrainedModel]:
    """Inside, `model(**inputs, output_attentions=True).attentions[l]` is the pattern that layer `l` applies.

    For a differential layer it is A1 − λ·A2, of shape (batch, heads / 2, query, key): its rows sum to 1 − λ and it has
    negative entries. `part` `"first"` gives A1 and `"second"` A2, of the same shape, each with rows that sum to 1; λ is
    `lambdas(model)`. For an ordinary layer it is the ordinary pattern, (batch, heads, query, key), whatever the `part`.

    The outputs are those of the `eager` implementation. The model's own implementation is back on exit, also after an
    exception; the contexts nest. It is safe with padding, a KV cache, grouped-query heads and low precision; the rows
    of padded queries mean nothing and belong in no mean. An ordinary model whose attention transformers cannot change
    gives out the patterns of its own code. Raises `AttentionUnavailable` for a differential one of that kind, or one
    that subtracts in a way that nobody has said; `ValueError` for an unknown `part`.
    """
    if part not in _NAMES:
        raise ValueError(f"part {part!r}: expected {', '.join(map(repr, _NAMES))}")
    name = _NAMES[part] if subtracts(model) or can_change(model) else "eager"
    with attention_implementation(model, name):
        yield model


def can_change(model: PreTrainedModel) -> bool:
    """Whether `model` takes an attention implementation of ours: it does where it goes through AttentionInterface."""
    before = model.config._attn_implementation
    model.set_attn_implementation(_NAMES["difference"])
    changed: bool = model.config._attn_implementation == _NAMES["difference"]
    model.set_attn_implementation(before)
    return changed


@contextmanager
def attention_implementation(model: PreTrainedModel, name: str) -> Iterator[None]:
    """Inside, `model` runs on the registered attention implementation `name`; on exit on the one that it had."""
    before = model.config._attn_implementation
    model.set_attn_implementation(name)
    try:
        if name == "eager":  # which some code of its own takes from the configuration alone
            model.config._attn_implementation = name
        if model.config._attn_implementation != name:
            raise NotThroughTheInterface(
                f"{type(model).__name__}: transformers {transformers.__version__} cannot change its attention"
                " implementation; a model that goes through AttentionInterface was expected"
            )
        yield
    finally:
        model.set_attn_implementation(before)
        model.config._attn_implementation = before


def decoder_of(model: PreTrainedModel) -> PreTrainedModel:
    """The stack of layers that reads the text, without the output head."""
    found: Any = model.get_decoder()
    return found if isinstance(found, PreTrainedModel) else model.base_model  # type: ignore[return-value]


def layers_of(model: PreTrainedModel) -> int:
    """How many layers the text goes through; 0 where the configuration does not say."""
    number = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    return number if isinstance(number, int) else 0


def is_differential(model: nn.Module) -> bool:
    """Whether a layer of `model` uses differential attention."""
    return any(subtraction_of(module) is not None for module in model.modules())


def lambdas(model: nn.Module) -> torch.Tensor:
    """λ of each differential layer, (layers,) in float32; empty for an ordinary model. Of a layer with one λ a pair of
    heads, their mean: each is in `pair_lambdas`.

    For DiffLlama λ = exp(λq1·λk1) − exp(λq2·λk2) + λ_init, with λ_init = 0.8 − 0.6·exp(−0.3·layer) and layers counted
    from 0 (Ye et al., eq. 2 and 3), rounded to the precision the model runs in.
    """
    return torch.tensor([float(weight.mean()) for weight in pair_lambdas(model)], dtype=torch.float32)


def pair_lambdas(model: nn.Module) -> list[torch.Tensor]:
    """λ of each differential layer in float32: (1,) where its pairs of heads share one, otherwise (pairs,)."""
    found = ((subtraction_of(module), module) for module in model.modules())
    return [known.factor(module).flatten().float() for known, module in found if known is not None]


def _attend(part: Part, module: nn.Module, *arguments: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The model's own explicit attention, with the weights replaced. Both calls of a differential layer come here; it
    returns the weights of the first."""
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if eager is None:
        raise AttentionUnavailable(
            f"{type(module).__name__}: its module has no eager_attention_forward, which transformers"
            f" {transformers.__version__} was expected to have"
        )
    output, weights = eager(module, *arguments, **options)
    subtraction = known_subtraction_of(module)
    if subtraction is not None:
        first, second = subtraction.parts(weights)
        if part == "difference":
            weights = first - subtraction.factor(module).to(weights.dtype) * second
        else:
            weights = first if part == "first" else second
    return output, weights


for _part, _name in _NAMES.items():
    AttentionInterface.register(_name, partial(_attend, _part))
    AttentionMaskInterface.register(_name, eager_mask)
