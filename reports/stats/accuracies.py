"""Accuracies: one row per cell, and `accuracy.csv`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from reports.stages import REPORTED_STAGES, has_predictions, stage_order
from reports.stats.noise_doses import noise_order
from reports.stats.paired_tests import Differences, interval, p_value
from reports.stats.problem_scores import (
    UNKNOWN_SETTINGS,
    ScoredCell,
    aligned_values,
    scored_cell,
    scores_from_records,
)
from reports.stats.proportions import wilson_by_problem
from reports.store.folder_snapshot import Snapshot
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.store.spreadsheet_safe_csv import write_csv


@dataclass(frozen=True)
class CellAccuracy:
    """The accuracy of one cell. Accuracies are fractions; they are None if there is nothing to divide by.

    `n` is the number of answers to `problems` problems, each asked once per draw of its noise: the sum of `correct`,
    `incorrect`, `no_answer` and `truncated`. An `error` is neither correct nor incorrect; it is counted in `errors`
    alone. `accuracy` is `correct / n`, `low` and `high` its 95 % interval (`wilson_by_problem`).

    `degradation` is the clean accuracy minus this one, over the `degradation_n` problems that both cells answered, with
    its paired interval and McNemar's exact p (`paired_tests`). It is None for the clean cell, and if no clean cell was
    made under the same settings. `gain` is this accuracy minus that of the same model in the stage zero_shot, over the
    `gain_n` problems that both answered, with its paired interval. It is None except in the stage sft, and if the two
    differ in more than the weights.

    A row of a family, `diffllama:*`, has the means over `seeds` training seeds of the `all_seeds` that it has records
    of, with Student's intervals over seeds, and the `lowest` and the `highest` accuracy of a seed. `problems`,
    `degradation_n` and `gain_n` are those of the seed with the fewest.
    """

    model: str
    stage: str
    noise: str
    n: int
    correct: int
    accuracy: float | None
    low: float | None
    high: float | None
    degradation: float | None
    degradation_n: int | None
    incorrect: int
    no_answer: int
    truncated: int
    errors: int
    gain: float | None = None
    gain_n: int | None = None
    problems: int = 0
    degradation_low: float | None = None
    degradation_high: float | None = None
    degradation_p: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    seeds: int = 1
    all_seeds: int = 1
    lowest: float | None = None
    highest: float | None = None

    @property
    def cell(self) -> Cell:
        return Cell(self.model, self.noise, self.stage)


def accuracies(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[CellAccuracy]:
    """Return a row for each cell on disk that has predictions, by stage, model and noise, `clean` first.

    `only` restricts the rows to its cells, and each cell to the given record ids. The cells that degradations and gains
    are relative to are always read from disk, whole. Raises `ResultsDamaged`.
    """
    snapshot = Snapshot.of(results)
    requested = snapshot.cells() if only is None else only
    cells = sorted((cell for cell in requested if has_predictions(cell.stage)), key=_sort_key)
    rows = []
    for cell in cells:
        scored = scored_cell(snapshot, cell, None if only is None else only[cell])
        if scored is None:
            scored = ScoredCell(scores_from_records(cell, UNKNOWN_SETTINGS, ()), Counter())
        clean, untuned = (
            None if reference is None else scored_cell(snapshot, reference)
            for reference in (_clean_cell(cell), _gain_reference(cell))
        )
        rows.append(_row(scored, clean, untuned))
    return rows


def write_accuracy_csv(rows: Iterable[CellAccuracy], path: Path) -> None:
    """Write the rows, with six significant digits; None becomes an empty field. Raises `ResultsFolderError`."""
    import pandas  # takes a second to import, and is needed only at the end of a run

    columns = [field.name for field in fields(CellAccuracy)]
    table = pandas.DataFrame([asdict(row) for row in rows], columns=columns)
    table = table.astype({"degradation_n": "Int64", "gain_n": "Int64"})
    write_csv(table, path)


def _clean_cell(cell: Cell) -> Cell:
    return replace(cell, noise="clean")


def _gain_reference(cell: Cell) -> Cell | None:
    """Return the cell that the gain of `cell` is relative to; None in a stage without gains."""
    stage = REPORTED_STAGES.get(cell.stage)
    return None if stage is None or stage.gain_over is None else replace(cell, stage=stage.gain_over)


def _row(scored: ScoredCell, clean: ScoredCell | None, untuned: ScoredCell | None) -> CellAccuracy:
    scores, outcomes = scored.scores, scored.outcomes
    cell, correct, n = scores.cell, outcomes["correct"], outcomes.total() - outcomes["error"]
    low, high = wilson_by_problem(scores.values, scores.draws) if n else (None, None)
    losses = gains = None
    if clean is not None and cell.noise != "clean" and clean.scores.settings == scores.settings:
        (before, after), _ = aligned_values([clean.scores, scores])
        losses = Differences(before - after)
    if untuned is not None and scores.is_tuned_from(untuned.scores):
        (before, after), _ = aligned_values([untuned.scores, scores], [(0, 1)])
        gains = Differences(after - before)
    degradation_low, degradation_high = _interval(losses)
    gain_low, gain_high = _interval(gains)
    return CellAccuracy(
        model=cell.model,
        stage=cell.stage,
        noise=cell.noise,
        n=n,
        correct=correct,
        accuracy=correct / n if n else None,
        low=low,
        high=high,
        degradation=_mean(losses),
        degradation_n=None if losses is None else losses.n,
        incorrect=outcomes["incorrect"],
        no_answer=outcomes["no_answer"],
        truncated=outcomes["truncated"],
        errors=outcomes["error"],
        gain=_mean(gains),
        gain_n=None if gains is None else gains.n,
        problems=len(scores.values),
        degradation_low=degradation_low,
        degradation_high=degradation_high,
        degradation_p=None if losses is None else p_value(losses),
        gain_low=gain_low,
        gain_high=gain_high,
    )


def _mean(differences: Differences | None) -> float | None:
    return differences.mean if differences is not None and differences.n else None


def _interval(differences: Differences | None) -> tuple[float | None, float | None]:
    if differences is None or not differences.n:
        return None, None
    return interval(differences) or (None, None)


def _sort_key(cell: Cell) -> tuple[object, ...]:
    return stage_order(cell.stage), cell.model, noise_order(cell.noise)
