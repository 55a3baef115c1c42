"""Likelihoods of the worked answers as a table for the terminal: models down, noises across."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.comparisons import Comparison
from reports.stats.noise_doses import by_dose
from reports.stats.problem_scores import LIKELIHOOD
from reports.tables.text_wrap import wrapped

_LABELS = ("log-likelihood", "95 % interval", "degradation")
_LABEL_WIDTH = max(map(len, _LABELS))
_COLUMN = len("  ±0.000") + 4
_LONGEST_NAME = 14  # with this, four noises fit 80 columns; a longer name takes a line of its own


def likelihood_table(
    rows: Sequence[Comparison], width: int = 80, other_tokens: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """The table's lines, at most `width` columns where the names allow it; none where there is no likelihood.

    Figures are nats a token: 0 would be certain, and −0.69 an even chance for each token. Below the table stands which
    pairs of models are not compared (`Findings.other_tokens`).
    """
    levels = {(row.model, row.noise): row for row in rows if row.contrast == LIKELIHOOD}
    lost = {(row.model, row.noise): row for row in rows if row.measure == LIKELIHOOD and row.contrast == "degradation"}
    if not levels:
        return []
    models = list(dict.fromkeys(model for model, _ in levels))
    noises = sorted(dict.fromkeys(noise for _, noise in levels), key=by_dose)
    sizes = {row.clusters for row in levels.values()}
    many = f", {next(iter(sizes)):,} problems a cell" if len(sizes) == 1 else ""
    lines = [f"likelihood of the worked answer, nats a token{many}"]
    indent = min(max(map(len, models)), _LONGEST_NAME)
    beside = max(1, (width - indent - 2 - _LABEL_WIDTH) // _COLUMN)
    for first in range(0, len(noises), beside):
        block = noises[first : first + beside]
        lines.append(" " * (indent + 2 + _LABEL_WIDTH) + "".join(f"{noise:>{_COLUMN}}" for noise in block))
        for model in models:
            figures = [_figures(levels.get((model, noise)), lost.get((model, noise))) for noise in block]
            lines += _model(model, list(zip(*figures, strict=True)), indent)
    for said in not_compared(other_tokens):
        lines += wrapped(said, width)
    return [*lines, ""]


def not_compared(other_tokens: Sequence[tuple[str, str]]) -> list[str]:
    """What is said of each pair of models whose likelihoods are not compared."""
    return [
        f"{one} and {other} read the answers as different tokens: nats a token are not compared between them"
        for one, other in other_tokens
    ]


def _figures(level: Comparison | None, lost: Comparison | None) -> tuple[str, str, str]:
    if level is None or level.estimate is None:
        return "", "", ""
    half = "-" if level.low is None or level.high is None else f"±{(level.high - level.low) / 2:.3f}"
    return f"{level.estimate:.3f}", half, "" if lost is None or lost.estimate is None else f"{lost.estimate:.3f}"


def _model(name: str, columns: Sequence[tuple[str, ...]], indent: int) -> list[str]:
    lines = [name] if len(name) > indent else []
    for number, (label, values) in enumerate(zip(_LABELS, columns, strict=True)):
        if any(values):
            head = name if number == 0 and len(name) <= indent else ""
            figures = "".join(f"{value:>{_COLUMN}}" for value in values)
            lines.append(f"{head:<{indent}}  {label:<{_LABEL_WIDTH}}{figures}")
    return lines
