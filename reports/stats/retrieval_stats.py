"""The retrieval test in figures: how much attention a needle gets at each depth of its haystack, and how much noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reports.stats.attention_stats import MeasuredCell, depth_of
from reports.store.atomic_io import ResultsDamaged

if TYPE_CHECKING:
    from reports.stats.attention_stats import Array

Part = Literal["needle", "noise"]
PARTS: dict[Part, str] = {"needle": "needle", "noise": "ni"}
"""Which segment each part is: what a problem states, and the distractors around it."""
RetrievalMeasure = Literal["lift", "absolute"]


@dataclass(frozen=True)
class RetrievalPoint:
    """What a part gets at one `depth` (in %): its `lift`, or its share of `absolute` attention from 0 to 1.

    `mean` and `std` (None for n = 1) are over the `n` problems, each of which is the mean over all measured layers and
    heads.
    """

    model: str
    depth: int
    part: Part
    measure: RetrievalMeasure
    mean: float
    std: float | None
    n: int


def retrieval_points(cells: Iterable[MeasuredCell]) -> list[RetrievalPoint]:
    """The points of the retrieval cells among `cells`, by model and depth as they come. Raises `ResultsDamaged` where
    one of them was not cut into needle and noise."""
    points = []
    for cell in cells:
        depth = depth_of(cell.cell.noise)
        if depth is None:
            continue
        if missing := [segment for segment in PARTS.values() if segment not in cell.segments]:
            found = ", ".join(cell.segments)
            raise ResultsDamaged(f"{cell.cell.id}: expected readings of the segment {missing[0]!r}, found {found}")
        values_of: dict[RetrievalMeasure, Array] = {"lift": cell.lift, "absolute": cell.absolute}
        for measure, values in values_of.items():
            for part, segment in PARTS.items():
                of_problem = values[..., cell.segments.index(segment)].mean(axis=(1, 2))
                n = len(of_problem)
                std = float(of_problem.std(ddof=1)) if n > 1 else None
                mean = float(of_problem.mean())
                points.append(RetrievalPoint(cell.cell.model, depth, part, measure, mean, std, n))
    return points
