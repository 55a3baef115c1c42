"""The steps of the experiment over training seeds: the command of each, in order. docs/experiment.md reports it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.model_registry import INCLUDED_SEEDS
from models.replicate_names import replicate_name

FAMILIES = ("diffllama", "llama")
#: The noises of the primary contrast, each beside filler of the same length.
NOISES = ("near", "inf", "rcs")
FILLED = ("clean", *NOISES, *(f"filler:{noise}" for noise in NOISES))
#: The included size and share of noisy training stories, and the others: name of the folder and options of train-mini.
INCLUDED = "1M"
VARIANTS = {
    "0.3M": ("--size", "0.3M"),
    "3M": ("--size", "3M"),
    "no-distractors": ("--distractor-share", "0"),
    "more-distractors": ("--distractor-share", "0.3"),
}
#: Later differential architectures, which are compared with the pairs of the included recipe.
SUCCESSORS, SUCCESSOR_FAMILIES = "successors", ("diffv2", "gda")


@dataclass(frozen=True)
class Scale:
    """How large the experiment is: the seeds of the included recipe and of each variant, the training steps (None for
    the recipe's), and the problems of a cell for accuracies, and for what takes longer."""

    seeds: Sequence[int]
    variant_seeds: Sequence[int]
    steps: int | None
    problems: int
    fewer_problems: int


WHOLE = Scale(tuple(INCLUDED_SEEDS), (0, 1, 2), None, 500, 200)
QUICK = Scale((0, 1), (0, 1), 60, 20, 10)


@dataclass(frozen=True)
class Step:
    """A command, and what its name says it makes. Each command goes on where an earlier run of it ended."""

    name: str
    command: tuple[str, ...]


def steps(out: Path, scale: Scale, included: bool) -> list[Step]:
    """Return the steps into the folder `out`; with `included`, the included pairs are not trained again."""
    made = [] if included else [_training(out, INCLUDED, scale.seeds, scale, ())]
    made += [_training(out, name, scale.variant_seeds, scale, options) for name, options in VARIANTS.items()]
    later = ("--family", ",".join(SUCCESSOR_FAMILIES))
    made += [_training(out, SUCCESSORS, scale.variant_seeds, scale, later)]
    models = _models_of(out, scale.seeds, included)
    alone = ("--skip-zero-shot", "--replicated-stages", "intervene", "--interventions", "everywhere,moved,displaced")
    reading = ("--skip-zero-shot", "--skip-intervene", "--replicated-stages", "attention")
    doses = ("clean", *(f"{noise}{dose}" for noise in NOISES for dose in ("", "2", "4")))
    made += [
        _grid(out, "accuracy", models, (*FILLED, "sd", "digits:inf"), scale.problems),
        _grid(out, "likelihood", models, FILLED, scale.fewer_problems, "--skip-zero-shot", "--measure", "likelihood"),
        _grid(out, "parts", models, NOISES, scale.fewer_problems, *alone),
        _grid(out, "attention", models, NOISES, scale.fewer_problems, *reading, attention=True),
        _grid(out, "doses", models, doses, scale.fewer_problems),
        _grid(out, "factors", models, ("clean", "ic"), scale.problems),
    ]
    made += [_grid(out, name, _trained(out, name, scale.variant_seeds), FILLED, scale.problems) for name in VARIANTS]
    successors = _trained(out, SUCCESSORS, scale.variant_seeds, SUCCESSOR_FAMILIES)
    beside = _models_of(out, scale.variant_seeds, included)
    made += [_grid(out, SUCCESSORS, f"{successors},{beside}", FILLED, scale.problems)]
    return made


def _training(out: Path, name: str, seeds: Sequence[int], scale: Scale, options: Sequence[str]) -> Step:
    few = () if scale.steps is None else ("--steps", str(scale.steps))
    numbers = ("--seeds", ",".join(map(str, seeds)))
    command = (sys.executable, "-m", "models", "train-mini", *numbers, *options, *few, "--out", str(_models(out, name)))
    return Step(f"train {name}", command)


def _grid(
    out: Path, name: str, models: str, datasets: Sequence[str], problems: int, *options: str, attention: bool = False
) -> Step:
    stages = ("--skip-sft",) if attention else ("--skip-sft", "--skip-attention")
    what = ("--models", models, "--datasets", ",".join(datasets), "--max-samples", str(problems))
    results = ("--results", str(out / name), "-n", "2", "-q")
    return Step(f"grid {name}", (sys.executable, "-m", "pytest", "benchmarks", *what, *stages, *options, *results))


def _models(out: Path, name: str) -> Path:
    return out / "models" / name


def _models_of(out: Path, seeds: Sequence[int], included: bool) -> str:
    """Return the pairs of the included recipe, those that are included or those that were trained again."""
    return _included(seeds) if included else _trained(out, INCLUDED, seeds)


def _trained(out: Path, name: str, seeds: Sequence[int], families: Sequence[str] = FAMILIES) -> str:
    folder = _models(out, name)
    return ",".join(f"{family}:{seed}={folder / family / str(seed)}" for family in families for seed in seeds)


def _included(seeds: Sequence[int]) -> str:
    return ",".join(replicate_name(family, seed) for family in FAMILIES for seed in seeds)
