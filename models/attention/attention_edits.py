"""Changes to a model's attention while it runs: edges that are cut, and another weight of the second pattern, λ·A2.

An edit belongs to the attention layers of one model. `models.attention.edited_implementations` applies the edits that
are in force on a layer; `models.attention.cut_attention` puts them in force. Shapes: B rows of the batch, H heads,
Q queries, K keys, D head size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.functional import pad
from transformers import PreTrainedModel

from models import upstream_transformers
from models.attention.attention_errors import AttentionUnavailable
from models.attention.subtraction_registry import checked_subtraction_of

T = TypeVar("T")
Part = Literal["both", "first", "second"]


@dataclass(eq=False)
class AttentionEdit:
    """One change to the attention of some layers.

    `cut` is bool, (batch, query, key), True where a query may not see a key; None for no cut. Rows and columns count
    from the first column of the cache; a query beyond its end takes the last row, and a key beyond it is seen. `heads`
    gives the heads of each layer that is changed, None for all of them; those of a differential layer are pairs, of
    which `part` says what is cut. With `renormalise` the weights of the other keys sum to 1 again. `second_factor`
    multiplies λ. `reached` collects the layers that applied the edit.
    """

    heads: Mapping[int, tuple[int, ...] | None]
    cut: torch.Tensor | None = None
    part: Part = "both"
    renormalise: bool = True
    second_factor: float = 1.0
    caches_every_column: bool = True
    reached: set[int] = field(default_factory=set)
    _hidden: tuple[Any, torch.Tensor | None] = field(default=(None, None), init=False)

    def hidden(self, module: nn.Module, query_BxHxQxD: torch.Tensor, keys: int) -> torch.Tensor | None:
        """Return which keys the heads of a layer may not see, (B, 1 or H, Q, K); None where nothing is cut."""
        if self.cut is None:
            return None
        batch, heads, queries, _ = query_BxHxQxD.shape
        if queries != keys and not self.caches_every_column:
            raise AttentionUnavailable(
                f"{type(module).__name__}: a cut needs the keys of every token in the cache, and this model drops some"
            )
        if len(self.cut) != batch:
            raise ValueError(f"cut: expected one matrix for each of the {batch} rows of the batch, got {len(self.cut)}")
        chosen = self._chosen_heads(module, heads)
        changes = 0 if self.cut.is_inference() else self.cut._version  # a cut may be changed in place
        key = (self.cut, changes, queries, keys, chosen, query_BxHxQxD.device)
        known = self._hidden[0]
        if known is None or known[0] is not self.cut or known[1:] != key[1:]:
            rows = torch.arange(keys - queries, keys, device=self.cut.device).clamp(max=self.cut.shape[1] - 1)
            columns = self.cut[:, rows, :keys]
            cut = pad(columns, (0, keys - columns.shape[2]))[:, None].to(query_BxHxQxD.device)
            if chosen is not None:
                of_head = torch.zeros(heads, dtype=torch.bool, device=cut.device)
                of_head[list(chosen)] = True
                cut = cut & of_head[:, None, None]
            self._hidden = key, cut if bool(cut.any()) else None
        return self._hidden[1]

    def _chosen_heads(self, module: nn.Module, heads: int) -> tuple[int, ...] | None:
        """Return the numbers, among the layer's `heads`, of those that are cut; None for all."""
        selected = self.heads[upstream_transformers.layer_number(module)]
        subtraction = checked_subtraction_of(module)
        if subtraction is None:
            return selected
        if selected is None and self.part == "both":
            return None
        first, second = subtraction.pairs(module, heads)
        pairs = range(len(first)) if selected is None else selected
        if self.part != "first":
            _check_unshared(module, second, pairs)
        parts = {"both": (first, second), "first": (first,), "second": (second,)}[self.part]
        return tuple(dict.fromkeys(part[pair] for part in parts for pair in pairs))


def _check_unshared(module: nn.Module, second: Sequence[int], pairs: Sequence[int]) -> None:
    """Raise `ValueError` if the A2 of one of `pairs` is also that of another head, which would be cut too."""
    for pair in pairs:
        others = [other for other, head in enumerate(second) if head == second[pair] and other not in pairs]
        if others:
            raise ValueError(
                f"heads: in {type(module).__name__} head {pair} shares its A2 with head {others[0]}; choose both, or"
                " cut in A1 alone (part 'first')"
            )


_EDITS: WeakKeyDictionary[nn.Module, list[AttentionEdit]] = WeakKeyDictionary()


def numbered_modules(model: nn.Module) -> dict[nn.Module, int]:
    """Return the modules of `model` that know the number of their layer, and that number."""
    numbered = ((module, getattr(module, "layer_idx", None)) for module in model.modules())
    return {module: number for module, number in numbered if isinstance(number, int)}


def add_edit(model: PreTrainedModel, edit: AttentionEdit) -> None:
    """Let the layers of `model` apply `edit`, once the model runs on an implementation of `edited_name`."""
    for module, number in numbered_modules(model).items():
        if number in edit.heads:
            _EDITS.setdefault(module, []).append(edit)


def remove_edit(model: PreTrainedModel, edit: AttentionEdit) -> None:
    """Undo `add_edit`."""
    for module in numbered_modules(model):
        edits = _EDITS.get(module, [])
        if edit in edits:
            edits.remove(edit)
        if not edits:
            _EDITS.pop(module, None)


def is_edited(model: nn.Module) -> bool:
    """Return whether an edit is in force on a layer of `model`."""
    return any(module in _EDITS for module in model.modules())


def edits_of(module: nn.Module) -> Sequence[AttentionEdit]:
    """Return the edits in force on a layer, in the order in which they were added."""
    return _EDITS.get(module, ())


def second_factor(module: nn.Module) -> float:
    """Return what the edits of a layer multiply its λ by."""
    factor = 1.0
    for edit in _EDITS.get(module, ()):
        factor *= edit.second_factor
    return factor
