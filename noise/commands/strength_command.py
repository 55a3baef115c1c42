"""`python -m noise strength`: how near the distractors of noises and of paired sets are to their problems."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence

from noise.commands.command_errors import (
    add_noise_file_option,
    check_noises,
    exit_status,
    printable,
    register_noise_files,
)
from noise.commands.write_command import names_of
from noise.parallel import inject_all
from noise.problems.problem import NoisyProblem, Problem
from noise.problems.problem_sources import load_problems
from noise.registry import NOISES
from noise.sets.paired_sets import read_paired_set
from noise.sets.strength import strength_shares, strength_table

_COMMAND = "python -m noise strength"


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return its exit status. Misuse exits with 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    register_noise_files(parser, options.noise_file)
    options.datasets = options.datasets or list(NOISES)
    drawn = [name for name in options.datasets if "=" not in name]
    check_noises(parser, drawn)
    if drawn and options.problems is None:
        parser.error(f"argument --problems: expected problems to draw {drawn[0]!r} for, got none")
    return exit_status(_COMMAND, lambda: _measure(options))


def _measure(options: argparse.Namespace) -> None:
    problems = load_problems(options.problems)[: options.max_samples] if options.problems else []
    rows = []
    for text in options.datasets:
        name, equals, path = text.partition("=")
        noisy = _of_set(path, options.max_samples) if equals else _drawn(problems, name, options.seed)
        rows.append((name, *strength_shares(noisy)))
    if options.json:
        print(json.dumps({name: {"n": total, **shares} for name, total, shares in rows}, indent=2, ensure_ascii=False))
        return
    for line in strength_table(rows):
        print(printable(line))


def _drawn(problems: list[Problem], name: str, seed: int) -> Iterable[NoisyProblem]:
    return inject_all(problems, name, seed)


def _of_set(path: str, most: int | None) -> Iterable[NoisyProblem]:
    return [pair.noisy for pair in read_paired_set(path).pairs][:most]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="Print the share of distractors that share a name, a name or pronoun, or a content noun with their"
        " problem, hold a number, hold one within the range of its numbers, and name what is asked for.",
    )
    parser.add_argument("--problems", metavar="SOURCE", help="the problems to draw noise for, as of `python -m noise`")
    parser.add_argument(
        "--datasets",
        type=names_of,
        metavar="A,B",
        help=f"noises, and paired sets as NAME=FILE, separated by commas (default: {','.join(NOISES)})",
    )
    add_noise_file_option(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws (default: 0)")
    parser.add_argument("--max-samples", type=_count, metavar="N", help="only the first N problems (default: all)")
    parser.add_argument("--json", action="store_true", help="print the shares as JSON, from 0 to 1")
    return parser


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a number from 1 up, got {text!r:.60}")
    return int(text)
