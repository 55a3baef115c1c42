"""What a results folder comes to: read once and computed once, for the terminal, the tables and the page alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from reports.plots.plot_style import ModelStyles, model_styles
from reports.stats.accuracies import CellAccuracy, accuracies
from reports.stats.attention_stats import MeasuredCell, measured_cells
from reports.stats.comparisons import Comparison, comparisons
from reports.stats.problem_scores import Scores, all_scores, other_tokens
from reports.store.records import Cell
from reports.store.results_folder import CellOnDisk, Results

Asked = Mapping[Cell, Collection[str]]
"""Cells, and the record ids that are wanted of each."""


class _Snapshot(Results):
    """A results folder as it stood when each cell was first looked at: no file is read twice."""

    def __init__(self, results: Results) -> None:
        super().__init__(results.folder)
        self._cells: list[Cell] | None = None
        self._loaded: dict[Cell, CellOnDisk | None] = {}

    def cells(self) -> list[Cell]:
        if self._cells is None:
            self._cells = super().cells()
        return self._cells

    def load(self, cell: Cell) -> CellOnDisk | None:
        if cell not in self._loaded:
            self._loaded[cell] = super().load(cell)
        return self._loaded[cell]


class Findings:
    """The accuracies, the comparisons and the measured attention of a results folder, each computed when it is first
    asked for and never again: what is written to the folder later is not in them.

    `only` restricts all of them to its cells, and each cell to the record ids given. All raise `ResultsDamaged` and
    `ResultsFolderError`.
    """

    def __init__(self, results: Results, only: Asked | None = None) -> None:
        self.results = results if isinstance(results, _Snapshot) else _Snapshot(results)
        self._only = only

    @cached_property
    def accuracies(self) -> list[CellAccuracy]:
        return accuracies(self.results, self._only)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        return comparisons(self._scores)

    @cached_property
    def other_tokens(self) -> list[tuple[str, str]]:
        """The pairs of models whose likelihoods a token are not compared."""
        return other_tokens(self._scores)

    @cached_property
    def _scores(self) -> list[Scores]:
        return all_scores(self.results, self._only)

    @cached_property
    def measured(self) -> list[MeasuredCell]:
        return measured_cells(self.results, self._only)

    @cached_property
    def model_styles(self) -> ModelStyles:
        """The style of each model, the same in every figure of the folder."""
        return model_styles(cell.model for cell in self.results.cells())

    @cached_property
    def settings(self) -> dict[str, dict[str, Any]]:
        """What the records of the folder were made under, by the hash that they carry; empty values where the file that
        says so is gone."""
        found = {}
        for cell in self.results.cells():
            on_disk = self.results.load(cell)
            if on_disk is not None and on_disk.settings_hash not in found:
                known = self.results.settings(on_disk.settings_hash)
                found[on_disk.settings_hash] = {} if known is None else asdict(known)
        return found

    def of(self, only: Asked) -> Findings:
        """The findings about a part, which are these themselves where the part is all that is there."""
        cells = self.results.cells()
        whole = set(cells) == set(only) and all(
            self.results.predictions(cell).keys() <= set(only[cell]) for cell in cells
        )
        return self if whole else Findings(self.results, only)
