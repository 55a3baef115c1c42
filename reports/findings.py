"""The findings of a results folder, read and computed once, for the terminal, the tables and the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from reports.plots.plot_style import ModelStyles, model_styles
from reports.progress_bars import Progress, no_progress_bar
from reports.stats.accuracies import CellAccuracy, accuracies
from reports.stats.accuracies_over_seeds import accuracies_over_seeds, accuracy_key
from reports.stats.attention_comparisons import attention_comparisons
from reports.stats.attention_stats import MeasuredCell, measured_cells
from reports.stats.comparisons import Comparison, comparisons
from reports.stats.comparisons_over_seeds import comparison_key, comparisons_over_seeds
from reports.stats.crossed_intervals import with_crossed_intervals
from reports.stats.excluded_replicates import excluded_replicates, seed_remarks
from reports.stats.intervention_contrasts import intervention_rows
from reports.stats.intervention_rows import PART_DIFFERENCE, InterventionRow
from reports.stats.intervention_scores import intervention_cells
from reports.stats.problem_scores import (
    Scores,
    all_scores,
    has_score,
    pairs_with_different_tokenization,
    scored_cell,
)
from reports.stats.replicates_by_family import Named, numbered, with_family_rows
from reports.stats.single_seed_claims import SingleSeedClaims, single_seed_claims
from reports.store.folder_snapshot import Snapshot
from reports.store.records import Cell
from reports.store.replicates import replicated_families
from reports.store.results_folder import Results
from reports.store.stage_and_file_names import TUNED_SUFFIX

Asked = Mapping[Cell, Collection[str]]
"""Cells, and the record ids of each that findings are restricted to."""


class Findings:
    """The accuracies, comparisons, attention and interventions of a results folder.

    Each is computed on first access and then kept, so later changes on disk are not seen. `only` restricts them to its
    cells, and each cell to the given record ids. All raise `ResultsDamaged` and `ResultsFolderError`. Reports that take
    long show `progress`.
    """

    def __init__(self, results: Results, only: Asked | None = None, progress: Progress = no_progress_bar) -> None:
        self.progress = progress
        self.results = Snapshot.of(results)
        self._only = only

    @cached_property
    def accuracies(self) -> list[CellAccuracy]:
        """One row for each cell, with a family in the place of its replicates."""
        return self._in_place(self.cell_accuracies, self.family_accuracies, accuracy_key)

    @cached_property
    def cell_accuracies(self) -> list[CellAccuracy]:
        return self._numbered(accuracies(self.results, self._only))

    @cached_property
    def family_accuracies(self) -> list[CellAccuracy]:
        """The means over training seeds; none where no family has several."""
        return accuracies_over_seeds(self.cell_accuracies, self.excluded_replicates)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The comparisons, with those of families in the place of those of their replicates."""
        return self._in_place(self.model_comparisons, self.family_comparisons, comparison_key)

    @cached_property
    def model_comparisons(self) -> list[Comparison]:
        return self._numbered(comparisons(self._scores))

    @cached_property
    def family_comparisons(self) -> list[Comparison]:
        return with_crossed_intervals(
            comparisons_over_seeds(self.model_comparisons, excluded=self.excluded_replicates), self._scores
        )

    @cached_property
    def excluded_replicates(self) -> frozenset[tuple[str, str]]:
        """The replicates that are in no mean over seeds, each as its stage and its name."""
        return excluded_replicates(self.results, self.results.cells() if self._only is None else self._only)

    @cached_property
    def seed_remarks(self) -> list[str]:
        """What readers of means over seeds must know: replicates that are not like the others."""
        return seed_remarks(self.cell_accuracies, self.excluded_replicates)

    def _in_place(self, rows: list[Named], families: list[Named], key: Callable[[Named], Hashable]) -> list[Named]:
        return with_family_rows(rows, families, key, self.excluded_replicates)

    @cached_property
    def _replicated_families(self) -> set[str]:
        """The families with several replicates, and their tuned versions, of which there may be one."""
        families = replicated_families(cell.model for cell in self.results.cells())
        return families | {f"{family}{TUNED_SUFFIX}" for family in families}

    def _numbered(self, rows: list[Named]) -> list[Named]:
        """Return rows that name each replicate with its number, so that `diffllama` alone is never one of several."""
        families = self._replicated_families
        return [numbered(row, families) for row in rows] if families else rows

    @cached_property
    def single_seed_claims(self) -> list[SingleSeedClaims]:
        """What one training seed would have said, for each answer over several; none where no family has several."""
        return single_seed_claims(self.family_comparisons, self.model_comparisons, self._scores)

    @cached_property
    def pairs_with_different_tokenization(self) -> list[tuple[str, str]]:
        """The pairs of models whose nats per token are not compared."""
        return pairs_with_different_tokenization(self._scores)

    @cached_property
    def _scores(self) -> list[Scores]:
        return all_scores(self.results, self._only)

    @cached_property
    def attention_cells(self) -> list[MeasuredCell]:
        families = self._replicated_families
        return [
            replace(measured, cell=numbered(measured.cell, families)) if families else measured
            for measured in self._measured_cells
        ]

    @cached_property
    def _measured_cells(self) -> list[MeasuredCell]:
        return measured_cells(self.results, self._only)

    @cached_property
    def attention_comparisons(self) -> list[Comparison]:
        """The comparisons of attention, with those of families in the place of those of their replicates."""
        return self._in_place(self.model_attention_comparisons, self.family_attention_comparisons, comparison_key)

    @cached_property
    def model_attention_comparisons(self) -> list[Comparison]:
        return self._numbered(attention_comparisons(self.attention_cells))

    @cached_property
    def family_attention_comparisons(self) -> list[Comparison]:
        return comparisons_over_seeds(self.model_attention_comparisons, excluded=self.excluded_replicates)

    @cached_property
    def interventions(self) -> list[InterventionRow]:
        """The rows of the stage, with those of families in the place of those of their replicates."""
        return self._in_place(self.model_interventions, self.family_interventions, comparison_key)

    @cached_property
    def model_interventions(self) -> list[InterventionRow]:
        cells = intervention_cells(self.results, self._only)
        return self._numbered(intervention_rows(cells, self._measured_cells if cells else ()))

    @cached_property
    def family_interventions(self) -> list[InterventionRow]:
        return comparisons_over_seeds(self.model_interventions, (PART_DIFFERENCE,), self.excluded_replicates)

    @cached_property
    def model_styles(self) -> ModelStyles:
        """The style of each model, the same in every figure of the folder."""
        return model_styles(cell.model for cell in self.results.cells())

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings of all records, by their hash. Raises `ResultsDamaged`."""
        by_hash: dict[str, dict[str, Any]] = {}
        for cell in self.results.cells():
            index = self.results.index(cell)
            if index is not None and index.settings_hash not in by_hash:
                by_hash[index.settings_hash] = asdict(self.results.settings(index.settings_hash))
        return by_hash

    def restricted_to(self, only: Asked) -> Findings:
        """Return the findings of a part of the folder; these findings if the part is all of it."""
        cells = self.results.cells()
        is_all = set(cells) == set(only) and all(set(only[cell]).issuperset(self._ids(cell)) for cell in cells)
        return self if is_all else Findings(self.results, only)

    def _ids(self, cell: Cell) -> Collection[str]:
        if has_score(cell):
            scored_cell(self.results, cell)  # as it is needed anyway, and a large file is then read once
        index = self.results.index(cell)
        return () if index is None else index.ids
