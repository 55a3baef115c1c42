"""Attention statistics: tidy rows, one number per row, and `attention.csv`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from reports.stages import kind_of
from reports.stats.noise_doses import noise_order
from reports.store.atomic_io import ResultsDamaged, display_path
from reports.store.record_kinds import ATTENTION_READINGS
from reports.store.records import AttentionReading, Cell, Record
from reports.store.results_folder import Results
from reports.store.spreadsheet_safe_csv import write_csv

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

AttentionMeasure = Literal["signed", "absolute", "lift", "question_lift", "tokens", "lambda"]
#: The segments of a question: all but the sink (the first token) and the answer.
_QUESTION_SEGMENTS = ("kmi", "ni", "oc")
_CHECKPOINT_DIGITS = 12


@dataclass(frozen=True)
class AttentionRow:
    """One attention statistic of one model with one noise.

    `checkpoint` is the first part of the fingerprint of the weights, empty if that is lost. `layer` and `head` count
    from 0; both are None for the mean over all measured layers and heads. `mean` and `std` (n − 1 in the denominator;
    None for n = 1) are over `n` problems; if `layer` and `head` are None, over the means of each problem.

    Measures: `signed` is the mass on a segment, `absolute` its share of the absolute mass, `tokens` its share of the
    visible tokens, `lift` absolute / tokens over the problems that have the segment, `question_lift` the same within
    the segments of the question, `lambda` the λ of a layer (no head, no segment, n = 1). Where λ depends on the text,
    `mean` and `std` are over the counted queries and heads of `n` problems.
    """

    model: str
    checkpoint: str
    noise: str
    layer: int | None
    head: int | None
    segment: str | None
    measure: AttentionMeasure
    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class MeasuredCell:
    """The readings of one cell as arrays, without errors: `tokens` (problems, segments); `signed` and `absolute`
    (problems, layers, heads, segments). `scope` describes what was measured (`Settings.attention`). `ids` and `texts`
    are those of the readings, in the order of the problems. `lambdas` are by layer; `lambda_stds` their standard
    deviations over queries and heads, None where λ does not depend on the text."""

    cell: Cell
    checkpoint: str
    scope: str
    segments: tuple[str, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    tokens: Array
    signed: Array
    absolute: Array
    lambdas: tuple[float, ...] | None
    lambda_stds: tuple[float, ...] | None
    ids: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def lift(self) -> Array:
        """(problems, layers, heads, segments): absolute / tokens; NaN if a problem has no token in the segment."""
        import numpy

        tokens = self.tokens[:, None, None, :]
        return numpy.divide(self.absolute, tokens, out=numpy.full_like(self.absolute, numpy.nan), where=tokens > 0)

    @property
    def question_lift(self) -> Array:
        """(problems, layers, heads, segments): `lift` with both shares taken within the question's segments; NaN for
        the other segments. It leaves out how much the answer attends to itself."""
        import numpy

        inside = numpy.isin(self.segments, _QUESTION_SEGMENTS)
        absolute = (self.absolute * inside).sum(axis=-1, keepdims=True)
        tokens = (self.tokens * inside).sum(axis=-1)[:, None, None, None]
        with numpy.errstate(divide="ignore", invalid="ignore"):
            return numpy.where(inside, self.lift * tokens / absolute, numpy.nan)


def attention_rows(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[AttentionRow]:
    """Return the rows of every attention cell on disk, by model and noise, `clean` first. The means over all layers and
    heads of a cell come first.

    `only` restricts the rows to its cells, and each cell to the given record ids. Raises `ResultsDamaged`.
    """
    return rows_of_cells(measured_cells(results, only))


def measured_cells(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[MeasuredCell]:
    """Return the attention cells with at least one reading without an error, in the order of `attention_rows`."""
    cells = (cell for cell in (results.cells() if only is None else only) if kind_of(cell.stage) is ATTENTION_READINGS)
    measured = []
    for cell in sorted(cells, key=_sort_key):
        stored = results.load_cell(cell)
        if stored is None:
            continue
        ids = stored.records.keys() if only is None else set(only[cell])
        readings = _measured_readings(record for id, record in stored.records.items() if id in ids)
        if not readings:
            continue
        settings = results.settings(stored.settings_hash)
        try:
            measured.append(measured_cell(cell, settings.weights, settings.attention, readings))
        except ValueError as error:
            raise ResultsDamaged(f"{display_path(results.path(cell))}: {error}") from error
    return measured


def measured_cell(cell: Cell, weights: str, scope: str, records: Iterable[Record]) -> MeasuredCell:
    """Return the readings among `records` as arrays, without errors. `weights` is the fingerprint of the weights.

    Raises `ValueError` if no reading is left, or if two differ in their segments, layers or heads.
    """
    import numpy

    readings = _measured_readings(records)
    if not readings:
        raise ValueError(f"{cell.id}: expected at least one reading without an error, got none")
    first = readings[0]
    for reading in readings:
        if (reading.segments, reading.layers, reading.heads) != (first.segments, first.layers, first.heads):
            raise ValueError(
                "expected readings of the same segments, layers and heads, "
                f"but problem {reading.id!r} has others than {first.id!r}"
            )
    lambdas, spreads = _lambdas(readings)
    return MeasuredCell(
        cell=cell,
        checkpoint=weights[:_CHECKPOINT_DIGITS],
        scope=scope,
        segments=first.segments,
        layers=first.layers,
        heads=first.heads,
        tokens=numpy.array([reading.tokens for reading in readings]),
        signed=numpy.array([reading.signed for reading in readings]),
        absolute=numpy.array([reading.absolute for reading in readings]),
        lambdas=lambdas,
        lambda_stds=spreads,
        ids=tuple(reading.id for reading in readings),
        texts=tuple(reading.asked for reading in readings),
    )


def rows_of_cells(cells: Iterable[MeasuredCell]) -> list[AttentionRow]:
    """Return the rows of `cells`, cell by cell."""
    return [row for cell in cells for row in _cell_rows(cell)]


def needle_depth(noise: str) -> int | None:
    """Return the depth, in %, in the name of a retrieval noise (`needle25`); None for every other noise."""
    match = re.fullmatch(r"needle(\d+)", noise)
    return int(match[1]) if match else None


def write_attention_csv(rows: Sequence[AttentionRow], path: Path) -> None:
    """Write the rows, with six significant digits; None becomes an empty field. Raises `ResultsFolderError`."""
    import pandas  # takes a second to import, and is needed only at the end of a run

    columns = [field.name for field in fields(AttentionRow)]
    values = [[getattr(row, column) for column in columns] for row in rows]
    table = pandas.DataFrame(values, columns=columns).astype({"layer": "Int64", "head": "Int64", "n": "Int64"})
    write_csv(table, path)


def _measured_readings(records: Iterable[Record]) -> list[AttentionReading]:
    return [record for record in records if isinstance(record, AttentionReading) and record.outcome == "measured"]


def _lambdas(
    readings: Sequence[AttentionReading],
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Return λ by layer, and its standard deviation over the queries and heads of all readings where it has one."""
    import numpy

    first = readings[0]
    if first.lambdas is None or first.lambda_stds is None:
        return first.lambdas, None
    means = numpy.array([reading.lambdas for reading in readings])
    within = numpy.array([reading.lambda_stds for reading in readings])
    spread = numpy.sqrt((within**2).mean(axis=0) + means.var(axis=0))
    return tuple(means.mean(axis=0).tolist()), tuple(spread.tolist())


