"""The difference between two levels of a factor: other problems in each, the same ones, or some of both.

A problem counts once in each level that it has a draw of. Where the two levels have no problem in common, the standard
error is Welch's; where they have all, it is that of paired differences; between these a problem is a cluster
(Liang & Zeger, Biometrika 73, 1986), whose deviations in the two levels are subtracted before they are squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from reports.stats.paired_tests import LEVEL, Array
from reports.stats.power import POWER


@dataclass(frozen=True, eq=False)
class LevelContrast:
    """Values of problems under two levels of a factor, NaN where a problem has no draw of the level.

    Values lie between −`bound` and `bound`, which is infinite for measurements.
    """

    first: Array
    second: Array
    bound: float = 1.0

    @cached_property
    def clusters(self) -> int:
        """The number of problems that have a value under either level."""
        return int((~(numpy.isnan(self.first) & numpy.isnan(self.second))).sum())

    @cached_property
    def estimate(self) -> float | None:
        """The mean under the first level minus that under the second; None where one of them has no problem."""
        if numpy.isnan(self.first).all() or numpy.isnan(self.second).all():
            return None
        return float(numpy.nanmean(self.first) - numpy.nanmean(self.second))

    @cached_property
    def _centre_and_error(self) -> tuple[float, float] | None:
        """The centre of the interval and its standard error; None where there are too few problems.

        Bounded values are adjusted as in Agresti & Caffo (Am. Stat. 54, 2000, p. 280): each level gets two more values,
        one half above and below 0 as a success and a failure are of their mean, so that no interval is empty.
        """
        first, second = self.first, self.second
        if numpy.isfinite(self.bound):
            none = numpy.full(2, numpy.nan)
            first = numpy.concatenate([first, [0.5, -0.5], none])
            second = numpy.concatenate([second, none, [0.5, -0.5]])
        counts = [int((~numpy.isnan(values)).sum()) for values in (first, second)]
        if self.estimate is None or min(counts) < 2:
            return None
        parts = [
            numpy.nan_to_num((values - numpy.nanmean(values)) / numpy.sqrt(count * (count - 1)))
            for values, count in zip((first, second), counts, strict=True)
        ]
        error = float(numpy.sqrt(((parts[0] - parts[1]) ** 2).sum()))
        return float(numpy.nanmean(first) - numpy.nanmean(second)), error

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """Return the confidence interval, within twice the bounds; None where there is none."""
        if self._centre_and_error is None or not self._centre_and_error[1]:
            return None
        centre, error = self._centre_and_error
        half = float(self._distribution.ppf((1 + level) / 2)) * error
        return max(-2 * self.bound, centre - half), min(2 * self.bound, centre + half)

    def p_value(self) -> float | None:
        """Return the two-sided p of no difference, by the interval's own centre and error: below 0.05 exactly where the
        95 % interval leaves out 0. None where there is no interval."""
        if self._centre_and_error is None or not self._centre_and_error[1]:
            return None
        centre, error = self._centre_and_error
        return float(2 * self._distribution.sf(abs(centre) / error))

    def detectable(self, alpha: float) -> float | None:
        """Return the smallest difference that is shown in 80 % of runs at `alpha`; None where there is no interval."""
        from scipy.stats import norm

        if self._centre_and_error is None or not self._centre_and_error[1]:
            return None
        return float(norm.ppf(1 - alpha / 2) + norm.ppf(POWER)) * self._centre_and_error[1]

    def needed(self, alpha: float) -> int | None:
        """Return how many problems show the estimate in 80 % of runs at `alpha`; None for an estimate of 0."""
        shown = self.detectable(alpha)
        if shown is None or not self.estimate:
            return None
        return round(self.clusters * (shown / abs(self.estimate)) ** 2)

    @cached_property
    def _distribution(self) -> Any:
        """Normal for bounded values, which are adjusted, and otherwise Student's over the problems."""
        from scipy.stats import norm, t

        return norm if numpy.isfinite(self.bound) else t(self.clusters - 1)
