"""`python -m noise --problems SOURCE`: write the noisy versions of a set of problems."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from noise.commands.command_errors import (
    add_noise_file_option,
    check_noises,
    exit_status,
    printable,
    register_noise_files,
    say,
)
from noise.placement import POSITIONS, Placement
from noise.problems.bad_lines import BadLine
from noise.problems.lm_eval_tasks import CLEAN, reader_file, write_lm_eval_tasks
from noise.problems.noisy_files import generate_noisy_datasets, noisy_file
from noise.problems.problem import Problem
from noise.registry import NOISES, default_noises
from noise.sets.manifest import check_manifest, source_entry, write_manifest

_MOST_PROCESSES = 256
_EPILOG = """\
examples:
  python -m noise --problems mine.jsonl                      every noise, into data/
  python -m noise --problems mini --datasets inf --out /tmp  the embedded test problems with irrelevant facts
  python -m noise --problems gsm8k:train --seed 1            GSM8K's training split from the hub, another seed
  python -m noise --problems mine.jsonl --skip-bad-lines     lines that are no problems are left out, and named
  python -m noise --problems mine.jsonl --format lm-eval --out tasks    tasks for lm-evaluation-harness
  python -m noise --problems mine.jsonl --noise-file cats.txt --datasets cats    sentences of your own

Beside the files stands noise.json: what they are made from, and the SHA-256 of each.

other commands, each with --help:
  python -m noise import LAYOUT FILE       turn the published noisy problems of others into a paired set
  python -m noise audit FILE               say which lines of a paired set are certified, and why not
  python -m noise strength --problems ...  say how near the distractors of noises are to their problems
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return its exit status. Misuse exits with 2."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    register_noise_files(parser, options.noise_file)
    options.datasets = options.datasets or list(default_noises())
    check_noises(parser, options.datasets)
    return exit_status("python -m noise", lambda: _write(options))


def _write(options: argparse.Namespace) -> None:
    counts: dict[str, int] = {}
    templates: dict[str, Counter[str]] = {}
    bad_lines: list[BadLine] | None = [] if options.skip_bad_lines else None

    def count(problems: list[Problem], name: str) -> Iterable[Problem]:
        counts[name] = len(problems)
        return _with_progress_bar(problems, name)

    folder, for_harness = Path(options.out), options.format == "lm-eval"
    write = write_lm_eval_tasks if for_harness else generate_noisy_datasets
    if "\0" not in options.out:
        check_manifest(folder, options.force)
    paths = write(
        options.problems,
        options.datasets,
        options.seed,
        options.out,
        count,
        options.processes,
        bad_lines,
        options.force,
        templates,
        Placement(options.noise_position, options.noise_language == "any"),
    )
    write_manifest(folder, _entries(options, counts, templates), options.force)
    for line in bad_lines or []:
        say(f"left out: {line.reason}")
    for path, number in zip(paths.values(), counts.values(), strict=True):
        with path.open(encoding="utf-8") as file:
            written = sum(1 for _ in file)
        fewer = f"; {number - written:,} can carry no such sentence" if written < number else ""
        print(f"{printable(str(path))}  {written:,} problem{'' if written == 1 else 's'}{fewer}")
    if for_harness:
        tasks = f"--include_path {options.out} --tasks {','.join(paths)}"
        print(f"lm_eval --model hf --model_args pretrained=… {tasks}")


def _entries(
    options: argparse.Namespace, counts: dict[str, int], templates: dict[str, Counter[str]]
) -> dict[Path, dict[str, Any]]:
    """Return what the manifest says of each file that was written."""
    source, entries = source_entry(options.problems), dict[Path, dict[str, Any]]()
    for name, number in counts.items():
        path, entry = noisy_file(options.problems, name, options.out), {**source, "problems": number, "noise": name}
        if name != CLEAN:
            entry |= {"seed": options.seed, "position": options.noise_position, "templates": dict(templates[name])}
        entries[path] = entry
        if options.format == "lm-eval":
            entries[path.with_suffix(".yaml")] = {**source, "noise": name}
    if options.format == "lm-eval":
        entries[reader_file(noisy_file(options.problems, CLEAN, options.out))] = source
    return entries


def _with_progress_bar(problems: list[Problem], description: str) -> Iterable[Problem]:
    """Wrap `problems` in a progress bar on stderr, if that is a terminal and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return problems
    return tqdm(problems, desc=description, unit=" problems", file=sys.stderr, disable=None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m noise",
        description="Write problems with distractors in them, one file for each noise.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--problems",
        required=True,
        metavar="SOURCE",
        help="a .jsonl file in GSM8K's form, gsm8k (from the hub) or mini (embedded); NAME:SPLIT for another split",
    )
    parser.add_argument(
        "--skip-bad-lines",
        action="store_true",
        help="leave out lines of the file that are no problems, and name each on stderr",
    )
    parser.add_argument(
        "--datasets",
        type=names_of,
        metavar="A,B",
        help=f"noises, separated by commas, of {', '.join(NOISES)}; inf4 is four distractors of inf, and filler:inf a"
        f" placebo as long as inf (default: {','.join(default_noises())})",
    )
    add_noise_file_option(parser)
    parser.add_argument(
        "--format",
        choices=("jsonl", "lm-eval"),
        default="jsonl",
        help="jsonl files, or tasks for lm-evaluation-harness, clean problems included (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws (default: 0)")
    parser.add_argument(
        "--noise-position",
        choices=POSITIONS,
        default=POSITIONS[0],
        help="where distractors go: before the asking sentence, before all, between, or any of these (default:"
        " %(default)s)",
    )
    parser.add_argument(
        "--noise-language",
        choices=("english", "any"),
        default="english",
        help="any takes questions in other languages, for noise of your own (default: %(default)s)",
    )
    parser.add_argument(
        "--processes",
        type=_processes,
        default=1,
        metavar="N",
        help="number of processes; the files do not depend on it (default: 1)",
    )
    parser.add_argument("--out", default="data", metavar="DIR", help="output folder (default: data)")
    parser.add_argument(
        "--force", action="store_true", help="replace files of the output folder that are not what would be written"
    )
    return parser


def names_of(text: str) -> list[str]:
    """Return the names of a comma-separated list, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",")))


def _processes(text: str) -> int:
    if not (text.isdecimal() and len(text) < 5 and 1 <= int(text) <= _MOST_PROCESSES):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {_MOST_PROCESSES}, got {text!r:.60}")
    return int(text)
