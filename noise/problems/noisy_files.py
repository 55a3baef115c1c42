"""Noisy problems on disk: written once, read back exactly, and checked against the problems they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from noise.parallel import inject_all
from noise.placebo_names import file_stem, is_placebo
from noise.placement import LAST, Placement
from noise.problems.bad_lines import BadLine
from noise.problems.infer_distractor_spans import insertions
from noise.problems.jsonl import (
    atomic_file,
    check_unique_id,
    line_id,
    problem_from,
    read_json_lines,
    text_field,
    write_line,
)
from noise.problems.problem import NoisyProblem, Problem, strip
from noise.problems.problem_sources import is_file_source, load_problems, split_source
from noise.problems.remote_files import source_name
from noise.registry import default_noises, find_noise
from noise.text.question_features import question_features

UNSEEDED = -1
"""The seed of a noisy problem from a file without seeds."""
_SPLITS = ("train", "test", "validation", "valid", "dev")

Progress = Callable[[list[Problem], str], Iterable[Problem]]
"""Wraps the problems of a noise, given by name, in an iterable that may report progress."""


def generate_noisy_datasets(
    source: str | Path = "gsm8k",
    names: Sequence[str] | None = None,
    seed: int = 0,
    folder: str | Path = "data",
    progress: Progress | None = None,
    processes: int = 1,
    bad_lines: list[BadLine] | None = None,
    overwrite: bool = True,
    templates: dict[str, Counter[str]] | None = None,
    placement: Placement = LAST,
) -> dict[str, Path]:
    """Write the problems of `source` with each noise of `names` to a file in `folder`; return path by noise.

    `source` is GSM8K's test split by default, which comes from the hub. `names` are `default_noises` by default: `inf`,
    `rcs` and `sd` as shipped. A file is written whole or not at all. Its lines carry `question`, `answer`,
    `original_question`, `noise_type` (upper case), `spans` (half-open character ranges of `question`), `id`, `seed`
    and, of a noise with several kinds of sentence, `factors`. `processes` is that of `inject_all`, `bad_lines` that of
    `load_problems`, `overwrite` that of `atomic_file`: by default an earlier file of the same name is replaced.
    `templates` is filled with the number of distractors of each noise by the template that they were made from, and
    `placement` is that of `inject`. Raises `ValueError` for an unknown noise, before anything is read, and what these
    three raise.
    """
    names = list(default_noises()) if names is None else names
    for name in names:
        find_noise(name)
    problems = load_problems(source, bad_lines=bad_lines)
    return write_noisy_files(
        problems, source, names, seed, folder, progress, processes, overwrite, templates, placement
    )


def write_noisy_files(
    problems: list[Problem],
    source: str | Path,
    names: Sequence[str],
    seed: int,
    folder: str | Path,
    progress: Progress | None = None,
    processes: int = 1,
    overwrite: bool = True,
    templates: dict[str, Counter[str]] | None = None,
    placement: Placement = LAST,
) -> dict[str, Path]:
    """Do what `generate_noisy_datasets` does, with `problems` that have been loaded from `source`."""
    paths = {name: noisy_file(source, name, folder) for name in names}
    shared = len(paths) > 1 and processes == 1
    features = [question_features(problem.question) for problem in problems] if shared else None
    for name, path in paths.items():
        counts = Counter[str]()
        with atomic_file(path, overwrite) as file:
            drawn_from = progress(problems, name) if progress else problems
            for noisy in inject_all(drawn_from, name, seed, processes, features, placement):
                write_line(file, fields_of(noisy))
                counts.update(noisy.templates)
        if templates is not None:
            templates[name] = counts
    return paths


def noisy_file(source: str | Path, name: str, folder: str | Path = "data") -> Path:
    """Return the path in `folder` of the problems of `source` with the noise `name`.

    A split at the end of the source's name stays at the end: `gsm8k_test.jsonl`, and the source `gsm8k`, give
    `gsm8k_inf_test.jsonl`; `mine.jsonl` gives `mine_inf.jsonl`, and `mine_filler-inf.jsonl` for `filler:inf`.
    """
    if is_file_source(source):
        file = Path(source_name(source))
        stem, _, split = file.stem.rpartition("_")
        if not stem or split not in _SPLITS:
            stem, split = file.stem, ""
    else:
        stem, split = split_source(str(source))
    return Path(folder) / ("_".join(filter(None, (stem, file_stem(name), split))) + ".jsonl")


def existing_noisy_file(source: str | Path, name: str, folder: str | Path = "data") -> Path:
    """Return `noisy_file` if it exists. Raises `FileNotFoundError` otherwise."""
    path = noisy_file(source, name, folder)
    if not path.is_file():
        raise FileNotFoundError(f"expected the {name} problems of {str(source)!r} in {str(path)!r}, got no such file")
    return path


def fields_of(noisy: NoisyProblem) -> dict[str, Any]:
    """Return the fields of the line for `noisy`."""
    return {
        "question": noisy.question,
        "answer": noisy.problem.answer,
        "original_question": noisy.problem.question,
        "noise_type": noisy.noise.upper(),
        "spans": [list(span) for span in noisy.spans],
        "id": noisy.problem.id,
        "seed": noisy.seed,
        **({"factors": list(noisy.factors)} if noisy.factors else {}),
    }


def read_noisy(path: str | Path) -> list[NoisyProblem]:
    """Return the noisy problems of a file, ours or third-party; deleting the spans gives the original question.

    A line needs `question`, `answer` and `original_question`. Missing `spans` come from an alignment of the two texts,
    a missing `noise_type` is `"unknown"`, and a missing `seed` is `UNSEEDED`. Raises `ValueError` with file and line
    number for a bad line, and for a question that is not its original with insertions.
    """
    path = Path(path)
    noisy_problems, seen = [], dict[str, str]()
    for number, fields in read_json_lines(path):
        location = f"{path}:{number}"
        noisy = _noisy_from(fields, line_id(path.stem, number), location)
        check_unique_id(seen, noisy.problem.id, location)
        noisy_problems.append(noisy)
    return noisy_problems


def load_noisy_for(
    problems: Sequence[Problem], source: str | Path, name: str, folder: str | Path = "data"
) -> list[NoisyProblem]:
    """Return the noisy version of each of `problems`, in order, from the file of `source` and `name` in `folder`.

    A line belongs to a problem by its id, or, where the file lacks that id, by its original question. A file of a
    placebo may lack problems that no placebo suits, but not all of them. Raises
    `FileNotFoundError` for a missing file, `ValueError` for one that belongs to other problems.
    """
    path = existing_noisy_file(source, name, folder)
    lines = read_noisy(path)
    by_id = {noisy.problem.id: noisy for noisy in lines}
    by_text = {noisy.problem.question: noisy for noisy in lines}
    if is_placebo(name):  # it suits all of them but a few
        there = [problem for problem in problems if problem.id in by_id or problem.question in by_text]
        problems = there or problems
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
        field = "question" if noisy.problem.question != problem.question else "answer"
        raise ValueError(
            f"{path}: expected the {field} of problem {problem.id!r}, got a different one: "
            "the file belongs to other problems, or to an older copy of these"
        )
    if noisy.noise not in (name, "unknown"):
        raise ValueError(f"{path}: expected the noise {name!r} for problem {problem.id!r}, got {noisy.noise!r}")
    return replace(noisy, problem=problem, noise=name)


def _noisy_from(fields: Mapping[str, Any], default_id: str, location: str) -> NoisyProblem:
    problem = problem_from(fields, default_id, location, question="original_question")
    question = text_field(fields, "question", location)
    noise = text_field(fields, "noise_type", location).lower() if "noise_type" in fields else "unknown"
    seed = fields.get("seed", UNSEEDED)
    if type(seed) is not int:  # `true` is no seed
        raise ValueError(f"{location}: expected 'seed' to be an integer, got {type(seed).__name__} {seed!r:.60}")
    if "spans" in fields:
        spans = _checked_spans(fields["spans"], question, location)
    else:
        aligned = insertions(problem.question, question)
        if aligned is None:
            raise ValueError(
                f"{location}: expected 'question' to be 'original_question' with insertions, got one that changes or "
                "drops words of it"
            )
        spans = aligned
    factors = _checked_factors(fields.get("factors", []), len(spans), location)
    noisy = NoisyProblem(problem, noise, question, spans, seed, factors)
    if strip(noisy) != problem.question:
        raise ValueError(
            f"{location}: expected 'question' without its 'spans' to be 'original_question', got a different text"
        )
    return noisy


def _checked_factors(factors: Any, spans: int, location: str) -> tuple[str, ...]:
    """Return what kind of sentence each span is, if the line says so. Raises `ValueError`."""
    if not (isinstance(factors, list) and all(isinstance(kind, str) for kind in factors)):
        raise ValueError(f"{location}: expected 'factors' as a list of text, got {factors!r:.60}")
    if factors and len(factors) != spans:
        raise ValueError(f"{location}: expected {spans} 'factors', one for each of the 'spans', got {len(factors)}")
    return tuple(factors)


def _checked_spans(spans: Any, question: str, location: str) -> tuple[tuple[int, int], ...]:
    """Return `spans` as ordered, disjoint, non-empty ranges within `question`. Raises `ValueError`."""
    end = 0
    for span in spans if isinstance(spans, list) else [spans]:
        if not (isinstance(span, list) and len(span) == 2 and all(type(edge) is int for edge in span)):
            raise ValueError(f"{location}: expected 'spans' as a list of [start, stop], got {span!r:.60}")
        if not end <= span[0] < span[1] <= len(question):
            raise ValueError(
                f"{location}: expected 'spans' in order, disjoint and within the {len(question)} characters of"
                f" 'question', got {span}"
            )
        end = span[1]
    return tuple((start, stop) for start, stop in spans)
