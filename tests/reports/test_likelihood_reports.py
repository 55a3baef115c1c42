"""Likelihoods from the disk to the terminal."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from reports.findings import Findings
from reports.page import write_page
from reports.stats.comparisons import Comparison, comparisons, write_comparisons_csv
from reports.stats.problem_scores import Scores, all_scores, other_tokens, scores_of
from reports.store.atomic_io import ResultsDamaged
from reports.store.record_codec import decoded_line, encoded_line, settings_hash
from reports.store.record_kinds import LIKELIHOODS
from reports.store.records import Cell, Likelihood
from reports.store.results_folder import Results
from reports.tables.narrative import narrative
from reports.tables.score_tables import not_compared, score_tables
from tests.reports.record_factories import SETTINGS, question_of

pytestmark = pytest.mark.quick


def likely(id: str, nats: float, tokens: int = 10, **changed: str) -> Likelihood:
    return replace(Likelihood(id, question_of(id), (), "#### 5", "measured", tokens, nats), **changed)  # type: ignore[arg-type]


def cell(model: str, noise: str, loss: float, tokens: int = 10, spread: float = 0.2) -> Scores:
    """Twenty problems that lose about `loss` nats a token, each model and noise in a way of its own."""
    wave = [spread * ((3 * n + len(model) + len(noise)) % 5 - 2) for n in range(20)]
    lines = [likely(f"p{n}", tokens * (-1 - loss) + wave[n], tokens) for n in range(20)]
    return scores_of(Cell(model, noise, "likelihood"), replace(SETTINGS, weights=model), lines)


FOUR = [
    cell("diffllama", "clean", 0),
    cell("diffllama", "inf", 0.1),
    cell("llama", "clean", 0),
    cell("llama", "inf", 0.5),
]


def row(rows: list[Comparison], contrast: str, model: str = "diffllama", noise: str = "inf") -> Comparison:
    (found,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return found


def test_a_line_reads_back_and_a_damaged_one_is_named() -> None:
    where, put = Cell("llama", "inf", "likelihood"), likely("p1", -12.3456789)
    line = encoded_line(where, SETTINGS, put)
    assert decoded_line(line, "here", LIKELIHOODS) == (where, settings_hash(SETTINGS), replace(put, nats=-12.3457))
    with pytest.raises(ResultsDamaged, match="here: expected numbers as nats and tokens"):
        decoded_line(line.replace(b"-12.3457", b'"much"'), "here", LIKELIHOODS)


def test_they_lie_among_the_readings_and_are_found_there(tmp_path: Path) -> None:
    results, where = Results(tmp_path), Cell("llama", "inf", "likelihood")
    results.append(where, SETTINGS, [likely("p1", -12.0), likely("p2", 0.0, 0, outcome="error", error="no luck")])
    assert (tmp_path / "readings" / "likelihood" / "llama" / "inf.jsonl").exists()
    assert results.cells() == [where]
    (found,) = all_scores(results)
    assert (list(found.problems), list(found.values), found.measure) == (["p1"], [-1.2], "likelihood")


def test_models_that_are_never_right_are_told_apart() -> None:
    rows = comparisons(FOUR)
    assert row(rows, "degradation", "llama").estimate == pytest.approx(0.5, abs=1e-9)
    found = row(rows, "difference_in_differences")
    assert found.estimate == pytest.approx(0.4, abs=1e-9)
    assert (found.p_adjusted or 1.0) < 0.001
    text = " ".join(" ".join(narrative(rows)).split())
    assert "what noise costs in likelihood of the worked answer (95 % intervals)" in text
    assert "diffllama loses 0.4" in text
    assert "nats a token less than llama" in text


def test_answers_of_other_tokens_are_not_compared_between_models() -> None:
    """A mean over five tokens and one over ten are two units."""
    rows = comparisons([*FOUR[:2], cell("llama", "clean", 0, tokens=5), cell("llama", "inf", 0.5, tokens=5)])
    assert not any(found.against for found in rows)
    assert row(rows, "degradation", "llama").clusters == 20


def test_a_tuned_model_is_compared_with_what_it_was() -> None:
    rows = comparisons([*FOUR, cell("llama+sft", "inf", 0.2)])
    found = row(rows, "gain", "llama+sft")
    assert (found.against, found.estimate) == ("llama", pytest.approx(0.3, abs=1e-9))


def test_equal_models_have_no_number_that_is_no_number(tmp_path: Path) -> None:
    twin = [replace(one, cell=replace(one.cell, model="twin")) for one in FOUR[:2]]
    rows = comparisons([*FOUR[:2], *twin])
    assert (row(rows, "difference_in_differences").estimate, row(rows, "difference_in_differences").p) == (0.0, None)
    write_comparisons_csv(rows, tmp_path / "comparisons.csv")
    lines = list(csv.DictReader((tmp_path / "comparisons.csv").read_text().splitlines()))
    assert not {"nan", "inf", "-inf"} & {value for line in lines for name, value in line.items() if name != "noise"}
    assert "nothing to test" in " ".join(narrative(rows))


def test_the_table_reads_as_it_should() -> None:
    lines = score_tables(comparisons(FOUR))
    assert lines[:2] == [
        "likelihood of the worked answer, nats a token, 20 problems a cell",
        "                                clean         inf",
    ]
    assert lines[2].split()[:2] == ["diffllama", "log-likelihood"]
    assert [line.split()[0] for line in lines[3:5]] == ["95", "degradation"]
    assert lines[4].split()[1].startswith("0.1")
    assert max(map(len, lines)) <= 80
    assert score_tables([]) == []


def test_models_with_other_vocabularies_are_not_compared_and_that_is_said() -> None:
    """Not even over those problems whose numbers of tokens are the same by chance."""
    mine, theirs = ([likely(f"p{n}", -12.0 - n, 10 if n < 15 else other) for n in range(20)] for other in (10, 11))
    scores = [
        scores_of(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines)
        for model, lines in (("llama", mine), ("qwen", theirs))
    ]
    assert other_tokens(scores) == [("llama", "qwen")]
    rows = comparisons(scores)
    assert {row.contrast for row in rows} == {"likelihood"}
    text = " ".join(" ".join(score_tables(rows, 80, other_tokens(scores))).split())
    assert "llama and qwen read the answers as different tokens: nats a token are not compared between them" in text
    assert other_tokens(FOUR) == []
    assert not_compared([("llama", "qwen")])[0] in text


def test_a_draw_that_failed_leaves_out_its_problem_alone() -> None:
    scores = []
    for model in ("llama", "twin"):
        lines = [likely(f"p{n}{draw}", -12.0 - n) for n in range(20) for draw in ("", " (draw 2)")]
        if model == "twin":
            lines[1] = replace(lines[1], outcome="error", nats=0.0, tokens=0)
        scores.append(scores_of(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines))
    assert other_tokens(scores) == []
    assert row(comparisons(scores), "model_difference", "llama").clusters == 19


def test_the_page_says_who_is_not_compared(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for model, tokens in (("llama", 10), ("qwen", 11)):
        lines = [likely(f"p{n}", -12.0 - n, tokens) for n in range(20)]
        results.append(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines)
    page = write_page(Findings(results)).read_text()
    assert "llama and qwen read the answers as different tokens: nats a token are not compared between them." in page
