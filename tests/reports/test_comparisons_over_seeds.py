"""Means over training seeds: which rows they are of, what they are called, and what single seeds would have said."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest

from models import replicate_names
from reports.stats.comparisons import Comparison, comparisons
from reports.stats.comparisons_over_seeds import comparison_key, comparisons_over_seeds
from reports.stats.crossed_intervals import with_crossed_intervals
from reports.stats.problem_scores import Scores
from reports.stats.replicates_by_family import with_family_rows
from reports.stats.seed_statistics import seed_interval, sign_flip_p_value
from reports.stats.single_seed_claims import single_seed_claims
from reports.store import replicates
from reports.tables.narrative import headline, sentences
from tests.reports.record_factories import scored

pytestmark = pytest.mark.quick
NOISES = ("clean", "inf", "rcs", "filler:inf", "filler:rcs")
SEEDS = range(6)


def answers(seed: int, model: str, noise: str, n: int = 60) -> str:
    """Right answers of a model: all problems but five clean ones, and with noise as many fewer as `LOST` says."""
    lost = {"clean": 5, "filler:inf": 6, "filler:rcs": 7, "inf": 20, "rcs": 26}[noise]
    more = 0 if model == "diffllama" or noise == "clean" or ":" in noise else 6 + 2 * (seed % 3)
    generator = numpy.random.default_rng([seed, lost])
    wrong = set(generator.permutation(n)[: lost + more])
    return "".join("0" if number in wrong else "1" for number in range(n))


def name(family: str, seed: int) -> str:
    return family if seed == 0 else f"{family}:{seed}"


def pairs(seeds: range = SEEDS) -> list[Scores]:
    return [
        scored(name(family, seed), noise, answers(seed, family, noise))
        for family in ("diffllama", "llama")
        for seed in seeds
        for noise in NOISES
    ]


@pytest.fixture(scope="module")
def rows() -> list[Comparison]:
    return comparisons(pairs())


def of(rows: list[Comparison], contrast: str, noise: str = "inf", model: str = "diffllama:*") -> Comparison:
    (found,) = [row for row in rows if (row.contrast, row.noise, row.model) == (contrast, noise, model)]
    return found


def test_families_are_compared_within_a_seed_only(rows: list[Comparison]) -> None:
    compared = {(row.model, row.against) for row in rows if row.against}
    assert {replicates.split_replicate(model)[1] for model, _ in compared} == set(SEEDS)
    assert all(replicates.split_replicate(a)[1] == replicates.split_replicate(b)[1] for a, b in compared)


def test_a_family_s_row_is_the_mean_of_its_seeds_with_their_interval(rows: list[Comparison]) -> None:
    each = numpy.array(
        [of(rows, "difference_in_differences", model=name("diffllama", seed)).estimate for seed in SEEDS]
    )
    mean = of(comparisons_over_seeds(rows), "difference_in_differences")
    assert (mean.against, mean.seeds, mean.clusters) == ("llama:*", len(SEEDS), 60)
    assert mean.estimate == pytest.approx(each.mean())
    assert (mean.low, mean.high) == pytest.approx(seed_interval(each))
    assert mean.p_sign_flips == sign_flip_p_value(each) == 2 / 2 ** len(SEEDS)
    assert mean.p is not None
    assert mean.p_adjusted is not None
    assert mean.p <= mean.p_adjusted


def test_every_contrast_of_several_seeds_has_a_mean(rows: list[Comparison]) -> None:
    means = comparisons_over_seeds(rows)
    assert {comparison_key(row) for row in means} == {comparison_key(row) for row in rows if row.estimate is not None}
    assert all(row.low is not None and row.low <= (row.estimate or 0.0) for row in means if row.p is not None)


def test_without_replicates_there_is_no_mean() -> None:
    rows = comparisons(pairs(range(1)))
    assert comparisons_over_seeds(rows) == []
    assert with_family_rows(rows, [], comparison_key) == rows


def test_a_mean_takes_the_place_of_its_replicates_under_the_family_s_name(rows: list[Comparison]) -> None:
    extra = comparisons([scored("other", "clean", "1110"), scored("other", "inf", "1100")])
    shown = with_family_rows([*rows, *extra], comparisons_over_seeds(rows), comparison_key)
    assert {row.model for row in shown} == {"diffllama", "llama", "other"}
    assert [row for row in shown if row.model == "other"] == extra
    assert len(shown) == len({(row.contrast, row.noise, row.model, row.against) for row in shown})


def test_the_first_sentence_is_the_answer_over_seeds(rows: list[Comparison]) -> None:
    scores = pairs()
    means = with_crossed_intervals(comparisons_over_seeds(rows), scores)
    shown = with_family_rows(rows, means, comparison_key)
    answer = headline(shown)
    assert answer is not None
    assert answer.startswith(
        "answer (zero_shot, inf and rcs net of filler): On problems that both solve without noise, "
    )
    assert "points more than diffllama, net of filler of the same length [" in answer
    assert "6 seeds × " in answer
    assert f"(sign flips: p = {2 / 64:.3f}; over seeds and problems: [" in answer
    heading = sentences(shown)[0][0]
    assert "means over 6 training seeds" in heading


def test_the_crossed_interval_is_about_the_same_mean(rows: list[Comparison]) -> None:
    means = with_crossed_intervals(comparisons_over_seeds(rows), pairs())
    for contrast, noise in (
        ("mean_difference_in_differences", "all 2"),
        ("mean_retained_difference_over_filler", "inf+rcs"),
    ):
        mean = of(means, contrast, noise)
        assert mean.crossed_low is not None
        assert mean.crossed_high is not None
        assert (mean.crossed_low + mean.crossed_high) / 2 == pytest.approx(mean.estimate, abs=0.01)


def test_single_seeds_are_counted_by_hand(rows: list[Comparison]) -> None:
    """All six pairs have the same sign; some show it. Within a family fifteen pairs of seeds are compared."""
    found = single_seed_claims(comparisons_over_seeds(rows), rows, pairs())
    assert {single.row.contrast for single in found} == {
        *("mean_difference_in_differences", "mean_retained_difference", "mean_retained_difference_over_filler")
    }
    for single in found:
        each = [row for row in rows if comparison_key(row) == comparison_key(single.row)]
        assert single.other_sign == sum((row.estimate or 0) * (single.row.estimate or 0) < 0 for row in each)
        assert single.shown == sum(row.p is not None and row.p <= 0.05 for row in each)
        assert single.shown_other_sign <= min(single.shown, single.other_sign)
        assert single.same_family == 2 * len(SEEDS) * (len(SEEDS) - 1) // 2
        assert 0 <= single.false_alarms <= single.same_family


def test_seeds_whose_clean_cell_is_missing_are_left_out_of_the_mean() -> None:
    scores = [s for s in pairs() if not (s.cell.model == "llama:5" and s.cell.noise == "clean")]
    mean = of(comparisons_over_seeds(comparisons(scores)), "difference_in_differences")
    assert mean.seeds == len(SEEDS) - 1


def test_a_single_replicate_of_another_stage_stays_as_it_is(rows: list[Comparison]) -> None:
    tuned = comparisons([replace(s, cell=replace(s.cell, stage="sft")) for s in pairs(range(1))])
    shown = with_family_rows([*rows, *tuned], comparisons_over_seeds([*rows, *tuned]), comparison_key)
    assert [row for row in shown if row.stage == "sft"] == tuned


def test_two_families_have_one_order_in_every_pair() -> None:
    """`mine2` sorts behind `mine` and before `mine:1`."""
    scores = [
        scored(name(family, seed), noise, answers(seed, other, noise))
        for family, other in (("mine", "diffllama"), ("mine2", "llama"))
        for seed in SEEDS
        for noise in NOISES
    ]
    rows = comparisons(scores)
    assert {
        replicates.split_replicate(row.model)[0] for row in rows if row.contrast == "difference_in_differences"
    } == {"mine"}
    assert of(comparisons_over_seeds(rows), "difference_in_differences", model="mine:*").seeds == len(SEEDS)


def test_a_single_pair_is_compared_whatever_its_numbers() -> None:
    one = [
        scored(model, noise, answers(0, model.partition(":")[0], noise))
        for model in ("diffllama:3", "llama")
        for noise in NOISES
    ]
    assert {(row.model, row.against) for row in comparisons(one) if row.contrast == "model_difference"} == {
        ("diffllama:3", "llama")
    }
    assert not replicates.compared_pairs(["diffllama", "diffllama:1", "llama:2"]), "which of the two?"


def test_a_noise_that_one_seed_has_more_changes_no_mean() -> None:
    extra = [scored(model, "sd", answers(0, model, "inf")) for model in ("diffllama", "llama")]
    rows = comparisons([*pairs(), *extra])
    means = comparisons_over_seeds(rows)
    assert of(means, "mean_difference_in_differences", "inf+rcs").seeds == len(SEEDS)
    shown = with_family_rows(rows, means, comparison_key)
    assert [row.model for row in shown if (row.contrast, row.noise) == ("degradation", "sd")] == [
        "diffllama",
        "llama",
    ]


def test_a_mean_takes_the_smallest_dose_of_a_noise() -> None:
    more = [
        scored(name(family, seed), noise, answers(seed, family, noise.removesuffix("4")))
        for family in ("diffllama", "llama")
        for seed in SEEDS
        for noise in ("inf4", "filler:inf4")
    ]
    rows = comparisons([*pairs(), *more])
    assert of(rows, "mean_retained_difference_over_filler", "inf+rcs", "diffllama").clusters


def test_fewer_seeds_than_there_are_is_said() -> None:
    """One pair solves nothing in common, so that nothing can be kept of it."""
    scores = [s for s in pairs() if s.cell.model != "llama:2"]
    scores += [scored("llama:2", noise, "0" * 60) for noise in NOISES]
    rows = comparisons(scores)
    mean = of(comparisons_over_seeds(rows), "mean_retained_difference_over_filler", "inf+rcs")
    assert (mean.seeds, mean.all_seeds) == (len(SEEDS) - 1, len(SEEDS))
    shown = with_family_rows(rows, comparisons_over_seeds(rows), comparison_key)
    assert "5 of 6 seeds" in str(headline(shown))


def test_seeds_that_are_apart_are_in_no_mean() -> None:
    rows = comparisons(pairs())
    excluded = {("zero_shot", "llama:3")}
    means = comparisons_over_seeds(rows, excluded=excluded)
    assert of(means, "degradation", model="llama:*").seeds == len(SEEDS) - 1
    assert of(means, "difference_in_differences").seeds == len(SEEDS) - 1
    assert of(means, "degradation").seeds == len(SEEDS)
    shown = with_family_rows(rows, means, comparison_key, excluded)
    assert [row.model for row in shown if row.contrast == "degradation" and row.noise == "inf"] == [
        *("diffllama", "llama", "llama:3")
    ]


def test_the_fewest_problems_of_a_seed_are_given() -> None:
    scores = [s for s in pairs() if (s.cell.model, s.cell.noise) != ("llama:3", "inf")]
    scores.append(scored("llama:3", "inf", answers(3, "llama", "inf")[:10]))
    rows = comparisons(scores)
    means = with_crossed_intervals(comparisons_over_seeds(rows), scores)
    assert of(means, "difference_in_differences").clusters == 10
    assert of(means, "mean_retained_difference_over_filler", "inf+rcs").crossed_low is None


@pytest.mark.parametrize(
    ("model", "family", "number"),
    [
        ("diffllama", "diffllama", 0),
        ("diffllama:3", "diffllama", 3),
        ("a-b.c:12", "a-b.c", 12),
        ("a:01", "a:01", 0),
        ("a:b", "a:b", 0),
    ],
)
def test_names_of_replicates_are_read_alike_by_both_sides(model: str, family: str, number: int) -> None:
    assert replicates.split_replicate(model) == replicate_names.split_replicate(model) == (family, number)
    assert replicates.split_replicate(f"{model}+sft") == (f"{family}+sft", number)
    assert replicates.display_name(replicates.family_label(f"{family}+sft")) == f"{family}+sft"
