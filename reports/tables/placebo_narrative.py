"""Noise against its placebo in plain English: what it costs beyond text that is as long, and whether models differ."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stages import measure_named
from reports.stats.comparison_rows import Comparison
from reports.stats.placebo_comparisons import OVER_PLACEBO, split_label
from reports.stats.placebo_labels import placebo_phrase
from reports.tables.comparison_figures import figure, interval_text, is_significant, power_text, sample_text
from reports.tables.numbers_as_text import p_text

_COST, _BETWEEN = OVER_PLACEBO


def over_placebo_sentences(rows: Sequence[Comparison]) -> list[tuple[str, list[str]]]:
    """Return an entry for each placebo that a noise is compared with: what the noise costs each model beyond it, and a
    sentence for each pair of models."""
    compared = [row for row in rows if row.contrast in OVER_PLACEBO and row.estimate is not None]
    entries = []
    for label in dict.fromkeys(row.noise for row in compared):
        noise, placebo = split_label(label)
        costs = [row for row in compared if (row.contrast, row.noise) == (_COST, label)]
        pairs = [row for row in compared if (row.contrast, row.noise) == (_BETWEEN, label)]
        about = [_costs(costs, noise, placebo)] if len(costs) > 1 else [_cost(row, noise, placebo) for row in costs]
        entries.append((f"over {placebo}", [*about, *(_between(row) for row in pairs)]))
    return entries


def _costs(rows: Sequence[Comparison], noise: str, placebo: str) -> str:
    """`inf costs llama 40.0 points more than filler of the same length [30.1, 49.9], p < 0.001, and diffllama …`"""
    parts = []
    for number, row in enumerate(sorted(rows, key=lambda row: row.estimate or 0.0, reverse=True)):
        unit = measure_named(row.measure).unit
        than = "" if number else f" {unit} more than {placebo_phrase(placebo)}"
        parts.append(f"{row.model} {figure(row.measure, row.estimate)}{than} {interval_text(row)}, {p_text(row)}")
    return f"{noise} costs {', and '.join(parts)}."


def _cost(row: Comparison, noise: str, placebo: str) -> str:
    assert row.estimate is not None
    unit, size = measure_named(row.measure).unit, figure(row.measure, abs(row.estimate))
    more, interval = "more" if row.estimate >= 0 else "less", interval_text(row, negated=row.estimate < 0)
    claim = f"{noise} costs {row.model}"
    if is_significant(row):
        than = f"{size} {unit} {more} than {placebo_phrase(placebo)}"
        return f"{claim} {than} {interval}, {p_text(row)}, {sample_text(row)}."
    against = f"No evidence that {claim} {more} than {placebo_phrase(placebo)}"
    return f"{against}: {size} {unit} {interval}, {p_text(row)}; {power_text(row, size)}."


def _between(row: Comparison) -> str:
    assert row.estimate is not None
    unit, size = measure_named(row.measure).unit, figure(row.measure, abs(row.estimate))
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    interval = interval_text(row, negated=row.estimate < 0)
    if is_significant(row):
        return f"That is {size} {unit} less for {less} than for {more} {interval}, {p_text(row)}."
    claim = f"No evidence that this is less for {less} than for {more}"
    shown = "" if row.detectable is None else f"; {figure(row.measure, row.detectable)} could have been shown"
    return f"{claim}: {size} {unit} {interval}, {p_text(row)}{shown}."
