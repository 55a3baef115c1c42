"""What models retain of what both of them solve without noise, in plain English."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.comparison_rows import Comparison
from reports.stats.retained_accuracy import BETWEEN, MEAN_OVER_FILLER, RETAINED
from reports.tables.comparison_figures import (
    crossed_text,
    figure,
    interval_text,
    is_significant,
    power_text,
    sample_text,
)
from reports.tables.numbers_as_text import p_figure, p_text

#: The label of the sentences on noise against filler.
NET_OF_FILLER = "net of filler"


def beyond_filler_sentences(rows: Sequence[Comparison]) -> list[tuple[str, list[str]]]:
    """Return an entry on what noise costs net of filler of the same length, over several noises; none without them."""
    compared = [row for row in rows if row.contrast == MEAN_OVER_FILLER and row.estimate is not None]
    return [(f"{_list(row.noise)} {NET_OF_FILLER}", [_beyond_filler(row)]) for row in compared]


def retained_sentence(rows: Sequence[Comparison], question: Comparison, briefly: bool = False) -> str | None:
    """Return what the two models of a row retain with the noise of that row; None where nothing is known of it.

    `briefly` leaves the interval of the difference out.
    """
    of_pair = [row for row in rows if row.noise == question.noise]
    models = (question.model, question.against)
    shares = {row.model: row for row in of_pair if row.contrast == RETAINED and {row.model, row.against} == set(models)}
    between = [row for row in of_pair if row.contrast == BETWEEN and (row.model, row.against) == models]
    if len(shares) < len(models) or not between:
        return None
    first, second = (f"{figure(shares[name].measure, shares[name].estimate)} %" for name in models)
    shared = f"Of the problems both solve without noise, {models[0]} retains {first} and {models[1]} {second}"
    if briefly:
        return f"{shared}, {p_text(between[0])}."
    return f"{shared} (difference {interval_text(between[0])}, {p_text(between[0])})."


def _beyond_filler(row: Comparison) -> str:
    assert row.estimate is not None
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    size, interval = figure(row.measure, abs(row.estimate)), interval_text(row, negated=row.estimate < 0)
    costs = f"{_list(row.noise)} cost {more} {size} points more than {less}"
    claim = f"on problems that both solve without noise, {costs}, net of filler of the same length"
    if is_significant(row):
        return f"{claim[0].upper()}{claim[1:]} {interval}, {p_text(row)}, {sample_text(row)}{_beside(row)}."
    return f"No evidence of a difference: {claim} {interval}, {p_text(row)}; {power_text(row, size)}{_beside(row)}."


def _beside(row: Comparison) -> str:
    """Return the exact test over seeds, and the interval with both seeds and problems as random, in brackets."""
    if row.p_sign_flips is None:
        return ""
    return f" (sign flips: {p_figure(row.p_sign_flips)}{crossed_text(row)})"


def _list(noises: str) -> str:
    names = noises.split("+")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
