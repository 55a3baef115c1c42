"""A baseline: the scores of each cell of an earlier run on each problem, in one file that can be committed and diffed.

{"format": 1, "cells": {
 "diffllama-inf-zero_shot": {
  "cell": {"model": "diffllama", "noise": "inf", "stage": "zero_shot"}, "settings": {"weights": "3f9a…", …},
  "problems": {
   "mini-00001": "1/1 3f9a0c51d2be0011",

A problem's line holds the number of right answers, how often it was asked, and a hash of its questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy

from reports.stats.problem_scores import Scores
from reports.store.atomic_io import display_path, write_atomically
from reports.store.json_content import parsed_json
from reports.store.records import Cell, Settings

_FORMAT = 1
_PROBLEM = re.compile(r"([0-9]+)/([1-9][0-9]*) ([0-9a-f]{16})")


class BaselineError(ValueError):
    """A baseline file cannot be used as asked. The message says what, where, expected and found; `path` is the file."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class BaselineMissing(BaselineError):
    """The file does not exist."""


class BaselineUnreadable(BaselineError):
    """The file cannot be read, or is not a baseline of this format."""


class BaselineNotAFile(BaselineUnreadable):
    """It is a folder, a pipe or a device."""


class BaselineLacksCells(BaselineError):
    """The file lacks cells that are compared with it."""


class BaselineDiffers(BaselineError):
    """A cell in the file has other settings, problems or texts than the run."""


class NothingToCompare(BaselineError):
    """The run has no case that could be compared with the file, or that could be saved to it."""


class BaselineLarger(BaselineError):
    """The file has problems that the run did not ask, so its cells were kept."""


def read_baseline(path: Path) -> dict[Cell, Scores]:
    """Return the cells of the file at `path`. Raises `BaselineUnreadable` if it cannot be read or is not a baseline."""
    if path.exists() and not path.is_file():  # a device or a pipe may never end
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise BaselineNotAFile(path, f"{display_path(path)} is not a baseline: expected a regular file, got {kind}")
    try:
        facts = parsed_json(path.read_bytes(), unique_keys=True)  # as a merge by hand may leave a line twice
        if facts["format"] != _FORMAT:
            raise BaselineUnreadable(
                path, f"{display_path(path)}: expected a baseline of format {_FORMAT}, found format {facts['format']!r}"
            )
        cells = [_decoded(name, cell) for name, cell in facts["cells"].items()]
    except OSError as error:
        message = f"cannot read the baseline {display_path(path)}: {error.strerror or error}"
        raise BaselineUnreadable(path, message) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BaselineError):
            raise
        message = f"{display_path(path)} is not a baseline: expected a file that an earlier run saved"
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BaselineUnreadable(path, f"{message} ({reason})") from error
    return {scores.cell: scores for scores in cells}


def write_baseline(path: Path, scores: Iterable[Scores]) -> list[Cell]:
    """Write these cells to the file at `path`, and return those that were not replaced.

    Other cells in the file are kept. A cell is not replaced if the file has problems of it that `scores` lack. The file
    is replaced as a whole or not at all. Raises `BaselineUnreadable` if the file is there and is not a baseline, and
    `ResultsFolderError` if it cannot be written.
    """
    old, new = read_baseline(path) if path.exists() else {}, {cell_scores.cell: cell_scores for cell_scores in scores}
    larger = [cell for cell in new if cell in old and not set(old[cell].problems) <= set(new[cell].problems)]
    cells = old | {cell: cell_scores for cell, cell_scores in new.items() if cell not in larger}
    content = {"format": _FORMAT, "cells": {cell.id: _encoded(cells[cell]) for cell in sorted(cells, key=str)}}
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass"))
    return larger


def _encoded(scores: Scores) -> dict[str, Any]:
    right = numpy.rint(scores.values * scores.draws).astype(int)
    lines = zip(scores.problems, right, scores.draws, scores.texts, strict=True)
    return {
        "cell": asdict(scores.cell),
        "settings": asdict(scores.settings),
        "problems": {str(id): f"{correct}/{draws} {text}" for id, correct, draws, text in lines},
    }


def _decoded(name: str, facts: Mapping[str, Any]) -> Scores:
    cell = Cell(**facts["cell"])
    if cell.id != name:
        raise ValueError(f"{name!r:.60} holds the cell {cell.id!r:.60}")
    problems = sorted(facts["problems"])
    matches = [_PROBLEM.fullmatch(facts["problems"][problem]) for problem in problems]
    lines = [(int(match[1]), int(match[2]), match[3]) for match in matches if match is not None]
    if len(lines) < len(problems):
        problem = problems[matches.index(None)]
        raise ValueError(f"problem {problem!r}: expected '1/1 3f9a0c51d2be0011', found {facts['problems'][problem]!r}")
    impossible = next((problem for problem, line in zip(problems, lines, strict=True) if line[0] > line[1]), None)
    if impossible is not None:
        raise ValueError(f"problem {impossible!r} has more right answers than it was asked for")
    draws = numpy.array([draws for _, draws, _ in lines], dtype=int)
    return Scores(
        cell=cell,
        settings=Settings(**facts["settings"]),
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([right / draws for right, draws, _ in lines]),
        draws=draws,
        texts=numpy.array([text for _, _, text in lines], dtype="U16"),
    )
