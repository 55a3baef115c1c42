"""The full tables of scores other than accuracy, such as likelihoods, for the terminal: models down, noises across."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import measure_named
from reports.stats.comparisons import TESTED, Comparison
from reports.stats.noise_doses import noise_order
from reports.store.record_kinds import ACCURACY, LIKELIHOOD, Measure
from reports.tables.comparison_figures import figure
from reports.tables.text_wrap import wrapped

_COLUMN = len("  ±0.000") + 4
_LONGEST_NAME = 14  # four noises then fit 80 columns; a longer name gets a line of its own


def score_measures(rows: Sequence[Comparison]) -> list[Measure]:
    """Return the measures other than accuracy that `rows` have values of."""
    return [measure_named(name) for name in dict.fromkeys(row.measure for row in score_levels(rows))]


def score_levels(rows: Sequence[Comparison]) -> list[Comparison]:
    """Return the rows that hold a cell's mean score, of a measure other than accuracy."""
    return [row for row in rows if row.contrast == row.measure != ACCURACY]


def are_compared(rows: Sequence[Comparison]) -> bool:
    """Return whether `rows` say more than the table of accuracies: a tested contrast, or another score."""
    return bool(score_levels(rows)) or any(row.contrast in TESTED for row in rows)


def score_tables(
    rows: Sequence[Comparison], width: int = 80, pairs_not_compared: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Return a table per measure, at most `width` columns wide if the names allow it; no lines without a score.

    Likelihoods are in nats per token: 0 is certainty, −0.69 an even chance for each token. `pairs_not_compared` are the
    pairs of models whose likelihoods are not compared (`Findings.pairs_with_different_tokenization`); they are listed
    below that table.
    """
    return [line for measure in score_measures(rows) for line in _table(measure, rows, width, pairs_not_compared)]


def not_compared(pairs_not_compared: Sequence[tuple[str, str]]) -> list[str]:
    """Return one sentence for each pair of models whose likelihoods are not compared."""
    return [
        f"{first} and {second} read the answers as different tokens: nats a token are not compared between them"
        for first, second in pairs_not_compared
    ]


def _table(
    measure: Measure, rows: Sequence[Comparison], width: int, pairs_not_compared: Sequence[tuple[str, str]]
) -> list[str]:
    levels = {(row.model, row.noise): row for row in score_levels(rows) if row.measure == measure.name}
    degradations = {
        (row.model, row.noise): row for row in rows if row.measure == measure.name and row.contrast == "degradation"
    }
    models = list(dict.fromkeys(model for model, _ in levels))
    noises = sorted(dict.fromkeys(noise for _, noise in levels), key=noise_order)
    sizes = {row.clusters for row in levels.values()}
    size = f", {next(iter(sizes)):,} problems a cell" if len(sizes) == 1 else ""
    lines = [f"{measure.label}, {measure.unit}{size}"]
    labels = ("log-likelihood" if measure.name == LIKELIHOOD else measure.name, "95 % interval", "degradation")
    label_width = max(map(len, labels))
    indent = min(max(map(len, models)), _LONGEST_NAME)
    per_block = max(1, (width - indent - 2 - label_width) // _COLUMN)
    for first in range(0, len(noises), per_block):
        block = noises[first : first + per_block]
        lines.append(" " * (indent + 2 + label_width) + "".join(f"{noise:>{_COLUMN}}" for noise in block))
        for model in models:
            figures = [_figures(levels.get((model, noise)), degradations.get((model, noise))) for noise in block]
            lines += _model_lines(model, labels, list(zip(*figures, strict=True)), indent)
    if measure.name == LIKELIHOOD:
        for sentence in not_compared(pairs_not_compared):
            lines += wrapped(sentence, width)
    return [*lines, ""]


def _figures(level: Comparison | None, degradation: Comparison | None) -> tuple[str, str, str]:
    if level is None or level.estimate is None:
        return "", "", ""
    value = figure(level.measure, level.estimate)
    lost = "" if degradation is None or degradation.estimate is None else figure(level.measure, degradation.estimate)
    return value, half_interval(level), lost


def half_interval(row: Comparison) -> str:
    """Return half of the 95 % interval as text, `±0.012`; `-` if there is none."""
    return "-" if row.low is None or row.high is None else f"±{figure(row.measure, (row.high - row.low) / 2)}"


def _model_lines(name: str, labels: Sequence[str], columns: Sequence[tuple[str, ...]], indent: int) -> list[str]:
    label_width = max(map(len, labels))
    lines = [name] if len(name) > indent else []
    for number, (label, values) in enumerate(zip(labels, columns, strict=True)):
        if any(values):
            head = name if number == 0 and len(name) <= indent else ""
            figures = "".join(f"{value:>{_COLUMN}}" for value in values)
            lines.append(f"{head:<{indent}}  {label:<{label_width}}{figures}")
    return lines
