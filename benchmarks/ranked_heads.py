"""Heads ranked by their lift on the noise, for the intervention `heads`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.attention_scope import AttentionScope
from benchmarks.intervention_conditions import Heads
from benchmarks.stages.attention import read_attention
from noise.problems.problem import NoisyProblem

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: The share of all heads that is chosen.
_SHARE = 1 / 4
#: The number of problems that heads are ranked over. They are the first of all, so that the heads do not change with
#: the size of a run.
RANKED_PROBLEMS = 50

_Head = tuple[int, int]  # its layer, and its number in that


def ranked_heads(loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], seed: str) -> dict[str, Heads]:
    """Return the quarter of all heads with the most lift on the noise, `heads_top`, and as many of the others, drawn
    with `seed`, `heads_random`.

    The lift of a head is the noise's share of its absolute attention, for the tokens of the worked answer, over the
    noise's share of the tokens: a mean over `noisy_problems`. Raises what `benchmarks.stages.attention.read_attention`
    raises.
    """
    lifts: dict[_Head, float] = {}
    for noisy in noisy_problems:
        (reading,) = read_attention(loaded, [noisy], AttentionScope())
        segment = reading.segments.index("ni")
        for layer, shares_of_heads in zip(reading.layers, reading.absolute, strict=True):
            for head, shares in zip(reading.heads, shares_of_heads, strict=True):
                lift = shares[segment] / reading.tokens[segment]
                lifts[layer, head] = lifts.get((layer, head), 0.0) + lift
    order = sorted(lifts, key=lambda head: -lifts[head])
    count = max(1, round(len(order) * _SHARE))
    top, rest = order[:count], order[count:]
    others = random.Random(seed).sample(rest, min(count, len(rest)))
    return {"heads_top": _by_layer(top), "heads_random": _by_layer(others)}


def _by_layer(heads: Sequence[_Head]) -> Heads:
    layers = sorted({layer for layer, _ in heads})
    return {layer: tuple(sorted(head for of_layer, head in heads if of_layer == layer)) for layer in layers}