def _cell_rows(cell: MeasuredCell) -> Iterator[AttentionRow]:
    by_head: dict[AttentionMeasure, Array] = {
        "signed": cell.signed,
        "absolute": cell.absolute,
        "lift": cell.lift,
        "question_lift": cell.question_lift,
    }
    keys = (cell.cell.model, cell.checkpoint, cell.cell.noise)
    overall: dict[AttentionMeasure, Array] = {measure: values.mean(axis=(1, 2)) for measure, values in by_head.items()}
    for measure, values in (overall | {"tokens": cell.tokens}).items():
        for segment, mean_std_n in zip(cell.segments, _mean_std_n(values), strict=True):
            if mean_std_n[2]:
                yield AttentionRow(*keys, None, None, segment, measure, *mean_std_n)
    for number, layer in enumerate(cell.layers if cell.lambdas else ()):
        assert cell.lambdas
        spread, n = (cell.lambda_stds[number], len(cell.ids)) if cell.lambda_stds else (None, 1)
        yield AttentionRow(*keys, layer, None, None, "lambda", cell.lambdas[number], spread, n)
    for measure, values in by_head.items():
        head_keys = itertools.product(cell.layers, cell.heads, cell.segments)
        for head_key, mean_std_n in zip(head_keys, _mean_std_n(values), strict=True):
            if mean_std_n[2]:
                yield AttentionRow(*keys, *head_key, measure, *mean_std_n)


def _mean_std_n(values: Array) -> Iterator[tuple[float, float | None, int]]:
    """Yield mean, std and count over the first axis, without NaN, for each element of the other axes in C order."""
    import numpy

    flat = values.reshape(len(values), -1)
    valid = ~numpy.isnan(flat)
    n = valid.sum(axis=0)
    mean = numpy.where(valid, flat, 0.0).sum(axis=0) / numpy.maximum(n, 1)
    squares = (numpy.where(valid, flat - mean, 0.0) ** 2).sum(axis=0)
    std = numpy.sqrt(squares / numpy.maximum(n - 1, 1))
    for column_mean, column_std, count in zip(mean.tolist(), std.tolist(), n.tolist(), strict=True):
        yield column_mean, column_std if count > 1 else None, count


def _sort_key(cell: Cell) -> tuple[object, ...]:
    return cell.model, needle_depth(cell.noise) is not None, noise_order(cell.noise)
