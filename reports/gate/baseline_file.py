"""A baseline: what each cell of an earlier run got on each problem, in one file that can be committed and compared.

{"format": 1, "cells": {
 "diffllama-inf-zero_shot": {
  "cell": {"model": "diffllama", "noise": "inf", "stage": "zero_shot"}, "settings": {"weights": "3f9a…", …},
  "problems": {
   "mini-00001": "1/1 3f9a0c51d2be0011",

A problem's line has its right answers, how often it was asked, and a hash of the questions.
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
from reports.store.atomic_io import shown, write_atomically
from reports.store.records import Cell, Settings

_FORMAT = 1
_PROBLEM = re.compile(r"(\d+)/([1-9]\d*) ([0-9a-f]{16})")


class BaselineError(ValueError):
    """A baseline that cannot be used; the message is one sentence that says what to do."""


def read_baseline(path: Path) -> dict[Cell, Scores]:
    """The cells of the file at `path`. Raises `BaselineError` for a file that cannot be read or is no baseline."""
    try:
        facts = json.loads(path.read_bytes())
        if facts["format"] != _FORMAT:
            raise BaselineError(
                f"{shown(path)}: expected a baseline of format {_FORMAT}, found format {facts['format']!r}; name"
                f" another file, or delete this one and make it anew"
            )
        cells = [_decoded(cell) for cell in facts["cells"].values()]
    except OSError as error:
        raise BaselineError(f"cannot read the baseline {shown(path)}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, BaselineError):
            raise
        raise BaselineError(
            f"{shown(path)} is no baseline: expected the file that --save-baseline writes; name another"
            f" ({type(error).__name__}: {error})"
        ) from error
    return {scores.cell: scores for scores in cells}


def write_baseline(path: Path, scores: Iterable[Scores]) -> list[Cell]:
    """Writes these cells to the file at `path`; others that it has are kept, and so are cells that have problems there
    which are not among the new ones. These are given back. The file is replaced as a whole or not at all.

    Raises `BaselineError` for a file there that is no baseline, and `ResultsFolderError` when it cannot be written.
    """
    there, now = read_baseline(path) if path.exists() else {}, {one.cell: one for one in scores}
    larger = [cell for cell in now if cell in there and not set(there[cell].problems) <= set(now[cell].problems)]
    cells = there | {cell: one for cell, one in now.items() if cell not in larger}
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


def _decoded(facts: Mapping[str, Any]) -> Scores:
    problems = sorted(facts["problems"])
    found = [_PROBLEM.fullmatch(facts["problems"][problem]) for problem in problems]
    lines = [(int(match[1]), int(match[2]), match[3]) for match in found if match is not None]
    if len(lines) < len(problems):
        problem = problems[found.index(None)]
        raise ValueError(f"problem {problem!r}: expected '1/1 3f9a0c51d2be0011', found {facts['problems'][problem]!r}")
    draws = numpy.array([draws for _, draws, _ in lines], dtype=int)
    return Scores(
        cell=Cell(**facts["cell"]),
        settings=Settings(**facts["settings"]),
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([right / draws for right, draws, _ in lines]),
        draws=draws,
        texts=numpy.array([text for _, _, text in lines], dtype="U16"),
    )
