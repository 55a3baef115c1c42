"""From attention readings to figures: tidy rows, one fact a row."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reports.stages import kind_of
from reports.stats.noise_doses import by_dose
from reports.store.atomic_io import ResultsDamaged, shown, write_atomically
from reports.store.record_kinds import ATTENTION_READINGS
from reports.store.records import AttentionReading, Cell, Record
from reports.store.results_folder import Results

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

Measure = Literal["signed", "absolute", "lift", "question_lift", "tokens", "lambda"]
#: The segments of a question: what is left without the first token of all and the answer's own.
_QUESTION = ("kmi", "ni", "oc")
_HEXADECIMALS = 12


@dataclass(frozen=True)
class AttentionRow:
    """One figure about one model on one noise.

    `checkpoint` is the beginning of the fingerprint of the weights, empty where it is not known any more. `layer` and
    `head` count from 0; both are None for the mean over all that were measured. `mean` and `std` (n − 1 in the
    denominator; None for n = 1) are over `n` problems: with `layer` and `head` None over the problems' own means.

    Measures: `signed` the mass on a segment, `absolute` its share of the absolute mass, `tokens` its share of the
    visible tokens, `lift` absolute / tokens over the problems that have the segment, `question_lift` the same among the
    segments of the question alone, `lambda` the λ of a layer (no head, no segment, n = 1).
    """

    model: str
    checkpoint: str
    noise: str
    layer: int | None
    head: int | None
    segment: str | None
    measure: Measure
    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class MeasuredCell:
    """The readings of one cell as arrays, errors left out: `tokens` (problems, segments); `signed` and `absolute`
    (problems, layers, heads, segments). `over` says in words what was measured (`Settings.attention`)."""

    cell: Cell
    checkpoint: str
    over: str
    segments: tuple[str, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    tokens: Array
    signed: Array
    absolute: Array
    lambdas: tuple[float, ...] | None

    @property
    def lift(self) -> Array:
        """(problems, layers, heads, segments): absolute / tokens, NaN where a problem has no token of a segment."""
        import numpy

        tokens = self.tokens[:, None, None, :]
        return numpy.divide(self.absolute, tokens, out=numpy.full_like(self.absolute, numpy.nan), where=tokens > 0)

    @property
    def question_lift(self) -> Array:
        """(problems, layers, heads, segments): `lift` where both shares are of the question's segments alone; NaN for
        the others. How much the answer looks at itself is then left out."""
        import numpy

        inside = numpy.isin(self.segments, _QUESTION)
        absolute = (self.absolute * inside).sum(axis=-1, keepdims=True)
        tokens = (self.tokens * inside).sum(axis=-1)[:, None, None, None]
        with numpy.errstate(divide="ignore", invalid="ignore"):
            return numpy.where(inside, self.lift * tokens / absolute, numpy.nan)


def attention_rows(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[AttentionRow]:
    """The rows of every attention cell on disk, by model and noise, `clean` first; in a cell, the means over all layers
    and heads come first.

    `only` restricts them to its cells, and each of those to the problem ids given. Raises `ResultsDamaged`.
    """
    return rows_of(measured_cells(results, only))


def measured_cells(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[MeasuredCell]:
    """The attention cells with at least one reading that is no error, in the order of `attention_rows`."""
    cells = (cell for cell in (results.cells() if only is None else only) if kind_of(cell.stage) is ATTENTION_READINGS)
    found = []
    for cell in sorted(cells, key=_order):
        on_disk = results.load(cell)
        if on_disk is None:
            continue
        wanted = on_disk.predictions.keys() if only is None else set(only[cell])
        readings = _measured(record for id, record in on_disk.predictions.items() if id in wanted)
        if not readings:
            continue
        settings = results.settings(on_disk.settings_hash)
        weights, over = (settings.weights, settings.attention) if settings else ("", "")
        try:
            found.append(measured_cell(cell, weights, over, readings))
        except ValueError as error:
            raise ResultsDamaged(f"{shown(results.path(cell))}: {error}") from error
    return found


def measured_cell(cell: Cell, weights: str, over: str, records: Iterable[Record]) -> MeasuredCell:
    """The readings among `records` as arrays, errors left out. `weights` is the fingerprint of the model's weights.

    Raises `ValueError` where no reading is left, or where two differ in their segments, layers or heads.
    """
    import numpy

    readings = _measured(records)
    if not readings:
        raise ValueError(f"{cell.id}: expected at least one reading that is no error, found none")
    first = readings[0]
    for other in readings:
        if (other.segments, other.layers, other.heads) != (first.segments, first.layers, first.heads):
            raise ValueError(
                "expected readings of the same segments, layers and heads, "
                f"found others for the problem {other.id!r} than for {first.id!r}"
            )
    return MeasuredCell(
        cell=cell,
        checkpoint=weights[:_HEXADECIMALS],
        over=over,
        segments=first.segments,
        layers=first.layers,
        heads=first.heads,
        tokens=numpy.array([reading.tokens for reading in readings]),
        signed=numpy.array([reading.signed for reading in readings]),
        absolute=numpy.array([reading.absolute for reading in readings]),
        lambdas=first.lambdas,
    )


def rows_of(cells: Iterable[MeasuredCell]) -> list[AttentionRow]:
    """The rows of `cells`, cell by cell."""
    return [row for cell in cells for row in _rows(cell)]


def depth_of(noise: str) -> int | None:
    """The depth, in %, that the name of a retrieval cell carries (`needle25`); None for every other noise."""
    named = re.fullmatch(r"needle(\d+)", noise)
    return int(named[1]) if named else None


def write_attention_csv(rows: Sequence[AttentionRow], path: Path) -> None:
    """Writes the rows, six significant digits and nothing where there is no value. Raises `ResultsFolderError`."""
    import pandas  # a second to import, wanted only at the end of a run

    columns = [field.name for field in fields(AttentionRow)]
    values = [[getattr(row, column) for column in columns] for row in rows]
    table = pandas.DataFrame(values, columns=columns).astype({"layer": "Int64", "head": "Int64", "n": "Int64"})
    write_atomically(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode())


def _measured(records: Iterable[Record]) -> list[AttentionReading]:
    return [one for one in records if isinstance(one, AttentionReading) and one.outcome == "measured"]


def _rows(cell: MeasuredCell) -> Iterator[AttentionRow]:
    patterns: dict[Measure, Array] = {
        "signed": cell.signed,
        "absolute": cell.absolute,
        "lift": cell.lift,
        "question_lift": cell.question_lift,
    }
    known = (cell.cell.model, cell.checkpoint, cell.cell.noise)
    overall: dict[Measure, Array] = {measure: values.mean(axis=(1, 2)) for measure, values in patterns.items()}
    for measure, values in (overall | {"tokens": cell.tokens}).items():
        for segment, figures in zip(cell.segments, zip(*_over_problems(values), strict=True), strict=True):
            if figures[2]:
                yield AttentionRow(*known, None, None, segment, measure, *figures)
    for layer, value in zip(cell.layers, cell.lambdas or (None,) * len(cell.layers), strict=True):
        if value is not None:
            yield AttentionRow(*known, layer, None, None, "lambda", value, None, 1)
    for measure, values in patterns.items():
        places = ((layer, head, segment) for layer in cell.layers for head in cell.heads for segment in cell.segments)
        for place, figures in zip(places, zip(*_over_problems(values), strict=True), strict=True):
            if figures[2]:
                yield AttentionRow(*known, *place, measure, *figures)


def _over_problems(values: Array) -> tuple[list[float], list[float | None], list[int]]:
    """Mean, std and count over the first axis, NaN left out; the other axes are laid out in one."""
    import numpy

    flat = values.reshape(len(values), -1)
    there = ~numpy.isnan(flat)
    n = there.sum(axis=0)
    mean = numpy.where(there, flat, 0.0).sum(axis=0) / numpy.maximum(n, 1)
    squares = (numpy.where(there, flat - mean, 0.0) ** 2).sum(axis=0)
    std = numpy.sqrt(squares / numpy.maximum(n - 1, 1))
    return mean.tolist(), [some if count > 1 else None for some, count in zip(std.tolist(), n, strict=True)], n.tolist()


def _order(cell: Cell) -> tuple[object, ...]:
    return cell.model, depth_of(cell.noise) is not None, by_dose(cell.noise)
