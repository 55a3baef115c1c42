"""What each cell got on each problem, out of the predictions on disk: all that a comparison needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from reports.records import Cell, Prediction, Settings, problem_of
from reports.store import Results

Array = NDArray[Any]
ACCURACY = "accuracy"


@dataclass(frozen=True, eq=False)
class Scores:
    """One cell's scores: of problem `problems[i]` the mean `values[i]` over its `draws[i]` answered draws.

    A score of the measure `accuracy` is 1 for a correct answer and 0 for any other. `texts[i]` is a hash of the
    questions asked, and `alike` of all settings but the weights: scores can be compared where both are the same. The
    ids are sorted, each once; a problem of which every draw ended in an error is not there.
    """

    cell: Cell
    alike: str
    problems: Array
    values: Array
    draws: Array
    texts: Array
    measure: str = ACCURACY


def accuracy_scores(results: Results, only: Mapping[Cell, Iterable[str]] | None = None) -> list[Scores]:
    """The scores of all cells with predictions, or of those in `only`, of the problem ids given there. Raises
    `ResultsDamaged`."""
    found = []
    for cell in results.cells() if only is None else only:
        on_disk = results.load(cell)
        if on_disk is None:
            continue
        settings = results.settings(on_disk.settings_hash)
        wanted = None if only is None else set(only[cell])
        predictions = [
            record
            for id, record in on_disk.predictions.items()
            if isinstance(record, Prediction) and (wanted is None or id in wanted)
        ]
        if predictions and settings is not None:
            found.append(scores_of(cell, settings, predictions))
    return found


def scores_of(cell: Cell, settings: Settings, predictions: Iterable[Prediction]) -> Scores:
    """The scores of one cell's predictions."""
    lines = [(p.id, p.question, float(p.outcome == "correct")) for p in predictions if p.outcome != "error"]
    return gathered(cell, settings, lines, ACCURACY)


def gathered(cell: Cell, settings: Settings, lines: Iterable[tuple[str, str, float]], measure: str) -> Scores:
    """Scores from an id, a question and a value for each draw."""
    by_problem: dict[str, list[tuple[str, str, float]]] = {}
    for line in lines:
        by_problem.setdefault(problem_of(line[0]), []).append(line)
    problems = sorted(by_problem)
    draws = [sorted(by_problem[problem]) for problem in problems]
    facts = asdict(replace(settings, weights=""))
    return Scores(
        cell=cell,
        alike=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12],
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([sum(value for _, _, value in some) / len(some) for some in draws]),
        draws=numpy.array([len(some) for some in draws], dtype=int),
        texts=numpy.array([hash(tuple(question for _, question, _ in some)) for some in draws], dtype=numpy.int64),
        measure=measure,
    )


def together(some: Iterable[Scores], same_text: Iterable[tuple[int, int]] = ()) -> tuple[list[Array], Array]:
    """The values of several cells over the problems that all of them have, and where each `same_text` pair of them, by
    their places, was asked the same; and the draws of the last one there."""
    scores = list(some)
    shared = scores[0].problems
    for one in scores[1:]:
        shared = shared[numpy.isin(shared, one.problems)]
    rows = [numpy.searchsorted(one.problems, shared) for one in scores]
    keep = numpy.ones(len(shared), dtype=bool)
    for left, right in same_text:
        keep &= scores[left].texts[rows[left]] == scores[right].texts[rows[right]]
    values = [one.values[row][keep] for one, row in zip(scores, rows, strict=True)]
    return values, scores[-1].draws[rows[-1]][keep]
