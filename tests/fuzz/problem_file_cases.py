"""The readers of problem files: whole files, files that were changed, and files of noisy problems."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from noise.problems.jsonl import write_line
from noise.problems.noisy_files import UNSEEDED, fields_of, read_noisy
from noise.problems.problem import NoisyProblem, Problem, normalised, strip
from noise.problems.problem_sources import load_problems
from noise.text.number_parsing import target_of
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.random_texts import any_number, any_question, any_text, any_whole, changed_bytes, changed_text

_ODD_LINES = (
    "", " ", "\t\r", "{", "[1]", "null", "1" * 5000, "[" * 3000, "NaN", '"a"', "{}", "\x00", "\x0b", "\ufeff",
    '{"question": "How many?", "answer": "#### 3", "answer": "#### 3"}',
    '{"question": "How many?", "answer": "#### 3", "more": {"a": 1, "a": 2}}',
    '{"question": "How many?", "answer": "3"}', '{"question": "\\ud800?", "answer": "#### 3"}',
    '{"question": "How  MANY?", "answer": "#### 4", "id": 7}', '{"question": "how many?", "answer": "#### 3"}',
)  # fmt: skip
_ODD_VALUES = (
    None, True, 0, -1, 7, 1.5, "", " ", "a", "#### ", "#### 5 of 6", "5", "\ud83d", "mine-00001", [], [[]], [[0, 1]],
    [[1, 0]], [[0, 99]], [[0.0, 1]], [[True, 2]], [0, 1], [[0, 1, 2]], "ab", {}, {"a": 1}, [["a", "b"]], 10**30,
)  # fmt: skip
#: What an insertion never splits, where it is found from the two texts.
_WORD = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|.", re.DOTALL)
_ENDINGS = ("#### {}", "####{}", "So it is {}.\n#### {}", "1 #### 2\n#### {}\n", "#### ${} dollars")


@dataclass(frozen=True)
class ProblemFile:
    """The bytes of a file, whether they are read as noisy problems, and what they hold where nothing was changed."""

    content: bytes
    noisy: bool
    expected: tuple[NoisyProblem, ...] | None


def draw(rng: Random) -> ProblemFile:
    """Return a file of up to three problems, whole or changed."""
    noisy = rng.random() < 0.4
    problems = [_noisy_problem(rng, number) for number in range(1, rng.randrange(1, 4) + 1)]
    if noisy:
        lines = [_noisy_fields(rng, problem) for problem in problems]
    else:
        lines = [{"question": p.problem.question, "answer": p.problem.answer, "id": p.problem.id} for p in problems]
        if rng.random() < 0.5:
            lines = [{name: line[name] for name in ("answer", "question")} for line in lines]  # ids from the lines
            problems = [_renamed(problem, f"mine-{at:05d}") for at, problem in enumerate(problems, start=1)]
    kind = rng.randrange(5)
    if kind == 0:  # a value that is something else
        line = rng.choice(lines)
        line[rng.choice((*line, "seed", "id", "original_question", "spans"))] = rng.choice(_ODD_VALUES)
    texts = [json.dumps(line, ensure_ascii=rng.random() < 0.5) for line in lines]
    if kind == 1:
        other_gold = json.dumps({"question": lines[0]["question"].upper(), "answer": "#### 1", "id": "other"})
        texts.insert(rng.randrange(len(texts) + 1), rng.choice((*_ODD_LINES, other_gold, other_gold)))
    if kind == 2:
        at = rng.randrange(len(texts))
        texts[at] = changed_text(rng, texts[at])
    content = _joined(rng, texts)
    if kind == 3:
        content = changed_bytes(rng, content)
    two_golds = not noisy and len({normalised(problem.problem.question) for problem in problems}) < len(problems)
    return ProblemFile(content, noisy, tuple(problems) if kind == 4 and not two_golds else None)


def _noisy_problem(rng: Random, number: int) -> NoisyProblem:
    """Return a problem with up to three insertions in its question, that JSON can hold and a file may."""
    question = _clean_text(any_question(rng)) or f"How many {number}?"
    if rng.random() < 0.5:
        question = f"{any_whole(rng)}: {question}"
    target = any_number(rng)
    answer = rng.choice(_ENDINGS).replace("{}", str(target))
    id_ = f"{number} {_clean_text(any_text(rng, 5))}"
    text, spans, start = "", list[tuple[int, int]](), 0
    for end in sorted(rng.sample(range(len(question) + 1), min(rng.randrange(4), len(question)))):
        text += question[start:end]
        inserted = rng.choice((" In Porto, 12 × 3 = 36.", "A bus seats 40. ", _clean_text(any_text(rng, 9)) or "a"))
        spans.append((len(text), len(text) + len(inserted)))
        text, start = text + inserted, end
    problem = Problem(id_, question, answer)
    return NoisyProblem(problem, rng.choice(("inf", "sd", "unknown")), text + question[start:], tuple(spans), 3)


def _clean_text(text: str) -> str:
    """Return a text without surrogates; empty where nothing but white space is left."""
    text = text.encode(errors="ignore").decode()
    return text if text.strip() else ""


def _renamed(noisy: NoisyProblem, id_: str) -> NoisyProblem:
    problem = Problem(id_, noisy.problem.question, noisy.problem.answer)
    return NoisyProblem(problem, noisy.noise, noisy.question, noisy.spans, noisy.seed)


def _noisy_fields(rng: Random, noisy: NoisyProblem) -> dict[str, Any]:
    fields = fields_of(noisy)
    if rng.random() < 0.3:
        del fields["spans"]
    return fields


def _joined(rng: Random, texts: list[str]) -> bytes:
    """Return the lines as a file: with a byte order mark, Windows' line ends, or blank lines at the end."""
    end = rng.choice(("\n", "\n", "\r\n"))
    text = rng.choice(("", "", "\ufeff")) + end.join(texts) + rng.choice(("", end, f"{end}{end}  {end}"))
    return text.encode("utf-8", "surrogatepass")


