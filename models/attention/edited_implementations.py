"""Attention implementations that apply the edits of the layer that calls them (`models.attention.attention_edits`).

They leave the rest to the implementation that the model had: they hand it a mask with fewer visible keys, and scale
what it returns. Shapes: B rows of the batch, H heads, Q queries, K keys, D head size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from weakref import ref

import torch
from torch import nn

from models import upstream_transformers
from models.attention.attention_edits import edits_of, second_factor
from models.attention.attention_errors import AttentionUnavailable
from models.attention.recognition_check import note_outputs
from models.attention.segment_mass import hidden_masses
from models.attention.subtraction_registry import ShownPattern, checked_subtraction_of, shown_pattern

T = TypeVar("T")
#: What the name of an implementation begins with that applies edits to another.
_PREFIX = "edited_"
#: Implementations that can be edited, which are those that take a mask of every query and key. Of the ones that show
#: another pattern than they apply, what they apply, and which pattern they show.
_EDITABLE: dict[str, tuple[str, ShownPattern | None]] = {
    "eager": ("eager", None),
    "sdpa": ("sdpa", None),
    "decode_attention": ("decode_attention", None),
    "allocation": ("allocation", None),
    "differential": ("eager", "difference"),
    "differential_first": ("eager", "first"),
    "differential_second": ("eager", "second"),
}


def edited_name(name: str) -> str:
    """Return the implementation that applies edits to the implementation `name`.

    Raises `AttentionUnavailable` for one that takes no mask of every query and key, such as flash attention.
    """
    if name.startswith(_PREFIX):
        return name
    if name not in _EDITABLE:
        raise AttentionUnavailable(
            f"the attention implementation {name!r} cannot be edited; load the model with one of eager and sdpa"
        )
    upstream_transformers.register_attention(
        _PREFIX + name, partial(_attend, name), upstream_transformers.mask_function_of(name)
    )
    return _PREFIX + name


def _attend(
    name: str,
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The attention function: the implementation `name` with the edits of the layer that calls it."""
    applied, shown = _EDITABLE[name]
    attend = upstream_transformers.attention_function_of(applied, module)
    edits = edits_of(module)
    for edit in edits:
        edit.reached.add(upstream_transformers.layer_number(module))
    keys = key.shape[2]
    renormalised = [edit.hidden(module, query, keys) for edit in edits if edit.renormalise]
    zeroed = [edit.hidden(module, query, keys) for edit in edits if not edit.renormalise]
    factor = second_factor(module)
    hidden, dropped = _union(renormalised), _union(zeroed)
    by_head = any(cut is not None and cut.shape[1] > 1 for cut in (hidden, dropped))
    if name == "allocation" and (by_head or dropped is not None or factor != 1.0):
        raise AttentionUnavailable(
            "attention mass is measured under a cut only where it is the same for all heads, and renormalised"
        )
    mask = attention_mask
    if hidden is not None:
        cut = hidden
        mask = _last_mask.of(lambda: _mask_without(attention_mask, cut, module, query, keys), attention_mask, cut)
    if dropped is None:
        output, weights = attend(module, query, key, value, mask, **options)
    else:
        output, weights = _attend_zeroed(attend, module, query, key, value, mask, dropped, options)
    if factor != 1.0:
        output = _second_scaled(module, output, factor)
    if name != "allocation":  # which does so itself
        note_outputs(module, checked_subtraction_of(module), output)
    if shown is not None and weights is not None:
        weights = shown_pattern(module, weights, shown, factor)
    return output, weights


def _union(cuts: list[torch.Tensor | None]) -> torch.Tensor | None:
    real = [cut for cut in cuts if cut is not None]
    if len(real) < 2:
        return real[0] if real else None
    union = real[0]
    for cut in real[1:]:
        union = union | cut
    return union


class _LastResult:
    """The result of the last call with the same objects: the layers of a forward pass share their mask, the two calls
    of a DiffLlama layer their queries and keys, and some functions compare masks by identity.

    Tensors are held by weak references: keys keep a whole cache alive.
    """

    def __init__(self) -> None:
        # Both in one attribute: another thread may call between two assignments.
        self._entry: tuple[tuple[Callable[[], Any], ...], Any] = ((), None)

    def of(self, compute: Callable[[], T], *keys: Any) -> T:
        """Return what `compute` returns for these `keys`, compared by identity."""
        known, result = self._entry
        if len(known) != len(keys) or any(of_known() is not key for of_known, key in zip(known, keys, strict=True)):
            result = compute()
            self._entry = (
                tuple(ref(key) if isinstance(key, torch.Tensor) else partial(_same, key) for key in keys),
                result,
            )
        return result


