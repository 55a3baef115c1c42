"""The gate of a CI: a cell fails whose accuracy is significantly below its baseline's on the same problems."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy

from reports.gate.baseline_file import BaselineError, read_baseline
from reports.stats.paired_tests import ALPHA, Array, Differences, interval, p_value
from reports.stats.power import detectable
from reports.stats.problem_scores import Scores
from reports.store.atomic_io import shown, write_atomically
from reports.store.record_codec import settings_differences
from reports.store.records import Cell
from reports.tables.text_wrap import wrapped

_IDS_SHOWN = 20


@dataclass(frozen=True)
class Gate:
    """A baseline and how much below it is too much: `tolerance` as a fraction, `alpha` the chance of any false alarm
    among all cells that are held against it."""

    path: Path
    baseline: Mapping[Cell, Scores]
    tolerance: float = 0.0
    alpha: float = ALPHA

    def missing(self, cells: Sequence[Cell]) -> str | None:
        """In a sentence, which of `cells` the baseline does not have, or that there are none; None if all is well."""
        if not cells:
            return f"--baseline {shown(self.path)}: no case is selected that has an accuracy (stages zero_shot and sft)"
        lacking = [cell.id for cell in cells if cell not in self.baseline]
        if not lacking:
            return None
        more = f" and {len(lacking) - 1:,} more cells" if len(lacking) > 1 else ""
        known = ", ".join(cell.id for cell in list(self.baseline)[:4]) + (", …" if len(self.baseline) > 4 else "")
        return (
            f"the baseline {shown(self.path)} has no {lacking[0]}{more}; it has {known or 'no cell'}. Add what is"
            f" missing, and that alone (-k): --save-baseline {shown(self.path)} in place of --baseline"
        )

    def loss(self, now: Scores, cells: int) -> Loss:
        """What the cell of `now` lost, as one of `cells` that are held against the baseline.

        Raises `BaselineError` where the baseline lacks the cell or one of its problems, or was made otherwise.
        """
        lacking = self.missing([now.cell])
        if lacking:
            raise BaselineError(lacking)
        then = self.baseline[now.cell]
        remedy = f"Make it anew (--save-baseline {shown(self.path)}), or run as it was made"
        where = f"{now.cell.id}: the baseline {shown(self.path)}"
        if then.alike != now.alike:
            raise BaselineError(
                f"{where} was made under other settings: {settings_differences(then.alike, now.alike)}. {remedy}"
            )
        known = set(then.problems)
        strangers = [problem for problem in now.problems if problem not in known]
        if strangers:
            raise BaselineError(
                f"{where} has {len(then.problems):,} problems, and {len(strangers):,} of the {len(now.problems):,}"
                f" asked now are not among them, such as {strangers[0]!r}. {remedy}"
            )
        rows = numpy.searchsorted(then.problems, now.problems)
        others = now.problems[then.texts[rows] != now.texts]
        if len(others):
            raise BaselineError(
                f"{where} was asked {len(others):,} of the {len(now.problems):,} problems in another text, such as"
                f" {others[0]!r}, so the two differ in --problems, --seed or --noise-seeds. {remedy}"
            )
        return Loss(self, now.cell, now.problems, then.values[rows], now.values, cells)


@dataclass(frozen=True, eq=False)
class Loss:
    """A cell against its baseline, problem by problem."""

    gate: Gate
    cell: Cell
    problems: Array
    before: Array
    after: Array
    cells: int

    @cached_property
    def differences(self) -> Differences:
        """What each problem lost."""
        return Differences(self.before - self.after)

    @cached_property
    def p(self) -> float:
        """One-sided, exact: how probable so large a loss is where nothing was lost."""
        found = p_value(self.differences, "greater")
        return 1.0 if found is None else found

    @cached_property
    def failed(self) -> bool:
        """Whether the loss is significant at alpha divided by the number of cells (Bonferroni), and so is that it is
        more than the tolerance."""
        alpha = self.gate.alpha / self.cells
        if self.p > alpha:
            return False
        bounds = interval(self.differences, 1 - 2 * alpha)
        return not self.gate.tolerance or (bounds is not None and bounds[0] > self.gate.tolerance)

    @property
    def flipped(self) -> tuple[list[str], list[str]]:
        """The problems that were answered better in the baseline, and those that are now."""
        return list(self.problems[self.before > self.after]), list(self.problems[self.before < self.after])

    @property
    def blind(self) -> str | None:
        """In a sentence, that so few problems cannot show any loss; None where they can."""
        alpha = self.gate.alpha / self.cells
        if 0.5 ** len(self.problems) <= alpha:
            return None
        least = math.ceil(-math.log2(alpha))
        return (
            f"{self.cell.id}: {len(self.problems):,} problems cannot show any loss at {self.gate.alpha:g} /"
            f" {self.cells} cells; ask at least {least:,}"
        )

    @cached_property
    def detectable(self) -> float | None:
        """The loss that the gate finds with a power of 80 %; None where no loss from so low a baseline is significant,
        and with a tolerance, where it is not computed."""
        alpha = self.gate.alpha / self.cells
        if self.gate.tolerance or 0.5 ** numpy.count_nonzero(self.before) > alpha:
            return None
        found = detectable(self.differences, 2 * alpha)
        return None if found is None or found > self.before.mean() else found

    def facts(self) -> dict[str, float | int | str]:
        """For the record of a case: plain values, accuracies as fractions; what there is not is not there."""
        low, high = interval(self.differences) or (None, None)
        found = {
            "baseline_loss": self.differences.mean,
            "baseline_loss_low": low,
            "baseline_loss_high": high,
            "baseline_p": self.p,
            "baseline_problems": self.differences.n,
            "baseline_detectable": self.detectable,
            "baseline_verdict": "lower" if self.failed else "not lower",
        }
        return {name: value for name, value in found.items() if value is not None}

    def __str__(self) -> str:
        """By how much, how sure, on which problems, and how to accept it."""
        gate, name = self.gate, shown(self.gate.path)
        low, high = interval(self.differences) or (self.differences.mean, self.differences.mean)
        lost, won = self.flipped
        more = f", and more than --tolerance {100 * gate.tolerance:g}" if gate.tolerance else ""
        return "\n".join(
            [
                f"{self.cell.id} lost {100 * self.differences.mean:.1f} points of accuracy:"
                f" {100 * self.after.mean():.1f} % now, {100 * self.before.mean():.1f} % in {name}",
                f"  95 % interval {100 * low:.1f} to {100 * high:.1f} points, p = {self.p:.2g} over"
                f" {self.differences.n:,} problems: significant at {gate.alpha:g} / {self.cells} cells{more}",
                *_ids("worse now", lost),
                *_ids("better now", won),
                f"  to accept it, run the same with --save-baseline {name} in place of --baseline {name}",
            ]
        )


def read_gate(path: Path, tolerance: float, alpha: float) -> Gate:
    """The gate of the baseline at `path`, `tolerance` in points. Raises `BaselineError`."""
    if not path.exists():
        raise BaselineError(
            f"--baseline {shown(path)}: there is no such file; make it with --save-baseline {shown(path)} where the"
            " accuracy is as it should be"
        )
    return Gate(path, read_baseline(path), tolerance / 100, alpha)


def write_flips(path: Path, gate: Gate, scores: Iterable[Scores]) -> int:
    """Writes a row for each problem that was not answered as in the baseline, and gives their number. Cells that cannot
    be held against it are left out. Raises `ResultsFolderError`."""
    import pandas

    rows = []
    for now in scores:
        try:
            loss = gate.loss(now, cells=1)
        except BaselineError:
            continue  # which its case has said
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
    write_atomically(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode())
    return len(rows)


def _ids(words: str, problems: Sequence[str]) -> list[str]:
    more = f" and {len(problems) - _IDS_SHOWN:,} more" if len(problems) > _IDS_SHOWN else ""
    said = f"{len(problems):,} {words}" + (f": {', '.join(problems[:_IDS_SHOWN])}{more}" if problems else "")
    return wrapped(said, 80, "  ", "    ")
