"""Means over noises: which noises a mean is over, its label, and the mean as the scores of one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy

from reports.stats.noise_doses import smallest_doses
from reports.stats.problem_scores import Scores, hash_texts, row_indices, shared_problems
from reports.store.replicates import split_replicate

#: The placebo that a noise's cost beyond its length is measured against.
FILLER = "filler"


class NoiseMeans:
    """The sets of cells that means over noises are taken over, within one stage and measure.

    Each noise enters with its smallest dose. Two models are compared over the noises that both have, and the loss of
    each is also given over that set, so that all rows of one label are over the same noises. Two families with several
    replicates are compared over the noises that most of their pairs have; a pair with others has a mean of its own.
    """

    def __init__(self, by_model: Mapping[str, Mapping[str, Scores]]) -> None:
        self.by_model = by_model
        self._all_noises = smallest_doses(noise for by_noise in by_model.values() for noise in by_noise)

    def label(self, noises: Iterable[str]) -> str:
        """Return `all 3` for all noises of the stage, otherwise their names, as `inf+sd`."""
        names = list(noises)
        return f"all {len(names)}" if names == self._all_noises else "+".join(names)

    def noisy_cells(self, model: str) -> list[Scores]:
        """Return the cells of a model with two noises or more, made under the same settings; otherwise nothing."""
        return self._cells_of(model, self.by_model[model])

    def shared_cells(self, model: str, against: str) -> tuple[list[Scores], list[Scores]]:
        """Return the cells of each model over the noises that both have; nothing if these are fewer than two."""
        noises = self._shared_noises(model, against)
        if len(noises) < 2:
            return [], []
        left, right = ([self.by_model[name][noise] for noise in noises] for name in (model, against))
        return left, right

    def cell_sets(self, model: str) -> list[list[Scores]]:
        """Return every set of a model's cells to average: all its noises, and those shared with each other model."""
        others = [name for name in self.by_model if split_replicate(name)[0] != split_replicate(model)[0]]
        sets = [
            self.noisy_cells(model),
            *(self._cells_of(model, self._shared_noises(model, against)) for against in others),
        ]
        return list({tuple(scores.cell for scores in cells): cells for cells in sets if cells}.values())

    def filled_noises(self, model: str, against: str) -> list[str]:
        """Return the noises that both models were asked with, beside filler of the same length."""
        return self._usual(self._own_filled, model, against)

    def _shared_noises(self, model: str, against: str) -> list[str]:
        return self._usual(self._own_shared, model, against)

    def _own_shared(self, model: str, against: str) -> list[str]:
        return smallest_doses(noise for noise in self.by_model[model] if noise in self.by_model[against])

    def _own_filled(self, model: str, against: str) -> list[str]:
        both = [noise for noise in self.by_model[model] if noise in self.by_model[against]]
        return smallest_doses(noise for noise in both if f"{FILLER}:{noise}" in both)

    def _usual(self, of_pair: Callable[[str, str], list[str]], model: str, against: str) -> list[str]:
        """Return the noises that most pairs of the two models' families have, if this pair has them; else its own."""
        own = of_pair(model, against)
        families = [split_replicate(name)[0] for name in (model, against)]
        numbered = {split_replicate(name): name for name in self.by_model}
        numbers = [number for family, number in numbered if family == families[0]]
        pairs = [tuple(numbered.get((family, number), "") for family in families) for number in numbers]
        counts = Counter(tuple(of_pair(left, right)) for left, right in pairs if left and right)
        usual = max(counts, key=lambda noises: (counts[noises], len(noises)), default=tuple(own))
        return list(usual) if set(usual) <= set(own) else own

    def _cells_of(self, model: str, noises: Iterable[str]) -> list[Scores]:
        cells = [self.by_model[model][noise] for noise in smallest_doses(noises)]
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
