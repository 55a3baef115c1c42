"""Means over noises: over which, what they are called, and a mean as the scores of one cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy

from reports.stats.noise_doses import once
from reports.stats.problem_scores import Scores, hash_of, rows_with, shared_problems

Cells = list[Scores]


class Means:
    """Which noises means are taken over among the cells of one stage and measure, by model and noise.

    Of each noise the smallest dose is taken. Models are compared over what both have, and what each loses is given over
    that as well, so that figures of one name are always over the same noises.
    """

    def __init__(self, by_model: Mapping[str, Mapping[str, Scores]]) -> None:
        self._by_model = by_model
        self._whole = once(noise for of_model in by_model.values() for noise in of_model)

    def name(self, noises: Iterable[str]) -> str:
        """`all 3` for all noises of the stage, or else which they are, as `inf+sd`."""
        names = list(noises)
        return f"all {len(names)}" if names == self._whole else "+".join(names)

    def own(self, model: str) -> Cells:
        """A model's cells of two noises or more, made under the same settings; empty where there are none."""
        return self._cells(model, self._by_model[model])

    def shared(self, model: str, other: str) -> tuple[Cells, Cells]:
        """The cells of both, over the noises that both have; empty where these are less than two."""
        noises = self._both(model, other)
        if len(noises) < 2:
            return [], []
        mine, theirs = ([self._by_model[name][noise] for noise in noises] for name in (model, other))
        return mine, theirs

    def of(self, model: str) -> list[Cells]:
        """Every set of a model's cells that a mean is wanted of: its own, and what it shares with each other model."""
        every = [self.own(model), *(self._cells(model, self._both(model, other)) for other in self._by_model)]
        return list({tuple(one.cell for one in cells): cells for cells in every if cells}.values())

    def _both(self, model: str, other: str) -> list[str]:
        return once(noise for noise in self._by_model[model] if noise in self._by_model[other])

    def _cells(self, model: str, noises: Iterable[str]) -> Cells:
        cells = [self._by_model[model][noise] for noise in once(noises)]
        same = [one for one in cells if one.settings == cells[0].settings]
        return same if len(same) > 1 else []


def averaged(some: Sequence[Scores], name: str) -> Scores:
    """Several cells of one model as one, over the problems that all of them have: a problem's value is the mean of its
    values, whatever their draws, and its text stands for all of them. `name` is what its noise is called."""
    shared = shared_problems(some)
    rows = rows_with(some, shared)
    texts = zip(*(one.texts[row] for one, row in zip(some, rows, strict=True)), strict=True)
    return replace(
        some[0],
        cell=replace(some[0].cell, noise=name),
        problems=shared,
        values=numpy.mean([one.values[row] for one, row in zip(some, rows, strict=True)], axis=0),
        draws=numpy.sum([one.draws[row] for one, row in zip(some, rows, strict=True)], axis=0),
        texts=numpy.array([hash_of(of_problem) for of_problem in texts], dtype="U16"),
    )
