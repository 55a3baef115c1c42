"""Import the noisy problems of others: a file in a published layout becomes a paired set and its clean problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from noise.problems.jsonl import atomic_file, line_id, write_line
from noise.problems.noisy_files import fields_of
from noise.problems.problem import Problem, normalised
from noise.problems.text_files import check_regular_file
from noise.sets.paired_sets import NO_QUESTION, Pair, UnusableRow, answer_of, first_text, in_place, pair_of
from noise.sets.published_layouts import LAYOUTS, Line
from noise.sets.table_rows import Row
from noise.unknown_name import unknown_name

#: Fields of a published line that are kept: what was varied, and which trigger was added.
_KEPT = ("role_label", "number_label", "sentence_label", "trigger")
OTHER_GOLD = "another answer than an earlier line of the same clean problem"


@dataclass(frozen=True)
class Imported:
    """What an import wrote: the clean problems, the noisy ones (None for a set without pairs), and the refused rows."""

    clean: Path
    noisy: Path | None
    problems: int
    pairs: int
    refused: Mapping[str, int]

    def sentence(self) -> str:
        """Return how many rows were used, and the others by reason."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.refused.items())
        used = f"{self.pairs:,} pairs of {self.problems:,} problems" if self.noisy else f"{self.problems:,} problems"
        return f"{used}; not used: {reasons or 'no line'}"


def import_set(
    layout: str, path: str | Path, folder: str | Path, problems: Sequence[Problem] = (), overwrite: bool = False
) -> Imported:
    """Write the set in the file `path`, in a published `layout`, to `folder`.

    `<layout>.jsonl` has the clean problems, each once, and `<layout>_noisy.jsonl` the noisy ones with the ids of their
    clean ones. `problems` are those that a list of triggers is added to. `overwrite` is that of `atomic_file`. Raises
    `ValueError` for an unknown layout, a file in another one and a file without a line that can be used, and what
    reading and writing raise.
    """
    if layout not in LAYOUTS:
        raise ValueError(unknown_name("layout", layout, LAYOUTS))
    path = Path(path)
    check_regular_file(path)
    if LAYOUTS[layout].needs_problems(path) and not problems:
        raise ValueError(f"{path}: expected problems to add its triggers to, got none")
    refused, pairs, clean = Counter[str](), list[Pair](), dict[str, Problem]()
    lines = 0
    for line in LAYOUTS[layout].lines(path, problems):
        lines += 1
        try:
            fields = _fields_of_line(line)
            if layout == "svamp":
                _keep_clean(clean, _problem(fields, line_id(layout, len(clean) + 1)))
                continue
            pair = pair_of(Row(line.number, fields), layout)
            problem = replace(pair.noisy.problem, id=_id_of(fields, line_id(layout, len(clean) + 1)))
            noisy = in_place(pair.noisy, _keep_clean(clean, problem))
            pairs.append(replace(pair, noisy=replace(noisy, noise=layout)))
        except UnusableRow as error:
            refused[str(error)] += 1
    if not clean:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in refused.most_common())
        raise ValueError(f"{path}: expected {LAYOUTS[layout].wants}, got {lines:,} lines and none to use: {reasons}")
    return _written(layout, Path(folder), list(clean.values()), pairs, refused, overwrite)


def _fields_of_line(line: Line) -> Mapping[str, Any]:
    if line.fields is None:
        raise UnusableRow(line.reason)
    return line.fields


def _problem(fields: Mapping[str, Any], default_id: str) -> Problem:
    """Return the problem of a set without pairs."""
    answer, _ = answer_of(fields, ["answer"])
    return Problem(_id_of(fields, default_id), first_text(fields, ["question"], NO_QUESTION), answer)


def _id_of(fields: Mapping[str, Any], default: str) -> str:
    id_ = fields.get("id")
    return id_ if isinstance(id_, str) and id_.strip() else default


def _keep_clean(clean: dict[str, Problem], problem: Problem) -> Problem:
    """Return the clean problem with this question, which is kept once. Raises `UnusableRow` for a second answer."""
    kept = clean.setdefault(normalised(problem.question), problem)
    if kept.target != problem.target:
        raise UnusableRow(OTHER_GOLD)
    return kept


def _written(
    layout: str, folder: Path, clean: list[Problem], pairs: list[Pair], refused: Counter[str], overwrite: bool
) -> Imported:
    clean_path, noisy_path = folder / f"{layout}.jsonl", folder / f"{layout}_noisy.jsonl"
    with atomic_file(clean_path, overwrite) as file:
        for problem in clean:
            write_line(file, {"id": problem.id, "question": problem.question, "answer": problem.answer})
    if pairs:
        with atomic_file(noisy_path, overwrite) as file:
            for pair in pairs:
                kept = {name: pair.fields[name] for name in _KEPT if name in pair.fields}
                write_line(file, fields_of(pair.noisy) | kept)
    by_count = dict(sorted(refused.items(), key=lambda item: (-item[1], item[0])))
    return Imported(clean_path, noisy_path if pairs else None, len(clean), len(pairs), by_count)
