"""Replicates that are left out of the means over seeds, and families whose seeds answered unequally many problems."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from reports.stats.accuracies import CellAccuracy
from reports.stats.accuracies_over_seeds import accuracy_key
from reports.stats.noise_doses import noise_order
from reports.store.folder_snapshot import Snapshot
from reports.store.records import Cell, Settings
from reports.store.replicates import display_name, model_order, replicate_label, replicated_families, split_replicate
from reports.store.results_folder import Results


def excluded_replicates(results: Results, cells: Iterable[Cell]) -> frozenset[tuple[str, str]]:
    """Return the replicates that were asked otherwise than the first of their family, each as its stage and its name
    with its number.

    They are in no mean over seeds: it would mix settings. Raises `ResultsDamaged`.
    """
    cells, snapshot = list(cells), Snapshot.of(results)
    families = replicated_families(cell.model for cell in cells)
    settings: dict[tuple[str, str], dict[str, set[Settings]]] = {}
    for cell in cells:
        family = split_replicate(cell.model)[0]
        index = snapshot.index(cell) if family in families else None
        if index is not None:
            of_model = settings.setdefault((cell.stage, family), {}).setdefault(cell.model, set())
            of_model.add(_without_the_model(results.settings(index.settings_hash)))
    return frozenset(
        (stage, replicate_label(model))
        for (stage, _), by_model in settings.items()
        for model, own in by_model.items()
        if own != by_model[min(by_model, key=model_order)]
    )


def _without_the_model(settings: Settings) -> Settings:
    """Return settings without what is the model's own, among it the heads that a cut chose."""
    return replace(settings, weights="", rendered="", base="", attention="")


def seed_remarks(cells: Sequence[CellAccuracy], excluded: Collection[tuple[str, str]]) -> list[str]:
    """Return a sentence for each way in which the replicates of a family are not alike."""
    families = replicated_families(row.model for row in cells)
    ordered = sorted(cells, key=lambda row: (model_order(row.model), noise_order(row.noise)))
    replicates = [row for row in ordered if split_replicate(row.model)[0] in families]
    remarks = []
    other = list(dict.fromkeys(replicate_label(row.model) for row in replicates if (row.stage, row.model) in excluded))
    if other:
        remarks.append(f"left out of the means over seeds, as asked under other settings: {', '.join(other)}")
    groups: dict[tuple[str, str, str], list[CellAccuracy]] = {}
    for row in replicates:
        groups.setdefault(accuracy_key(row), []).append(row)
    uneven = [_uneven(group) for group in groups.values()]
    if any(uneven):
        remarks.append(f"seeds answered different numbers of problems: {'; '.join(filter(None, uneven))}")
    return remarks


def _uneven(group: Sequence[CellAccuracy]) -> str | None:
    fewest, most = min(group, key=lambda row: row.problems), max(group, key=lambda row: row.problems)
    if fewest.problems == most.problems:
        return None
    family = display_name(split_replicate(group[0].model)[0])
    return f"{family}, {group[0].noise}: {fewest.problems:,} ({replicate_label(fewest.model)}) to {most.problems:,}"
