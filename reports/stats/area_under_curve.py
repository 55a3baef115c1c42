"""How well a number per problem tells two classes of problems apart: the area under the ROC curve."""

from __future__ import annotations

from reports.stats.paired_tests import LEVEL, Array

_BESIDE = 1e-9


def area(positives: Array, negatives: Array) -> float:
    """Return the probability that a value of `positives` is above one of `negatives`; a tie counts one half.

    It is the area under the ROC curve, and U / (m n) of Mann and Whitney. Neither may be empty.
    """
    from scipy.stats import rankdata

    m, n = len(positives), len(negatives)
    ranks = rankdata([*positives, *negatives])
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def area_interval(estimate: float, m: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the confidence interval of an area over `m` positives and `n` negatives.

    It holds the areas θ from which the estimate differs by at most z standard errors at θ, with the variance of Hanley
    & McNeil (Radiology 143, 1982), in which (m + n) / 2 stands for both m and n (method 5 of Newcombe, Stat. Med. 25,
    2006, pp. 559-573). So it is not empty at 0 or 1, where DeLong's interval is.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z, others = norm.ppf((1 + level) / 2), (m + n) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return float((estimate - theta) ** 2 - z**2 * theta * (1 - theta) * spread / (m * n))

    # At 0 and 1 the excess is 0 as well where that is the estimate, so the other bound is sought from beside it.
    low = 0.0 if estimate == 0 else brentq(excess, 0.0, min(estimate, 1 - _BESIDE))
    high = 1.0 if estimate == 1 else brentq(excess, max(estimate, _BESIDE), 1.0)
    return float(low), float(high)
