"""The comparisons in plain English, two sentences per noise: what it costs each model, and whether one loses more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from reports.stages import measure_named
from reports.stats.comparison_rows import Comparison
from reports.stats.noise_doses import CLEAN
from reports.stats.placebo_labels import is_placebo
from reports.stats.retained_accuracy import MEAN_OVER_FILLER
from reports.store.record_kinds import LIKELIHOOD
from reports.store.stage_and_file_names import TUNED_SUFFIX
from reports.tables.comparison_caveats import (
    floor_sentence,
    is_at_floor,
    over_other_problems,
    without_shared_problems,
)
from reports.tables.comparison_figures import figure, interval_text, is_significant, power_text, sample_text
from reports.tables.factor_narrative import factor_sentences
from reports.tables.numbers_as_text import p_text
from reports.tables.placebo_narrative import over_placebo_sentences
from reports.tables.retained_narrative import beyond_filler_sentences, retained_sentence
from reports.tables.text_wrap import wrapped

_QUESTION, _COST, _MEAN = "difference_in_differences", "degradation", "mean_"


def narrative(rows: Sequence[Comparison], width: int = 80) -> list[str]:
    """Return `sentences` as wrapped lines for the terminal."""
    lines: list[str] = []
    for heading, by_noise in sentences(rows):
        lines += wrapped(heading, width)
        for noise, about_noise in by_noise:
            for number, sentence in enumerate(about_noise):
                indent = "    " if number else f"  {noise}: "
                lines += wrapped(sentence, width, indent, "    ")
        lines.append("")
    return lines


def answer(rows: Sequence[Comparison], width: int = 80, max_lines: int = 12) -> list[str]:
    """Return the narrative in about `max_lines` lines.

    They are the sentences over all noises, and those of each noise if they fit. What does not fit is counted.
    """
    sections = _sections(rows, brief_only=True)
    if not sections:
        return []
    full = [_section_lines(section, section.by_noise, width) for section in sections]
    if sum(map(len, full)) > max_lines:
        later = min(4, max_lines // len(sections))
        shares = [max_lines - later * (len(sections) - 1), *[later] * (len(sections) - 1)]
        full = [
            _section_lines(section, section.brief or section.by_noise, width, share)
            for section, share in zip(sections, shares, strict=True)
        ]
    return ["what noise costs (95 % intervals, p after Holm)", *(line for lines in full for line in lines)]


def headline(rows: Sequence[Comparison]) -> str | None:
    """Return the first sentence that compares two models, or the first of all, and what it is about; None if there is
    none."""
    for section in _sections(rows)[:1]:
        if not section.noises:
            return None
        noise, about_noise = section.noises[0]
        compared = section.is_comparison and noise != CLEAN and len(about_noise) > 1
        return f"answer ({section.label}, {noise}): {about_noise[compared]}"
    return None


def sentences(rows: Sequence[Comparison]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return for each stage and measure a heading, and the sentences for all noises together and for each noise.

    Tuned models are compared with each other, so they have a heading of their own. A model that is compared with no
    other has one sentence per noise.
    """
    return [(section.heading, section.by_noise) for section in _sections(rows)]


class _Retained(Enum):
    """How much is said of what models retain."""

    NOT, BRIEFLY, WHOLE = range(3)


@dataclass(frozen=True)
class _Section:
    """The sentences of one stage and measure.

    `brief` are the entries of `by_noise` over several noises, against placebos and by factor; it is empty where there
    are none. `noises` leaves placebos out. In a comparison of models the first sentence of an entry says what each
    loses.
    """

    label: str
    heading: str
    is_comparison: bool
    brief: list[tuple[str, list[str]]]
    noises: list[tuple[str, list[str]]]
    by_noise: list[tuple[str, list[str]]]


def _sections(rows: Sequence[Comparison], brief_only: bool = False) -> list[_Section]:
    """Return the sections. What models retain is said for each noise, or with `brief_only` for their mean and untuned
    models."""
    sections, has_likelihood = [], any(row.measure == LIKELIHOOD for row in rows)
    for stage, measure, tuned in dict.fromkeys((row.stage, row.measure, _tuned(row)) for row in rows):
        group = [row for row in rows if (row.stage, row.measure, _tuned(row)) == (stage, measure, tuned)]
        at_floor = {row.model: row for row in group if is_at_floor(row)}
        group = [row for row in group if row.model not in at_floor and row.against not in at_floor]
        floor = [("clean", [floor_sentence(list(at_floor.values()), has_likelihood)])] if at_floor else []
        contrast = _QUESTION if any(row.contrast == _QUESTION and row.estimate is not None for row in group) else _COST
        mean_rows = [
            replace(row, contrast=row.contrast.removeprefix(_MEAN), noise=mean_label(row.noise))
            for row in group
            if row.contrast.startswith(_MEAN) and row.contrast != MEAN_OVER_FILLER
        ]
        without = without_shared_problems(group)
        if contrast == _QUESTION:
            of_means = _Retained.NOT if tuned else _Retained.BRIEFLY
            means = list(_compared_models(mean_rows, of_means if brief_only else _Retained.WHOLE))
            each = list(_compared_models(group, _Retained.NOT if brief_only else _Retained.WHOLE))
        else:
            means, each = list(_single_models(mean_rows)), list(_single_models(group))
        against = [*over_placebo_sentences(group), *factor_sentences(group)]
        placebos = [entry for entry in each if is_placebo(entry[0])]
        beyond = beyond_filler_sentences(group)
        noises = [*floor, *beyond, *means, *(entry for entry in each if entry not in placebos)]
        by_noise = [*noises, *against, *placebos, *without]
        brief = [*(noises if not means else [*floor, *beyond, *means]), *against, *without] if means or against else []
        if by_noise:
            stage_label = f", {stage}," if stage != measure else ""
            tuned_label = ", tuned models" if tuned else ""
            count = sum(row.contrast == contrast and row.p is not None for row in rows if row.stage == stage)
            means_apart = ", means over noises separately" if mean_rows else ""
            adjusted = f"; p adjusted over {count} comparisons{means_apart}" if count > 1 else ""
            costs = f"what noise costs{stage_label} in {measure_named(measure).label}{tuned_label}"
            seeds = max((row.all_seeds for row in group), default=1)
            over = f", means over {seeds} training seeds" if seeds > 1 else ""
            heading = f"{costs}{over} (95 % intervals{adjusted})"
            sections.append(_Section(f"{stage}{tuned_label}", heading, contrast == _QUESTION, brief, noises, by_noise))
    return sections


