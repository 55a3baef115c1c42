"""`python -m models COMMAND`: download, inspect, chat with and train models outside a benchmark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from models.commands.command_parser import command_parser
from models.commands.convert_command import conversion_lines
from models.commands.option_hints import with_option
from models.commands.terminal_text import for_terminal
from models.loading.trust_remote_code import trust_of
from models.model_reference import full_source
from models.model_registry import MODELS, ModelSpec, UnknownModelError, find_models
from models.prompt import template_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Return 0 if it succeeded, 1 if it failed, 2 for a command line that is not valid."""
    parser = command_parser(__doc__)
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    return _COMMANDS[options.command](options)


def _fail(options: argparse.Namespace, error: Exception, status: int) -> int:
    """Print an error with the option that fixes it, and return `status`."""
    print(f"python -m models {options.command}: {with_option(error)}", file=sys.stderr)
    return status


def _single_model(name: str, options: argparse.Namespace) -> ModelSpec:
    """Return the one model that `name` means. Raises `UnknownModelError`."""
    specs = find_models(name, trust_of(options))
    if len(specs) > 1:
        raise UnknownModelError(f"expected one model, got {len(specs)}: {name!r}")
    return specs[0]


def _list(options: argparse.Namespace) -> int:
    for spec in MODELS.values():
        print(f"{spec.name:<16} {full_source(spec)}")
    return 0


def _download(options: argparse.Namespace) -> int:
    from models.commands.download import download, hub_models

    try:
        specs = find_models(",".join(options.names), trust_of(options)) if options.names else hub_models()
    except UnknownModelError as error:
        return _fail(options, error, 2)
    try:
        return download(specs, options.cache, options.check)
    except (OSError, RuntimeError, ValueError) as error:  # of a folder that can be none
        if options.cache is None:
            raise
        reason = getattr(error, "strerror", None) or error
        return _fail(options, ValueError(f"--cache {str(options.cache)[:60]!r}: {reason}"), 2)


def _chat(options: argparse.Namespace) -> int:
    from models.commands.chat import ChatSettings, chat, read_lines
    from models.loading.load_model import LoadError, load

    try:
        settings = ChatSettings(options.noise, options.seed, options.max_new_tokens)
        spec = _single_model(options.name, options)
        template = template_of(options.prompt, options.chat)
    except ValueError as error:
        return _fail(options, error, 2)
    try:
        loaded = load(spec, options.device, options.dtype, template)
    except LoadError as error:
        return _fail(options, error, 1)
    chat(loaded, settings, read_lines(f"{options.name}> "), lambda text: print(for_terminal(text)))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from models.commands.doctor import doctor

    try:
        specs = None if options.models is None else find_models(options.models, trust_of(options))
    except UnknownModelError as error:
        return _fail(options, error, 2)
    return doctor(options.quick, specs)


def _inspect(options: argparse.Namespace) -> int:
    """Load the models on the CPU, which is enough to count weights and read λ."""
    from models.commands.inspect_model import compare, inspect
    from models.commands.inspect_table import comparison_lines, inspection_facts, inspection_lines
    from models.loading.load_model import LoadError, load

    try:
        spec = _single_model(options.name, options)
        other_spec = None if options.compare is None else _single_model(options.compare, options)
    except UnknownModelError as error:
        return _fail(options, error, 2)
    try:
        loaded = load(spec, device="cpu")
        other_loaded = None if other_spec is None else load(other_spec, device="cpu")
    except LoadError as error:
        return _fail(options, error, 1)
    first, second = inspect(loaded), None if other_loaded is None else inspect(other_loaded)
    differences = [] if other_loaded is None else compare(loaded, other_loaded)
    if options.json:
        print(json.dumps(inspection_facts(first, second, differences), indent=2, ensure_ascii=False))
        return 0
    lines = inspection_lines(first)
    if second is not None:
        lines += ["", *inspection_lines(second), "", *comparison_lines(first.name, second.name, differences)]
    print(for_terminal("\n".join(lines)))
    return 0


def _differentiate(options: argparse.Namespace) -> int:
    from models.commands.differentiate import ControlOptionError, write_differentiated
    from models.loading.load_model import LoadError

    try:
        spec = _single_model(options.name, options)
        control = write_differentiated(spec, options.out, options.lambda_)
    except (UnknownModelError, ControlOptionError) as error:
        return _fail(options, error, 2)
    except (LoadError, ValueError, OSError) as error:
        return _fail(options, error, 1)
    print(control)
    return 0


def _train_mini(options: argparse.Namespace) -> int:
    from concurrent.futures.process import BrokenProcessPool

    from models.mini.mini_training import TrainingMismatchError
    from models.mini.train_mini_options import parse_families, parse_seeds, recipe_from_options, worker_count
    from models.mini.train_mini_pairs import train_pairs

    try:
        seeds, families = parse_seeds(options.seeds), parse_families(options.family)
        recipe, workers = recipe_from_options(options), worker_count(options.workers)
    except ValueError as error:
        return _fail(options, error, 2)
    try:
        train_pairs(options.out, seeds, recipe, workers=workers, families=families)
    except TrainingMismatchError as error:
        return _fail(options, ValueError(f"{error}; choose another --out, or move it away"), 1)
    except (OSError, BrokenProcessPool) as error:
        return _fail(options, error, 1)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to resume", file=sys.stderr)
        return 130
    return 0


def _convert(options: argparse.Namespace) -> int:
    from models.convert.convert_checkpoint import ConversionError, convert
    from models.loading.load_errors import CheckpointDamaged

    given = {name: getattr(options, name) for name in ("layout", "config", "tokenizer", "grouped_keys")}
    try:
        conversion = convert(options.source, options.out, **given)
    except (ConversionError, CheckpointDamaged, OSError) as error:
        return _fail(options, error, 1)
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    print(for_terminal("\n".join(conversion_lines(conversion))))
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "download": _download,
    "chat": _chat,
    "doctor": _doctor,
    "inspect": _inspect,
    "differentiate": _differentiate,
    "train-mini": _train_mini,
    "convert": _convert,
}

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or a file that is not in UTF-8 gets escapes
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
