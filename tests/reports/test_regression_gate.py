"""A cell is red only where it lost significantly against its baseline, and a baseline of no use is no pass."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from scipy.stats import binomtest

from reports.gate.baseline_file import (
    BaselineDiffers,
    BaselineLacksCells,
    BaselineMissing,
    BaselineUnreadable,
    NothingToCompare,
    read_baseline,
    write_baseline,
)
from reports.gate.regression_gate import Gate, Loss, read_gate, write_changes
from reports.stats.problem_scores import Scores, scores_from_records
from reports.store.records import Cell
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, outcomes, predicted

pytestmark = pytest.mark.quick


def scored(correct: int, incorrect: int, cell: Cell = CELL, **changed: str) -> Scores:
    return scores_from_records(cell, SETTINGS, [replace(line, **changed) for line in outcomes(correct, incorrect)])  # type: ignore[arg-type]


def loss(then: Scores, now: Scores, cells: int = 1, tolerance: float = 0.0, alpha: float = 0.05) -> Loss:
    return Gate(Path("ci.json"), {then.cell: then}, tolerance, alpha).loss(now, cells)


def test_p_is_that_of_the_sign_test_one_sided() -> None:
    found = loss(scored(90, 10), scored(80, 20))
    assert found.p == pytest.approx(binomtest(10, 10, alternative="greater").pvalue)
    assert found.failed
    assert loss(scored(80, 20), scored(90, 10)).p == pytest.approx(1), "a gain is no loss"


def test_a_cell_of_many_must_be_surer() -> None:
    """Five of five is 1/32: enough for one cell, and not for two, each of which has half of 5 %."""
    then, now = scored(90, 10), scored(85, 15)
    assert loss(then, now).failed
    assert not loss(then, now, cells=2).failed
    assert loss(then, now, cells=2, alpha=0.1).failed


def test_the_same_answers_are_no_loss_at_any_size() -> None:
    for correct in (0, 50, 100):
        assert not loss(scored(correct, 100 - correct), scored(correct, 100 - correct)).failed


def test_a_tolerance_is_exceeded_only_where_the_interval_says_so() -> None:
    then, now = scored(90, 10), scored(70, 30)
    assert loss(then, now, tolerance=0.10).failed
    assert not loss(then, now, tolerance=0.19).failed


def test_so_few_problems_that_no_loss_can_be_shown_are_no_pass() -> None:
    """Seven of seven is 1/128, and one of eight cells has 1/160."""
    everything = loss(scored(7, 0), scored(0, 7), cells=8)
    assert not everything.failed
    assert (
        everything.too_few_problems_message
        == "diffllama-inf-zero_shot: 7 problems cannot show any loss at 0.05 / 8 cells; ask at least 8"
    )
    assert loss(scored(8, 0), scored(0, 8), cells=8).too_few_problems_message is None


def test_no_loss_is_promised_to_be_found_that_cannot_be() -> None:
    assert "baseline_detectable" not in loss(scored(0, 100), scored(0, 100)).facts(), "nothing is left to lose"
    assert "baseline_detectable" not in loss(scored(90, 10), scored(90, 10), tolerance=0.1).facts()
    found = loss(scored(90, 10), scored(90, 10)).facts()["baseline_detectable"]
    assert isinstance(found, float)
    assert 0 < found < 0.2


def test_the_message_says_by_how_much_and_where() -> None:
    lines = str(loss(scored(90, 10), scored(65, 35), cells=8, tolerance=0.01)).splitlines()
    text = " ".join(" ".join(lines).split())
    assert lines[0] == "diffllama-inf-zero_shot lost 25.0 points of accuracy: 65.0 % now, 90.0 % in ci.json"
    assert "over 100 problems: significant at 0.05 / 8 cells, and more than the tolerance of 1 points" in text
    assert "25 worse now: p65, p66, " in text
    assert "p84 and 5 more" in text
    assert "0 better now" in text


def test_a_part_of_the_problems_can_be_compared_and_more_than_there_are_cannot() -> None:
    assert loss(scored(90, 10), scored(40, 0)).differences.n == 40
    with pytest.raises(BaselineDiffers, match="has 40 problems, and 60 of the 100 asked now are not among them"):
        loss(scored(40, 0), scored(90, 10))


def test_what_was_made_otherwise_is_refused_with_the_difference() -> None:
    with pytest.raises(BaselineDiffers, match="max_new_tokens was 128 and is now 64; precision was 'bfloat16'"):
        loss(scores_from_records(CELL, OTHER_SETTINGS, outcomes(1, 0)), scored(1, 0))
    with pytest.raises(BaselineDiffers, match="has another text or gold answer for 1 of the 1 problems, such as 'p0'"):
        loss(scored(1, 0, question="another noise"), scored(1, 0))
    with pytest.raises(BaselineLacksCells, match=r"has no diffllama-clean-zero_shot; it has diffllama-inf-zero_shot$"):
        Gate(Path("b"), {CELL: scored(1, 0)}).loss(scored(1, 0, CLEAN), 1)


def test_other_weights_are_what_is_compared() -> None:
    then = scored(9, 1)
    assert not loss(replace(then, settings=replace(SETTINGS, weights="other")), scored(9, 1)).failed


def test_a_baseline_reads_back_as_it_was_and_keeps_its_other_cells(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ci.json"
    thrice = [predicted(f"p{n}" + (f" (draw {draw})" if draw > 1 else ""), "correct" if n + draw < 6 else "incorrect")
              for n in range(5) for draw in (1, 2, 3)]  # fmt: skip
    drawn = scores_from_records(CELL, SETTINGS, thrice)
    write_baseline(path, [drawn])
    write_baseline(path, [scored(3, 1, CLEAN)])
    read = read_baseline(path)
    assert set(read) == {CELL, CLEAN}
    for name in ("problems", "values", "draws", "texts"):
        assert numpy.array_equal(getattr(read[CELL], name), getattr(drawn, name))
    assert read[CELL].settings == SETTINGS
    assert "p0 (draw 2)" not in path.read_text()


def test_a_cell_is_not_replaced_by_one_of_fewer_problems(tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    assert write_baseline(path, [scored(20, 0)]) == []
    assert write_baseline(path, [scored(5, 0), scored(3, 0, CLEAN)]) == [CELL]
    read = read_baseline(path)
    assert (len(read[CELL].problems), len(read[CLEAN].problems)) == (20, 3)
    assert write_baseline(path, [scored(0, 25)]) == []
    assert len(read_baseline(path)[CELL].problems) == 25


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a baseline"),
        ("{}", "is not a baseline"),
        ("[1]", "is not a baseline"),
        ("[" * 100_000, "is not a baseline"),
        ('{"format": 2, "cells": {}}', "expected a baseline of format 1, found format 2"),
        ('{"format": 1, "cells": {"a": {}}}', "is not a baseline"),
        ('{"format": 1, "cells": {"a": 3}}', "is not a baseline"),
    ],
)
def test_another_file_is_refused_and_left_as_it_is(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    path.write_text(content)
    for use in (lambda: read_gate(path, 0.0, 0.05), lambda: write_baseline(path, [scored(1, 0)])):
        with pytest.raises(BaselineUnreadable, match=message):
            use()
    assert path.read_text() == content


def test_a_damaged_problem_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    write_baseline(path, [scored(2, 0)])
    facts = json.loads(path.read_text())
    facts["cells"][CELL.id]["problems"]["p1"] = "yes"
    path.write_text(json.dumps(facts))
    with pytest.raises(BaselineUnreadable, match="problem 'p1': expected '1/1 3f9a0c51d2be0011', found 'yes'"):
        read_baseline(path)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"p1": "1/1', '"p1": "5/1', "problem 'p1' has more right answers than it was asked for"),
        ('"p1": "1/1', '"p0": "0/1', "'p0' stands there twice"),
        (f'"{CELL.id}": {{', f'"{CLEAN.id}": {{', f"'{CLEAN.id}' holds the cell '{CELL.id}'"),
    ],
)
def test_a_baseline_that_contradicts_itself_is_refused(before: str, after: str, message: str, tmp_path: Path) -> None:
    """As a merge by hand may leave it."""
    path = tmp_path / "ci.json"
    write_baseline(path, [scored(2, 0)])
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(BaselineUnreadable, match=re.escape(message)):
        read_baseline(path)


def test_a_baseline_that_is_not_there_and_a_run_without_a_case_are_errors_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(BaselineMissing, match=r"ci\.json does not exist$") as missing:
        read_gate(tmp_path / "ci.json", 0.0, 0.05)
    assert missing.value.path == tmp_path / "ci.json"
    with pytest.raises(NothingToCompare, match="no case with an accuracy is selected"):
        Gate(Path("ci.json"), {CELL: scored(1, 0)}).require([])


def test_no_message_of_the_gate_names_an_option_of_pytest() -> None:
    """`benchmarks` adds the option, by the class of the error."""
    for module in sorted((Path(__file__).parents[2] / "reports" / "gate").glob("*.py")):
        strings = [node.value for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Constant)]
        assert not [text for text in strings if isinstance(text, str) and "--" in text], module.name


def test_every_answer_that_changed_has_a_row(tmp_path: Path) -> None:
    gate = Gate(Path("ci.json"), {CELL: scored(3, 1)})
    assert write_changes(tmp_path / "baseline.csv", gate, [scored(2, 2), scored(1, 0, CLEAN)]) == 1
    assert (tmp_path / "baseline.csv").read_text().splitlines() == [
        "model,noise,stage,problem,baseline,now",
        "diffllama,inf,zero_shot,p2,1,0",
    ]


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_a_device_is_no_baseline(device: str) -> None:
    """Reading it would never end."""
    with pytest.raises(BaselineUnreadable, match="expected a regular file"):
        read_baseline(Path(device))
