"""The attention pattern that a differential model applies, A1 − λ·A2 (Ye et al., arXiv 2410.05258, eq. 1).

transformers computes (A1 − λ·A2)·V as a difference of outputs and returns the raw softmax of all heads, first A1 and
then A2. An attention function registered here returns the difference instead. No file of transformers is edited, and
the outputs are bit-identical to those of `eager`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedModel

from models import upstream_transformers
from models.attention.attention_edits import is_edited
from models.attention.attention_errors import AttentionInterfaceBypassed, AttentionUnavailable
from models.attention.edited_implementations import edited_name
from models.attention.layer_inputs import recorded_inputs
from models.attention.recognition_check import checked_names, note_outputs
from models.attention.subtraction_registry import (
    ShownPattern,
    Subtraction,
    differential_layers,
    is_differential_or_raise,
    shown_pattern,
    subtraction_of,
)

_IMPLEMENTATIONS: dict[ShownPattern, str] = {
    "difference": "differential",
    "first": "differential_first",
    "second": "differential_second",
}


@contextmanager
def differential_attention(model: PreTrainedModel, part: ShownPattern = "difference") -> Iterator[PreTrainedModel]:
    """Inside, `model(**inputs, output_attentions=True).attentions[l]` is the pattern that layer `l` applies.

    For a differential layer it is A1 − λ·A2, (batch, pairs, query, key): its rows sum to 1 − λ, and entries can be
    negative. `part` `"first"` gives A1 and `"second"` A2, of the same shape, with rows that sum to 1; λ is
    `lambdas(model)`, or, where it depends on the text, what each row lacks to 1. For an ordinary layer it is the
    ordinary pattern, (batch, heads, query, key), whatever the `part`.

    The outputs are those of the `eager` implementation. The model's own implementation is restored on exit, also after
    an exception; contexts nest. Padding, a KV cache, grouped-query heads and low precision are supported. Rows of
    padded queries are meaningless: leave them out of every mean. An ordinary model whose implementation transformers
    cannot change returns the patterns of its own code.

    Raises `AttentionUnavailable` for a differential model whose implementation cannot be changed, or that subtracts in
    an unknown way; `ValueError` for an unknown `part`.
    """
    if part not in _IMPLEMENTATIONS:
        raise ValueError(f"part {part!r}: expected {', '.join(map(repr, _IMPLEMENTATIONS))}")
    use_own_implementation = is_differential_or_raise(model) or can_set_attention_implementation(model)
    with attention_implementation(model, _IMPLEMENTATIONS[part] if use_own_implementation else "eager"):
        yield model


def can_set_attention_implementation(model: PreTrainedModel) -> bool:
    """Return whether `model` accepts our attention implementations: whether it goes through AttentionInterface."""
    return upstream_transformers.can_set_attention(model, _IMPLEMENTATIONS["difference"])


@contextmanager
def attention_implementation(model: PreTrainedModel, name: str) -> Iterator[None]:
    """Run `model` on the registered attention implementation `name` inside the context, and on its own again after it.

    Edits of the model (`models.attention.attention_edits`) stay in force. Raises `AttentionInterfaceBypassed` for a
    model that does not accept it, and what `edited_name` raises.
    """
    name = edited_name(name) if is_edited(model) else name
    with upstream_transformers.attention_set(model, name) as accepted:
        if not accepted:
            raise AttentionInterfaceBypassed(
                f"{type(model).__name__}: transformers {transformers.__version__} cannot change its attention"
                " implementation; expected a model that goes through AttentionInterface"
            )
        layers = _differential_layers(model)
        with recorded_inputs([layer for layer, known in layers if known.token_lambda]), checked_names(layers):
            yield


def decoder_of(model: PreTrainedModel) -> PreTrainedModel:
    """Return the stack of layers that reads the text, without the output head."""
    decoder: Any = model.get_decoder()
    return decoder if isinstance(decoder, PreTrainedModel) else model.base_model  # type: ignore[return-value]


def layer_count(model: PreTrainedModel) -> int:
    """Return the number of layers that read the text; 0 if the configuration does not say."""
    number = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    return number if isinstance(number, int) else 0


def is_differential(model: nn.Module) -> bool:
    """Return whether a layer of `model` uses differential attention."""
    return bool(_differential_layers(model))


def lambda_depends_on_text(model: nn.Module) -> bool:
    """Return whether a layer of `model` computes λ from its input, for each token and head."""
    return any(known.token_lambda is not None for _, known in _differential_layers(model))


def lambdas(model: nn.Module) -> torch.Tensor:
    """Return λ of each differential layer, (layers,) in float32; empty for an ordinary model.

    For DiffLlama λ = exp(λq1·λk1) − exp(λq2·λk2) + λ_init, with λ_init = 0.8 − 0.6·exp(−0.3·layer) and layers counted
    from 0 (Ye et al., eq. 2 and 3), rounded to the precision the model runs in. For a layer with one λ a pair of heads
    it is their mean; `pair_lambdas` returns each.

    Raises `AttentionUnavailable` where λ depends on the text: `models.attention_allocation` returns it by token.
    """
    return torch.tensor([float(weight.mean()) for weight in pair_lambdas(model)], dtype=torch.float32)


def pair_lambdas(model: nn.Module) -> list[torch.Tensor]:
    """Return λ of each differential layer in float32: (1,) if its pairs of heads share one, otherwise (pairs,).

    Raises what `lambdas` raises.
    """
    return [known.factor(layer).flatten().float() for layer, known in _differential_layers(model)]


def pair_counts_by_layer(model: PreTrainedModel) -> dict[int, int]:
    """Return the numbers of the differential layers of `model`, from 0, each with its number of pairs of heads.

    Raises `AttentionUnavailable` for a layer that subtracts in an unknown way.
    """
    heads = getattr(model.config.get_text_config(), "num_attention_heads", 0)
    return {
        upstream_transformers.layer_number(layer): len(known.pairs(layer, heads)[0])
        for layer, known in differential_layers(model)
    }


def shares_second_patterns(model: PreTrainedModel) -> bool:
    """Return whether pairs of heads of `model` share their A2, so that it cannot be cut for one of them."""
    heads = getattr(model.config.get_text_config(), "num_attention_heads", 0)
    seconds = (known.pairs(layer, heads)[1] for layer, known in _differential_layers(model))
    return any(len(set(second)) < len(second) for second in seconds)


def _differential_layers(model: nn.Module) -> list[tuple[nn.Module, Subtraction]]:
    layers = ((module, subtraction_of(module)) for module in model.modules())
    return [(layer, known) for layer, known in layers if known is not None]


def _attend(
    part: ShownPattern, module: nn.Module, *arguments: Any, **options: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """The attention function: the layer's own explicit attention with other weights returned.

    Both calls of a DiffLlama layer come here; the layer returns the weights of the first.
    """
    eager = upstream_transformers.eager_attention_of(module)
    if eager is None:
        raise AttentionUnavailable(
            f"{type(module).__name__}: expected its module to define eager_attention_forward, as in transformers"
            f" {transformers.__version__}"
        )
    output, weights = eager(module, *arguments, **options)
    note_outputs(module, subtraction_of(module), output)
    return output, shown_pattern(module, weights, part)


for _part, _name in _IMPLEMENTATIONS.items():
    upstream_transformers.register_attention(_name, partial(_attend, _part), upstream_transformers.eager_mask)
