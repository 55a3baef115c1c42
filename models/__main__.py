"""`python -m models COMMAND`: what can be done with models outside a benchmark."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from models.registry import MODELS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did what was asked, 1 when it could not, 2 for a command line that means nothing."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the models that have a name, and where each comes from")
    train = commands.add_parser(
        "train-mini",
        help="train the miniature pair from nothing",
        description="Train the miniature pair from nothing: one process and one thread a model.",
    )
    train.add_argument("--seed", type=int, default=0, help="of weights and training data (default: %(default)s)")
    train.add_argument(
        "--out", type=Path, required=True, help="folder for one checkpoint folder a model; none may exist yet"
    )
    train.add_argument("--steps", type=int, help="batches to train on (default: the recipe's)")
    options = parser.parse_args(arguments)
    return _list() if options.command == "list" else _train_mini(options)


def _list() -> int:
    for spec in MODELS.values():
        source = f"{spec.source}/{spec.subfolder}".rstrip("/")
        print(f"{spec.name:<16} {source}")
    return 0


def _train_mini(options: argparse.Namespace) -> int:
    from models.mini_pair import FamilyExistsError, train_pair
    from models.mini_training import Recipe

    if options.steps is not None and options.steps < 1:
        print(f"python -m models train-mini: --steps {options.steps}: expected a number from 1 up", file=sys.stderr)
        return 2
    recipe = Recipe() if options.steps is None else Recipe(steps=options.steps)
    try:
        folders = train_pair(options.out, options.seed, recipe)
    except (FamilyExistsError, OSError) as error:
        print(f"python -m models train-mini: {error}", file=sys.stderr)
        return 1
    for folder in folders:
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
