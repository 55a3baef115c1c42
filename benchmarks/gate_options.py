"""The command line of the regression gate: `--baseline` and its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.plan_errors import PlanError, escaped, option_of
from benchmarks.shards import read_shard
from reports.gate.baseline_file import read_baseline
from reports.gate.regression_gate import Gate, read_gate
from reports.stats.paired_tests import ALPHA
from reports.store.atomic_io import require_writable
from reports.store.url_errors import is_url

#: What pytest's option groups add an option with.
AddOption = Callable[..., None]


def add_gate_options(add: AddOption) -> None:
    """Add the options of the regression gate."""
    add(
        "--save-baseline",
        type=_path,
        metavar="FILE",
        help="save the outcome of each case on each problem; other cases in FILE are kept",
    )
    add(
        "--baseline",
        type=_path,
        metavar="FILE",
        help="fail each case whose accuracy is significantly below that in FILE, on the same problems",
    )
    add("--tolerance", type=float, metavar="X", help="points of accuracy that a case may lose (default: 0)")
    add(
        "--alpha",
        type=float,
        metavar="P",
        help=f"probability that any case fails although nothing was lost (default: {ALPHA})",
    )


def _path(text: str) -> Path:
    """Return a path. Raises `ArgumentTypeError` for a URL, which would become the name of a folder."""
    if is_url(text):
        raise argparse.ArgumentTypeError("expected a file on this machine, got a URL; copy the file here")
    return Path(text)


def gate_of(option: Any) -> Gate | None:
    """Return the regression gate of a run; None without `--baseline`.

    Raises `PlanError` for invalid options, `BaselineError` for a baseline that is missing or invalid, whether it is
    read or extended, and `ResultsFolderError` for one that cannot be written.
    """
    get = vars(option).__getitem__
    path, saved = get("baseline"), get("save_baseline")
    named = next((name for name in ("baseline", "save_baseline") if get(name) is not None), None)
    if named is not None and not read_shard(vars(option).get("shard")).is_whole:
        raise PlanError(
            f"--shard and {option_of(named)}: a baseline is about whole cells; merge the shards first (`python -m"
            f" reports merge`), then name the merged folder with --results, keep {option_of(named)} and drop --shard"
        )
    # Both are also accepted with --save-baseline, so that --baseline can be swapped for --save-baseline.
    for name in ("tolerance", "alpha"):
        if get(name) is not None and path is None and saved is None:
            raise PlanError(f"--{name} needs a baseline: add --baseline FILE")
    tolerance = 0.0 if get("tolerance") is None else get("tolerance")
    alpha = ALPHA if get("alpha") is None else get("alpha")
    if not 0 <= tolerance < 100:
        raise PlanError(f"--tolerance {tolerance:g}: expected points of accuracy, from 0 to below 100")
    if not 0 < alpha < 0.5:
        raise PlanError(f"--alpha {alpha:g}: expected a probability above 0 and below 0.5")
    if path is not None and saved is not None and path.resolve() == saved.resolve():
        raise PlanError(
            f"--baseline and --save-baseline name the same file, {escaped(str(path))}: a regression would overwrite"
            " the baseline it is tested against"
        )
    if saved is not None:
        if saved.exists():
            read_baseline(saved)
        require_writable(saved)
    return None if path is None else read_gate(path, tolerance, alpha)