def check(file: ProblemFile) -> str:
    """Check what is read from a file; the table in docs/reliability.md says the claims."""
    path = Path(_folder().name) / "mine.jsonl"
    path.write_bytes(file.content)
    expected, bad_line = _reference(file.content, _noisy_of if file.noisy else _clean_of)
    read: list[Any] | None = None
    message = ""
    try:
        read = list(read_noisy(path) if file.noisy else load_problems(path))
    except ValueError as error:
        message = str(error)
    kind = "noisy file" if file.noisy else "file"
    if read is None:
        assert file.expected is None or not all(map(_splits_no_word, file.expected))
        place = re.escape(str(path)) + (f":{bad_line}" if bad_line else "")
        assert re.match(rf"{place}: .*\bexpected ", message), f"{message}, in line {bad_line}"
        assert "\n" not in message
        assert message.encode()
        return f"{kind} refused"
    assert bad_line is None, f"line {bad_line} was read"
    assert [*map(_fields, read)] == [*map(_fields, expected)]
    assert all(strip(one) == one.problem.question for one in read if isinstance(one, NoisyProblem))
    if file.expected is not None:
        _check_whole(file, read)
    return f"{kind} {'changed and ' if file.expected is None else ''}read"


def _check_whole(file: ProblemFile, read: list[Any]) -> None:
    """A file that nobody changed is read as it was written, and again from what it is written as."""
    assert file.expected is not None
    wanted = [noisy if file.noisy else noisy.problem for noisy in file.expected]
    if not file.noisy:
        assert read == wanted
        return
    for one, noisy in zip(read, file.expected, strict=True):
        assert (one.problem, one.question, one.noise, one.seed) == (
            noisy.problem, noisy.question, noisy.noise, noisy.seed,
        )  # fmt: skip
        assert len(one.spans) <= len(noisy.spans) or not _splits_no_word(noisy), "as few as possible were found again"
    path = Path(_folder().name) / "again.jsonl"
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for one in read:
            write_line(lines, fields_of(one))
    assert read_noisy(path) == read


def _splits_no_word(noisy: NoisyProblem) -> bool:
    """Return whether the insertions begin and end between words and numbers, in the noisy and in the clean question."""
    question, clean, removed = noisy.question, set[int](), 0
    for start, stop in noisy.spans:
        clean.add(start - removed)
        removed += stop - start
    edges = {edge for span in noisy.spans for edge in span}
    return edges <= _word_edges(question) and clean <= _word_edges(noisy.problem.question)


def _word_edges(text: str) -> set[int]:
    return {0, *(word.end() for word in _WORD.finditer(text))}


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that goes with the process; in memory where possible, as a disk takes most of the time."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)


def _fields(one: Any) -> Any:
    """Return what the reference knows of a problem: its text; spans that were found by alignment are the reader's."""
    if isinstance(one, NoisyProblem):
        return _fields(one.problem), one.question, one.noise, one.seed
    return (one.id, one.question, one.answer, one.original_question) if isinstance(one, Problem) else one


def _reference(content: bytes, read: Callable[[dict[str, Any], str], Any]) -> tuple[list[Any], int | None]:
    """Return what a file holds by the rules of its documents, and the number of its first bad line; 0 for no line."""
    found: list[Any] = []
    blank, ids, golds = 0, set[str](), dict[str, Any]()
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank = blank or number
            continue
        if blank:
            return found, blank
        try:
            fields = json.loads(line.decode(), object_pairs_hook=_each_once)
            assert isinstance(fields, dict)
            one = read(fields, f"mine-{number:05d}")
            problem = one.problem if isinstance(one, NoisyProblem) else one
            assert problem.id not in ids
            if one is problem:
                gold = golds.setdefault(" ".join(problem.question.casefold().split()), problem.target)
                assert gold == problem.target
        except (AssertionError, KeyError, TypeError, ValueError, RecursionError):
            return found, number
        ids.add(problem.id)
        found.append(one)
    return found, None if found else 0


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def _text(value: Any) -> str:
    assert isinstance(value, str)
    assert value.strip()
    assert value.encode()
    return value


def _clean_of(fields: dict[str, Any], default_id: str, question: str = "question") -> Problem:
    id_ = fields.get("id", default_id)
    answer, original = _text(fields["answer"]), fields.get("original_question")
    assert target_of(answer) is not None
    if isinstance(original, str) and original.strip():
        _text(original)
    kept = original if isinstance(original, str) and question == "question" else None
    return Problem(_text(str(id_) if type(id_) is int else id_), _text(fields[question]), answer, kept)


def _noisy_of(fields: dict[str, Any], default_id: str) -> NoisyProblem:
    problem = _clean_of(fields, default_id, "original_question")
    question, noise = _text(fields["question"]), _text(fields.get("noise_type", "unknown"))
    seed = fields.get("seed", UNSEEDED)
    assert type(seed) is int
    if "spans" in fields:
        end, kept = 0, ""
        assert type(fields["spans"]) is list
        for start, stop in fields["spans"]:
            assert type(start) is type(stop) is int
            assert end <= start < stop <= len(question)
            kept, end = kept + question[end:start], stop
        assert kept + question[end:] == problem.question
    else:
        rest = iter(_WORD.findall(question))
        assert all(word in rest for word in _WORD.findall(problem.question))
    return NoisyProblem(problem, noise.lower(), question, (), seed)


PROBLEM_FILES = FuzzTarget("problem-files", draw, check)
