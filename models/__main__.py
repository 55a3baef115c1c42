"""`python -m models COMMAND`: what can be done with models outside a benchmark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models.loading.trust_remote_code import add_trust, trust_of
from models.model_registry import MODELS, ModelSpec, UnknownModelError, address, find_models
from models.prompt import add_prompt, template_of

_NAME = "a registered name, a folder, or a hub id (org/name, org/name@revision/folder)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it did what was asked, 1 when it could not, 2 for a command line that means nothing."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    names = commands.add_parser("list", help="the models that have a name, and where each comes from")
    fetch = commands.add_parser(
        "download",
        help="fetch models from the hub, and check them",
        description="Fetch models from the hub into its cache, and check what arrives against the hub's checksums. What"
        " is here already is not asked for again, and what was interrupted goes on. Exit status: 0 when all of them are"
        " here, 1 when one could not be had, 130 when interrupted.",
    )
    every = "what --models takes: a registered name, org/name, org/name@revision/folder (default: all registered ones)"
    fetch.add_argument("names", metavar="NAME", nargs="*", help=every)
    kept = "the folder to keep them in (default: the hub's cache, HF_HUB_CACHE)"
    fetch.add_argument("--cache", type=Path, metavar="DIR", help=kept)
    fetch.add_argument("--check", action="store_true", help="ask the hub also about what is here: mend and update it")
    talk = commands.add_parser(
        "chat",
        help="ask a model one question after another",
        description="Ask a model one question after another, each with noise put in if that is wanted; /help inside.",
    )
    talk.add_argument("name", metavar="NAME", help=_NAME)
    talk.add_argument("--noise", default="clean", metavar="NAME", help="a noise, as inf or inf4 (default: none)")
    talk.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise's draw (default: %(default)s)")
    limit = "limit of an answer, in tokens (default: %(default)s)"
    talk.add_argument("--max-new-tokens", type=int, default=256, metavar="N", help=limit)
    talk.add_argument("--device", default="auto", help="auto or a torch device (default: %(default)s)")
    talk.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: %(default)s)")
    add_prompt(talk.add_argument)
    check = commands.add_parser(
        "doctor",
        help="whether everything that a benchmark needs is here and works",
        description="A tick or a cross and a remedy for each check; exit status 1 where there is a cross.",
    )
    check.add_argument("--quick", action="store_true", help="leave out what loads a model")
    check.add_argument("--models", metavar="A,B", help="models to check, as for pytest (default: the embedded pair)")
    look = commands.add_parser(
        "inspect",
        help="what a model is made of, and whether two of them are matched",
        description="Parameters by block, configuration, layers with their λ, memory; of two, what they differ in.",
    )
    look.add_argument("name", metavar="NAME", help=_NAME)
    look.add_argument("--compare", metavar="OTHER", help="a second model; the exit status is 0 also where they differ")
    look.add_argument("--json", action="store_true", help="as JSON")
    for command in (fetch, talk, check, look):
        add_trust(command.add_argument)
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
    commands_and_runs = {
        names: _list,
        fetch: _download,
        talk: _chat,
        check: _doctor,
        look: _inspect,
        train: _train_mini,
    }
    for command, run in commands_and_runs.items():
        command.set_defaults(run=run)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def _one(name: str, options: argparse.Namespace) -> ModelSpec:
    """The one model that `name` means. Raises `UnknownModelError`."""
    specs = find_models(name, trust_of(options))
    if len(specs) > 1:
        raise UnknownModelError(f"expected one model, got {len(specs)}: {name!r}")
    return specs[0]


def _list(options: argparse.Namespace) -> int:
    for spec in MODELS.values():
        print(f"{spec.name:<16} {address(spec)}")
    return 0


def _download(options: argparse.Namespace) -> int:
    from models.commands.download import download, hub_models

    try:
        specs = find_models(",".join(options.names), trust_of(options)) if options.names else hub_models()
    except UnknownModelError as error:
        print(f"python -m models download: {error}", file=sys.stderr)
        return 2
    return download(specs, options.cache, options.check)


def _chat(options: argparse.Namespace) -> int:
    from models.commands.chat import Talk, chat, typed
    from models.loading.load_model import LoadError, load

    try:
        talk = Talk(options.noise, options.seed, options.max_new_tokens)
        spec = _one(options.name, options)
        template = template_of(options.prompt, options.chat)
    except ValueError as error:
        print(f"python -m models chat: {error}", file=sys.stderr)
        return 2
    try:
        loaded = load(spec, options.device, options.dtype, template)
    except LoadError as error:
        print(f"python -m models chat: {error}", file=sys.stderr)
        return 1
    chat(loaded, talk, typed(f"{options.name}> "), print)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from models.commands.doctor import doctor

    try:
        specs = None if options.models is None else find_models(options.models, trust_of(options))
    except UnknownModelError as error:
        print(f"python -m models doctor: {error}", file=sys.stderr)
        return 2
    return doctor(options.quick, specs)


def _inspect(options: argparse.Namespace) -> int:
    """The model is loaded on the CPU, as its weights are counted and its λ read from them."""
    from models.commands.model_summary import differences, inspect
    from models.commands.model_summary_table import comparison_lines, inspection_facts, inspection_lines
    from models.loading.load_model import LoadError, load

    try:
        spec = _one(options.name, options)
        against = None if options.compare is None else _one(options.compare, options)
    except UnknownModelError as error:
        print(f"python -m models inspect: {error}", file=sys.stderr)
        return 2
    try:
        first = load(spec, device="cpu")
        second = None if against is None else load(against, device="cpu")
    except LoadError as error:
        print(f"python -m models inspect: {error}", file=sys.stderr)
        return 1
    one, other = inspect(first), None if second is None else inspect(second)
    found = [] if second is None else differences(first, second)
    if options.json:
        print(json.dumps(inspection_facts(one, other, found), indent=2, ensure_ascii=False))
        return 0
    lines = inspection_lines(one)
    if other is not None:
        lines += ["", *inspection_lines(other), "", *comparison_lines(one.name, other.name, found)]
    print("\n".join(lines))
    return 0


def _train_mini(options: argparse.Namespace) -> int:
    from models.mini.mini_pair import FamilyExistsError, train_pair
    from models.mini.mini_recipe import Recipe

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
