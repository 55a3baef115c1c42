"""`python -m noise`: writes the noisy versions of a set of problems."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from tqdm import tqdm

from noise.problems.lm_eval_tasks import write_lm_eval_tasks
from noise.problems.noisy_files import generate_noisy_datasets
from noise.problems.problem import Problem
from noise.registry import NOISES, find_noise

_EXAMPLES = """\
examples:
  python -m noise --problems mine.jsonl                      every noise, into data/
  python -m noise --problems mini --datasets inf --out /tmp  the embedded test problems with irrelevant numbers
  python -m noise --problems gsm8k:train --seed 1            GSM8K's training split from the hub, another draw
  python -m noise --problems mine.jsonl --format lm-eval --out tasks    tasks for lm-evaluation-harness
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status: 0, or 1 after one sentence on stderr. Misuse exits with 2."""
    options = _parser().parse_args(arguments)
    counts: dict[str, int] = {}

    def bar(problems: list[Problem], name: str) -> Iterable[Problem]:
        counts[name] = len(problems)
        # disable=None: no bar where stderr is no terminal
        return tqdm(problems, desc=name, unit=" problems", file=sys.stderr, disable=None)

    try:
        write = write_lm_eval_tasks if options.format == "lm-eval" else generate_noisy_datasets
        paths = write(options.problems, options.datasets, options.seed, options.out, bar, options.processes)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"python -m noise: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("python -m noise: interrupted; the file under way was not written", file=sys.stderr)
        return 130
    for path, count in zip(paths.values(), counts.values(), strict=True):
        print(f"{path}  {count:,} problem{'' if count == 1 else 's'}")
    if options.format == "lm-eval":
        tasks = f"--include_path {options.out} --tasks {','.join(paths)}"
        print(f"lm_eval --model hf --model_args pretrained=… {tasks}")
    return 0


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
        "--datasets",
        type=_noises,
        default=list(NOISES),
        metavar="A,B",
        help=f"the noises, with commas between them; inf4 is four distractors of inf (default: {','.join(NOISES)})",
    )
    parser.add_argument(
        "--format",
        choices=("jsonl", "lm-eval"),
        default="jsonl",
        help="lines alone, or a folder of tasks for lm-evaluation-harness, the clean problems among them"
        " (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of every draw (default: 0)")
    parser.add_argument(
        "--processes",
        type=_processes,
        default=1,
        metavar="N",
        help="processes that share the work; the files are the same with any number (default: 1)",
    )
    parser.add_argument("--out", default="data", metavar="DIR", help="the folder of the files (default: data)")
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
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
