"""How time and memory grow: `python -m benchmarks scaling`.

Each figure is measured in a process of its own: the seconds of the work, without imports and loading, and the peak
memory of the process, torch and the model included. Where several processes share the work, the largest peak of one of
them is added.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.scaling_workloads import ALL_PROCESSORS, WORKLOADS
from reports.store.run_json import machine, versions


def _in_own_process(name: str, count: int) -> dict[str, Any]:
    """Return one figure, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "scaling", "--one", name, str(count)]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise RuntimeError(f"{name} {count}: {completed.stderr}")
    figure: dict[str, Any] = json.loads(completed.stdout.splitlines()[-1])
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status 0. Exits with 2 for a mistake on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scaling", description="How time and memory grow.")
    parser.add_argument("--what", choices=WORKLOADS, action="append", help="what grows (default: all)")
    parser.add_argument("--out", type=Path, default=Path("results-speed"), help="folder (default: %(default)s)")
    parser.add_argument(
        "--one", nargs=2, metavar=("WHAT", "COUNT"), help="one figure, measured in this process, as JSON"
    )
    options = parser.parse_args(arguments)
    if options.one:
        name, count = options.one
        seconds = WORKLOADS[name][1](int(count))
        workers = [resource.RUSAGE_CHILDREN] if name.endswith(ALL_PROCESSORS) else []
        peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, *workers)) * 1024
        print(json.dumps({"what": name, "count": int(count), "seconds": round(seconds, 3), "peak MB": peak // 10**6}))
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine(), "versions": versions()}
    (options.out / "machine.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    rows = []
    for name in options.what or WORKLOADS:
        for count in WORKLOADS[name][0]:
            row = _in_own_process(name, count)
            rows.append({**row, "a second": round(count / row["seconds"], 1)})
            print(*(f"{key} {value}" for key, value in rows[-1].items()), sep="; ", flush=True)
            with (options.out / "growth.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    return 0
