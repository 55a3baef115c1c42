"""Noisy files are written whole, read back exactly, and checked against their problems."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noise import NOISES, NoisyProblem, Problem, generate_noisy_datasets, inject, load_problems, parallel, strip
from noise.problems.infer_distractor_spans import insertions
from noise.problems.jsonl import FileDiffersError
from noise.problems.noisy_files import UNSEEDED, fields_of, load_noisy_for, noisy_file, read_noisy
from noise.registry import default_noises

pytestmark = pytest.mark.quick

LINES = [
    {"question": "Ann has 3 pens. She buys 4 pens. How many pens has Ann?", "answer": "3+4=<<3+4=7>>7\n#### 7"},
    {"question": "A café sells 2 cakes “today”. How many cakes does it sell in 3 such days?", "answer": "6\n#### 6"},
]
NOISY = {
    "question": "Ann has 3 pens. Bob has 9 hats. How many pens has Ann?",
    "original_question": "Ann has 3 pens. How many pens has Ann?",
    "answer": "#### 3",
    "noise_type": "INF",
    "spans": [[15, 31]],
    "id": "a",
    "seed": 5,
}


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.jsonl", *LINES)


def test_every_noise_gets_a_file_of_its_own(mine: Path) -> None:
    paths = generate_noisy_datasets(mine, seed=3, folder=mine.parent)
    assert {name: path.name for name, path in paths.items()} == {
        name: f"mine_{name}.jsonl" for name in default_noises()
    }
    assert {"inf", "rcs", "sd"} <= {*paths}
    assert {path.name for path in mine.parent.iterdir()} == {"mine.jsonl", *(path.name for path in paths.values())}


@pytest.mark.parametrize("name", NOISES)
def test_what_is_read_back_is_what_was_injected(mine: Path, name: str) -> None:
    path = generate_noisy_datasets(mine, [name], seed=3, folder=mine.parent)[name]
    problems = load_problems(mine)
    assert read_noisy(path) == [inject(problem, name, seed=3) for problem in problems]
    assert load_noisy_for(problems, mine, name, mine.parent) == read_noisy(path)
    assert [strip(noisy) for noisy in read_noisy(path)] == [problem.question for problem in problems]


def test_a_line_carries_what_another_harness_needs(mine: Path) -> None:
    path = generate_noisy_datasets(mine, ["inf"], seed=3, folder=mine.parent)["inf"]
    text = path.read_text("utf-8")
    line = json.loads(text.splitlines()[0])
    assert list(line) == ["question", "answer", "original_question", "noise_type", "spans", "id", "seed"]
    assert (line["noise_type"], line["id"], line["seed"]) == ("INF", "mine-00001", 3)
    assert (line["original_question"], line["answer"]) == (LINES[0]["question"], LINES[0]["answer"])
    assert "café" in text


def test_loading_a_noisy_file_as_problems_asks_the_noisy_question(mine: Path) -> None:
    path = generate_noisy_datasets(mine, ["sd"], folder=mine.parent)["sd"]
    assert [problem.question for problem in load_problems(path)] == [noisy.question for noisy in read_noisy(path)]
    assert [problem.id for problem in load_problems(path)] == ["mine-00001", "mine-00002"]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_noise(mine: Path) -> None:
    first = generate_noisy_datasets(mine, ["inf"], 0, mine.parent / "a")["inf"].read_bytes()
    assert generate_noisy_datasets(mine, ["inf"], 0, mine.parent / "b")["inf"].read_bytes() == first
    assert generate_noisy_datasets(mine, ["inf"], 1, mine.parent / "c")["inf"].read_bytes() != first


def test_from_python_an_earlier_file_is_replaced_unless_that_is_ruled_out(mine: Path) -> None:
    path = generate_noisy_datasets(mine, ["inf"], 0, mine.parent)["inf"]
    first = path.read_bytes()
    with pytest.raises(FileDiffersError, match=r"mine_inf\.jsonl: something else is there already"):
        generate_noisy_datasets(mine, ["inf"], 1, mine.parent, overwrite=False)
    assert path.read_bytes() == first
    generate_noisy_datasets(mine, ["inf"], 0, mine.parent, overwrite=False)
    generate_noisy_datasets(mine, ["inf"], 1, mine.parent)
    assert path.read_bytes() != first


def test_progress_sees_every_problem_of_every_noise(mine: Path) -> None:
    progress_calls = []

    def progress(problems: list[Problem], name: str) -> Iterable[Problem]:
        for problem in problems:
            progress_calls.append((name, problem.id))
            yield problem

    generate_noisy_datasets(mine, ["sd", "inf"], folder=mine.parent, progress=progress)
    assert progress_calls == [("sd", "mine-00001"), ("sd", "mine-00002"), ("inf", "mine-00001"), ("inf", "mine-00002")]


@pytest.mark.parametrize("failure", [RuntimeError("no distractor"), KeyboardInterrupt()])
def test_a_failure_halfway_keeps_whole_files_and_leaves_no_half_one(
    mine: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    def fails_on_the_second(problem: Problem, name: str, *arguments: Any, **options: Any) -> NoisyProblem:
        if (name, problem.id) == ("sd", "mine-00002"):
            raise failure
        return inject(problem, name, *arguments, **options)

    monkeypatch.setattr(parallel, "inject", fails_on_the_second)
    with pytest.raises(type(failure)):
        generate_noisy_datasets(mine, ["inf", "sd"], folder=mine.parent)
    assert {path.name for path in mine.parent.iterdir()} == {"mine.jsonl", "mine_inf.jsonl"}


def test_an_unknown_noise_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown noise 'rsc'. Did you mean 'rcs'\? Known: inf, rcs, sd"):
        generate_noisy_datasets(tmp_path / "nothing.jsonl", ["inf", "rsc"], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("data/gsm8k_test.jsonl", "gsm8k_inf_test.jsonl"),
        ("gsm8k", "gsm8k_inf_test.jsonl"),
        ("gsm8k:train", "gsm8k_inf_train.jsonl"),
        ("mini", "mini_inf_test.jsonl"),
        ("mini:new-names", "mini_inf_new-names.jsonl"),
        ("mine.jsonl", "mine_inf.jsonl"),
        ("test.jsonl", "test_inf.jsonl"),
        ("my_problems.jsonl", "my_problems_inf.jsonl"),
    ],
)
def test_a_file_is_named_after_its_source(source: str, expected: str) -> None:
    assert noisy_file(source, "inf", "there") == Path("there") / expected


# Files that are read.


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"spans": [[15, 30]]}, "expected 'question' without its 'spans' to be 'original_question'"),
        ({"spans": [[15, 99]]}, "within the 54 characters of 'question', got [15, 99]"),
        ({"spans": [[20, 31], [15, 20]]}, "expected 'spans' in order"),
        ({"spans": [[15, 15]]}, "expected 'spans' in order"),
        ({"spans": [[-5, 3]]}, "expected 'spans' in order"),
        ({"spans": [15, 31]}, "expected 'spans' as a list of [start, stop], got 15"),
        ({"spans": "15-31"}, "expected 'spans' as a list of [start, stop], got '15-31'"),
        ({"spans": None}, "expected 'spans' as a list of [start, stop], got None"),
        ({"spans": [[15.0, 31]]}, "expected 'spans' as a list of [start, stop], got [15.0, 31]"),
        ({"seed": "5"}, "expected 'seed' to be an integer, got str '5'"),
        ({"seed": True}, "expected 'seed' to be an integer, got bool True"),
        ({"noise_type": 1}, "expected 'noise_type' to be a string"),
        ({"original_question": ""}, "expected 'original_question' not to be blank"),
        ({"answer": "three"}, "no '####' in 'three'"),
    ],
)
def test_a_noisy_line_that_does_not_fit_together_is_refused(
    tmp_path: Path, change: dict[str, Any], expected: str
) -> None:
    path = write(tmp_path / "x_inf.jsonl", NOISY, {**NOISY, "id": "b", **change})
    with pytest.raises(ValueError, match=r"x_inf\.jsonl:2: ") as caught:
        read_noisy(path)
    assert expected in str(caught.value)


def third_party(**change: str) -> dict[str, Any]:
    return {field: NOISY[field] for field in ("question", "original_question", "answer")} | change


def test_a_file_without_spans_gets_them_from_the_two_texts(tmp_path: Path) -> None:
    (noisy,) = read_noisy(write(tmp_path / "x.jsonl", third_party()))
    assert noisy.spans == ((16, 32),)
    assert (noisy.noise, noisy.seed, noisy.problem.id) == ("unknown", UNSEEDED, "x-00001")
    assert strip(noisy) == NOISY["original_question"]


def test_a_rewritten_question_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", third_party(), third_party(question="Ann owns 3 pens. How many pens has Ann?"))
    with pytest.raises(ValueError, match=r"x\.jsonl:2: expected 'question' to be 'original_question' with insertions"):
        read_noisy(path)


# A file and its problems.


def problem_of(line: dict[str, Any]) -> Problem:
    return Problem(line["id"], line["original_question"], line["answer"])


def test_a_subset_in_any_order_gets_its_own_noise(mine: Path) -> None:
    generate_noisy_datasets(mine, ["inf"], folder=mine.parent)
    first, second = load_problems(mine)
    assert [noisy.problem for noisy in load_noisy_for([second], mine, "inf", mine.parent)] == [second]
    assert [noisy.problem for noisy in load_noisy_for([second, first], mine, "inf", mine.parent)] == [second, first]


def test_a_file_without_ids_belongs_to_problems_by_their_text(tmp_path: Path) -> None:
    write(tmp_path / "mine_inf.jsonl", third_party())
    (noisy,) = load_noisy_for([problem_of(NOISY)], "mine.jsonl", "inf", tmp_path)
    assert (noisy.problem.id, noisy.noise, noisy.spans) == ("a", "inf", ((16, 32),))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected the sd problems of 'mine\.jsonl' in '.*mine_sd\.jsonl'"):
        load_noisy_for([], "mine.jsonl", "sd", tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": "b", "original_question": "How many?"}, "expected problem 'b', got a file without it"),
        ({"original_question": "How many pens?"}, "expected the question of problem 'a'"),
        ({"answer": "#### 4"}, "expected the answer of problem 'a'"),
    ],
)
def test_a_file_of_other_problems_is_refused(tmp_path: Path, change: dict[str, str], expected: str) -> None:
    write(tmp_path / "mine_inf.jsonl", NOISY)
    with pytest.raises(ValueError, match="other problems") as caught:
        load_noisy_for([problem_of({**NOISY, **change})], "mine.jsonl", "inf", tmp_path)
    assert expected in str(caught.value)


def test_a_file_of_another_noise_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mine_sd.jsonl", NOISY)
    with pytest.raises(ValueError, match="expected the noise 'sd' for problem 'a', got 'inf'"):
        load_noisy_for([problem_of(NOISY)], "mine.jsonl", "sd", tmp_path)


# Alignment.


@pytest.mark.parametrize(
    ("noisy", "inserted"),
    [
        ("Ann ran. She hid. Who won?", []),
        ("Bob sat. Ann ran. She hid. Who won?", ["Bob sat. "]),
        ("Ann ran. She sat. She hid. Who won?", ["She sat. "]),
        ("Ann ran. Ann ran. She hid. Who won?", ["Ann ran. "]),
        ("Ann ran. She hid. Who sat? Who won?", ["Who sat? "]),
        ("Ann ran. Bob sat. It cost $1.50. She hid. 1 + 1 = 2. Who won?", ["Bob sat. It cost $1.50. ", "1 + 1 = 2. "]),
        ("Ann ran. She hid. Who won? Bob.", [" Bob."]),
        ("Ann, as we know, ran. She hid. Who won?", [", as we know,"]),
        ("Ann ran. She hid.\nBob sat. Who won?", ["\nBob sat."]),
        ("Ann ran. She hid. Who won? Bob won?", [" Bob won?"]),
    ],
)
def test_insertions_are_few_and_made_of_whole_sentences(noisy: str, inserted: list[str]) -> None:
    """A match by letters or words would scatter them over words that both texts share."""
    spans = insertions("Ann ran. She hid. Who won?", noisy)
    assert spans is not None
    assert [noisy[start:stop] for start, stop in spans] == inserted


@pytest.mark.parametrize("end", [".", "!", "?", '."', ".'", ".”", "?’", "!)", ".]", "!”)"])
def test_sentences_end_in_several_ways(end: str) -> None:
    """Of "The dog sat. " and "dog sat. The", which both give the original where they are deleted, one is a sentence."""
    before, inserted, after = f"The cow ate{end} ", f"The dog sat{end}  ", "The cat ran."
    assert insertions(before + after, before + inserted + after) == ((len(before), len(before + inserted)),)


def test_a_sentence_may_follow_without_a_space() -> None:
    assert insertions("Ann ran.Bob ran.", "Ann ran.Bob hid.Bob ran.") == ((8, 16),)


def test_quotes_and_marks_at_its_ends_are_no_part_of_a_word() -> None:
    assert insertions("The dogs' bowl.", "The dogs' big bowl.") == ((10, 14),)
    assert insertions("Who is _Ann_?", "Who is _Ann Lee_?") == ((11, 15),)


@pytest.mark.parametrize(
    ("original", "noisy"),
    [
        ("Bob eats", "Bob's eats"),
        ("Bob eats", "Bob’s eats"),
        ("O'B", "O'Brien"),
        ("1,4 eggs", "1,450 eggs"),
        ("1 egg", "1,4 egg"),
    ],
)
def test_a_part_of_a_word_or_a_number_is_no_insertion(original: str, noisy: str) -> None:
    assert insertions(original, noisy) is None


@pytest.mark.parametrize("noisy", ["Annie has $3.", "Ann has $3.50.", "Ann has $3", "ann has $3.", "", "Ann has $13."])
def test_a_text_that_changes_a_word_or_a_number_is_no_insertion(noisy: str) -> None:
    assert insertions("Ann has $3.", noisy) is None


@given(
    st.lists(st.sampled_from(["Ann ran.", "Ann hid.", "It cost $3.50!", "Who won?"]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["Bob sat.", "It cost 9.", "Ann ran."])), max_size=4),
)
def test_deleting_the_insertions_gives_the_original(sentences: list[str], extra: list[tuple[int, str]]) -> None:
    original, noisy = " ".join(sentences), list(sentences)
    for position, sentence in extra:
        noisy.insert(position, sentence)
    text = " ".join(noisy)
    spans = insertions(original, text)
    assert spans is not None
    assert strip(NoisyProblem(Problem("p", original, "#### 1"), "inf", text, spans, 0)) == original
    assert len(spans) <= len(extra)


def test_the_spans_of_real_questions_are_recovered(gsm8k: list[Problem], tmp_path: Path) -> None:
    noisy = [inject(problem, "sd") for problem in gsm8k[:500]]
    lines = [{name: value for name, value in fields_of(problem).items() if name != "spans"} for problem in noisy]
    recovered = read_noisy(write(tmp_path / "x.jsonl", *lines))
    assert [strip(problem) for problem in recovered] == [problem.question for problem in gsm8k[:500]]
    different = [a.problem.id for a, b in zip(recovered, noisy, strict=True) if a.spans != b.spans]
    assert different == []
