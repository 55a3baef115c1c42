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

#: The share of all heads that is chosen, and the number of problems that they are ranked over.
_SHARE, _PROBLEMS = 1 / 4, 50

_Head = tuple[int, int]  # its layer, and its number in that


def ranked_heads(loaded: LoadedModel, noisy_problems: Sequence[NoisyProblem], seed: str) -> dict[str, Heads]:
    """Return the quarter of all heads with the most lift on the noise, and as many of the others, drawn with `seed`.

    Each is under a name that lists them, as `heads_top:1.0,2.3` for head 0 of layer 1 and head 3 of layer 2. The lift
    of a head is its share of the answer's attention on the noise over the noise's share of the tokens, a mean over the
    first problems. Raises what `benchmarks.stages.attention.read_attention` raises.
    """
    lifts: dict[_Head, float] = {}
    for noisy in noisy_problems[:_PROBLEMS]:
        (reading,) = read_attention(loaded, [noisy], AttentionScope())
        segment = reading.segments.index("ni")
        for layer, masses_of_heads in zip(reading.layers, reading.signed, strict=True):
            for head, masses in zip(reading.heads, masses_of_heads, strict=True):
                lift = masses[segment] / reading.tokens[segment]
                lifts[layer, head] = lifts.get((layer, head), 0.0) + lift
    order = sorted(lifts, key=lambda head: -lifts[head])
    count = max(1, round(len(order) * _SHARE))
    top, rest = order[:count], order[count:]
    others = random.Random(seed).sample(rest, min(count, len(rest)))
    return {
        f"{name}:{_listed(heads)}": _by_layer(heads) for name, heads in (("heads_top", top), ("heads_random", others))
    }


def _listed(heads: Sequence[_Head]) -> str:
    return ",".join(f"{layer}.{head}" for layer, head in sorted(heads))


def _by_layer(heads: Sequence[_Head]) -> Heads:
    layers = sorted({layer for layer, _ in heads})
    return {layer: tuple(sorted(head for of_layer, head in heads if of_layer == layer)) for layer in layers}
