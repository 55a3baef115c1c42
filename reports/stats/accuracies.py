"""From predictions to accuracies: one tidy row a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from reports.stages import REPORTED_STAGES, has_predictions, stage_order
from reports.stats.noise_doses import by_dose
from reports.stats.paired_tests import Differences, interval, p_value
from reports.stats.problem_scores import UNKNOWN, Scores, scores_of, scores_on_disk, together
from reports.stats.proportions import wilson_by_problem
from reports.store.atomic_io import write_atomically
from reports.store.records import Cell
from reports.store.results_folder import Results


@dataclass(frozen=True)
class CellAccuracy:
    """How one model did on one noise. Accuracies are fractions; None where there is nothing to divide by.

    `n` counts the answers to `problems` problems, of which each is asked once for each draw of its noise: an `error`
    is neither right nor wrong, it is left out of `n` and counted in `errors`. `accuracy` is `correct / n`, `low` and
    `high` its 95 % interval (`wilson_by_problem`). `degradation` is the clean accuracy minus this one, over the
    `degradation_n` problems that both cells answered, with its paired interval and McNemar's exact p
    (`paired_tests`); None for the clean cell, and where there is no clean cell made under the same settings.
    `gain` is this accuracy minus that of the same model in the stage zero_shot, over the `gain_n` problems that both
    answered; None but in the stage sft, and where the two differ in more than the weights. `n` is the sum of
    `correct`, `incorrect`, `no_answer` and `truncated`.
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

    @property
    def cell(self) -> Cell:
        return Cell(self.model, self.noise, self.stage)


def accuracies(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[CellAccuracy]:
    """A row for each cell on disk, by stage, model and noise, `clean` first. Readings have no accuracy.

    `only` restricts the rows to its cells, and each of them to the prediction ids given; the accuracies that a
    degradation and a gain start from are taken from the disk in either case. Raises `ResultsDamaged`.
    """
    every = results.cells() if only is None else only
    cells = sorted((cell for cell in every if has_predictions(cell.stage)), key=_order)
    compared = {cell for cell in (*map(_clean, cells), *map(_gain_start, cells)) if cell is not None}
    on_disk = {cell: results.load(cell) for cell in {*cells, *compared}}
    whole = {cell: scores_on_disk(results, found) for cell, found in on_disk.items() if found is not None}
    rows = []
    for cell in cells:
        found = on_disk[cell]
        records = {} if found is None else found.predictions
        ids = records.keys() if only is None else set(only[cell])
        outcomes = Counter(str(record.outcome) for id, record in records.items() if id in ids)
        scores = scores_of(cell, UNKNOWN, ()) if found is None else scores_on_disk(results, found, ids)
        rows.append(_row(scores, outcomes, whole.get(_clean(cell)), whole.get(_gain_start(cell) or cell)))
    return rows


def write_csv(rows: Iterable[CellAccuracy], path: Path) -> None:
    """Writes the rows, numbers to six significant digits and nothing where there is no value. Raises
    `ResultsFolderError`."""
    import pandas  # a second to import, wanted only at the end of a run

    columns = [field.name for field in fields(CellAccuracy)]
    table = pandas.DataFrame([asdict(row) for row in rows], columns=columns)
    table = table.astype({"degradation_n": "Int64", "gain_n": "Int64"})
    write_atomically(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode())


def _clean(cell: Cell) -> Cell:
    return replace(cell, noise="clean")


def _gain_start(cell: Cell) -> Cell | None:
    """The cell that a gain is counted from; None in a stage without gains."""
    stage = REPORTED_STAGES.get(cell.stage)
    return None if stage is None or stage.gain_over is None else replace(cell, stage=stage.gain_over)


def _row(scores: Scores, outcomes: Counter[str], clean: Scores | None, untuned: Scores | None) -> CellAccuracy:
    cell, correct, n = scores.cell, outcomes["correct"], outcomes.total() - outcomes["error"]
    low, high = wilson_by_problem(scores.values, scores.draws) if n else (None, None)
    lost = won = None
    if clean is not None and cell.noise != "clean" and clean.settings == scores.settings:
        (before, after), _ = together([clean, scores])
        lost = Differences(before - after)
    if untuned is not None and _gain_start(cell) is not None and untuned.alike == scores.alike:
        (before, after), _ = together([untuned, scores], [(0, 1)])
        won = Differences(after - before)
    around = (interval(lost) if lost is not None and lost.n else None) or (None, None)
    return CellAccuracy(
        model=cell.model,
        stage=cell.stage,
        noise=cell.noise,
        n=n,
        correct=correct,
        accuracy=correct / n if n else None,
        low=low,
        high=high,
        degradation=_mean(lost),
        degradation_n=None if lost is None else lost.n,
        incorrect=outcomes["incorrect"],
        no_answer=outcomes["no_answer"],
        truncated=outcomes["truncated"],
        errors=outcomes["error"],
        gain=_mean(won),
        gain_n=None if won is None else won.n,
        problems=len(scores.values),
        degradation_low=around[0],
        degradation_high=around[1],
        degradation_p=None if lost is None else p_value(lost),
    )


def _mean(differences: Differences | None) -> float | None:
    return differences.mean if differences is not None and differences.n else None


def _order(cell: Cell) -> tuple[object, ...]:
    return stage_order(cell.stage), cell.model, by_dose(cell.noise)
