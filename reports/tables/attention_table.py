"""The full tables of attention for the terminal: a row for each model and noise, a column for each segment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from reports.stats.attention_stats import AttentionMeasure, AttentionRow, MeasuredCell, needle_depth, rows_of_cells
from reports.stats.retrieval_stats import PARTS, RetrievalMeasure, RetrievalPoint, retrieval_points
from reports.tables.text_wrap import wrapped

_SEGMENTS = ("kmi", "ni", "oc")
_LEGEND = "KMI: key maths information (numbers, what they count, the question), NI: the noise, OC: other content"
_COLUMN = len("  100.00 ± 100.00")
_DEPTH_COLUMN = len("  100.0")


def table_of_cells(cells: Sequence[MeasuredCell], width: int = 80) -> list[str]:
    """Return `attention_table` of `cells`; no lines if there are none."""
    over = list(dict.fromkeys(cell.scope for cell in cells if cell.scope))
    return attention_table(rows_of_cells(cells), retrieval_points(cells), over, width)


def retrieval_table(cells: Sequence[MeasuredCell], width: int = 80) -> list[str]:
    """Return the lines of the retrieval test alone; no lines if no cell belongs to it."""
    return _retrieval(retrieval_points(cells), width)


def attention_table(
    rows: Iterable[AttentionRow],
    points: Sequence[RetrievalPoint] = (),
    over: Collection[str] = (),
    width: int = 80,
) -> list[str]:
    """Return the lines of the tables, at most `width` columns wide if the names allow it.

    The blocks are the lift of each segment, the lift within the question, the share of absolute attention, with a
    differential model the signed mass and λ, and the retrieval test (`points`). `over` says what was measured, in
    words. A segment that no problem of a cell has is shown as `-`.
    """
    overall = [row for row in rows if row.head is None and needle_depth(row.noise) is None]
    lines: list[str] = []
    if overall:
        measured = "; ".join(
            (f"mean ± std over {_problems([row.n for row in overall if row.measure == 'tokens'])}", *over)
        )
        lines += ["attention: lift of each segment (1 = its share of the tokens),", *wrapped(measured, width, "  ")]
        lines += wrapped(_LEGEND, width, "  ")
        lines += [*_block(overall, "lift", 1, 2, width), "lift within the question (the answer's own tokens left out)"]
        lines += [*_block(overall, "question_lift", 1, 2, width), "share of absolute attention, %"]
        lines += _block(overall, "absolute", 100, 1, width)
        lambdas = _lambdas(overall, width)
        if lambdas:  # without a differential model the signed mass equals the share above
            lines += ["signed attention, % (sums to 1 − λ where the model is differential)"]
            lines += [*_block(overall, "signed", 100, 1, width), *lambdas, ""]
    return [*lines, *_retrieval(points, width)]


def _block(
    rows: Sequence[AttentionRow], measure: AttentionMeasure, unit: float, decimals: int, width: int
) -> list[str]:
    figures = {(row.model, row.noise, row.segment): row for row in rows if row.measure == measure}
    present = {(row.model, row.noise, row.segment) for row in rows if row.measure == "tokens" and row.mean > 0}
    cells = list(dict.fromkeys((row.model, row.noise) for row in rows))
    labels = [f"{model}-{noise}" for model, noise in cells]
    indent = min(max(map(len, labels)), width - len(_SEGMENTS) * _COLUMN)
    lines = [" " * indent + "".join(f"{segment.upper():>{_COLUMN}}" for segment in _SEGMENTS)]
    for label, (model, noise) in zip(labels, cells, strict=True):
        keys = [(model, noise, segment) for segment in _SEGMENTS]
        values = [_figure(figures[key], unit, decimals) if key in present else "-" for key in keys]
        lines += _labelled(label, indent, "".join(f"{value:>{_COLUMN}}" for value in values))
    return [*lines, ""]


def _figure(row: AttentionRow, unit: float, decimals: int) -> str:
    std = "-" if row.std is None else f"{unit * row.std:.{decimals}f}"
    return f"{unit * row.mean:.{decimals}f} ± {std}"


def _lambdas(rows: Iterable[AttentionRow], width: int) -> list[str]:
    """Return λ by layer, one line per differential model, wrapped if its layers do not fit.

    Where λ depends on the text, there is a line for each model and noise.

    Layers are named where they are not 0, 1, 2 and so on: a model may have layers of other kinds between them.
    """
    by_model: dict[str, dict[int | None, AttentionRow]] = {}
    for row in rows:
        if row.measure == "lambda":
            label = row.model if row.std is None else f"{row.model}-{row.noise}"  # it depends on the text
            by_model.setdefault(label, {})[row.layer] = row
    lines = []
    for model, by_layer in by_model.items():
        named = list(by_layer) != list(range(len(by_layer)))
        figures = [
            (f"{layer}: " if named else "")
            + f"{row.mean:.2f}"
            + ("" if row.std is None else f" ± {row.std:.2f}")
            + ("," if named or row.std is not None else "")
            for layer, row in by_layer.items()
        ]
        lines += wrapped(f"λ by layer: {model} {' '.join(figures).rstrip(',')}", width)
    return lines


def _retrieval(points: Sequence[RetrievalPoint], width: int) -> list[str]:
    if not points:
        return []
    measured = f"mean over {_problems([point.n for point in points])}, by depth of the needle in %"
    lines = ["retrieval: lift of the needle (what a problem states) and of the noise,"]
    lines += [*wrapped(measured, width, "  "), *_by_depth(points, "lift", 1, 2, width)]
    return [*lines, "retrieval: share of absolute attention, %", *_by_depth(points, "absolute", 100, 1, width)]


def _by_depth(
    points: Sequence[RetrievalPoint], measure: RetrievalMeasure, unit: float, decimals: int, width: int
) -> list[str]:
    models, depths = list(dict.fromkeys(point.model for point in points)), sorted({point.depth for point in points})
    figures = {
        (point.model, point.part, point.depth): f"{unit * point.mean:.{decimals}f}"
        for point in points
        if point.measure == measure
    }
    label = max(map(len, PARTS)) + 2
    indent = min(max(len("depth, %") - label, *map(len, models)), width - label - len(depths) * _DEPTH_COLUMN)
    head = " " * max(0, indent) + " " * label
    lines = [f"{'depth, %':<{len(head)}}" + "".join(f"{depth:>{_DEPTH_COLUMN}}" for depth in depths)]
    for model in models:
        for number, part in enumerate(PARTS):
            values = [figures.get((model, part, depth), "") for depth in depths]
            text = f"  {part:<{label - 2}}" + "".join(f"{value:>{_DEPTH_COLUMN}}" for value in values)
            lines += _labelled(model if number == 0 else "", indent, text)
    return [*lines, ""]


def _labelled(label: str, indent: int, text: str) -> list[str]:
    """Return a line of the table; a label too long for its column gets a line of its own."""
    return [f"{label:<{indent}}{text}"] if len(label) <= indent else [label, " " * indent + text]


def _problems(counts: Collection[int]) -> str:
    fewest, most = min(counts), max(counts)
    counted = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    return f"{counted} problem{'s' * (most != 1)} a cell"
