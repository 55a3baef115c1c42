"""Interventions in plain English: which part of what noise costs comes back, and in which model more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.stages import measure_named
from reports.stats.flip_prediction import CUT_EFFECT, NOISE_LIFT
from reports.stats.intervention_rows import FLIP, InterventionRow
from reports.stats.noise_doses import CLEAN
from reports.stats.parts_of_cost import Decomposition, rows_at_floor, shown_decompositions, shown_differences
from reports.tables.comparison_caveats import floor_sentence
from reports.tables.comparison_figures import figure, interval_text, is_significant, power_text
from reports.tables.numbers_as_text import decimal, p_figure, p_text

#: What the figures do not show.
LIMIT = "A cut puts a model in a state it never met in training: docs/attention.md says what may be concluded."
#: What may tell which problems flip, in words.
PREDICTORS = {NOISE_LIFT: "the lift of the noise", CUT_EFFECT: "what the cut adds to the likelihood"}
#: The differences that have a sentence, as the beginning of a claim.
_CLAIMS = {"reading": "hiding {noise} gives", "displacement": "undoing the displacement by {noise} gives"}


def decomposition_sentences(rows: Sequence[InterventionRow]) -> list[str]:
    """Return a sentence for each model and noise, on the parts of what the noise costs the model."""
    return [decomposition_sentence(of_cell) for of_cell in shown_decompositions(rows)]


def decomposition_sentence(of_cell: Decomposition) -> str:
    """`Of the 54.0 points [44.0, 64.0] that inf costs llama, 27.0 [18.0, 36.0] come back when the noise cannot …`"""
    total = of_cell.total
    assert total.estimate is not None
    reading, displacement, rest = (_clause(row) for row in of_cell.parts)
    clauses = f"{reading}, {displacement}, and {rest}"
    size, unit = figure(total.measure, total.estimate), measure_named(total.measure).unit
    if float(size) > 0:
        return f"Of the {size} {unit} {interval_text(total)} that {total.noise} costs {total.model}, {clauses}."
    return f"{total.noise} costs {total.model} nothing ({size} {unit} {interval_text(total)}): {clauses}."


def difference_sentences(rows: Sequence[InterventionRow]) -> list[str]:
    """Return a sentence for each pair of models, noise and part: by which one loses more."""
    return [difference_sentence(row) for row in shown_differences(rows) if row.of in _CLAIMS]


def difference_sentence(row: InterventionRow, brief: bool = False) -> str:
    """`Hiding inf gives llama back 32.0 points more than diffllama [18.0, 46.0], p < 0.001, 100 problems.`

    A `brief` sentence leaves out what could have been shown.
    """
    assert row.estimate is not None
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    size, interval = figure(row.measure, abs(row.estimate)), interval_text(row, negated=row.estimate < 0)
    claim, unit = _CLAIMS[row.of].format(noise=row.noise), measure_named(row.measure).unit
    if is_significant(row):
        sentence = (
            f"{claim} {more} back {size} {unit} more than {less} {interval}, {p_text(row)}, {row.clusters:,} problems."
        )
        return f"{sentence[0].upper()}{sentence[1:]}"
    claim = f"No evidence that {claim} {more} back more than {less}"
    return f"{claim}: {size} {unit} {interval}, {p_text(row)}{'' if brief else f'; {power_text(row, size)}'}."


def flip_sentences(rows: Sequence[InterventionRow]) -> list[str]:
    """Return a sentence for each model, noise and predictor: whether it tells which problems flip."""
    return [_flip(row) for row in rows if row.contrast == FLIP]


def flip_summary(rows: Sequence[InterventionRow]) -> list[str]:
    """Return a sentence for each predictor: in how many cells it tells which problems flip, and how well."""
    sentences = []
    for predictor, words in PREDICTORS.items():
        known = [row for row in rows if row.contrast == FLIP and row.of == predictor and row.estimate is not None]
        if known:
            areas = sorted(row.estimate or 0.0 for row in known)
            significant = sum(is_significant(row) for row in known)
            extent = f"{decimal(areas[0], 2)} to {decimal(areas[-1], 2)}" if len(areas) > 1 else decimal(areas[0], 2)
            cells = f"{significant} of {len(known)} cells"
            sentences.append(f"{words[0].upper()}{words[1:]} tells which answers flip in {cells}: AUC {extent}.")
    return sentences


def first_sentences(rows: Sequence[InterventionRow]) -> list[str]:
    """Return the two sentences that answer first: the parts of the largest cost, and the clearest difference in reading
    between two models, or the parts of the next cost where there is none."""
    of_cells = sorted(
        shown_decompositions(rows), key=lambda of_cell: (of_cell.total.measure, -(of_cell.total.estimate or 0.0))
    )
    sentences = [decomposition_sentence(of_cell) for of_cell in of_cells[:2]]
    differences = [row for row in shown_differences(rows) if row.of == "reading"]
    if differences:
        clearest = min(differences, key=lambda row: (row.measure, 1.0 if row.p is None else row.p))
        sentences[1:] = [difference_sentence(clearest, brief=True)]
    return sentences


def floor_sentences(rows: Sequence[InterventionRow]) -> list[str]:
    """Return a sentence for each noise whose clean problems a model has next to none of right."""
    has_likelihood = any(row.measure == "likelihood" for row in rows)
    by_noise: dict[str, list[InterventionRow]] = {}
    for row in rows_at_floor(rows):
        by_noise.setdefault(row.noise, []).append(replace(row, noise=CLEAN))
    return list(dict.fromkeys(floor_sentence(of_noise, has_likelihood) for of_noise in by_noise.values()))


def _clause(row: InterventionRow) -> str:
    assert row.estimate is not None
    size, interval = figure(row.measure, abs(row.estimate)), interval_text(row, negated=row.estimate < 0)
    positive = row.estimate >= 0 or not float(size)
    if positive:
        interval = interval_text(row)
    words = {
        ("reading", True): f"{size} {interval} come back when the noise cannot be read",
        ("reading", False): f"cutting it costs {size} {interval} more",
        ("displacement", True): f"{size} {interval} are displacement",
        ("displacement", False): f"moving the text back costs {size} {interval} more",
        ("rest", True): f"{size} {interval} are neither",
        ("rest", False): f"{size} {interval} come back beyond what was lost",
    }
    return words[row.of, positive]


def _flip(row: InterventionRow) -> str:
    predictor = (
        f"the lift of {row.noise}" if row.of == NOISE_LIFT else f"what cutting {row.noise} adds to the likelihood"
    )
    among = f"the {row.clusters:,} problems that {row.model} has right when clean"
    if row.estimate is None:
        return f"Among {among}, {predictor} cannot be said to tell which flip: {row.method}."
    p = "nothing to test" if row.p_adjusted is None else p_figure(row.p_adjusted)
    interval = f"[{decimal(row.low or 0.0, 2)}, {decimal(row.high or 0.0, 2)}]"
    area = f"AUC {decimal(row.estimate, 2)} {interval}, {p}, {row.count:,} flipped"
    if not is_significant(row):
        return f"No evidence that among {among} {predictor} tells which flip: {area}."
    around = ", the wrong way round" if row.estimate < 0.5 else ""
    return f"Among {among}, {predictor} tells which flip{around}: {area}."
