"""The factors of a designed noise in plain English: what each adds to the loss, and to which model it adds more."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import measure_named
from reports.stats.comparison_rows import Comparison
from reports.stats.factor_comparisons import FACTOR_CONTRASTS, split_factor_label
from reports.tables.comparison_figures import figure, interval_text, is_significant
from reports.tables.numbers_as_text import p_text

_EFFECT, _BETWEEN = FACTOR_CONTRASTS
#: What a sentence calls a factor's first level against its second.
PHRASES = {
    "topic": "a fact on the topic, rather than off it,",
    "role": "somebody close, rather than a stranger,",
    "range": "a number in range, rather than out of it,",
}


def factor_sentences(rows: Sequence[Comparison]) -> list[tuple[str, list[str]]]:
    """Return an entry for each designed noise: a sentence for each factor, and one on the difference between models."""
    compared = [row for row in rows if row.contrast in FACTOR_CONTRASTS and row.estimate is not None]
    entries = []
    for noise in dict.fromkeys(split_factor_label(row.noise)[0] for row in compared):
        group = [row for row in compared if split_factor_label(row.noise)[0] == noise]
        effects: dict[str, list[Comparison]] = {}
        for row in group:
            if row.contrast == _EFFECT:
                effects.setdefault(row.noise, []).append(row)
        about = [_effect(of_factor) for of_factor in effects.values()]
        between = [row for row in group if row.contrast == _BETWEEN]
        entries.append((f"{noise} by factor", [*about, *([_difference(between)] if between else [])]))
    return entries


def _effect(rows: Sequence[Comparison]) -> str:
    """`A fact on the topic, rather than off it, adds 8.0 points to the loss of llama [1.0, 15.0], p = 0.030, …`"""
    shown = any(map(is_significant, rows))
    first, later = (" to the loss of", " to that of") if shown else (" for", " for")
    parts = []
    for number, row in enumerate(sorted(rows, key=lambda row: row.estimate or 0.0, reverse=True)):
        words = later if number else f" {measure_named(row.measure).unit}{first}"
        parts.append(f"{figure(row.measure, row.estimate)}{words} {row.model} {interval_text(row)}, {p_text(row)}")
    phrase, figures = PHRASES[split_factor_label(rows[0].noise)[1]], ", and ".join(parts)
    opening = f"{phrase[0].upper()}{phrase[1:]}"
    return f"{opening} adds {figures}." if shown else f"{opening} shows no effect: {figures}."


def _difference(rows: Sequence[Comparison]) -> str:
    """Return the sentence on the factors that add more to one model's loss, or on the one that comes nearest to it."""
    shown = [row for row in rows if is_significant(row)]
    if shown:
        return f"{'; '.join(map(_more, shown))}."
    nearest = min(rows, key=lambda row: 1.0 if row.p is None else row.p)
    return f"No evidence that a factor adds more to one model's loss; the nearest: {_more(nearest)}."


def _more(row: Comparison) -> str:
    assert row.estimate is not None
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    size, interval = figure(row.measure, abs(row.estimate)), interval_text(row, negated=row.estimate < 0)
    unit, factor = measure_named(row.measure).unit, split_factor_label(row.noise)[1]
    return f"{factor} adds {size} {unit} more to {more} than to {less} {interval}, {p_text(row)}"
