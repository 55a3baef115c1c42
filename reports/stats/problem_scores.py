"""Scores: the value of each problem in each cell, computed from the records on disk."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy
from numpy.typing import NDArray

from reports.stages import kind_of
from reports.stats.factor_levels import LevelScores
from reports.store.folder_snapshot import Snapshot
from reports.store.record_kinds import ACCURACY, LIKELIHOOD
from reports.store.records import Cell, Likelihood, Record, Settings, problem_of
from reports.store.results_folder import Results, StoredCell

Array = NDArray[Any]
#: Stands for settings that are lost.
UNKNOWN_SETTINGS = Settings("", "", "", 0, "", "")


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one cell: `values[i]` is the mean over the `draws[i]` answered draws of problem `problems[i]`.

    A score of the measure `accuracy` is 1 for a correct answer and 0 for any other; of the measure `likelihood` it is
    the mean log-likelihood of the worked answer's tokens, in nats. `texts[i]`, 16 hexadecimal digits, is a hash of the
    texts asked. `problems` is sorted and without duplicates; a problem of which every draw ended in an error is left
    out. `tokens[i]`, for the measure `likelihood`, is the number of tokens of the worked answer. `originals[i]` is a
    hash of the text without its noise; None if that is not known, as in a baseline. `levels` has, by `factor=level`,
    the mean of each problem over its draws of that level, and NaN where it has none; it is empty for most noises.
    """

    cell: Cell
    settings: Settings
    problems: Array
    values: Array
    draws: Array
    texts: Array
    measure: str = ACCURACY
    tokens: Array | None = None
    originals: Array | None = None
    levels: Mapping[str, Array] = field(default_factory=dict)

    @property
    def comparable_settings(self) -> Settings:
        """The settings without the weights and the chat format: scores of two models are comparable if these are
        equal."""
        return replace(self.settings, weights="", rendered="", base="")

    def is_tuned_from(self, untuned: Scores) -> bool:
        """Return whether these are the scores of a model that was tuned from the `untuned` one, all else being the
        same. Records of an earlier version do not say what a model was tuned from."""
        is_base = self.settings.base in ("", untuned.settings.weights)
        return is_base and self.comparable_settings == untuned.comparable_settings


def all_scores(results: Results, only: Mapping[Cell, Collection[str]] | None = None) -> list[Scores]:
    """Return the scores of all cells that have scores, or of the cells and record ids in `only`.

    Raises `ResultsDamaged`.
    """
    snapshot = Snapshot.of(results)
    cells = filter(has_score, snapshot.cells() if only is None else only)
    scored = (scored_cell(snapshot, cell, None if only is None else only[cell]) for cell in cells)
    return [of_cell.scores for of_cell in scored if of_cell is not None]


def has_score(cell: Cell) -> bool:
    """Whether the records of a cell have a score: attention readings have none."""
    return kind_of(cell.stage).measure is not None


@dataclass(frozen=True, eq=False)
class ScoredCell:
    """The scores of a cell, and how many of its records have each outcome. It keeps no text."""

    scores: Scores
    outcomes: Counter[str]


def scored_cell(snapshot: Snapshot, cell: Cell, only: Collection[str] | None = None) -> ScoredCell | None:
    """Return the scores of a cell, or of the record ids in `only`; None if it has no records. Raises `ResultsDamaged`.

    Those of whole cells are computed once.
    """
    whole, index = snapshot.made(cell, _scored), snapshot.index(cell)
    if only is None or index is None or set(only).issuperset(index.ids):
        return whole
    stored = snapshot.load_cell(cell)
    return None if stored is None else _scored(snapshot, stored, only)


def _scored(results: Results, stored: StoredCell, only: Collection[str] | None = None) -> ScoredCell:
    ids = None if only is None else set(only)
    outcomes = Counter(str(record.outcome) for id, record in stored.records.items() if ids is None or id in ids)
    return ScoredCell(stored_scores(results, stored, ids), outcomes)


def stored_scores(results: Results, stored: StoredCell, only: Collection[str] | None = None) -> Scores:
    """Return the scores of a cell of `results`, or of the record ids in `only`. Raises `ResultsDamaged`."""
    ids = None if only is None else set(only)
    settings = results.settings(stored.settings_hash)
    records = (record for id, record in stored.records.items() if ids is None or id in ids)
    return scores_from_records(stored.cell, settings, records)


