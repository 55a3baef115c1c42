"""The regression gate: a cell fails if its accuracy is significantly below its baseline's on the same problems."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from reports.gate.baseline_file import (
    BaselineDiffers,
    BaselineError,
    BaselineLacksCells,
    BaselineMissing,
    NothingToCompare,
    read_baseline,
)
from reports.stats.paired_tests import ALPHA, Array, Differences, interval, p_value
from reports.stats.power import detectable_effect
from reports.stats.problem_scores import Scores
from reports.store.atomic_io import display_path
from reports.store.record_codec import settings_differences
from reports.store.records import Cell
from reports.store.spreadsheet_safe_csv import write_csv
from reports.tables.text_wrap import wrapped

CHANGES_FILE = "baseline.csv"
"""Name of the table, in a results folder, of the answers that differ from the baseline."""
_IDS_SHOWN = 20


@dataclass(frozen=True)
class Gate:
    """A baseline, and how much a cell may lose against it.

    `tolerance` is a fraction. `alpha` is the chance of any false alarm among all cells that are compared with it.
    """

    path: Path
    baseline: Mapping[Cell, Scores]
    tolerance: float = 0.0
    alpha: float = ALPHA

    def require(self, cells: Sequence[Cell]) -> None:
        """Raise `NothingToCompare` if there is no cell, and `BaselineLacksCells` if the baseline lacks one of them."""
        if not cells:
            message = (
                f"the baseline {display_path(self.path)} has nothing to be compared with: no case with an accuracy"
            )
            raise NothingToCompare(self.path, f"{message} is selected (stages zero_shot and sft)")
        lacking = [cell.id for cell in cells if cell not in self.baseline]
        if lacking:
            more = f" and {len(lacking) - 1:,} more cells" if len(lacking) > 1 else ""
            known = ", ".join(cell.id for cell in list(self.baseline)[:4]) + (", …" if len(self.baseline) > 4 else "")
            message = f"the baseline {display_path(self.path)} has no {lacking[0]}{more}; it has {known or 'no cell'}"
            raise BaselineLacksCells(self.path, message)

    def too_few_problems_message(self, cell: Cell, problems: int, cells: int) -> str | None:
        """Return a sentence that says that so few problems of a cell, one of `cells`, cannot show any loss; None if
        they can."""
        alpha = self.alpha / cells
        if 0.5**problems <= alpha:
            return None
        least = math.ceil(-math.log2(alpha))
        return (
            f"{cell.id}: {problems:,} problem{'s' * (problems != 1)} cannot show any loss at {self.alpha:g} /"
            f" {cells} cells; ask at least {least:,}"
        )

    def check_asked(self, cell: Cell, problems: Sequence[str], known: Mapping[str, Any]) -> None:
        """Raise `BaselineDiffers` if the baseline lacks some of the `problems` that a cell will be asked, or was made
        under other settings than those `known` before, by name."""
        baseline_scores = self.baseline[cell]
        where = f"{cell.id}: the baseline {display_path(self.path)}"
        settings = replace(baseline_scores.settings, **known)
        if settings != baseline_scores.settings:
            differences = settings_differences(baseline_scores.settings, settings)
            raise BaselineDiffers(self.path, f"{where} has other settings: {differences}")
        self._check_problems(where, baseline_scores, problems)

    def _check_problems(self, where: str, baseline_scores: Scores, problems: Iterable[str]) -> None:
        asked, known = list(problems), set(baseline_scores.problems)
        unknown = [problem for problem in asked if problem not in known]
        if unknown:
            raise BaselineDiffers(
                self.path,
                f"{where} has {len(known):,} problems, and {len(unknown):,} of the {len(asked):,} asked now are not"
                f" among them, such as {unknown[0]!r}",
            )

    def loss(self, current: Scores, cells: int) -> Loss:
        """Return what the cell of `current` lost, as one of `cells` that are compared with the baseline.

        Raises `BaselineLacksCells` if the baseline lacks the cell, and `BaselineDiffers` if it lacks one of the
        problems or has other settings or texts.
        """
        self.require([current.cell])
        baseline_scores = self.baseline[current.cell]
        where = f"{current.cell.id}: the baseline {display_path(self.path)}"
        if baseline_scores.comparable_settings != current.comparable_settings:
            differences = settings_differences(baseline_scores.comparable_settings, current.comparable_settings)
            raise BaselineDiffers(self.path, f"{where} has other settings: {differences}")
        self._check_problems(where, baseline_scores, current.problems)
        rows = numpy.searchsorted(baseline_scores.problems, current.problems)
        changed = current.problems[baseline_scores.texts[rows] != current.texts]
        if len(changed):
            raise BaselineDiffers(
                self.path,
                f"{where} has another text or gold answer for {len(changed):,} of the {len(current.problems):,}"
                f" problems, such as {changed[0]!r}: the source of the problems, the seed or the number of draws"
                " differ",
            )
        return Loss(self, current.cell, current.problems, baseline_scores.values[rows], current.values, cells)


@dataclass(frozen=True, eq=False)
class Loss:
    """The scores of a cell before (in the baseline) and after, problem by problem."""

    gate: Gate
    cell: Cell
    problems: Array
    before: Array
    after: Array
    cells: int

    @cached_property
    def differences(self) -> Differences:
        """What each problem lost, before − after."""
        return Differences(self.before - self.after)

    @cached_property
    def p(self) -> float:
        """The one-sided exact p value: the probability of at least this loss if nothing was lost."""
        p = p_value(self.differences, "greater")
        return 1.0 if p is None else p

    @cached_property
    def failed(self) -> bool:
        """Whether the loss is significant at alpha divided by the number of cells (Bonferroni).

        With a tolerance, the lower end of the loss's interval at that level must exceed it too.
        """
        alpha = self.gate.alpha / self.cells
        if self.p > alpha:
            return False
        bounds = interval(self.differences, 1 - 2 * alpha)
        return not self.gate.tolerance or (bounds is not None and bounds[0] > self.gate.tolerance)

    @property
    def flipped(self) -> tuple[list[str], list[str]]:
        """The problems that were answered better in the baseline, and those that are answered better now."""
        return list(self.problems[self.before > self.after]), list(self.problems[self.before < self.after])

    @property
    def too_few_problems_message(self) -> str | None:
        """A sentence that says that so few problems cannot show any loss; None if they can."""
        return self.gate.too_few_problems_message(self.cell, len(self.problems), self.cells)

    @cached_property
    def detectable(self) -> float | None:
        """The loss that the gate detects with a power of 80 %.

        None if no loss from so low a baseline is significant, and with a tolerance, for which it is not computed.
        """
        alpha = self.gate.alpha / self.cells
        if self.gate.tolerance or 0.5 ** numpy.count_nonzero(self.before) > alpha:
            return None
        smallest = detectable_effect(self.differences, 2 * alpha)
        return None if smallest is None or smallest > self.before.mean() else smallest

    def facts(self) -> dict[str, float | int | str]:
        """Return the user properties of the case: plain values, accuracies as fractions; absent values are left out."""
        low, high = interval(self.differences) or (None, None)
        facts = {
            "baseline_loss": self.differences.mean,
            "baseline_loss_low": low,
            "baseline_loss_high": high,
            "baseline_p": self.p,
            "baseline_problems": self.differences.n,
            "baseline_detectable": self.detectable,
            "baseline_verdict": "lower" if self.failed else "not lower",
        }
        return {name: value for name, value in facts.items() if value is not None}

    def __str__(self) -> str:
        """Return how much was lost, how sure that is, and on which problems."""
        gate, name = self.gate, display_path(self.gate.path)
        low, high = interval(self.differences) or (self.differences.mean, self.differences.mean)
        worse, better = self.flipped
        more = f", and more than the tolerance of {100 * gate.tolerance:g} points" if gate.tolerance else ""
        return "\n".join(
            [
                f"{self.cell.id} lost {100 * self.differences.mean:.1f} points of accuracy:"
                f" {100 * self.after.mean():.1f} % now, {100 * self.before.mean():.1f} % in {name}",
                f"  95 % interval {100 * low:.1f} to {100 * high:.1f} points, p = {self.p:.2g} over"
                f" {self.differences.n:,} problems: significant at {gate.alpha:g} / {self.cells} cells{more}",
                *_ids("worse now", worse),
                *_ids("better now", better),
            ]
        )


def read_gate(path: Path, tolerance: float, alpha: float) -> Gate:
    """Return the gate of the baseline at `path`, `tolerance` in points.

    Raises `BaselineMissing` for a missing file, and `BaselineUnreadable` for a file that is not a baseline.
    """
    if not path.exists():
        raise BaselineMissing(path, f"the baseline {display_path(path)} does not exist")
    return Gate(path, read_baseline(path), tolerance / 100, alpha)


def write_changes(path: Path, gate: Gate, scores: Iterable[Scores]) -> int:
    """Write a row for each problem that was answered otherwise than in the baseline, and return their number.

    Cells that cannot be compared with it are left out. Raises `ResultsFolderError`.
    """
    import pandas

    rows = []
    for current in scores:
        try:
            loss = gate.loss(current, cells=1)
        except BaselineError:
            continue  # the cell's own case has reported it
        for row in numpy.flatnonzero(loss.before != loss.after):
            rows.append(
                {
                    **asdict(loss.cell),
                    "problem": loss.problems[row],
                    "baseline": loss.before[row],
                    "now": loss.after[row],
                }
            )
    table = pandas.DataFrame(rows, columns=["model", "noise", "stage", "problem", "baseline", "now"])
    write_csv(table, path)
    return len(rows)


def _ids(heading: str, problems: Sequence[str]) -> list[str]:
    more = f" and {len(problems) - _IDS_SHOWN:,} more" if len(problems) > _IDS_SHOWN else ""
    line = f"{len(problems):,} {heading}" + (f": {', '.join(problems[:_IDS_SHOWN])}{more}" if problems else "")
    return wrapped(line, 80, "  ", "    ")
