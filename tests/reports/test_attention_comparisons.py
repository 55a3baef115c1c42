"""Which of two models attends less to the noise: the rows against scipy, and the sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from scipy.stats import ttest_rel

from reports.stats.attention_comparisons import attention_comparisons
from reports.stats.attention_stats import MeasuredCell, measured_cell
from reports.store.records import Cell, draw_id
from reports.tables.attention_narrative import HEADING, LIMIT, attention_answer, attention_sentences
from tests.reports.attention_factories import readings

pytestmark = pytest.mark.quick
IDS = [f"p{number}" for number in range(12)]
SCOPE = "queries answer; layers all; heads all"


def cell(model: str, noise: str = "inf", *, less: float = 0.0, ids: list[str] = IDS, layers: int = 3) -> MeasuredCell:
    """Return readings of three layers; the noise of a model has `less` lift than that of another."""
    made = measured_cell(Cell(model, noise, "attention"), "weights", SCOPE, readings(ids, layers, 2, seed=len(noise)))
    noise_share = numpy.zeros(len(made.segments))
    noise_share[made.segments.index("ni")] = less
    spread = numpy.linspace(0.9, 1.1, len(ids))[:, None, None, None]
    tokens = made.tokens[:, None, None, :]
    return replace(made, absolute=made.absolute - noise_share * spread * tokens)


def test_a_row_is_the_paired_t_test_over_problems() -> None:
    first, second = cell("diffllama", less=0.3), cell("llama")
    (row,) = attention_comparisons([first, second])
    lifts = [found.lift[..., found.segments.index("ni")].mean(axis=(1, 2)) for found in (first, second)]
    expected = ttest_rel(*lifts)
    assert row.estimate == pytest.approx(float((lifts[0] - lifts[1]).mean()))
    assert row.p == row.p_adjusted == pytest.approx(expected.pvalue)
    bounds = expected.confidence_interval(0.95)
    assert (row.low, row.high) == (pytest.approx(bounds.low), pytest.approx(bounds.high))
    assert (row.stage, row.measure, row.contrast) == ("attention", "noise_lift", "model_difference")
    assert (row.model, row.against, row.noise, row.clusters) == ("diffllama", "llama", "inf", 12)


def test_several_noises_have_a_mean_and_share_a_family() -> None:
    rows = attention_comparisons([cell(m, n, less=0.3 * (m == "a")) for m in "ab" for n in ("inf", "sd", "rcs")])
    means = [row for row in rows if row.contrast == "mean_model_difference"]
    assert [row.noise for row in means] == ["all 3"]
    assert means[0].estimate == pytest.approx(numpy.mean([row.estimate for row in rows if row not in means]))
    assert max((row.p_adjusted or 0) / (row.p or 1) for row in rows) == pytest.approx(3)


def test_clean_cells_needles_and_tuned_against_untuned_are_not_compared() -> None:
    assert attention_comparisons([cell("a", "clean"), cell("b", "clean")]) == []
    assert attention_comparisons([cell("a", "needle25"), cell("b", "needle25")]) == []
    assert attention_comparisons([cell("a"), cell("a+sft")]) == []
    assert len(attention_comparisons([cell("a+sft"), cell("b+sft")])) == 1


def test_readings_that_are_not_alike_are_not_compared() -> None:
    """Of other texts, of other queries, or in the tokens of another tokenizer."""
    first, second = cell("a"), cell("b")
    assert attention_comparisons([first, replace(second, scope="queries last; layers all; heads all")]) == []
    assert attention_comparisons([first, replace(second, tokens=second.tokens * 1.01)]) == []
    other = replace(second, texts=tuple(f"{text}?" for text in second.texts))
    assert [row.estimate for row in attention_comparisons([first, other])] == [None]


def test_draws_of_a_problem_are_one_piece_of_evidence() -> None:
    ids = [*IDS, *(draw_id(id, 1) for id in IDS)]
    (row,) = attention_comparisons([cell("a", less=0.3, ids=ids), cell("b", ids=ids)])
    assert (row.clusters, row.n) == (12, 24)


def test_the_sentences_say_who_attends_less_and_what_that_does_not_show() -> None:
    rows = attention_comparisons([cell("diffllama", less=0.3), cell("llama")])
    ((label, sentence),) = attention_sentences(rows)
    assert label == "inf"
    assert sentence.startswith("the noise has 0.30 less lift in diffllama than in llama [0.29, 0.31], p < 0.001, 12")
    lines = attention_answer(rows)
    assert lines[0] == HEADING
    assert " ".join(" ".join(lines).split()).endswith(LIMIT)
    assert attention_answer([]) == []


def test_no_difference_is_no_evidence() -> None:
    rows = attention_comparisons([cell("a", less=0.0), cell("b", less=0.0, ids=IDS[:3])])
    ((_, sentence),) = attention_sentences(rows)
    assert sentence.startswith("No evidence that the noise has less lift in a than in b: 0.00 [no interval], ")
