"""The retrieval test in figures: how much attention a needle gets at each depth of its haystack, and how much noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reports.attention import MeasuredCell, depth_of

Part = Literal["needle", "noise"]
PARTS: dict[Part, tuple[str, ...]] = {"needle": ("kmi", "oc"), "noise": ("ni",)}
"""Which segments each part is made of."""


@dataclass(frozen=True)
class RetrievalPoint:
    """The share of absolute attention, from 0 to 1, that a part gets at one `depth` (in %): mean over all measured
    layers and heads in each problem, then mean and std (None for n = 1) over the `n` problems."""

    model: str
    depth: int
    part: Part
    mean: float
    std: float | None
    n: int


def retrieval_points(cells: Iterable[MeasuredCell]) -> list[RetrievalPoint]:
    """The points of the retrieval cells among `cells`, by model and depth as they come."""
    points = []
    for cell in cells:
        depth = depth_of(cell.cell.noise)
        if depth is None:
            continue
        shares = cell.absolute.mean(axis=(1, 2))
        for part, segments in PARTS.items():
            wanted = [number for number, segment in enumerate(cell.segments) if segment in segments]
            of_problem = shares[:, wanted].sum(axis=1)
            n = len(of_problem)
            std = float(of_problem.std(ddof=1)) if n > 1 else None
            points.append(RetrievalPoint(cell.cell.model, depth, part, float(of_problem.mean()), std, n))
    return points
