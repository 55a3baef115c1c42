"""Repeat the experiment over training seeds (docs/experiment.md): train all models, ask them, and print the tables."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.seed_experiment_steps import QUICK, WHOLE, Step, steps
from benchmarks.seed_experiment_tables import tables
from reports.store.atomic_io import ResultsFolderError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps. Return 0, the status of the first step that failed, or 1 where the tables cannot be made."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks experiment",
        description=f"{__doc__} Interrupted steps resume. It takes a night on two cores.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a ten-minute trial of every step; its figures mean nothing"
    )
    parser.add_argument(
        "--included", action="store_true", help="evaluate the included pairs instead of retraining them"
    )
    parser.add_argument("--tables", action="store_true", help="print the tables of what is there, and run nothing")
    parser.add_argument("--list", action="store_true", help="print the commands, and run nothing")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of all models and results (default: results-experiment)"
    )
    options = parser.parse_args(arguments)
    out = options.out or Path("results-experiment-quick" if options.quick else "results-experiment")
    planned = steps(out, QUICK if options.quick else WHOLE, options.included)
    if options.list:
        print("\n".join(shlex.join(step.command) for step in planned))
        return 0
    status = 0 if options.tables else _run(planned)
    if status:
        return status
    try:
        print("\n".join(tables(out)))
    except (OSError, ResultsFolderError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    return 0


def _run(planned: Sequence[Step]) -> int:
    begin = time.perf_counter()
    for number, step in enumerate(planned, 1):
        print(f"[{number}/{len(planned)}] {step.name}: {shlex.join(step.command)}", flush=True)
        started = time.perf_counter()
        status = subprocess.run(step.command, check=False).returncode
        if status:
            print(f"{step.name} failed with exit status {status}; run the same command again to resume", flush=True)
            return status
        print(f"{step.name}: {time.perf_counter() - started:,.0f} s", flush=True)
    print(f"all steps: {time.perf_counter() - begin:,.0f} s\n", flush=True)
    return 0