def _same(value: Any) -> Any:
    return value


_last_mask, _last_rest, _last_mass = _LastResult(), _LastResult(), _LastResult()


def _mask_without(
    mask: torch.Tensor | None, hidden: torch.Tensor, module: nn.Module, query: torch.Tensor, keys: int
) -> torch.Tensor:
    """Return `mask` without the `hidden` keys. Raises `ValueError` for a query that would see no key."""
    visible = visible_keys(mask, module, query, keys)
    blind = (~(visible & ~hidden).any(-1) & visible.any(-1)).nonzero()
    if len(blind):
        row, _, number = blind[0].tolist()
        first = keys - query.shape[2]
        raise ValueError(f"cut: query {first + number} of row {row} would see no key; leave it at least one")
    if mask is None or mask.dtype == torch.bool:
        return visible & ~hidden
    return mask.masked_fill(hidden, torch.finfo(mask.dtype).min)


def visible_keys(mask: torch.Tensor | None, module: nn.Module, query: torch.Tensor, keys: int) -> torch.Tensor:
    """Return which keys each query sees without a cut, bool, (B or 1, 1 or H, Q, K).

    Raises `AttentionUnavailable` for a cache whose columns are not those of the tokens: one of a fixed size, whose last
    columns are empty.
    """
    queries = query.shape[2]
    if mask is None:
        if queries > 1 and queries != keys:
            raise AttentionUnavailable(_FIXED_CACHE)
        rows = torch.arange(keys - queries, keys, device=query.device)
        return (torch.arange(keys, device=query.device) <= rows[:, None])[None, None]
    visible = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min
    if visible.shape[-1] != keys or not bool(visible[:, :, -1, -1].any()):
        raise AttentionUnavailable(_FIXED_CACHE)
    return visible


_FIXED_CACHE = "a cut needs a cache that grows with the text, and this one has columns for later tokens"


def _attend_zeroed(
    attend: Callable[..., tuple[torch.Tensor, torch.Tensor | None]],
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropped: torch.Tensor,
    options: Mapping[str, Any],
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attend with the weights of the `dropped` keys set to zero: the rest is what renormalised weights give, times the
    mass that is left."""
    modifiers = [name for name in upstream_transformers.SCORE_MODIFIERS if options.get(name) is not None]
    if modifiers:
        raise AttentionUnavailable(
            f"{type(module).__name__}: its attention uses {modifiers[0]!r}; only a renormalised cut can be made in it"
        )
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    visible, others, nothing_left = _last_rest.of(
        lambda: _rest_of_mask(mask, dropped, module, query, key.shape[2]), mask, dropped
    )
    lost = _last_mass.of(lambda: hidden_masses(query, key, visible, scale, dropped), query, key, visible, dropped)
    kept = torch.where(nothing_left, 0.0, 1 - lost).to(query.dtype)  # (B, H, Q, 1)
    output, weights = attend(module, query, key, value, others, **options)
    return output * kept.transpose(1, 2), None if weights is None else weights * kept


def _rest_of_mask(
    mask: torch.Tensor | None, dropped: torch.Tensor, module: nn.Module, query: torch.Tensor, keys: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return which keys each query sees, the mask without those that are dropped, and the queries that are left none:
    these see them, as no softmax is over nothing."""
    visible = visible_keys(mask, module, query, keys)
    nothing_left = ~(visible & ~dropped).any(-1, keepdim=True)
    others = visible & ~(dropped & ~nothing_left)
    if mask is not None and mask.dtype != torch.bool:
        others = mask.masked_fill(~others, torch.finfo(mask.dtype).min)
    return visible, others, nothing_left


def _second_scaled(module: nn.Module, output_BxQxHxD: torch.Tensor, factor: float) -> torch.Tensor:
    """Return a layer's output with that of A2 multiplied: λ·A2 is linear in it."""
    subtraction = checked_subtraction_of(module)
    assert subtraction is not None
    scaled = output_BxQxHxD.clone()
    scaled[:, :, sorted(set(subtraction.pairs(module, output_BxQxHxD.shape[2])[1]))] *= factor
    return scaled
