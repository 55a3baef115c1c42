"""What each cell got on each problem, out of the predictions on disk: all that a comparison needs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy
from numpy.typing import NDArray

from reports.stages import kind_of
from reports.store.record_kinds import ACCURACY, LIKELIHOOD
from reports.store.records import Cell, Likelihood, Record, Settings, problem_of
from reports.store.results_folder import CellOnDisk, Results

Array = NDArray[Any]
#: In place of settings that are not known.
UNKNOWN = Settings("", "", "", 0, "", "")


@dataclass(frozen=True, eq=False)
class Scores:
    """One cell's scores: of problem `problems[i]` the mean `values[i]` over its `draws[i]` answered draws.

    A score of the measure `accuracy` is 1 for a correct answer and 0 for any other; of the measure `likelihood` it is
    the mean log-likelihood of the worked answer's tokens, in nats. `texts[i]`, 16 hexadecimal digits, stands for the
    questions asked. The ids are sorted, each once; a problem of which every draw ended in an error is
    not there. `tokens[i]`, of the measure `likelihood`, is the number of the worked answer's tokens.
    """

    cell: Cell
    settings: Settings
    problems: Array
    values: Array
    draws: Array
    texts: Array
    measure: str = ACCURACY
    tokens: Array | None = None

    @property
    def alike(self) -> Settings:
        """All settings but the weights and a chat's own format: the scores of two models can be compared where these
        are the same."""
        return replace(self.settings, weights="", rendered="")


def all_scores(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[Scores]:
    """The scores of all cells with a score, or of those in `only`, of the record ids given there. Raises
    `ResultsDamaged`."""
    cells = filter(has_score, results.cells() if only is None else only)
    on_disk = (results.load(cell) for cell in cells)
    return [
        scores_on_disk(results, found, None if only is None else only[found.cell])
        for found in on_disk
        if found is not None
    ]


def has_score(cell: Cell) -> bool:
    """Whether the records of a cell have a score: those of attention have none."""
    return kind_of(cell.stage).measure is not None


def scores_on_disk(results: Results, found: CellOnDisk, only: Collection[str] | None = None) -> Scores:
    """The scores of a cell of `results`, or those of the record ids in `only`. Where the file that names the settings
    is gone, it can be compared with what was made under the same settings alone."""
    wanted = None if only is None else set(only)
    settings = results.settings(found.settings_hash)
    unknown = replace(UNKNOWN, prompt=found.settings_hash)
    records = (record for id, record in found.predictions.items() if wanted is None or id in wanted)
    return scores_of(found.cell, settings or unknown, records)


def scores_of(cell: Cell, settings: Settings, records: Iterable[Record]) -> Scores:
    """The scores of one cell's records, whose kind has a measure."""
    measure = kind_of(cell.stage).measure
    assert measure is not None, f"the records of stage {cell.stage!r} have no score"
    by_problem: dict[str, list[tuple[str, str, float]]] = {}
    tokens: dict[str, int] = {}
    for record in records:
        if record.outcome != "error":
            by_problem.setdefault(problem_of(record.id), []).append(
                (record.id, measure.text(record), measure.score(record))
            )
            tokens[record.id] = record.tokens if isinstance(record, Likelihood) else 0
    problems = sorted(by_problem)
    draws = [sorted(by_problem[problem]) for problem in problems]
    return Scores(
        cell=cell,
        settings=settings,
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([sum(value for _, _, value in some) / len(some) for some in draws]),
        draws=numpy.array([len(some) for some in draws], dtype=int),
        texts=numpy.array([hash_of(question for _, question, _ in some) for some in draws], dtype="U16"),
        measure=measure.name,
        tokens=numpy.array([max(tokens.get(id, 0) for id, _, _ in some) for some in draws], dtype=int),
    )


def hash_of(texts: Iterable[str]) -> str:
    both = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(both, digest_size=8).hexdigest()


def other_tokens(scores: Sequence[Scores]) -> list[tuple[str, str]]:
    """The pairs of models that cut the same worked answers into different numbers of tokens, as their vocabularies
    differ: a likelihood a token has no meaning between them, and by chance the same number of tokens gives it none."""
    found: dict[tuple[str, str], None] = {}
    likelihoods = [one for one in scores if one.measure == LIKELIHOOD]
    for one, other in combinations(likelihoods, 2):
        if one.cell.noise == other.cell.noise and one.cell.model != other.cell.model:
            shared = shared_problems([one, other])
            first, second = rows_with([one, other], shared)
            if one.tokens is None or other.tokens is None or (one.tokens[first] != other.tokens[second]).any():
                found[one.cell.model, other.cell.model] = None
    return list(found)


def shared_problems(some: Sequence[Scores]) -> Array:
    """The ids that all of them have."""
    shared = some[0].problems
    for one in some[1:]:
        if not numpy.array_equal(one.problems, shared):
            known = set(one.problems)
            kept = numpy.array([problem in known for problem in shared], dtype=bool)
            shared = shared[kept]  # numpy.isin compares objects each with each
    return shared


def rows_with(some: Sequence[Scores], shared: Array) -> list[Any]:
    """Where each of them has the shared ids. Both are sorted, so that who has as many has the same."""
    return [
        slice(None) if len(one.problems) == len(shared) else numpy.searchsorted(one.problems, shared) for one in some
    ]


def together(some: Iterable[Scores], same_text: Iterable[tuple[int, int]] = ()) -> tuple[list[Array], Array]:
    """The values of several cells over the problems that all of them have, and where each `same_text` pair of them, by
    their places, was asked the same; and the draws of the last one there."""
    scores = list(some)
    shared = shared_problems(scores)
    rows = rows_with(scores, shared)
    keep = numpy.ones(len(shared), dtype=bool)
    for left, right in same_text:
        keep &= scores[left].texts[rows[left]] == scores[right].texts[rows[right]]
    values = [one.values[row][keep] for one, row in zip(scores, rows, strict=True)]
    return values, scores[-1].draws[rows[-1]][keep]