def _section_lines(
    section: _Section, by_noise: Sequence[tuple[str, list[str]]], width: int, max_lines: int | None = None
) -> list[str]:
    """Return the sentences of a section, an entry per noise; those after `max_lines` lines are counted, not shown."""
    total = sum(len(about_noise) for _, about_noise in by_noise)
    if max_lines is None:
        return _entries(section.label, by_noise, width, total)
    lines: list[str] = []
    for shown in range(1, total + 1):
        more = [f"    and {total - shown:,} more sentence{'s' * (total - shown > 1)}"] if shown < total else []
        candidate = [*_entries(section.label, by_noise, width, shown), *more]
        if lines and len(candidate) > max_lines:
            break
        lines = candidate
    return lines


def _entries(label: str, by_noise: Sequence[tuple[str, list[str]]], width: int, shown: int) -> list[str]:
    """Return the first `shown` sentences, those about one noise joined."""
    lines: list[str] = []
    for noise, about_noise in by_noise:
        if shown > 0:
            lines += wrapped(f"{label}, {noise}: {' '.join(about_noise[:shown])}", width, "  ", "    ")
        shown -= len(about_noise)
    return lines


def mean_label(name: str) -> str:
    """Return the label of a mean over several noises."""
    if name == "all 2":
        return "both noises"
    return f"{name} noises" if name.startswith("all ") else f"mean of {name.replace('+', ', ')}"


def _tuned(row: Comparison) -> bool:
    return row.model.endswith(TUNED_SUFFIX)


def _compared_models(rows: Sequence[Comparison], retained: _Retained) -> Iterator[tuple[str, list[str]]]:
    compared = [row for row in rows if row.contrast == _QUESTION and row.estimate is not None]
    for noise in dict.fromkeys(row.noise for row in compared):
        pairs = [row for row in compared if row.noise == noise]
        names = dict.fromkeys(name for row in pairs for name in (row.model, row.against))
        costs = [row for row in rows if row.contrast == _COST and row.noise == noise and row.model in names]
        kept = [retained_sentence(rows, row, retained is _Retained.BRIEFLY) for row in pairs if retained.value]
        yield (
            noise,
            [
                *([_costs(costs)] if costs else []),
                *map(_comparison, pairs),
                *(sentence for sentence in kept if sentence is not None),
                *over_other_problems(costs, pairs),
            ],
        )


def _single_models(rows: Sequence[Comparison]) -> Iterator[tuple[str, list[str]]]:
    costs = [row for row in rows if row.contrast == _COST and row.estimate is not None]
    for noise in dict.fromkeys(row.noise for row in costs):
        yield noise, [_cost(row) for row in costs if row.noise == noise]


def _cost(row: Comparison) -> str:
    assert row.estimate is not None
    unit = measure_named(row.measure).unit
    verb, size = "loses" if row.estimate >= 0 else "gains", figure(row.measure, abs(row.estimate))
    interval = interval_text(row, negated=row.estimate < 0)
    if is_significant(row):
        return f"{row.model} {verb} {size} {unit} {interval}, {p_text(row)}, {sample_text(row)}."
    return f"No evidence that {row.model} {verb} any: {size} {unit} {interval}, {p_text(row)}; {power_text(row, size)}."


def _costs(rows: Sequence[Comparison]) -> str:
    """`llama loses 57.0 points [49.5, 63.4] and diffllama 25.5 [18.8, 31.7].`"""
    parts = []
    for number, row in enumerate(sorted(rows, key=lambda row: row.estimate or 0.0, reverse=True)):
        unit = measure_named(row.measure).unit
        verb, words = ("loses ", f" {unit}") if number == 0 else ("", "")
        parts.append(f"{row.model} {verb}{figure(row.measure, row.estimate)}{words} {interval_text(row)}")
    return f"{', '.join(parts[:-1])}{' and ' if len(parts) > 1 else ''}{parts[-1]}."


def _comparison(row: Comparison) -> str:
    assert row.estimate is not None
    unit = measure_named(row.measure).unit
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    size, interval = figure(row.measure, abs(row.estimate)), interval_text(row, negated=row.estimate < 0)
    if is_significant(row):
        return f"{less} loses {size} {unit} less than {more} {interval}, {p_text(row)}, {sample_text(row)}."
    claim = f"No evidence that {more} loses more than {less}"
    return f"{claim}: {size} {unit} {interval}, {p_text(row)}; {power_text(row, size)}."
