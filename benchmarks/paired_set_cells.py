"""The questions of a cell that asks a paired set: the noisy problems of others, beside their clean ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from benchmarks.dataset_files import CERTIFIED, DatasetFiles
from noise.problems.problem import NoisyProblem, Problem
from noise.sets.certify_pair import certificate_refusal, kind_of_reason
from noise.sets.paired_sets import Pair, PairedSet, pairs_of_problems, read_paired_set
from reports.store.records import draw_id

#: Reasons that are named on the terminal; all are in `run.json`.
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class PairedCells:
    """What the cells of one paired set ask: its usable pairs, by problem id.

    `paired` has everything that the file has for the problems of the run, certified or not. `uncertified` counts the
    pairs that were left out because they are not certified, by kind of reason; it is None where all are asked.
    """

    dataset: str
    paired: PairedSet
    by_problem: Mapping[str, Sequence[Pair]]
    uncertified: Mapping[str, int] | None

    def questions(self, sample: Sequence[Problem], draws: int) -> list[NoisyProblem]:
        """Return the noisy problems of a cell: up to `draws` lines of each problem of `sample`, in the file's order.

        The first line of every problem comes first, under the problem's id; later ones have the ids of `draw_id`.
        Raises `ValueError` where no problem of the sample has a line.
        """
        asked = []
        for draw in range(draws):
            for problem in sample:
                pairs = self.by_problem.get(problem.id, ())
                if draw < len(pairs):
                    noisy = replace(pairs[draw].noisy, noise=self.dataset)
                    asked.append(replace(noisy, problem=replace(noisy.problem, id=draw_id(problem.id, draw))))
        if not asked:
            raise ValueError(
                f"{self._typed}: expected noisy lines of the first {len(sample):,} problems, got none of them; ask more"
                " problems, or those that the set was made from"
            )
        return asked

    def sentence(self, sample: Sequence[Problem], draws: int) -> str:
        """Return in one sentence what is asked of the set, and what is not."""
        usable, lines = len(self.paired.pairs), self._lines
        with_line = sum(problem.id in self.by_problem for problem in sample)
        left_out = len(sample) - with_line
        parts = [f"{self.dataset}: {usable:,} of {lines:,} lines can be used"]
        reasons = [f"{len(numbers):,} {reason}" for reason, numbers in self.paired.refused.items()]
        if reasons:
            more = f" and {len(reasons) - _REASONS_SHOWN} more reasons" * (len(reasons) > _REASONS_SHOWN)
            parts.append(f"not used: {', '.join(reasons[:_REASONS_SHOWN])}{more} (all in run.json)")
        if self.uncertified is not None:
            parts.append(f"{sum(self.uncertified.values()):,} are not certified and left out")
        parts.append(
            f"{with_line:,} of {len(sample):,} problems have a line" + ", the others are left out" * bool(left_out)
        )
        unasked = sum(max(0, len(self.by_problem.get(problem.id, ())) - draws) for problem in sample)
        parts += [f"{unasked:,} further lines of them are not asked"] if unasked else []
        return "; ".join(parts)

    def summary(self) -> dict[str, Any]:
        """Return what `run.json` keeps of the set, as JSON values."""
        refused = {
            reason: {"count": len(numbers), "lines": _ranges(numbers)}
            for reason, numbers in self.paired.refused.items()
        }
        kept = {
            "file": self.paired.source,
            "sha256": self.paired.sha256,
            "lines": self._lines,
            "usable": len(self.paired.pairs),
            "problems": len(self.by_problem),
            "refused": refused,
        }
        return kept if self.uncertified is None else {**kept, "not_certified": dict(self.uncertified)}

    @property
    def _lines(self) -> int:
        return len(self.paired.pairs) + sum(map(len, self.paired.refused.values()))

    @property
    def _typed(self) -> str:
        return f"{self.dataset.removesuffix(CERTIFIED)}={self.paired.source}"


def read_paired_cells(dataset: str, files: DatasetFiles, problems: Sequence[Problem]) -> PairedCells:
    """Return what the cells of a paired set, one of `files`, ask of `problems`, all that the run could ask.

    Raises `ValueError` for a file without a usable line, for one that belongs to other problems, and for one without a
    certified line where these alone are asked; what `read_paired_set` raises besides.
    """
    path = files.paired[dataset]
    typed = f"{dataset.removesuffix(CERTIFIED)}={path}"
    paired = read_paired_set(path)
    if not paired.pairs:
        raise ValueError(
            f"{typed}: expected lines with a question and its original question, got none: {paired.counts()}"
        )
    by_problem, paired = pairs_of_problems(problems, paired)
    if not by_problem:
        raise ValueError(
            f"{typed}: expected noisy lines of the problems that are asked, got none among its lines"
            f" ({paired.counts()}): the file belongs to other problems"
        )
    if not files.certified_only:
        return PairedCells(dataset, paired, by_problem, None)
    certified, reasons = dict[str, list[Pair]](), Counter[str]()
    for problem, pairs in by_problem.items():
        for pair in pairs:
            reason = certificate_refusal(pair.noisy)
            if reason is None:
                certified.setdefault(problem, []).append(pair)
            else:
                reasons[kind_of_reason(reason)] += 1
    if not certified:
        raise ValueError(
            f"{typed}: expected certified lines, got none among {sum(reasons.values()):,};"
            f" `python -m noise audit {path}` says why"
        )
    return PairedCells(dataset, paired, certified, dict(reasons.most_common()))


def _ranges(numbers: Sequence[int]) -> str:
    """Return line numbers as in `1-7, 9`."""
    parts = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda item: item[1] - item[0]):
        values = [number for _, number in run]
        parts.append(str(values[0]) if len(values) == 1 else f"{values[0]}-{values[-1]}")
    return ", ".join(parts)
