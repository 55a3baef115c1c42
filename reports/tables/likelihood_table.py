"""The full table of likelihoods of the worked answers for the terminal: models down, noises across."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.comparisons import Comparison
from reports.stats.noise_doses import by_dose
from reports.stats.problem_scores import LIKELIHOOD
from reports.tables.text_wrap import wrapped

_LABELS = ("log-likelihood", "95 % interval", "degradation")
_LABEL_WIDTH = max(map(len, _LABELS))
_COLUMN = len("  ±0.000") + 4
_LONGEST_NAME = 14  # four noises then fit 80 columns; a longer name gets a line of its own


def likelihood_table(
    rows: Sequence[Comparison], width: int = 80, other_tokens: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Return the lines of the table, at most `width` columns wide if the names allow it; none without a likelihood.

    Figures are in nats per token: 0 is certainty, −0.69 an even chance for each token. `other_tokens` names the pairs
    of models that are not compared (`Findings.other_tokens`); they are listed below the table.
    """
    levels = {(row.model, row.noise): row for row in rows if row.contrast == LIKELIHOOD}
    degradations = {
        (row.model, row.noise): row for row in rows if row.measure == LIKELIHOOD and row.contrast == "degradation"
    }
    if not levels:
        return []
    models = list(dict.fromkeys(model for model, _ in levels))
    noises = sorted(dict.fromkeys(noise for _, noise in levels), key=by_dose)
    sizes = {row.clusters for row in levels.values()}
    size = f", {next(iter(sizes)):,} problems a cell" if len(sizes) == 1 else ""
    lines = [f"likelihood of the worked answer, nats a token{size}"]
    indent = min(max(map(len, models)), _LONGEST_NAME)
    per_block = max(1, (width - indent - 2 - _LABEL_WIDTH) // _COLUMN)
    for first in range(0, len(noises), per_block):
        block = noises[first : first + per_block]
        lines.append(" " * (indent + 2 + _LABEL_WIDTH) + "".join(f"{noise:>{_COLUMN}}" for noise in block))
        for model in models:
            figures = [_figures(levels.get((model, noise)), degradations.get((model, noise))) for noise in block]
            lines += _model_lines(model, list(zip(*figures, strict=True)), indent)
    for sentence in not_compared(other_tokens):
        lines += wrapped(sentence, width)
    return [*lines, ""]


def not_compared(other_tokens: Sequence[tuple[str, str]]) -> list[str]:
    """Return one sentence for each pair of models whose likelihoods are not compared."""
    return [
        f"{first} and {second} read the answers as different tokens: nats a token are not compared between them"
        for first, second in other_tokens
    ]


def _figures(level: Comparison | None, degradation: Comparison | None) -> tuple[str, str, str]:
    if level is None or level.estimate is None:
        return "", "", ""
    half = "-" if level.low is None or level.high is None else f"±{(level.high - level.low) / 2:.3f}"
    return f"{level.estimate:.3f}", half, _figure(degradation)


def _figure(row: Comparison | None) -> str:
    return "" if row is None or row.estimate is None else f"{row.estimate:.3f}"


def _model_lines(name: str, columns: Sequence[tuple[str, ...]], indent: int) -> list[str]:
    lines = [name] if len(name) > indent else []
    for number, (label, values) in enumerate(zip(_LABELS, columns, strict=True)):
        if any(values):
            head = name if number == 0 and len(name) <= indent else ""
            figures = "".join(f"{value:>{_COLUMN}}" for value in values)
            lines.append(f"{head:<{indent}}  {label:<{_LABEL_WIDTH}}{figures}")
    return lines
