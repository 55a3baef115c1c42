"""Noisy problems on disk: written once, read back exactly, and never mixed up with those of other problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from noise.parallel import inject_all
from noise.problems.jsonl import (
    line_id,
    problem_from,
    read_json_lines,
    refuse_same_id,
    text_field,
    whole_file,
    write_line,
)
from noise.problems.problem import NoisyProblem, Problem, strip
from noise.problems.problem_sources import is_file_source, load_problems, split_source
from noise.problems.span_alignment import insertions
from noise.registry import find_noise

UNSEEDED = -1
"""The seed of a noisy problem from a file that names none."""
_SPLITS = ("train", "test", "validation", "valid", "dev")

Progress = Callable[[list[Problem], str], Iterable[Problem]]
"""Given the problems and the name of a noise, gives the problems back one by one, and may tell somebody."""


def generate_noisy_datasets(
    source: str | Path,
    names: Sequence[str] = ("inf", "rcs", "sd"),
    seed: int = 0,
    folder: str | Path = "data",
    progress: Progress | None = None,
    processes: int = 1,
) -> dict[str, Path]:
    """Writes the problems of `source` with each noise of `names` to a file in `folder`; returns path by noise.

    A file is whole or absent. Its lines carry `question`, `answer`, `original_question`, `noise_type` (upper case),
    `spans` (half-open ranges of characters of `question`), `id` and `seed`. Raises `ValueError` for an unknown noise,
    before anything is read, and what `load_problems` and `inject_all` raise, which tells what `processes` are for.
    """
    for name in names:
        find_noise(name)
    problems = load_problems(source)
    paths = {name: noisy_file(source, name, folder) for name in names}
    for name, path in paths.items():
        with whole_file(path) as file:
            done = inject_all(problems, name, seed, processes)
            for _, noisy in zip(progress(problems, name) if progress else problems, done, strict=True):
                write_line(file, fields_of(noisy))
    return paths


def noisy_file(source: str | Path, name: str, folder: str | Path = "data") -> Path:
    """Where the problems of `source` with the noise `name` stand in `folder`.

    A split at the end of the source's name stays there: `gsm8k_test.jsonl`, and the source `gsm8k`, give
    `gsm8k_inf_test.jsonl`; `mine.jsonl` gives `mine_inf.jsonl`.
    """
    if is_file_source(source):
        stem, _, split = Path(source).stem.rpartition("_")
        if not stem or split not in _SPLITS:
            stem, split = Path(source).stem, ""
    else:
        stem, split = split_source(str(source))
    return Path(folder) / ("_".join(filter(None, (stem, name, split))) + ".jsonl")


def existing_noisy_file(source: str | Path, name: str, folder: str | Path = "data") -> Path:
    """`noisy_file`, where it exists. Raises `FileNotFoundError` otherwise."""
    path = noisy_file(source, name, folder)
    if not path.is_file():
        raise FileNotFoundError(f"expected the {name} problems of {str(source)!r} in {str(path)!r}, got no such file")
    return path


def fields_of(noisy: NoisyProblem) -> dict[str, Any]:
    """The line of a file that holds `noisy`."""
    return {
        "question": noisy.question,
        "answer": noisy.problem.answer,
        "original_question": noisy.problem.question,
        "noise_type": noisy.noise.upper(),
        "spans": [list(span) for span in noisy.spans],
        "id": noisy.problem.id,
        "seed": noisy.seed,
    }


def read_noisy(path: str | Path) -> list[NoisyProblem]:
    """The noisy problems of a file, ours or another's; deleting the spans of each gives its original question.

    Another's file needs `question`, `answer` and `original_question`. Without `spans` they come from an alignment of
    the two texts; without `noise_type` the noise is `"unknown"`; without `seed` it is `UNSEEDED`. Raises `ValueError`
    with file and line number for a bad line, one that is no insertion among them.
    """
    path = Path(path)
    found, seen = [], dict[str, str]()
    for number, fields in read_json_lines(path):
        place = f"{path}, line {number}"
        noisy = _noisy_from(fields, line_id(path.stem, number), place)
        refuse_same_id(seen, noisy.problem.id, place)
        found.append(noisy)
    return found


def load_noisy_for(
    problems: Sequence[Problem], source: str | Path, name: str, folder: str | Path = "data"
) -> list[NoisyProblem]:
    """The noise `name` for each of `problems`, in their order, from the file that belongs to `source` in `folder`.

    A line belongs to a problem by its id, or, where the file has none of the problem's id, by its original question.
    Raises `FileNotFoundError` for a missing file, `ValueError` for one that belongs to other problems.
    """
    path = existing_noisy_file(source, name, folder)
    lines = read_noisy(path)
    by_id = {noisy.problem.id: noisy for noisy in lines}
    by_text = {noisy.problem.question: noisy for noisy in lines}
    return [_matching(problem, by_id, by_text, name, path) for problem in problems]


def _matching(
    problem: Problem, by_id: Mapping[str, NoisyProblem], by_text: Mapping[str, NoisyProblem], name: str, path: Path
) -> NoisyProblem:
    noisy = by_id.get(problem.id) or by_text.get(problem.question)
    if noisy is None:
        raise ValueError(
            f"{path}: expected problem {problem.id!r}, got a file without it: it belongs to other problems"
        )
    if noisy.problem.question != problem.question or noisy.problem.target != problem.target:
        what = "question" if noisy.problem.question != problem.question else "answer"
        raise ValueError(
            f"{path}: expected the same {what} for {problem.id!r} as in the problems, got another: "
            "the file belongs to other problems, or to an older copy of these"
        )
    if noisy.noise not in (name, "unknown"):
        raise ValueError(f"{path}: expected the noise {name!r} for problem {problem.id!r}, got {noisy.noise!r}")
    return replace(noisy, problem=problem, noise=name)


def _noisy_from(fields: Mapping[str, Any], default_id: str, place: str) -> NoisyProblem:
    problem = problem_from(fields, default_id, place, question="original_question")
    question = text_field(fields, "question", place)
    noise = text_field(fields, "noise_type", place).lower() if "noise_type" in fields else "unknown"
    seed = fields.get("seed", UNSEEDED)
    if not isinstance(seed, int):
        raise ValueError(f"{place}: expected 'seed' to be an integer, got {type(seed).__name__} {seed!r:.60}")
    if "spans" in fields:
        spans = _checked_spans(fields["spans"], question, place)
    else:
        aligned = insertions(problem.question, question)
        if aligned is None:
            raise ValueError(
                f"{place}: expected 'question' to be 'original_question' with text put in, got one that changes or "
                "drops some of its words"
            )
        spans = aligned
    noisy = NoisyProblem(problem=problem, noise=noise, question=question, spans=spans, seed=seed)
    if strip(noisy) != problem.question:
        raise ValueError(
            f"{place}: expected 'question' without its 'spans' to be 'original_question', got another text"
        )
    return noisy


def _checked_spans(spans: Any, question: str, place: str) -> tuple[tuple[int, int], ...]:
    """`spans` as ranges that are in order, apart, not empty and inside `question`. Raises `ValueError`."""
    end = 0
    for span in spans if isinstance(spans, list) else [spans]:
        if not (isinstance(span, list) and len(span) == 2 and all(type(edge) is int for edge in span)):
            raise ValueError(f"{place}: expected 'spans' as a list of [start, stop], got {span!r:.60}")
        if not end <= span[0] < span[1] <= len(question):
            raise ValueError(
                f"{place}: expected 'spans' in order, apart and within the {len(question)} characters of 'question', "
                f"got {span}"
            )
        end = span[1]
    return tuple((start, stop) for start, stop in spans)
