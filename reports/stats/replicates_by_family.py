"""Rows about replicates, grouped by family: which rows are about the same thing, and under which names they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar

from reports.store.replicates import display_name, replicate_label, replicated_families, split_replicate


class _OfModel(Protocol):
    @property
    def model(self) -> str: ...

    @property
    def stage(self) -> str: ...


Named = TypeVar("Named", bound=_OfModel)
#: Replicates, by stage, that are in no mean: they were asked otherwise than the first of their family.
Excluded = Collection[tuple[str, str]]


def rows_by_subject(rows: Sequence[Named], key: Callable[[Named], Hashable]) -> dict[Hashable, list[Named]]:
    """Return the rows about more than one replicate of a family, by what they are about."""
    families = replicated_families(row.model for row in rows)
    groups: dict[Hashable, list[Named]] = {}
    for row in rows:
        if split_replicate(row.model)[0] in families:
            groups.setdefault(key(row), []).append(row)
    return {about: group for about, group in groups.items() if len(group) > 1}


def replicate_numbers(models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """Return the numbers of the replicates of each family, by stage."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for stage, model in models:
        family, number = split_replicate(model)
        numbers.setdefault((stage, family), set()).add(number)
    return numbers


def with_family_rows(
    rows: Iterable[Named],
    of_families: Iterable[Named],
    key: Callable[[Named], Hashable],
    excluded: Excluded = (),
) -> list[Named]:
    """Return the rows with that of a family in the place of its first replicate's, under the family's plain name.

    `key` gives what a row is about, whichever replicate it is of. Replicates that are in no mean keep a row of their
    own: the only one of a stage, and those that are `excluded`.
    """
    by_key = {key(row): row for row in of_families}
    taken: set[Hashable] = set()
    result = []
    for row in rows:
        about = key(row)
        if about not in by_key or (row.stage, row.model) in excluded:
            result.append(row)
        elif about not in taken:
            taken.add(about)
            result.append(_under_plain_name(by_key[about]))
    return result


def numbered(row: Named, families: Collection[str]) -> Named:
    """Return a row with the numbers of its replicates, as `diffllama:0`, where their families are in `families`."""
    values: Any = row
    names = {
        field.name: replicate_label(getattr(row, field.name))
        for field in fields(values)
        if field.name in ("model", "against") and split_replicate(getattr(row, field.name))[0] in families
    }
    return replace(values, **names) if names else row


def _under_plain_name(row: Any) -> Any:
    names = {
        field.name: display_name(getattr(row, field.name))
        for field in fields(row)
        if field.name in ("model", "against")
    }
    return replace(row, **names)
