"""The findings of a results folder, read and computed once, for the terminal, the tables and the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from reports.plots.plot_style import ModelStyles, model_styles
from reports.progress_bars import Progress, no_progress_bar
from reports.stats.accuracies import CellAccuracy, accuracies
from reports.stats.attention_comparisons import attention_comparisons
from reports.stats.attention_stats import MeasuredCell, measured_cells
from reports.stats.comparisons import Comparison, comparisons
from reports.stats.intervention_contrasts import intervention_rows
from reports.stats.intervention_rows import InterventionRow
from reports.stats.intervention_scores import intervention_cells
from reports.stats.problem_scores import Scores, all_scores, pairs_with_different_tokenization
from reports.store.records import Cell
from reports.store.results_folder import Results, StoredCell

Asked = Mapping[Cell, Collection[str]]
"""Cells, and the record ids of each that findings are restricted to."""


class _Snapshot(Results):
    """A results folder that reads each file once: later changes on disk are not seen."""

    def __init__(self, results: Results) -> None:
        super().__init__(results.folder)
        self._cells: list[Cell] | None = None
        self._loaded: dict[Cell, StoredCell | None] = {}

    def cells(self) -> list[Cell]:
        if self._cells is None:
            self._cells = super().cells()
        return self._cells

    def load_cell(self, cell: Cell) -> StoredCell | None:
        if cell not in self._loaded:
            self._loaded[cell] = super().load_cell(cell)
        return self._loaded[cell]


class Findings:
    """The accuracies, comparisons, attention and interventions of a results folder.

    Each is computed on first access and then kept, so later changes on disk are not seen. `only` restricts them to its
    cells, and each cell to the given record ids. All raise `ResultsDamaged` and `ResultsFolderError`. Reports that take
    long show `progress`.
    """

    def __init__(self, results: Results, only: Asked | None = None, progress: Progress = no_progress_bar) -> None:
        self.progress = progress
        self.results = results if isinstance(results, _Snapshot) else _Snapshot(results)
        self._only = only

    @cached_property
    def accuracies(self) -> list[CellAccuracy]:
        return accuracies(self.results, self._only)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        return comparisons(self._scores)

    @cached_property
    def pairs_with_different_tokenization(self) -> list[tuple[str, str]]:
        """The pairs of models whose nats per token are not compared."""
        return pairs_with_different_tokenization(self._scores)

    @cached_property
    def _scores(self) -> list[Scores]:
        return all_scores(self.results, self._only)

    @cached_property
    def attention_cells(self) -> list[MeasuredCell]:
        return measured_cells(self.results, self._only)

    @cached_property
    def attention_comparisons(self) -> list[Comparison]:
        return attention_comparisons(self.attention_cells)

    @cached_property
    def interventions(self) -> list[InterventionRow]:
        cells = intervention_cells(self.results, self._only)
        return intervention_rows(cells, self.attention_cells if cells else ())

    @cached_property
    def model_styles(self) -> ModelStyles:
        """The style of each model, the same in every figure of the folder."""
        return model_styles(cell.model for cell in self.results.cells())

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The settings of all records, by their hash. Raises `ResultsDamaged`."""
        by_hash: dict[str, dict[str, Any]] = {}
        for cell in self.results.cells():
            stored = self.results.load_cell(cell)
            if stored is not None and stored.settings_hash not in by_hash:
                by_hash[stored.settings_hash] = asdict(self.results.settings(stored.settings_hash))
        return by_hash

    def restricted_to(self, only: Asked) -> Findings:
        """Return the findings of a part of the folder; these findings if the part is all of it."""
        cells = self.results.cells()
        is_all = set(cells) == set(only) and all(
            self.results.newest_records(cell).keys() <= set(only[cell]) for cell in cells
        )
        return self if is_all else Findings(self.results, only)