def scores_from_records(cell: Cell, settings: Settings, records: Iterable[Record]) -> Scores:
    """Return the scores of the records of one cell. Their kind must have a measure."""
    measure = kind_of(cell.stage).measure
    assert measure is not None, f"the records of stage {cell.stage!r} have no score"
    by_problem: dict[str, list[tuple[str, str, float]]] = {}
    originals: dict[str, set[str]] = {}
    tokens: dict[str, int] = {}
    by_level = LevelScores()
    for record in records:
        if record.outcome != "error":
            problem = sys.intern(problem_of(record.id))  # cells share their ids
            text, score = measure.text(record), measure.score(record)
            by_problem.setdefault(problem, []).append((record.id, text, score))
            is_original = not record.spans and not isinstance(record, Likelihood)
            originals.setdefault(problem, set()).add(text if is_original else measure.text(_original(record)))
            by_level.add(problem, getattr(record, "factors", ()), score)
            tokens[record.id] = record.tokens if isinstance(record, Likelihood) else 0
    problems = sorted(by_problem)
    draws = [sorted(by_problem[problem]) for problem in problems]
    return Scores(
        cell=cell,
        settings=settings,
        problems=numpy.array(problems, dtype=object),
        values=numpy.array([sum(score for _, _, score in of_problem) / len(of_problem) for of_problem in draws]),
        draws=numpy.array([len(of_problem) for of_problem in draws], dtype=int),
        texts=numpy.array([hash_texts(text for _, text, _ in of_problem) for of_problem in draws], dtype="U16"),
        measure=measure.name,
        tokens=numpy.array([max(tokens.get(id, 0) for id, _, _ in of_problem) for of_problem in draws], dtype=int),
        originals=numpy.array([hash_texts(sorted(originals[problem])) for problem in problems], dtype="U16"),
        levels=by_level.means(problems),
    )


def _original(record: Record) -> Record:
    """Return the record with the question that its distractors were added to, whatever the tokens of its answer."""
    question = record.question
    for start, stop in reversed(record.spans):
        question = question[:start] + question[stop:]
    if isinstance(record, Likelihood):
        return replace(record, question=question, tokens=0)
    return replace(record, question=question)


def hash_texts(texts: Iterable[str]) -> str:
    """Return 16 hexadecimal digits that identify a sequence of texts."""
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(joined, digest_size=8).hexdigest()


def pairs_with_different_tokenization(scores: Sequence[Scores]) -> list[tuple[str, str]]:
    """Return the pairs of models that tokenize the same worked answers into different numbers of tokens.

    Their vocabularies differ, so nats per token cannot be compared between them, not even over the problems that happen
    to have the same number of tokens.
    """
    pairs: dict[tuple[str, str], None] = {}
    likelihoods = [cell_scores for cell_scores in scores if cell_scores.measure == LIKELIHOOD]
    for left, right in combinations(likelihoods, 2):
        if left.cell.noise == right.cell.noise and left.cell.model != right.cell.model:
            left_rows, right_rows = row_indices([left, right], shared_problems([left, right]))
            if (
                left.tokens is None
                or right.tokens is None
                or (left.tokens[left_rows] != right.tokens[right_rows]).any()
            ):
                pairs[left.cell.model, right.cell.model] = None
    return list(pairs)


def shared_problems(cells: Sequence[Scores]) -> Array:
    """Return the ids of the problems that all cells have, sorted.

    A problem that is another one in another cell, because the file of the problems was changed between two runs, is
    left out; so is one whose gold answer or grading code was.
    """
    shared = _shared_ids(cells)
    known = [
        scores.originals[row]
        for scores, row in zip(cells, row_indices(cells, shared), strict=True)
        if scores.originals is not None
    ]
    keep = numpy.ones(len(shared), dtype=bool)
    for originals in known[1:]:
        keep &= originals == known[0]
    return shared if keep.all() else shared[keep]


def _shared_ids(cells: Sequence[Scores]) -> Array:
    shared = cells[0].problems
    for cell_scores in cells[1:]:
        if not numpy.array_equal(cell_scores.problems, shared):
            known = set(cell_scores.problems)
            kept = numpy.array([problem in known for problem in shared], dtype=bool)
            shared = shared[kept]  # not numpy.isin, which compares every pair of objects
    return shared


def row_indices(cells: Sequence[Scores], shared: Array) -> list[Any]:
    """Return for each cell the indices of the `shared` problems, which it has all of.

    Both are sorted: a cell with as many problems as `shared` has the same ones.
    """
    return [
        slice(None) if len(scores.problems) == len(shared) else numpy.searchsorted(scores.problems, shared)
        for scores in cells
    ]


def aligned_values(cells: Iterable[Scores], same_text: Iterable[tuple[int, int]] = ()) -> tuple[list[Array], Array]:
    """Return the values of several cells over the problems that all of them have, and the draws of the last cell there.

    `same_text` are pairs of indices into `cells`: only problems that both cells of a pair were asked in the same text
    are kept.
    """
    cells = list(cells)
    shared = shared_problems(cells)
    rows = row_indices(cells, shared)
    keep = numpy.ones(len(shared), dtype=bool)
    for left, right in same_text:
        keep &= cells[left].texts[rows[left]] == cells[right].texts[rows[right]]
    values = [scores.values[row][keep] for scores, row in zip(cells, rows, strict=True)]
    return values, cells[-1].draws[rows[-1]][keep]
