"""The factors of a designed noise: levels, estimates, intervals and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp

from noise.ic_design import CELLS, FACTORS
from reports.stats.comparisons import TESTED, Comparison, comparisons
from reports.stats.factor_comparisons import FACTOR_CONTRASTS, split_factor_label
from reports.stats.factor_levels import COMPARED, chosen_levels
from reports.stats.level_contrast import LevelContrast
from reports.stats.problem_scores import Scores, scores_from_records
from reports.store.records import Cell, draw_id
from reports.tables.factor_narrative import PHRASES
from reports.tables.narrative import answer, narrative, sentences
from tests.reports.record_factories import SETTINGS, predicted, scored

pytestmark = pytest.mark.quick

EFFECT, BETWEEN = FACTOR_CONTRASTS
TOPIC = "ic topic=in-off"


def designed(model: str, draws: Sequence[tuple[int, int, str, str]]) -> Scores:
    """Return the scores of a cell with `ic`. A draw is (problem, draw, "1" for correct, factors)."""
    records = [
        predicted(
            draw_id(f"p{problem}", draw),
            "correct" if letter == "1" else "incorrect",
            question=f"Number {problem}, draw {draw}",
            spans=((0, 6),),
            factors=(factors,),
        )
        for problem, draw, letter, factors in draws
    ]
    scores = scores_from_records(Cell(model, "ic", "zero_shot"), replace(SETTINGS, weights=model), records)
    return replace(scores, originals=None)


def clean(model: str, answers: str) -> Scores:
    return replace(scored(model, "clean", answers), originals=None)


def row(rows: Sequence[Comparison], contrast: str, model: str, noise: str = TOPIC) -> Comparison:
    (matching,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return matching


def grid(models: dict[str, tuple[int, int]], problems: int = 200) -> list[Comparison]:
    """Return the comparisons of models that have all of the clean problems right. For each a number of the problems on
    the topic, which are the first half, and one of the others are right with noise."""
    half, cells = problems // 2, []
    for model, right in models.items():
        draws = [
            (n, 0, "1" if n % half < right[n // half] else "0", f"topic={('in', 'off')[n // half]} role=own range=in")
            for n in range(problems)
        ]
        cells += [clean(model, "1" * problems), designed(model, draws)]
    return comparisons(cells)


def text_of(rows: Sequence[Comparison]) -> str:
    return " ".join(" ".join(narrative(rows)).split())


def test_the_levels_compared_are_those_of_the_design() -> None:
    assert tuple(COMPARED) == FACTORS == tuple(PHRASES)
    assert set(CELLS) == set(product(*COMPARED.values()))


@pytest.mark.parametrize(
    ("factors", "levels"),
    [
        (["topic=in role=own range=out"], ["range=out", "role=own", "topic=in"]),
        (["topic=in role=other range=out fixed=role"], ["range=out", "topic=in"]),
        (["topic=in role=other range=out fixed=topic+role+range"], []),
        (["topic=in role=own range=out", "topic=in role=own range=in"], ["role=own", "topic=in"]),
        (["asked"], []),
        ([], []),
    ],
)
def test_a_level_counts_where_the_draw_was_given_it(factors: list[str], levels: list[str]) -> None:
    assert list(chosen_levels(factors)) == levels


def test_estimates_match_those_counted_by_hand() -> None:
    """On the topic 3 of 4 are lost, off it 1 of 4; the other model loses 2 and 2."""
    rows = grid({"diffllama": (2, 2), "llama": (1, 3)}, problems=8)
    assert row(rows, EFFECT, "llama").estimate == pytest.approx(0.5)
    assert row(rows, EFFECT, "diffllama").estimate == pytest.approx(0.0)
    between = row(rows, BETWEEN, "diffllama")
    assert (between.estimate, between.against) == (pytest.approx(0.5), "llama"), "it adds more to llama's loss"
    assert {r.noise for r in rows if r.contrast in FACTOR_CONTRASTS} == {TOPIC}, "the others have one level"


def test_the_loss_is_against_the_clean_answer_of_the_same_problem() -> None:
    draws = [(n, 0, "0", f"topic={'in' if n < 4 else 'off'} role=own range=in") for n in range(8)]
    rows = comparisons([clean("llama", "11110000"), designed("llama", draws)])
    assert row(rows, EFFECT, "llama").estimate == pytest.approx(1.0), "nothing is lost where nothing was right"


def test_a_problem_with_several_draws_counts_once_and_a_fixed_factor_not_at_all() -> None:
    draws = [(0, k, "0", "topic=in role=own range=in") for k in range(3)]
    draws += [(1, 0, "1", "topic=in role=own range=in"), (2, 0, "1", "topic=off role=own range=in")]
    draws += [(3, 0, "0", "topic=off role=own range=in fixed=topic")]
    topic = row(comparisons([clean("llama", "1111"), designed("llama", draws)]), EFFECT, "llama")
    assert topic.estimate == pytest.approx((1 + 0) / 2 - 0)
    assert (topic.clusters, topic.n) == (3, 5)


def test_models_are_compared_over_problems_with_the_same_draws() -> None:
    draws = [(n, 0, "0", f"topic={'in' if n % 2 else 'off'} role=own range=in") for n in range(8)]
    cells = [clean("diffllama", "1" * 8), designed("diffllama", draws)]
    cells += [clean("llama", "1" * 8), designed("llama", draws[2:])]
    assert row(comparisons(cells), BETWEEN, "diffllama").clusters == 6


def test_the_rows_are_tested_and_adjusted_among_themselves() -> None:
    rows = grid({"diffllama": (90, 90), "llama": (60, 80)})
    assert set(FACTOR_CONTRASTS) <= set(TESTED)
    effects = [r for r in rows if r.contrast == EFFECT]
    for r in (*effects, row(rows, BETWEEN, "diffllama")):
        assert None not in (r.p, r.p_adjusted, r.low, r.high, r.detectable)
    smallest = min(effects, key=lambda r: r.p or 0.0)
    assert smallest.p_adjusted == pytest.approx(2 * (smallest.p or 0.0))
    assert smallest.needed is not None
    assert smallest.needed < 10_000


def test_no_draws_of_a_level_no_clean_cell_or_other_settings_no_row() -> None:
    rows = grid({"diffllama": (90, 90), "llama": (60, 80)})
    assert len([r for r in rows if r.contrast in FACTOR_CONTRASTS]) == 3
    alone = designed("llama", [(n, 0, "1", "topic=in role=own range=in") for n in range(4)])
    assert not [r for r in comparisons([clean("llama", "1111"), alone]) if r.contrast in FACTOR_CONTRASTS]
    both = designed("llama", [(n, 0, "1", f"topic={('in', 'off')[n % 2]} role=own range=in") for n in range(4)])
    assert not [r for r in comparisons([both]) if r.contrast in FACTOR_CONTRASTS]
    other = replace(both, settings=replace(both.settings, precision="bfloat16"))
    assert not [r for r in comparisons([clean("llama", "1111"), other]) if r.contrast in FACTOR_CONTRASTS]


NUMBERS = st.lists(st.floats(-4, 4, width=16), min_size=3, max_size=20)


@given(NUMBERS, NUMBERS)
def test_without_a_problem_in_both_levels_the_error_is_welchs(first: list[float], second: list[float]) -> None:
    values = numpy.array([*first, *second])
    in_first = numpy.arange(len(values)) < len(first)
    contrast = LevelContrast(
        numpy.where(in_first, values, numpy.nan), numpy.where(~in_first, values, numpy.nan), numpy.inf
    )
    error = (numpy.var(first, ddof=1) / len(first) + numpy.var(second, ddof=1) / len(second)) ** 0.5
    interval = contrast.interval()
    if error > 1e-6:
        assert interval is not None
        assert contrast.estimate is not None
        half = t.ppf(0.975, len(values) - 1) * error
        assert contrast.estimate == pytest.approx(numpy.mean(first) - numpy.mean(second))
        assert interval[1] - interval[0] == pytest.approx(2 * half, rel=1e-6)
        assert sum(interval) / 2 == pytest.approx(contrast.estimate, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-4, 4, width=16), st.floats(-4, 4, width=16)), min_size=3, max_size=20))
def test_with_all_problems_in_both_levels_it_is_students_test_of_the_differences(
    pairs: list[tuple[float, float]],
) -> None:
    first, second = numpy.array(pairs).T
    if numpy.std(first - second) < 1e-3:
        return
    student = ttest_1samp(first - second, 0.0)
    contrast = LevelContrast(first, second, numpy.inf)
    assert contrast.p_value() == pytest.approx(student.pvalue, rel=1e-6)
    assert contrast.interval() == pytest.approx(tuple(student.confidence_interval()), rel=1e-6, abs=1e-9)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=4, max_size=30))
def test_p_is_below_5_percent_exactly_where_the_interval_leaves_out_0(losses: list[float]) -> None:
    first = numpy.arange(len(losses)) % 2 == 0
    values = numpy.array(losses)
    contrast = LevelContrast(numpy.where(first, values, numpy.nan), numpy.where(first, numpy.nan, values))
    interval, p = contrast.interval(), contrast.p_value()
    assert interval is not None
    assert p is not None
    assert interval[0] < interval[1], "never empty, even where nothing differs"
    assert (p < 0.05) == (not interval[0] <= 0 <= interval[1])


def test_the_sentences_say_what_each_factor_adds_and_to_which_model_it_adds_more() -> None:
    text = text_of(grid({"diffllama": (90, 90), "llama": (30, 80)}))
    assert "ic by factor: A fact on the topic, rather than off it, adds 50.0 points to the loss of llama [" in text
    assert "p < 0.001, and 0.0 to that of diffllama [" in text
    assert "topic adds 50.0 points more to llama than to diffllama [" in text
    assert "No evidence" not in text.partition("by factor")[2]


def test_where_no_difference_is_shown_the_nearest_is_named() -> None:
    text = text_of(grid({"diffllama": (90, 90), "llama": (78, 80)}))
    assert "A fact on the topic, rather than off it, shows no effect: " in text
    assert "No evidence that a factor adds more to one model's loss; the nearest: topic adds 2.0 points more to" in text


def test_one_model_has_no_sentence_on_the_difference() -> None:
    ((_, by_noise),) = sentences(grid({"llama": (30, 80)}))
    assert [noise for noise, _ in by_noise] == ["ic", "ic by factor"]
    assert len(by_noise[1][1]) == 1


def test_the_paragraph_is_on_the_screen() -> None:
    lines = answer(grid({"diffllama": (90, 90), "llama": (30, 80)}))
    assert any(line.startswith("  zero_shot, ic by factor: A fact on the topic") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_label_is_read_back() -> None:
    assert split_factor_label(TOPIC) == ("ic", "topic", "in", "off")
    assert split_factor_label("ic4 role=own-other") == ("ic4", "role", "own", "other")
