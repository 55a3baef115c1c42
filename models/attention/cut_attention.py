"""Cut attention: chosen queries do not see chosen keys, in chosen layers and heads, and in A1, in A2 or in both.

The cut is made through transformers' attention interface; no file of transformers is edited. It can be combined with a
KV cache that grows, padding, grouped-query heads, low precision, `generate`, `models.differential_attention` and
`models.attention_allocation`. Own decoders take edits of their own: `models.decode.edited_prompt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from models import upstream_transformers
from models.attention.allocation import attention_layer_numbers, selected_layers_and_heads
from models.attention.attention_edits import AttentionEdit, Part, add_edit, numbered_modules, remove_edit
from models.attention.attention_errors import AttentionUnavailable, LayersNotObserved
from models.attention.differential import attention_implementation, pair_counts_by_layer
from models.attention.edited_implementations import edited_name
from models.attention.subtraction_registry import is_differential_or_raise


@contextmanager
def cut_attention(
    model: PreTrainedModel,
    cut: torch.Tensor,
    part: Part = "both",
    renormalise: bool = True,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
) -> Iterator[PreTrainedModel]:
    """Inside, queries of `model` do not see the keys that `cut` hides from them.

    `cut` is bool, (batch, query, key), True where a query may not see a key. Rows and columns count from the first
    token of the padded batch. Queries past its end, such as generated tokens, take the last row's; keys past its end
    are seen. `part` says in which pattern of a differential layer the edges are cut: `both`, `first` (A1) or `second`
    (A2). With `renormalise` the weights of the remaining keys are those of a softmax without the hidden ones; without,
    the hidden keys' weights are zero and the others as they were. `layers` and `heads` are numbers from 0; default:
    all. The heads of a differential layer are its pairs; pairs that share their A2 are cut together in it.

    Contexts nest, and then all their edges are cut. The model's own attention is restored on exit, also after an
    exception. A `cut` without an edge leaves every bit as it was. Memory is linear in the length but for `cut` and the
    mask, which have one byte per query and key each; a mask has as many for each head where `part` or `heads` choose.

    Raises `ValueError` for another type or shape of `cut`, for a layer, head or part that the model does not have, and,
    while the model runs, for a batch of another size and for a query that would see no key; `AttentionUnavailable` for
    a model whose attention cannot be cut, a cache of a fixed size or with a sliding window, and on exit for layers that
    did not apply the cut.
    """
    if cut.dtype != torch.bool or cut.ndim != 3:
        raise ValueError(f"cut: expected bool of shape (batch, query, key), got {cut.dtype} of {tuple(cut.shape)}")
    if part not in ("both", "first", "second"):
        raise ValueError(f"part {part!r}: expected 'both', 'first' or 'second'")
    edit = edit_of(model, cut, part, renormalise, layers, heads)
    with edited_attention(model, edit):
        yield model


@contextmanager
def scaled_lambda(model: PreTrainedModel, factor: float) -> Iterator[PreTrainedModel]:
    """Inside, every layer of `model` applies A1 − factor·λ·A2: 0 leaves A1 alone, 1 changes nothing.

    Contexts nest, and then their factors are multiplied. Raises `ValueError` for an ordinary model, and otherwise what
    `cut_attention` raises.
    """
    with edited_attention(model, edit_of(model, second_factor=factor)):
        yield model


def edit_of(
    model: PreTrainedModel,
    cut: torch.Tensor | None = None,
    part: Part = "both",
    renormalise: bool = True,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    second_factor: float = 1.0,
) -> AttentionEdit:
    """Return the edit that `cut_attention` and `scaled_lambda` make of these arguments. Raises what they raise."""
    differential = is_differential_or_raise(model)
    of_pairs = [f"part {part!r}"] * (part != "both") + [f"λ times {second_factor:g}"] * (second_factor != 1.0)
    if of_pairs and not differential:
        raise ValueError(f"{of_pairs[0]}: {type(model).__name__} has ordinary attention, with neither A1 and A2 nor λ")
    selected_layers, selected_heads = selected_layers_and_heads(model, layers, heads)
    if layers is None and heads is None and not of_pairs:
        selected_layers = attention_layer_numbers(model)  # of both kinds
    pairs = pair_counts_by_layer(model)
    ordinary = [layer for layer in selected_layers if layer not in pairs]
    if of_pairs and ordinary:
        raise ValueError(f"{of_pairs[0]}: layer {ordinary[0]} has ordinary attention, with neither A1 and A2 nor λ")
    known = set(numbered_modules(model).values())
    missing = [layer for layer in selected_layers if layer not in known]
    if missing:
        raise AttentionUnavailable(f"{type(model).__name__}: expected an attention in layer {missing[0]}, found none")
    chosen = None if heads is None else selected_heads
    return AttentionEdit(
        heads=dict.fromkeys(selected_layers, chosen),
        cut=cut,
        part=part,
        renormalise=renormalise,
        second_factor=second_factor,
        caches_every_column=upstream_transformers.caches_every_column(model),
    )


@contextmanager
def edited_attention(model: PreTrainedModel, *edits: AttentionEdit) -> Iterator[None]:
    """Let the layers of `model` apply `edits` inside the context; without any, nothing is changed."""
    if not edits:
        yield
        return
    before = upstream_transformers.current_attention(model)
    name = edited_name(before)
    for edit in edits:
        add_edit(model, edit)
    try:
        with attention_implementation(model, name):
            yield
            if upstream_transformers.current_attention(model) != name:
                raise AttentionUnavailable(
                    f"{type(model).__name__}: its attention implementation was changed inside the cut, which no longer"
                    " held; change it before"
                )
    finally:
        for edit in edits:
            remove_edit(model, edit)
    for edit in edits:
        missed = edit.heads.keys() - edit.reached
        if edit.reached and missed:
            numbers = ", ".join(map(str, sorted(missed)))
            reached = sorted(edit.reached)
            raise LayersNotObserved(f"{type(model).__name__}: the cut did not reach layers {numbers}", reached)
