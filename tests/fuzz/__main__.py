"""`python -m tests.fuzz TARGET ...`: give the targets made-up inputs, and check what must hold for each."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from tests.fuzz.fuzz_target import CaseFailedError, FuzzTarget, run_cases
from tests.fuzz.targets import TARGETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases of each target. Return 1 where a case failed, after a line that repeats it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all of {', '.join(TARGETS)} by default")
    parser.add_argument("--cases", type=int, metavar="N", help="the number of cases a target")
    parser.add_argument("--seconds", type=float, metavar="S", help="the time a target, 12 where no --cases are given")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first case")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"unknown target {unknown[0]!r}; known: {', '.join(TARGETS)}")
    seconds = 12.0 if options.cases is None and options.seconds is None else options.seconds
    targets = [TARGETS[name] for name in options.targets or TARGETS]
    return max(_run(target, options.seed, options.cases, seconds, options.first) for target in targets)


def _run(target: FuzzTarget, seed: int, cases: int | None, seconds: float | None, first: int) -> int:
    try:
        campaign = run_cases(target, seed, cases, seconds, first)
    except CaseFailedError as failure:
        traceback.print_exception(failure.__cause__)
        print(f"{failure}. Its input:\n{failure.drawn!a}")
        print(f"Again: python -m tests.fuzz {target.name} --seed {seed} --first {failure.number} --cases 1")
        return 1
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in campaign.kinds.most_common())
    print(f"{target.name}: {campaign.cases:,} cases in {campaign.seconds:.0f} s: {kinds}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
