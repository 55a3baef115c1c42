"""The comparisons of attention in plain English: which model attends less to the noise, and what that does not show."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.comparisons import Comparison
from reports.stats.paired_tests import ALPHA
from reports.store.stage_and_file_names import TUNED_SUFFIX
from reports.tables.comparison_figures import sample_text
from reports.tables.narrative import mean_label
from reports.tables.numbers_as_text import decimal, p_text
from reports.tables.text_wrap import wrapped

HEADING = "can one see why? (lift of the noise; 95 % intervals, p after Holm)"
#: What the sentences do not show.
LIMIT = "Lift says where attention goes, not whether that costs answers."


def attention_sentences(rows: Sequence[Comparison]) -> list[tuple[str, str]]:
    """Return for each noise and pair of models a label and a sentence, those over several noises first."""
    ordered = sorted(rows, key=lambda row: not row.contrast.startswith("mean_"))
    return [(_label(row), _sentence(row)) for row in ordered if row.estimate is not None]


def attention_answer(rows: Sequence[Comparison], width: int = 80, verbose: bool = False) -> list[str]:
    """Return the sentences over several noises as lines for the terminal, or those of each noise if there are none.

    Those of tuned models are left out unless there are no others; with `verbose` none is.
    """
    means = [row for row in rows if row.contrast.startswith("mean_")]
    untuned = [row for row in means or rows if not row.model.endswith(TUNED_SUFFIX)]
    sentences = attention_sentences(rows if verbose else untuned or means or rows)
    if not sentences:
        return []
    if len(sentences) == 1:
        sentences = [(sentences[0][0], f"{sentences[0][1]} {LIMIT}")]
    lines = [line for label, text in sentences for line in wrapped(f"{label}: {text}", width, "  ", "    ")]
    return [HEADING, *lines, *(wrapped(LIMIT, width, "  ", "  ") if len(sentences) > 1 else [])]


def _label(row: Comparison) -> str:
    noises = mean_label(row.noise) if row.contrast.startswith("mean_") else row.noise
    return f"tuned models, {noises}" if row.model.endswith(TUNED_SUFFIX) else noises


def _sentence(row: Comparison) -> str:
    assert row.estimate is not None
    less, more = (row.model, row.against) if row.estimate <= 0 else (row.against, row.model)
    sign = -1 if row.estimate <= 0 else 1
    bounds = sorted(sign * bound for bound in (row.low, row.high) if bound is not None)
    interval = f"[{', '.join(decimal(bound, 2) for bound in bounds)}]" if bounds else "[no interval]"
    figures = f"{interval}, {p_text(row)}, {sample_text(row)}"
    if row.p_adjusted is not None and row.p_adjusted <= ALPHA:
        return f"the noise has {abs(row.estimate):.2f} less lift in {less} than in {more} {figures}."
    return f"No evidence that the noise has less lift in {less} than in {more}: {abs(row.estimate):.2f} {figures}."
