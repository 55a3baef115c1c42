"""From predictions to accuracies: one tidy row a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from reports.disk import write_atomically
from reports.proportions import wilson
from reports.records import ATTENTION, Cell, Outcome, Prediction
from reports.store import CellOnDisk, Results

_STAGES = ("zero_shot", "sft")


@dataclass(frozen=True)
class CellAccuracy:
    """How one model did on one noise. Accuracies are fractions; None where there is nothing to divide by.

    `n` counts the answered problems: an `error` is neither right nor wrong, it is left out of `n` and counted in
    `errors`. `accuracy` is `correct / n`, `low` and `high` its 95 % Wilson interval. `degradation` is the clean
    accuracy minus this one, both over the `degradation_n` problems that both cells answered; it is None for the clean
    cell, and where there is no clean cell made under the same settings. `gain` is this accuracy minus that of the same
    model in the stage zero_shot, over the `gain_n` problems that both answered; None but in the stage sft, and where
    the two differ in more than the weights. `n` is the sum of `correct`, `incorrect`, `no_answer` and `truncated`.
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

    @property
    def cell(self) -> Cell:
        return Cell(self.model, self.noise, self.stage)


def accuracies(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[CellAccuracy]:
    """A row for each cell on disk, by stage, model and noise, `clean` first. The stage `attention` has no accuracy.

    `only` restricts the rows to its cells, and each of them to the problem ids given; the clean accuracy that a
    degradation starts from is taken from the disk in either case. Raises `ResultsDamaged`.
    """
    every = results.cells() if only is None else only
    cells = sorted((cell for cell in every if cell.stage != ATTENTION), key=_order)
    on_disk = {cell: results.load(cell) for cell in {*cells, *map(_clean, cells), *map(_untuned, cells)}}
    rows = []
    for cell in cells:
        found = on_disk[cell]
        predictions = _predictions(found)
        if only is not None:
            wanted = set(only[cell])
            predictions = {id: prediction for id, prediction in predictions.items() if id in wanted}
        row = _row(cell, predictions, _start_of_degradation(found, on_disk[_clean(cell)]))
        untuned = _start_of_gain(results, found, on_disk[_untuned(cell)])
        if untuned is not None:
            gain, shared = _lost(predictions, untuned)
            row = replace(row, gain=gain, gain_n=shared)
        rows.append(row)
    return rows


def write_csv(rows: Iterable[CellAccuracy], path: Path) -> None:
    """Writes the rows, fractions to six decimals and nothing where there is no value. Raises `ResultsFolderError`."""
    import pandas  # a second to import, wanted only at the end of a run

    columns = [field.name for field in fields(CellAccuracy)]
    table = pandas.DataFrame([asdict(row) for row in rows], columns=columns)
    table = table.astype({"degradation_n": "Int64", "gain_n": "Int64"})
    write_atomically(path, table.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode())


def _clean(cell: Cell) -> Cell:
    return replace(cell, noise="clean")


def _untuned(cell: Cell) -> Cell:
    return replace(cell, stage=_STAGES[0])


def _start_of_gain(
    results: Results, found: CellOnDisk | None, untuned: CellOnDisk | None
) -> Mapping[str, Prediction] | None:
    """The predictions of the model before it was tuned, if it was, and asked in the same way."""
    if found is None or untuned is None or found.cell.stage != _STAGES[1]:
        return None
    settings = [results.settings(one.settings_hash) for one in (found, untuned)]
    if any(one is None for one in settings):
        return None
    tuned, base = (replace(one, weights="") for one in settings if one is not None)
    return _predictions(untuned) if tuned == base else None


def _start_of_degradation(found: CellOnDisk | None, clean: CellOnDisk | None) -> Mapping[str, Prediction] | None:
    """The clean predictions to compare with. Under other settings a difference would not be the noise's doing."""
    if found is None or clean is None or found.cell == clean.cell or found.settings_hash != clean.settings_hash:
        return None
    return _predictions(clean)


def _predictions(found: CellOnDisk | None) -> dict[str, Prediction]:
    records = found.predictions if found else {}
    return {id: record for id, record in records.items() if isinstance(record, Prediction)}


def _row(cell: Cell, predictions: Mapping[str, Prediction], clean: Mapping[str, Prediction] | None) -> CellAccuracy:
    counts: Counter[Outcome] = Counter(prediction.outcome for prediction in predictions.values())
    n, correct = len(predictions) - counts["error"], counts["correct"]
    low, high = wilson(correct, n) if n else (None, None)
    degradation, shared = _lost(clean, predictions) if clean is not None else (None, None)
    return CellAccuracy(
        model=cell.model,
        stage=cell.stage,
        noise=cell.noise,
        n=n,
        correct=correct,
        accuracy=correct / n if n else None,
        low=low,
        high=high,
        degradation=degradation,
        degradation_n=shared,
        incorrect=counts["incorrect"],
        no_answer=counts["no_answer"],
        truncated=counts["truncated"],
        errors=counts["error"],
    )


def _lost(first: Mapping[str, Prediction], then: Mapping[str, Prediction]) -> tuple[float | None, int]:
    """By how much the accuracy of `then` is below that of `first`, over the problems that both answered."""
    pairs = [(first[id].outcome, then[id].outcome) for id in then if id in first]
    answered = [(before, after) for before, after in pairs if "error" not in (before, after)]
    if not answered:
        return None, 0
    lost = sum((before == "correct") - (after == "correct") for before, after in answered)
    return lost / len(answered), len(answered)


def _order(cell: Cell) -> tuple[int, str, str, bool, str]:
    stage = _STAGES.index(cell.stage) if cell.stage in _STAGES else len(_STAGES)
    return stage, cell.stage, cell.model, cell.noise != "clean", cell.noise
