"""The recipes of the miniatures: what both families of a pair are trained on, for how long, and at which size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from noise.mini.problem_generator import DISTRACTOR_SHARE


@dataclass(frozen=True)
class Recipe:
    """Sizes and settings; everything else is PyTorch's or transformers' default."""

    hidden: int = 128
    intermediate: int = 384
    layers: int = 4
    heads: int = 4
    vocabulary: int = 1_000
    tokenizer_seed: int = 0  # of the problems that the tokenizer is trained on: all pairs have the same tokenizer
    tokenizer_problems: int = 20_000
    positions: int = 2_048
    distractor_share: float = DISTRACTOR_SHARE  # of the training stories
    steps: int = 4_000
    batch: int = 16
    muon_lr: float = 0.01
    adamw_lr: float = 1.5e-3
    warmup: int = 200
    bucket: int = 100  # this many batches of problems are sorted by length together


#: Recipes by the number of parameters, rounded. The shipped pairs are of one million.
RECIPES: dict[str, Recipe] = {
    "1M": Recipe(),
    "0.3M": replace(Recipe(), hidden=64, intermediate=192),
    "3M": replace(Recipe(), hidden=192, intermediate=576, layers=6, heads=6),
}
