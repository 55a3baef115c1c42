"""Retrieval statistics: how much attention the needle and the noise get at each depth of the haystack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reports.stats.attention_stats import MeasuredCell, needle_depth
from reports.store.atomic_io import ResultsDamaged

if TYPE_CHECKING:
    from reports.stats.attention_stats import Array

Part = Literal["needle", "noise"]
PARTS: dict[Part, str] = {"needle": "needle", "noise": "ni"}
"""The segment of each part: the statement of the problem, and the distractors around it."""
RetrievalMeasure = Literal["lift", "absolute"]


@dataclass(frozen=True)
class RetrievalPoint:
    """Attention to a part at one `depth` (in %): its `lift`, or its share of `absolute` attention from 0 to 1.

    `mean` and `std` (None for n = 1) are over `n` problems. The value of a problem is the mean over all measured layers
    and heads.
    """

    model: str
    depth: int
    part: Part
    measure: RetrievalMeasure
    mean: float
    std: float | None
    n: int


def retrieval_points(cells: Iterable[MeasuredCell]) -> list[RetrievalPoint]:
    """Return the points of the retrieval cells among `cells`, in their order.

    Raises `ResultsDamaged` if a cell has no segment for the needle or the noise.
    """
    points = []
    for cell in cells:
        depth = needle_depth(cell.cell.noise)
        if depth is None:
            continue
        if missing := [segment for segment in PARTS.values() if segment not in cell.segments]:
            segments = ", ".join(cell.segments)
            raise ResultsDamaged(f"{cell.cell.id}: expected readings of the segment {missing[0]!r}, got {segments}")
        by_measure: dict[RetrievalMeasure, Array] = {"lift": cell.lift, "absolute": cell.absolute}
        for measure, values in by_measure.items():
            for part, segment in PARTS.items():
                problem_means = values[..., cell.segments.index(segment)].mean(axis=(1, 2))
                n = len(problem_means)
                std = float(problem_means.std(ddof=1)) if n > 1 else None
                mean = float(problem_means.mean())
                points.append(RetrievalPoint(cell.cell.model, depth, part, measure, mean, std, n))
    return points
