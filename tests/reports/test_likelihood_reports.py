"""Likelihoods, from the disk to the terminal."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.findings import Findings
from reports.page import write_page
from reports.stats.comparisons import Comparison, comparisons, write_comparisons_csv
from reports.stats.problem_scores import Scores, all_scores, pairs_with_different_tokenization, scores_from_records
from reports.store.atomic_io import ResultsDamaged
from reports.store.record_codec import decode_record, encode_record, settings_hash
from reports.store.record_kinds import LIKELIHOODS
from reports.store.records import Cell, Likelihood
from reports.store.results_folder import Results
from reports.tables.narrative import narrative
from reports.tables.score_tables import not_compared, score_tables
from tests.reports.record_factories import SETTINGS, changed_line, question_of

pytestmark = pytest.mark.quick


def likely(id: str, nats: float, tokens: int = 10, **changed: str) -> Likelihood:
    return replace(Likelihood(id, question_of(id), (), "#### 5", "measured", tokens, nats), **changed)  # type: ignore[arg-type]


def cell(model: str, noise: str, loss: float, tokens: int = 10, spread: float = 0.2) -> Scores:
    """Return twenty problems that lose about `loss` nats per token, with a spread that depends on model and noise."""
    wave = [spread * ((3 * n + len(model) + len(noise)) % 5 - 2) for n in range(20)]
    lines = [likely(f"p{n}", tokens * (-1 - loss) + wave[n], tokens) for n in range(20)]
    return scores_from_records(Cell(model, noise, "likelihood"), replace(SETTINGS, weights=model), lines)


FOUR = [
    cell("diffllama", "clean", 0),
    cell("diffllama", "inf", 0.1),
    cell("llama", "clean", 0),
    cell("llama", "inf", 0.5),
]


def row(rows: list[Comparison], contrast: str, model: str = "diffllama", noise: str = "inf") -> Comparison:
    (matching,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return matching


def test_a_likelihood_round_trips_and_a_damaged_line_is_an_error() -> None:
    llama, original = Cell("llama", "inf", "likelihood"), likely("p1", -12.3456789)
    line = encode_record(llama, SETTINGS, original)
    assert decode_record(line, "here", LIKELIHOODS) == (
        llama,
        settings_hash(SETTINGS),
        replace(original, nats=-12.3457),
    )
    with pytest.raises(ResultsDamaged, match="here: expected numbers as nats and tokens"):
        decode_record(changed_line(line, b"-12.3457", b'"much"'), "here", LIKELIHOODS)


def test_they_are_stored_among_the_readings(tmp_path: Path) -> None:
    results, llama = Results(tmp_path), Cell("llama", "inf", "likelihood")
    results.append(llama, SETTINGS, [likely("p1", -12.0), likely("p2", 0.0, 0, outcome="error", error="no luck")])
    assert (tmp_path / "readings" / "likelihood" / "llama" / "inf.jsonl").exists()
    assert results.cells() == [llama]
    (scores,) = all_scores(results)
    assert (list(scores.problems), list(scores.values), scores.measure) == (["p1"], [-1.2], "likelihood")


def test_a_folder_of_likelihoods_alone_says_where_they_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Results(tmp_path).append(Cell("llama", "inf", "likelihood"), SETTINGS, [likely("p1", -12.0)])
    assert main(["accuracy", str(tmp_path)]) == 1
    assert "it has the stages likelihood alone; see `python -m reports comparisons" in capsys.readouterr().err


def test_models_that_are_never_correct_are_distinguished() -> None:
    rows = comparisons(FOUR)
    assert row(rows, "degradation", "llama").estimate == pytest.approx(0.5, abs=1e-9)
    contrast_row = row(rows, "difference_in_differences")
    assert contrast_row.estimate == pytest.approx(0.4, abs=1e-9)
    assert (contrast_row.p_adjusted or 1.0) < 0.001
    text = " ".join(" ".join(narrative(rows)).split())
    assert "what noise costs in log-likelihood of the worked answer (95 % intervals)" in text
    assert "diffllama loses 0.4" in text
    assert "nats a token less than llama" in text


def test_answers_with_other_token_counts_are_not_compared_between_models() -> None:
    """A mean over five tokens and one over ten have different units."""
    rows = comparisons([*FOUR[:2], cell("llama", "clean", 0, tokens=5), cell("llama", "inf", 0.5, tokens=5)])
    assert not any(comparison.against for comparison in rows)
    assert row(rows, "degradation", "llama").clusters == 20


def test_a_tuned_model_is_compared_with_the_untuned() -> None:
    rows = comparisons([*FOUR, cell("llama+sft", "inf", 0.2)])
    contrast_row = row(rows, "gain", "llama+sft")
    assert (contrast_row.against, contrast_row.estimate) == ("llama", pytest.approx(0.3, abs=1e-9))


def test_equal_models_give_no_nan_or_infinity(tmp_path: Path) -> None:
    twin = [replace(scores, cell=replace(scores.cell, model="twin")) for scores in FOUR[:2]]
    rows = comparisons([*FOUR[:2], *twin])
    assert (row(rows, "difference_in_differences").estimate, row(rows, "difference_in_differences").p) == (0.0, None)
    write_comparisons_csv(rows, tmp_path / "comparisons.csv")
    lines = list(csv.DictReader((tmp_path / "comparisons.csv").read_text().splitlines()))
    assert not {"nan", "inf", "-inf"} & {value for line in lines for name, value in line.items() if name != "noise"}
    assert "nothing to test" in " ".join(narrative(rows))


def test_the_table_has_means_intervals_and_degradations() -> None:
    lines = score_tables(comparisons(FOUR))
    assert lines[:2] == [
        "log-likelihood of the worked answer, nats a token, 20 problems a cell",
        "                                clean         inf",
    ]
    assert lines[2].split()[:2] == ["diffllama", "log-likelihood"]
    assert [line.split()[0] for line in lines[3:5]] == ["95", "degradation"]
    assert lines[4].split()[1].startswith("0.1")
    assert max(map(len, lines)) <= 80
    assert score_tables([]) == []


def test_models_with_other_vocabularies_are_named_as_not_compared() -> None:
    """Not even over the problems that happen to have the same number of tokens."""
    mine, theirs = ([likely(f"p{n}", -12.0 - n, 10 if n < 15 else other) for n in range(20)] for other in (10, 11))
    scores = [
        scores_from_records(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines)
        for model, lines in (("llama", mine), ("qwen", theirs))
    ]
    assert pairs_with_different_tokenization(scores) == [("llama", "qwen")]
    rows = comparisons(scores)
    assert {row.contrast for row in rows} == {"likelihood"}
    text = " ".join(" ".join(score_tables(rows, 80, pairs_with_different_tokenization(scores))).split())
    assert "llama and qwen read the answers as different tokens: nats a token are not compared between them" in text
    assert pairs_with_different_tokenization(FOUR) == []
    assert not_compared([("llama", "qwen")])[0] in text


def test_a_failed_draw_leaves_out_only_its_problem() -> None:
    scores = []
    for model in ("llama", "twin"):
        lines = [likely(f"p{n}{draw}", -12.0 - n) for n in range(20) for draw in ("", " (draw 2)")]
        if model == "twin":
            lines[1] = replace(lines[1], outcome="error", nats=0.0, tokens=0)
        scores.append(scores_from_records(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines))
    assert pairs_with_different_tokenization(scores) == []
    assert row(comparisons(scores), "model_difference", "llama").clusters == 19


def test_the_page_names_models_that_are_not_compared(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for model, tokens in (("llama", 10), ("qwen", 11)):
        lines = [likely(f"p{n}", -12.0 - n, tokens) for n in range(20)]
        results.append(Cell(model, "inf", "likelihood"), replace(SETTINGS, weights=model), lines)
    page = write_page(Findings(results)).read_text()
    assert "llama and qwen read the answers as different tokens: nats a token are not compared between them." in page
