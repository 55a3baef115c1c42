"""Means over noises: which noises a mean is over, its label, and the mean as the scores of one cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy

from reports.stats.noise_doses import smallest_doses
from reports.stats.problem_scores import Scores, hash_texts, row_indices, shared_problems


class NoiseMeans:
    """The sets of cells that means over noises are taken over, within one stage and measure.

    Each noise enters with its smallest dose. Two models are compared over the noises that both have, and the loss of
    each is also given over that set, so that all rows of one label are over the same noises.
    """

    def __init__(self, by_model: Mapping[str, Mapping[str, Scores]]) -> None:
        self._by_model = by_model
        self._all_noises = smallest_doses(noise for by_noise in by_model.values() for noise in by_noise)

    def label(self, noises: Iterable[str]) -> str:
        """Return `all 3` for all noises of the stage, otherwise their names, as `inf+sd`."""
        names = list(noises)
        return f"all {len(names)}" if names == self._all_noises else "+".join(names)

    def noisy_cells(self, model: str) -> list[Scores]:
        """Return the cells of a model with two noises or more, made under the same settings; otherwise nothing."""
        return self._cells_of(model, self._by_model[model])

    def shared_cells(self, model: str, against: str) -> tuple[list[Scores], list[Scores]]:
        """Return the cells of each model over the noises that both have; nothing if these are fewer than two."""
        noises = self._shared_noises(model, against)
        if len(noises) < 2:
            return [], []
        left, right = ([self._by_model[name][noise] for noise in noises] for name in (model, against))
        return left, right

    def cell_sets(self, model: str) -> list[list[Scores]]:
        """Return every set of a model's cells to average: all its noises, and those shared with each other model."""
        sets = [
            self.noisy_cells(model),
            *(self._cells_of(model, self._shared_noises(model, against)) for against in self._by_model),
        ]
        return list({tuple(scores.cell for scores in cells): cells for cells in sets if cells}.values())

    def _shared_noises(self, model: str, against: str) -> list[str]:
        return smallest_doses(noise for noise in self._by_model[model] if noise in self._by_model[against])

    def _cells_of(self, model: str, noises: Iterable[str]) -> list[Scores]:
        cells = [self._by_model[model][noise] for noise in smallest_doses(noises)]
        comparable = [scores for scores in cells if scores.settings == cells[0].settings]
        return comparable if len(comparable) > 1 else []


def mean_over_noises(cells: Sequence[Scores], label: str) -> Scores:
    """Return several cells of one model as one cell, whose noise is `label`, over the problems that all of them have.

    The value of a problem is the mean of its values, whatever their draws. Its text is a hash of all its texts.
    """
    shared = shared_problems(cells)
    rows = row_indices(cells, shared)
    originals = cells[0].originals
    texts = zip(*(scores.texts[row] for scores, row in zip(cells, rows, strict=True)), strict=True)
    return replace(
        cells[0],
        cell=replace(cells[0].cell, noise=label),
        problems=shared,
        values=numpy.mean([scores.values[row] for scores, row in zip(cells, rows, strict=True)], axis=0),
        draws=numpy.sum([scores.draws[row] for scores, row in zip(cells, rows, strict=True)], axis=0),
        texts=numpy.array([hash_texts(of_problem) for of_problem in texts], dtype="U16"),
        originals=None if originals is None else originals[rows[0]],
        levels={},
    )
