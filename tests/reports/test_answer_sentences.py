"""What the sentences of the answer say where there is nothing to say, and where figures seem to disagree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.stats.accuracies import accuracies
from reports.stats.comparisons import comparisons
from reports.store.records import Cell, draw_id
from reports.store.results_folder import Results
from reports.tables.accuracy_remarks import accuracy_remarks
from reports.tables.accuracy_table import accuracy_table
from reports.tables.compact_tables import compact_accuracy
from reports.tables.narrative import answer, headline, narrative
from reports.tables.numbers_as_text import decimal
from tests.reports.record_factories import CELL, CLEAN, SETTINGS, outcomes, predicted, scored

pytestmark = pytest.mark.quick


def said(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def four(diffllama: tuple[int, int], llama: tuple[int, int], n: int = 20) -> list[str]:
    """Return the answer about two models, each with a number of right answers of `n` without and with noise."""
    rights = {"diffllama": diffllama, "llama": llama}
    cells = [
        scored(model, noise, "1" * right + "0" * (n - right))
        for model, of_model in rights.items()
        for noise, right in zip(("clean", "inf"), of_model, strict=True)
    ]
    return answer(comparisons(cells))


def test_a_model_that_answers_nothing_can_lose_nothing() -> None:
    text = said(four((0, 0), (0, 0)))
    said_of_both = "diffllama has 0 of 20 and llama has 0 of 20 clean problems right: nothing can be lost; --measure"
    assert said_of_both in text
    assert "No evidence" not in text
    assert "could have shown" not in text


def test_a_model_at_the_floor_does_not_lose_less_than_another() -> None:
    """Otherwise the model that knows nothing would be the one that noise harms least."""
    text = said(four((18, 6), (5, 0)))
    assert "llama has 5 of 20 clean problems right: losing all of them would show nothing" in text
    assert "less than" not in text
    assert "diffllama loses 60.0 points [" in text


def test_six_right_answers_are_enough_to_lose() -> None:
    text = said(four((18, 18), (6, 0)))
    assert "clean problems right" not in text
    assert "llama loses 30.0 points [" in text


def test_an_interval_without_zero_beside_no_evidence_says_that_p_is_adjusted() -> None:
    """Six of 20 lost is p = 0.031 alone, and 0.125 among four comparisons."""
    cells = [
        scored("llama", "clean", "1" * 20),
        scored("llama", "inf", "0" * 6 + "1" * 14),
        *(scored("llama", noise, "1" * 20) for noise in ("rcs", "sd", "near")),
    ]
    text = said(narrative(comparisons(cells)))
    assert "inf: No evidence that llama loses any: 30.0 points [" in text
    assert "p = 0.031 alone, but 0.125 after Holm; 20 problems could have shown" in text


def test_too_few_problems_are_too_few_and_show_no_zero() -> None:
    few = [scored("llama", "clean", "111111"), scored("llama", "inf", "111110")]
    text = said(narrative(comparisons(few)))
    assert "6 problems " in text
    assert "could have shown no difference" not in text
    same = [scored("llama", "clean", "1" * 20), scored("llama", "inf", "0" + "1" * 18 + "0")]
    same[1].values[:] = same[0].values
    assert "are needed to detect 0.0" not in said(narrative(comparisons(same)))


def test_the_headline_is_the_first_comparison_of_models() -> None:
    cells = [
        scored(model, noise, "1" * right + "0" * (100 - right))
        for model, rights in (("diffllama", (90, 80)), ("llama", (90, 30)))
        for noise, right in zip(("clean", "inf"), rights, strict=True)
    ]
    assert str(headline(comparisons(cells))).startswith(
        "answer (zero_shot, inf): diffllama loses 50.0 points less than llama ["
    )
    alone = str(headline(comparisons(cells[2:])))
    assert alone.startswith("answer (zero_shot, inf): llama loses 60.0 points [")
    assert headline([]) is None


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def test_answers_that_the_token_limit_cut_off_are_said(results: Results) -> None:
    results.append(CLEAN, SETTINGS, [*outcomes(19, 0), predicted("p19", "truncated", answer=None)])
    assert accuracy_remarks(accuracies(results)) == [], "one in twenty is usual"
    cut = [predicted(f"p{number}", "truncated", answer=None) for number in range(20)]
    results.append(CELL, SETTINGS, cut)
    (remark,) = accuracy_remarks(accuracies(results))
    assert remark == (
        "answers cut off by the token limit, which count as wrong: 20 of 20 in diffllama-inf-zero_shot;"
        " raise --max-new-tokens"
    )


def test_tuning_that_hurts_is_said(results: Results) -> None:
    results.append(Cell("llama", "clean", "zero_shot"), SETTINGS, outcomes(18, 2))
    results.append(Cell("llama", "clean", "sft"), SETTINGS, outcomes(10, 10))
    (remark,) = accuracy_remarks(accuracies(results))
    assert remark.startswith("tuning, on clean problems: llama loses 40.0 points [")


def test_figures_that_are_not_over_the_same_problems_are_said(results: Results) -> None:
    """A cell that was asked fewer problems, or problems that have changed since."""
    results.append(CLEAN, SETTINGS, outcomes(6, 6))
    results.append(CELL, SETTINGS, outcomes(9, 9))
    (remark,) = accuracy_remarks(accuracies(results))
    assert remark.endswith("points lost of diffllama-inf-zero_shot over 12 of 18")
    cells = [
        scored(model, noise, "1" * right + "0" * (n - right))
        for model, n in (("diffllama", 100), ("llama", 40))
        for noise, right in (("clean", 40), ("inf", 10))
    ]
    text = said(narrative(comparisons(cells)))
    assert "The losses are not over the same problems (diffllama's over 100, llama's over 40): a difference" in text


def test_models_without_a_problem_in_common_are_not_compared_and_that_is_said() -> None:
    """One was asked a draw of each noise and the other three: their texts differ."""
    cells = [
        scored("diffllama", "clean", "1" * 20),
        scored("diffllama", "inf", "10" * 10),
        scored("llama", "clean", "1" * 20),
        scored("llama", "inf", "10" * 10, question="Another text?"),
    ]
    text = said(narrative(comparisons(cells)))
    assert "not compared: diffllama and llama on inf: no problem was asked of both in the same text" in text


def test_the_number_of_draws_is_that_of_each_cell(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(1, 1))
    several = [predicted(draw_id(f"p{k}", draw)) for k in range(2) for draw in range(3)]
    results.append(replace(CELL, model="llama"), SETTINGS, several)
    assert "noises drawn 1 to 3 times" in compact_accuracy(accuracies(results))[0]
    assert "noises drawn 1 to 3 times" in accuracy_table(accuracies(results))[0]


@pytest.mark.parametrize(("value", "text"), [(-0.004, "0.00"), (0.004, "0.00"), (-0.006, "-0.01"), (-0.0, "0.00")])
def test_nothing_has_no_minus(value: float, text: str) -> None:
    assert decimal(value, 2) == text
