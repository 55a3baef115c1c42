"""`python -m noise`: write the noisy versions of a set of problems."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

from noise.problems.bad_lines import BadLine
from noise.problems.jsonl import FileDiffersError
from noise.problems.lm_eval_tasks import write_lm_eval_tasks
from noise.problems.noisy_files import generate_noisy_datasets
from noise.problems.problem import Problem
from noise.registry import NOISES, find_noise

_MOST_PROCESSES = 256
_EXAMPLES = """\
examples:
  python -m noise --problems mine.jsonl                      every noise, into data/
  python -m noise --problems mini --datasets inf --out /tmp  the embedded test problems with irrelevant facts
  python -m noise --problems gsm8k:train --seed 1            GSM8K's training split from the hub, another seed
  python -m noise --problems mine.jsonl --skip-bad-lines     lines that are no problems are left out, and named
  python -m noise --problems mine.jsonl --format lm-eval --out tasks    tasks for lm-evaluation-harness
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status: 0, or 1 after one sentence on stderr. Misuse exits with 2."""
    parser = _parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    counts: dict[str, int] = {}
    bad_lines: list[BadLine] | None = [] if options.skip_bad_lines else None

    def count(problems: list[Problem], name: str) -> Iterable[Problem]:
        counts[name] = len(problems)
        return _with_progress_bar(problems, name)

    try:
        write = write_lm_eval_tasks if options.format == "lm-eval" else generate_noisy_datasets
        paths = write(
            options.problems,
            options.datasets,
            options.seed,
            options.out,
            count,
            options.processes,
            bad_lines,
            options.force,
        )
    except FileDiffersError as error:
        print(f"python -m noise: {_printable(str(error))}; choose another --out, or add --force", file=sys.stderr)
        return 1
    except (ValueError, OSError, RuntimeError) as error:
        print(f"python -m noise: {_printable(_sentence(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("python -m noise: interrupted; the unfinished file was not written", file=sys.stderr)
        return 130
    for line in bad_lines or []:
        print(f"left out: {_printable(line.reason)}", file=sys.stderr)
    for path, number in zip(paths.values(), counts.values(), strict=True):
        with path.open(encoding="utf-8") as file:
            written = sum(1 for _ in file)
        fewer = f", as {number - written:,} suit no placebo" if written < number else ""
        print(f"{_printable(str(path))}  {written:,} problem{'' if written == 1 else 's'}{fewer}")
    if options.format == "lm-eval":
        tasks = f"--include_path {options.out} --tasks {','.join(paths)}"
        print(f"lm_eval --model hf --model_args pretrained=… {tasks}")
    return 0


def _sentence(error: Exception) -> str:
    """Return the message of an error, without the number that the system gives it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _printable(text: str) -> str:
    """Return text that does nothing on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


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
        epilog=_EXAMPLES,
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
        type=_noises,
        default=list(NOISES),
        metavar="A,B",
        help="noises, separated by commas; inf4 is four distractors of inf, filler:inf a placebo as long as inf"
        f" (default: {','.join(NOISES)})",
    )
    parser.add_argument(
        "--format",
        choices=("jsonl", "lm-eval"),
        default="jsonl",
        help="jsonl files, or tasks for lm-evaluation-harness, clean problems included (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws (default: 0)")
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


def _noises(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        try:
            find_noise(name)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return list(dict.fromkeys(names))


def _processes(text: str) -> int:
    if not (text.isdecimal() and len(text) < 5 and 1 <= int(text) <= _MOST_PROCESSES):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {_MOST_PROCESSES}, got {text!r:.60}")
    return int(text)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or a file that is not in UTF-8 gets escapes
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
