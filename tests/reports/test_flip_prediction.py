"""Whether a number tells which problems flip: the area against scipy, its interval, and who is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from reports.stats.area_under_curve import area, area_interval
from reports.stats.attention_stats import MeasuredCell, measured_cell
from reports.stats.flip_prediction import CUT_EFFECT, FEWEST, NOISE_LIFT, flip_predictions
from reports.stats.intervention_rows import InterventionRow
from reports.stats.intervention_scores import InterventionCell
from reports.store.records import Cell, draw_id
from tests.reports.attention_factories import reading
from tests.reports.intervention_factories import cut_cell, intervention, interventions
from tests.reports.record_factories import question_of

pytestmark = pytest.mark.quick
VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=20)


@given(VALUES, VALUES)
def test_the_area_is_that_of_mann_and_whitney(positives: list[int], negatives: list[int]) -> None:
    counted = numpy.mean([[(a > b) + (a == b) / 2 for b in negatives] for a in positives])
    assert area(numpy.array(positives), numpy.array(negatives)) == pytest.approx(counted)
    u = mannwhitneyu(positives, negatives).statistic
    assert counted == pytest.approx(u / (len(positives) * len(negatives)))


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1))
def test_the_interval_holds_the_area_is_never_empty_and_is_a_mirror_of_that_of_the_other_class(
    m: int, n: int, share: float
) -> None:
    low, high = area_interval(share, m, n)
    assert 0 <= low <= share <= high <= 1
    assert high - low > 0.01
    assert area_interval(1 - share, n, m) == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_the_interval_is_where_its_quartic_of_method_5_is_zero() -> None:
    """Written out as a polynomial, another way to the same bounds: 0.8 over 10 and 30."""
    bounds = area_interval(0.8, 10, 30)
    p = numpy.polynomial.Polynomial
    theta, z, others = p([0, 1]), 1.959963985, 19
    wide = (2 - theta) * (1 + theta) + others * ((1 - theta) * (1 + theta) + theta * (2 - theta))
    quartic = (theta - 0.8) ** 2 * 300 * (2 - theta) * (1 + theta) - z**2 * theta * (1 - theta) * wide
    roots = [root.real for root in quartic.roots() if abs(root.imag) < 1e-9 and 0 <= root.real <= 1]
    assert sorted(roots) == pytest.approx(bounds, abs=1e-6)


@pytest.mark.parametrize(("m", "n"), [(10, 10), (10, 40), (40, 40)])
@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_95_in_100_intervals_hold_the_true_area(m: int, n: int, shift: float) -> None:
    """Of normal values whose means differ by `shift` standard deviations: 93 to 98 of 100."""
    from scipy.stats import norm

    generator, truth, runs = numpy.random.default_rng(5), float(norm.cdf(shift / 2**0.5)), 1_000
    held = 0
    for _ in range(runs):
        estimate = area(generator.normal(shift, 1, m), generator.normal(0, 1, n))
        low, high = area_interval(estimate, m, n)
        held += low <= truth <= high
    assert 0.93 <= held / runs <= 0.98


def flips(lost: int, kept: int, effect: list[float]) -> InterventionCell:
    """Return a cell of which the first `lost` problems flip; the noise cut away adds `effect` nats a token to each."""
    n = lost + kept
    answers = {"clean": "1" * n + "0" * 3, "noisy": "0" * lost + "1" * kept + "0" * 3, "everywhere": "1" * (n + 3)}
    before = list(numpy.linspace(-2, -1, n + 3))
    after = [value + change for value, change in zip(before, [*effect, 0.0, 0.0, 0.0], strict=True)]
    return cut_cell("llama", interventions(answers, {"clean": before, "noisy": before, "everywhere": after}))


def by_predictor(cell: InterventionCell, *attention: MeasuredCell) -> dict[str, InterventionRow]:
    return {row.of: row for row in flip_predictions([cell], attention)}


@pytest.mark.parametrize(
    ("effect", "expected"),
    [([1.0] * 10 + [0.0] * 20, 1.0), ([0.25] * 30, 0.5), ([0.0] * 10 + [1.0] * 20, 0.0)],
    ids=["all", "nothing", "the wrong way round"],
)
def test_the_effect_of_the_cut_predicts_flips(effect: list[float], expected: float) -> None:
    row = by_predictor(flips(10, 20, effect))[CUT_EFFECT]
    assert row.estimate == pytest.approx(expected)
    assert (row.count, row.n, row.clusters) == (10, 30, 30), "problems that were wrong when clean are not asked"
    assert row.low is not None
    assert row.high is not None
    assert row.low <= expected <= row.high
    assert row.p is not None
    assert (row.p < 0.05) == (expected != 0.5) == (not row.low <= 0.5 <= row.high)


@pytest.mark.parametrize(("lost", "kept"), [(FEWEST - 1, 20), (20, FEWEST - 1), (0, 20)])
def test_of_too_few_problems_no_area_is_given_but_a_reason(lost: int, kept: int) -> None:
    row = by_predictor(flips(lost, kept, [0.5] * (lost + kept)))[CUT_EFFECT]
    assert (row.estimate, row.low, row.high, row.p, row.p_adjusted) == (None,) * 5
    assert row.method == f"too few: {lost} flipped and {kept} did not"


def readings_of(lifts: dict[str, float], **changed: Any) -> MeasuredCell:
    """Return readings in which the noise has these lifts: an eighth of the tokens are noise."""
    records = [
        reading(
            id,
            gold="2 + 3 = 5\n#### 5",
            absolute=(((0.25, lift / 8, 0.375 - lift / 8, 0.25, 0.125),),),
        )
        for id, lift in lifts.items()
    ]
    cell = Cell("llama", "inf", "attention")
    return replace(measured_cell(cell, "llama", "queries answer; layers all; heads all", records), **changed)


def test_the_lift_of_the_noise_predicts_flips_of_the_same_model_noise_and_text() -> None:
    cell = flips(10, 20, [0.0] * 30)
    lifts = {f"p{n}": 2.0 if n < 10 else 1.0 + n / 100 for n in range(30)}
    row = by_predictor(cell, readings_of(lifts))[NOISE_LIFT]
    assert (row.estimate, row.n, row.count) == (1.0, 30, 10)
    some = {id: lift for id, lift in lifts.items() if id != "p0"}
    assert by_predictor(cell, readings_of(some))[NOISE_LIFT].n == 29
    other = readings_of(lifts)
    of_questions = replace(other, texts=tuple(question_of(id) for id in lifts))
    assert by_predictor(cell, of_questions)[NOISE_LIFT].n == 30, "a reading may end with the question"
    assert NOISE_LIFT not in by_predictor(cell)
    assert NOISE_LIFT not in by_predictor(cell, readings_of(lifts, cell=Cell("llama", "sd", "attention")))
    assert NOISE_LIFT not in by_predictor(cell, readings_of(lifts, checkpoint="others"))
    assert by_predictor(cell, replace(other, texts=tuple(f"{t}?" for t in other.texts)))[NOISE_LIFT].n == 0


def test_a_problem_has_flipped_if_it_is_wrong_with_half_of_its_draws() -> None:
    noisy, ids = {}, [f"p{n}" for n in range(30)]
    for n, id in enumerate(ids):
        for draw in range(3):
            noisy[draw_id(id, draw)] = "0" if draw < (2 if n < 10 else 1) else "1"
    records = [
        intervention(id, condition, letter if condition == "noisy" else "1", -8.0)
        for id, letter in noisy.items()
        for condition in ("clean", "noisy", "everywhere")
    ]
    row = by_predictor(cut_cell("llama", records))[CUT_EFFECT]
    assert (row.count, row.clusters, row.n) == (10, 30, 90)


def test_p_values_of_all_predictors_share_a_family() -> None:
    cell = flips(10, 20, [1.0] * 10 + [0.0] * 20)
    lifts = {f"p{n}": 1 + n / 100 for n in range(30)}
    rows = by_predictor(cell, readings_of(lifts))
    smallest = min(rows.values(), key=lambda row: row.p or 0)
    assert smallest.p_adjusted == pytest.approx(2 * (smallest.p or 0))
