"""Paired sets of others: what can be used is used to the character, and every other line is counted by its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noise import NOISES, Problem, generate_noisy_datasets, inject, load_problems, strip
from noise.sets.paired_sets import (
    NO_ANSWER,
    NO_OBJECT,
    NO_ORIGINAL,
    NO_QUESTION,
    OTHER_ANSWER,
    REWORDED,
    TOO_LONG,
    UNCHANGED,
    WRONG_SPANS,
    pairs_of_problems,
    read_paired_set,
)
from noise.sets.place_insertions import placed_insertions

pytestmark = pytest.mark.quick
CLEAN = "Ann has 3 pens.  She buys 4 more pens. How many pens has Ann?"
NOISY = "Ann has 3 pens. She buys 4 more pens. Bob has 9 hats. How many pens has Ann?"
GOOD = {"question": NOISY, "original_question": CLEAN, "answer": "3+4=7\n#### 7"}
#: Lines that cannot be used, and why.
REFUSED: list[tuple[Any, str]] = [
    (["a list"], NO_OBJECT),
    ({**GOOD, "question": " "}, NO_QUESTION),
    ({**GOOD, "question": "\ud800"}, NO_QUESTION),
    ({key: value for key, value in GOOD.items() if key != "original_question"}, NO_ORIGINAL),
    ({**GOOD, "answer": "None"}, NO_ANSWER),
    ({**GOOD, "answer": True}, NO_ANSWER),
    ({**GOOD, "question": CLEAN.lower()}, UNCHANGED),
    ({**GOOD, "question": "Ann owns 3 pens. She buys 4 more pens. Bob has 9 hats. How many pens has Ann?"}, REWORDED),
    ({**GOOD, "question": "Ann has 3 pens. Bob has 9 hats. How many pens has Ann?"}, REWORDED),
    ({**GOOD, "seed_answer": "8"}, OTHER_ANSWER),
    ({**GOOD, "question": f"{NOISY} {'a ' * 2**22}"}, TOO_LONG),
    ({**GOOD, "spans": [[0, 4]]}, WRONG_SPANS),
    ({**GOOD, "spans": [[4, 4]]}, WRONG_SPANS),
    ({**GOOD, "spans": [[0, 10**9]]}, WRONG_SPANS),
]


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_an_insertion_is_put_into_the_text_of_the_clean_question(tmp_path: Path) -> None:
    """The double space stays in both: a clean and a noisy question differ in the distractor alone."""
    (pair,) = read_paired_set(write(tmp_path / "set.jsonl", GOOD)).pairs
    noisy = pair.noisy
    assert noisy.question == "Ann has 3 pens.  She buys 4 more pens. Bob has 9 hats. How many pens has Ann?"
    assert [noisy.question[start:stop] for start, stop in noisy.spans] == ["Bob has 9 hats. "]
    assert (strip(noisy), noisy.problem.target) == (CLEAN, 7)


@pytest.mark.parametrize(("line", "reason"), REFUSED, ids=[f"{i} {reason}" for i, (_, reason) in enumerate(REFUSED)])
def test_a_line_that_cannot_be_used_is_counted_by_its_reason(tmp_path: Path, line: Any, reason: str) -> None:
    paired = read_paired_set(write(tmp_path / "set.jsonl", GOOD, line, GOOD, line))
    assert ([pair.number for pair in paired.pairs], paired.refused) == ([1, 3], {reason: (2, 4)})
    assert paired.counts() == f"2 of 4 lines can be used; not used: 2 {reason}"


def test_a_json_array_and_the_fields_of_gsm_plus_are_read(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    line = {"question": NOISY, "solution": "3+4=7\n#### 7", "answer": "7", "seed_question": CLEAN, "seed_answer": "7"}
    path.write_text(json.dumps([line, 3, {**line, "seed_answer": "9"}], indent=2))
    paired = read_paired_set(path)
    assert ([pair.number for pair in paired.pairs], paired.refused) == ([1], {NO_OBJECT: (2,), OTHER_ANSWER: (3,)})
    assert paired.pairs[0].noisy.problem.answer == "3+4=7\n#### 7"


@pytest.mark.parametrize("content", [b"[", b"[]", b"[" * 10_000, b"[\xff]", b"", b"PAR1"])
def test_what_is_no_set_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"set\.json: expected [^\n]+$"):
        read_paired_set(path)


@pytest.mark.parametrize("name", NOISES)
def test_a_file_that_we_wrote_is_read_back(tmp_path: Path, name: str) -> None:
    path = generate_noisy_datasets("mini:new-names", [name], folder=tmp_path)[name]
    problems = load_problems("mini:new-names")
    by_problem, paired = pairs_of_problems(problems, read_paired_set(path))
    assert not paired.refused
    assert [by_problem[problem.id][0].noisy for problem in problems] == [inject(problem, name) for problem in problems]


def test_a_pair_belongs_to_the_problem_with_its_question_and_answer(tmp_path: Path) -> None:
    other = {
        "question": "Ida has 2 figs. A cat sleeps. How many figs?",
        "original_question": "Ida has 2 figs. How many figs?",
    }
    path = write(tmp_path / "set.jsonl", GOOD, {**GOOD, "id": "twin"}, {**other, "answer": "2"})
    problems = [
        Problem("ann", " ".join(CLEAN.split()), "#### 7"),
        Problem("twin", CLEAN.upper().replace("ANN HAS", "Ann has").lower(), "#### 7"),
        Problem("ida", "Ida has 2 figs. How many figs?", "#### 3"),
        Problem("without", "What is 2 + 2?", "#### 4"),
    ]
    by_problem, paired = pairs_of_problems(problems, read_paired_set(path))
    assert [pair.number for pair in by_problem["ann"]] == [1]
    assert set(by_problem) == {"ann"}  # "twin" has other capitals, and "ida" another answer
    assert paired.refused == {REWORDED: (1, 2), OTHER_ANSWER: (3,)}
    assert strip(by_problem["ann"][0].noisy) == problems[0].question


WORDS = st.lists(
    st.sampled_from(["Ann", "3", "pens.", "She", "buys", "1,200", "“hats”", "many?"]), min_size=1, max_size=9
)
SPACES = st.sampled_from([" ", "  ", "\n", " \t"])


@given(WORDS, WORDS, st.data())
def test_an_insertion_is_reversible_whatever_the_white_space(
    words: list[str], added: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(words)))
    original = "".join(word + data.draw(SPACES) for word in words)
    noisy = data.draw(SPACES).join([*words[:at], *added, *words[at:]])
    placed = placed_insertions(original, noisy)
    assert placed is not None
    text, spans = placed
    assert text.split() == noisy.split()
    assert all(text[start:stop].strip() for start, stop in spans)
    kept = [text[stop:start] for (_, stop), (start, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True)]
    assert "".join(kept) == original
