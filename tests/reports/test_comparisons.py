"""What noise costs, and whether one model loses more than another: the rows and the sentences."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from reports.stats.comparisons import Comparison, changes, comparisons, write_comparisons_csv
from reports.stats.paired_tests import Differences
from reports.stats.power import detectable_effect, needed_problems
from reports.stats.problem_scores import aligned_values, all_scores, scores_from_records
from reports.stats.proportions import wilson, wilson_by_problem
from reports.store.records import Cell, draw_id, problem_of
from reports.store.results_folder import Results
from reports.tables.narrative import narrative
from tests.reports.attention_factories import ATTENTION_CELL, ATTENTION_SETTINGS, reading
from tests.reports.record_factories import CELL, SETTINGS, outcomes, predicted, question_of, scored

pytestmark = pytest.mark.quick


def row(rows: list[Comparison], contrast: str, model: str = "diffllama", noise: str = "inf") -> Comparison:
    (matching,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return matching


FOUR = [
    scored("diffllama", "clean", "1111110000"),
    scored("diffllama", "inf", "1111010000"),
    scored("llama", "clean", "1111110000"),
    scored("llama", "inf", "1000000001"),
]


def test_estimates_match_those_counted_by_hand() -> None:
    rows = comparisons(FOUR)
    assert row(rows, "degradation").estimate == pytest.approx(0.1)
    assert row(rows, "degradation", "llama").estimate == pytest.approx(0.4)
    assert row(rows, "difference_in_differences").estimate == pytest.approx(0.3), "llama loses more"
    assert row(rows, "model_difference").estimate == pytest.approx(0.3)
    assert row(rows, "relative_drop", "llama").estimate == pytest.approx(4 / 6)
    assert row(rows, "accuracy").estimate == pytest.approx(0.5)
    assert row(rows, "degradation", "llama").p == pytest.approx(2 * 7 / 64), "five lost, one gained"
    assert {r.clusters for r in rows if not r.contrast.startswith("retained")} == {10}


def test_the_mean_over_noises_is_one_number_per_problem() -> None:
    """Over ten problems, diffllama loses 0.1 with one noise and 0.2 with the other, llama 0.4 and 0.6."""
    more = [*FOUR, scored("diffllama", "sd", "1111000000"), scored("llama", "sd", "0000000000")]
    rows = comparisons(more)
    mean = row(rows, "mean_degradation", noise="all 2")
    assert (mean.estimate, mean.n, mean.clusters) == (pytest.approx(0.15), 20, 10)
    assert row(rows, "mean_degradation", "llama", "all 2").estimate == pytest.approx(0.5)
    mean_row = row(rows, "mean_difference_in_differences", noise="all 2")
    assert (mean_row.estimate, mean_row.against, mean_row.p_adjusted) == (pytest.approx(0.35), "llama", mean_row.p)
    text = " ".join(" ".join(narrative(rows)).split())
    assert "both noises: llama loses 50.0 points [" in text
    assert "p adjusted over 2 comparisons, means over noises separately)" in text
    other = [*more[:-1], scored("llama", "sd", "0000000000", question="another noise")]
    assert row(comparisons(other), "mean_difference_in_differences", noise="all 2").clusters == 0
    short = [*more[:-1], scored("llama", "sd", "00000000", first=2)]
    assert row(comparisons(short), "mean_difference_in_differences", noise="all 2").clusters == 8


def test_a_problem_with_an_error_is_left_out_of_the_pair() -> None:
    rows = comparisons([scored("diffllama", "clean", "1110"), scored("diffllama", "inf", "e001")])
    assert (row(rows, "degradation").clusters, row(rows, "degradation").estimate) == (3, pytest.approx(1 / 3))


def test_other_texts_and_other_settings_are_not_compared() -> None:
    other_text = [*FOUR[:3], scored("llama", "inf", "1000000001", question="another noise")]
    contrast_row = row(comparisons(other_text), "difference_in_differences")
    assert (contrast_row.clusters, contrast_row.estimate) == (0, None)
    other_settings = [*FOUR[:3], replace(FOUR[3], settings=replace(FOUR[3].settings, prompt="other"))]
    assert not [r for r in comparisons(other_settings) if r.contrast == "difference_in_differences"]


def test_noise_costs_nothing_where_the_problem_is_another_one() -> None:
    """Half of the file was changed between the run of the clean cell and that of the noisy ones."""
    other = scored("llama", "clean", "00", first=2, question="Ann has 2 caps. How many?", spans=())
    clean = scored("llama", "clean", "00")
    both = replace(
        clean,
        **{
            name: numpy.concatenate([getattr(clean, name), getattr(other, name)])
            for name in ("problems", "values", "draws", "texts", "tokens", "originals")
        },
    )
    rows = comparisons([both, scored("llama", "inf", "1111"), scored("llama", "sd", "1111")])
    for contrast, noise in (("degradation", "inf"), ("relative_drop", "sd"), ("mean_degradation", "all 2")):
        assert row(rows, contrast, "llama", noise).clusters == 2


def test_draws_of_a_problem_are_one_cluster() -> None:
    """The same answer three times is no more evidence than once."""
    assert problem_of(draw_id("a (b)", 2)) == "a (b)"
    lines = [
        predicted(draw_id(f"p{n}", draw), "correct" if n < 4 else "incorrect", question=question_of(f"p{n}"))
        for n in range(10)
        for draw in range(3)
    ]
    thrice = scores_from_records(Cell("diffllama", "inf", "zero_shot"), SETTINGS, lines)
    assert (thrice.draws == 3).all()
    once = comparisons([FOUR[0], scored("diffllama", "inf", "1111000000")])
    tripled = comparisons([replace(FOUR[0], settings=thrice.settings), thrice])
    assert row(tripled, "degradation").p == row(once, "degradation").p
    assert (row(tripled, "degradation").low, row(tripled, "degradation").n) == (row(once, "degradation").low, 30)
    assert wilson_by_problem(thrice.values, thrice.draws) == pytest.approx(wilson(4, 10), abs=0.02)


def test_independent_draws_are_more_evidence() -> None:
    shares = numpy.tile([0.4, 0.4, 0.6, 0.6], 10)
    low, high = wilson_by_problem(shares, numpy.full(40, 5))
    assert (low, high) == pytest.approx(wilson(100, 200))


def test_tuned_models_are_compared_with_each_other_and_with_the_untuned() -> None:
    tuned = [replace(scores, cell=replace(scores.cell, stage="sft")) for scores in FOUR]
    rows = comparisons([*FOUR, *tuned])
    gains = [r for r in rows if r.contrast == "gain"]
    assert len(gains) == 4
    assert {r.estimate for r in gains} == {0.0}
    assert {r.stage for r in rows if r.contrast == "difference_in_differences"} == {"zero_shot", "sft"}


def test_a_family_is_all_rows_of_a_contrast() -> None:
    more = [*FOUR, scored("diffllama", "sd", "1" * 6 + "0" * 4), scored("llama", "sd", "0" * 10)]
    rows = [r for r in comparisons(more) if r.contrast == "degradation"]
    assert len(rows) == 4
    smallest = min(rows, key=lambda r: r.p or 0.0)
    assert smallest.p_adjusted == pytest.approx(4 * (smallest.p or 0.0))


def test_the_file_has_no_nan_or_infinity(tmp_path: Path) -> None:
    cells = [scored("diffllama", "clean", "0"), scored("diffllama", "inf", "0"), scored("llama", "inf", "e")]
    write_comparisons_csv(comparisons(cells), tmp_path / "comparisons.csv")
    with (tmp_path / "comparisons.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["contrast"] for line in lines} >= {"accuracy", "degradation", "relative_drop"}
    assert not {"nan", "inf"} & {value.lower() for line in lines for name, value in line.items() if name != "noise"}


def test_the_sentences_say_which_model_loses_less_or_that_the_run_cannot_tell() -> None:
    large = [
        scored("diffllama", "clean", "1" * 90 + "0" * 10),
        scored("diffllama", "inf", "1" * 80 + "0" * 20),
        scored("llama", "clean", "1" * 90 + "0" * 10),
        scored("llama", "inf", "1" * 30 + "0" * 70),
    ]
    lines = narrative(comparisons(large))
    assert lines[0] == "what noise costs, zero_shot, in accuracy (95 % intervals)", "one comparison is not adjusted"
    assert "llama loses 60.0 points [" in lines[1]
    assert "diffllama loses 50.0 points less than llama [" in " ".join(lines)
    assert "p < 0.001, 100 problems." in " ".join(" ".join(lines).split())
    cannot = " ".join(" ".join(narrative(comparisons(FOUR))).split())
    assert "No evidence that llama loses more than diffllama: 30.0 points [" in cannot
    assert "10 problems could have shown " in cannot
    assert "problems are needed to detect 30.0." in cannot
    assert max(map(len, lines)) <= 80
    alone = " ".join(" ".join(narrative(comparisons(FOUR[:2]))).split())
    assert "inf: No evidence that diffllama loses any: 10.0 points [" in alone, (
        "one model has nothing to be compared with"
    )
    assert "inf: llama loses 60.0 points [" in " ".join(" ".join(narrative(comparisons(large[2:]))).split())


def facts(rows: list[Comparison]) -> set[tuple[str, str, str, str, str]]:
    return {(r.contrast, r.model, r.against, r.noise, r.method) for r in rows}


def test_a_row_says_what_was_compared_with_what_and_how() -> None:
    rows = comparisons(FOUR)
    models, noises = ("diffllama", "llama"), ("clean", "inf")
    assert facts(rows) == {
        *(("accuracy", model, "", noise, "Wilson") for model in models for noise in noises),
        *(("degradation", model, "", "inf", "adjusted Wald; McNemar exact") for model in models),
        *(("relative_drop", model, "", "inf", "log ratio") for model in models),
        *(("model_difference", "diffllama", "llama", noise, "adjusted Wald; McNemar exact") for noise in noises),
        ("difference_in_differences", "diffllama", "llama", "inf", "adjusted Wald; sign flips"),
        ("retained", "diffllama", "llama", "inf", "Wilson"),
        ("retained", "llama", "diffllama", "inf", "Wilson"),
        ("retained_difference", "diffllama", "llama", "inf", "adjusted Wald; McNemar exact"),
    }
    assert len(rows) == len(facts(rows))
    assert {(r.stage, r.measure) for r in rows} == {("zero_shot", "accuracy")}
    assert {(r.contrast.startswith("retained"), r.n) for r in rows} == {(False, 10), (True, 6)}


def test_only_what_is_tested_has_a_p_value_and_a_power() -> None:
    for r in comparisons([*FOUR, scored("diffllama", "sd", "1" * 10), scored("llama", "sd", "0" * 10)]):
        tested = r.contrast not in ("accuracy", "relative_drop", "macro_accuracy", "retained", "mean_retained")
        assert (r.p is not None, r.p_adjusted is not None) == (tested, tested)
        assert r.low is not None
        assert r.high is not None
        assert r.low <= (r.estimate or 0.0) <= r.high
        few = r.clusters < 10  # of what both solve without noise
        assert (r.detectable is not None) == tested or few


def test_every_noise_and_the_mean_of_all_have_rows_of_their_own() -> None:
    """Macro accuracy counts what is correct with every noise: four problems of ten, and none."""
    rows = comparisons([*FOUR, scored("diffllama", "sd", "1111000000"), scored("llama", "sd", "0000000000")])
    macro = row(rows, "macro_accuracy", noise="all 2")
    assert (macro.estimate, macro.n, macro.clusters, macro.method) == (0.4, 10, 10, "Wilson")
    assert (macro.low, macro.high) == pytest.approx(wilson(4, 10))
    assert row(rows, "macro_accuracy", "llama", "all 2").estimate == 0
    mean = row(rows, "mean_difference_in_differences", noise="all 2")
    assert (mean.n, mean.clusters, mean.method) == (20, 10, "adjusted Wald; sign flips")
    assert facts(rows) >= {("mean_degradation", "llama", "", "all 2", "adjusted Wald; sign flips")}


def test_a_mean_over_some_of_the_noises_names_them() -> None:
    three = [*FOUR, *(scored("diffllama", noise, "1111000000") for noise in ("rcs", "sd"))]
    two = [*three, scored("llama", "sd", "0000000000")]
    labels = {(r.model, r.noise) for r in comparisons(two) if r.contrast == "mean_degradation"}
    assert labels == {("diffllama", "all 3"), ("diffllama", "inf+sd"), ("llama", "inf+sd")}
    alone = {(r.contrast, r.noise) for r in comparisons(three) if r.contrast.startswith("mean_")}
    assert alone == {("mean_degradation", "all 3")}, "llama has one noise, which is no mean"


def test_nothing_correct_has_no_relative_drop() -> None:
    rows = comparisons([scored("diffllama", "clean", "000"), scored("diffllama", "inf", "100")])
    drop = row(rows, "relative_drop")
    assert (drop.estimate, drop.low, drop.high, drop.method) == (None, None, None, "ratio of no right answers")


def test_a_gain_is_positive_where_the_tuned_model_is_better() -> None:
    tuned = scored("diffllama", "inf", "1111111100", stage="sft")
    (gain,) = (r for r in comparisons([*FOUR, tuned]) if r.contrast == "gain")
    assert (gain.stage, gain.model, gain.against, gain.noise) == ("sft", "diffllama", "zero_shot", "inf")
    assert (gain.estimate, gain.p, gain.n) == (pytest.approx(0.3), pytest.approx(2 / 8), 10)
    other = replace(tuned, settings=replace(tuned.settings, precision="bfloat16"))
    assert not [r for r in comparisons([*FOUR, other]) if r.contrast == "gain"]


def test_a_tuned_and_an_untuned_model_are_not_compared_but_for_the_gain() -> None:
    pair = [scored("llama", "inf", "1100"), scored("diffllama+sft", "inf", "1111")]
    assert {r.contrast for r in comparisons(pair)} == {"accuracy"}
    pair = [scored("llama", "inf", "1100"), scored("llama+sft", "inf", "1111")]
    (gain,) = (r for r in comparisons(pair) if r.contrast == "gain")
    assert (gain.model, gain.against, gain.estimate) == ("llama+sft", "llama", pytest.approx(0.5))


def test_without_a_clean_cell_of_the_same_settings_no_loss_is_compared() -> None:
    other = replace(SETTINGS, weights="llama", precision="bfloat16")
    assert {r.contrast for r in comparisons([FOUR[1], FOUR[3]])} == {"accuracy", "model_difference"}
    mixed = [*FOUR[:2], replace(FOUR[2], settings=other), FOUR[3]]
    assert {(r.contrast, r.noise) for r in comparisons(mixed) if r.against} == {("model_difference", "inf")}


def test_a_change_is_the_second_run_less_the_first_and_all_changes_are_a_family() -> None:
    lower, higher = scored("llama", "clean", "1111000000"), scored("llama", "inf", "1111111110")
    rows = changes([(FOUR[2], lower), (FOUR[3], higher)])
    assert [(r.contrast, r.model, r.noise, r.against) for r in rows] == [
        ("change", "llama", "clean", ""),
        ("change", "llama", "inf", ""),
    ]
    assert [r.estimate for r in rows] == [pytest.approx(-0.2), pytest.approx(0.7)]
    assert [r.p_adjusted for r in rows] == [rows[0].p, pytest.approx(2 * (rows[1].p or 0.0))]
    other = scored("llama", "inf", "1111111110", question="another text")
    assert changes([(FOUR[3], other)])[0].clusters == 0


def test_the_power_is_that_at_the_level_of_the_whole_family() -> None:
    alone = row(comparisons(FOUR[:2]), "degradation")
    among_two = row(comparisons(FOUR), "degradation")
    (before, after), _ = aligned_values(FOUR[:2])
    differences = Differences(before - after)
    assert alone.detectable == detectable_effect(differences, 0.05)
    assert among_two.detectable == detectable_effect(differences, 0.025)
    assert (alone.needed, among_two.needed) == (needed_problems(differences), needed_problems(differences, 0.025))


def test_cells_are_aligned_by_problem_whatever_else_each_has() -> None:
    cells = [scored("a", "clean", "11110000", first=0), scored("b", "clean", "00111100", first=2)]
    cells += [
        scored("a", "inf", "10101010", first=4),
        replace(scored("b", "inf", "1111", first=4), draws=numpy.arange(4)),
    ]
    values, draws = aligned_values(cells)
    assert [list(of_cell) for of_cell in values] == [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]]
    assert list(draws) == [0, 1, 2, 3]
    values, draws = aligned_values([*cells[:2], scored("c", "inf", "11", first=20), scored("c", "sd", "11", first=30)])
    assert [len(of_cell) for of_cell in (*values, draws)] == [0, 0, 0, 0, 0]


def test_scores_are_of_all_cells_or_of_the_records_asked_for(tmp_path: Path) -> None:
    results, clean = Results(tmp_path), Cell("diffllama", "clean", "zero_shot")
    results.append(CELL, SETTINGS, outcomes(1, 2))
    results.append(clean, SETTINGS, outcomes(2, 0))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    scores = {cell_scores.cell: list(cell_scores.values) for cell_scores in all_scores(results)}
    assert scores == {CELL: [1, 0, 0], clean: [1, 1]}, "attention has no score"
    only = {CELL: ["p0", "p2"], ATTENTION_CELL: ["p0"], Cell("llama", "inf", "zero_shot"): ["p0"]}
    (scored_cell,) = all_scores(results, only)
    assert (scored_cell.cell, list(scored_cell.problems), list(scored_cell.values)) == (CELL, ["p0", "p2"], [1, 0])
