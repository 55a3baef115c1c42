"""Kill a run of every stage at random moments, run the same command again, and compare what it leaves with a run that
nobody killed: every table, every record and the tuned weights, byte for byte.

The victim is the process, with two workers the one that starts them, or one of the workers. The moments are spread over
the whole run by a seed. The order of lines in a cell's file, and times, may differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.benchmarks.typed_commands import ROOT, command

#: A run of every stage on the included pair: 28 cases, of about a second each.
RUN = """benchmarks --max-samples 2 --datasets clean,inf --measure accuracy,likelihood --batch-size 1
--sft-samples 16 --sft-epochs 2""".split()
VICTIMS = ("process", "main process of two workers", "worker")
_KILLS_A_FOLDER = 10
_EARLY = 0.15  # the part of kills that come before the first record of their run
_ENDED_WITHIN = 60  # seconds that workers have to end after their main process
_DEADLINE = 1800  # seconds
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}  # fastest for models of this size


class Difference(AssertionError):
    """A killed run left something else than a run that nobody killed."""


def kill_runs(count: int, seed: int, folder: Path) -> Iterator[str]:
    """Kill `count` runs below `folder`, and yield a line for each and a last one for all.

    Raises `Difference` if a run that went on left something else than one that nobody killed, lost a record, or left a
    process behind.
    """
    rng = random.Random(seed)
    not_killed = folder / "not_killed"
    expected = finished(not_killed)
    written = [path.stat().st_mtime for path in not_killed.rglob("*") if path.is_file()]
    duration = max(written) - min(written)
    yield f"not killed: {duration:.0f} s from its first record to its last file, {len(expected)} files compared"
    kills: Counter[str] = Counter()
    for first in range(0, count, _KILLS_A_FOLDER):
        results = folder / f"killed_{first // _KILLS_A_FOLDER}"
        for number in range(first, min(first + _KILLS_A_FOLDER, count)):
            victim = VICTIMS[number % len(VICTIMS)]
            delay = rng.uniform(0, 2 * duration / (_KILLS_A_FOLDER + 1))
            moment = _kill(results, victim, delay, early=rng.random() < _EARLY, pick=rng.random())
            kills[victim] += moment is not None
            yield f"kill {number + 1}: {victim}, {moment or 'it had ended before'}"
        left = finished(results)
        different = sorted(name for name in expected.keys() | left.keys() if expected.get(name) != left.get(name))
        if different:
            raise Difference(f"{results}: {', '.join(different)}")
        yield f"finished: the same {len(left)} files"
    yield f"{kills.total()} kills: {', '.join(f'{number} of a {victim}' for victim, number in kills.items())}"


def _kill(results: Path, victim: str, delay: float, early: bool, pick: float) -> str | None:
    """Start the run, kill the victim `delay` seconds after the run has written to its folder, or with `early` after its
    start, and return what the run was at; None if the run ended before."""
    workers = [] if victim == "process" else ["-n", "2"]
    before, started = _lines(results), time.time()
    run = psutil.Popen(
        [*command(*RUN, "--results", str(results)), *workers],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while run.poll() is None and not early and not _newest(results, started):
        time.sleep(0.05)
    with suppress(psutil.TimeoutExpired):
        run.wait(delay)
    if run.poll() is not None:
        return None
    family = run.children(recursive=True)
    victims = [child for child in run.children() if "-c" in child.cmdline()] if victim == "worker" else [run]
    if not victims:  # no worker has started yet
        victims = [run]
    at = _newest(results, started) or "before its first record"
    with suppress(psutil.NoSuchProcess):
        victims[int(pick * len(victims))].send_signal(signal.SIGKILL)
    run.wait(_DEADLINE)
    _, alive = psutil.wait_procs(family, _ENDED_WITHIN)
    if alive:
        raise Difference(f"{results}: {len(alive)} processes are left {_ENDED_WITHIN} s after their main process")
    lost = [str(path) for path, lines in before.items() if not set(lines) <= set(_lines(results).get(path, ()))]
    if lost:
        raise Difference(f"records are lost from {', '.join(lost)}")
    return at


def _newest(results: Path, since: float) -> str | None:
    """Return the path, relative to `results`, of the file that was written last since then; None if there is none."""
    newest, name = since, None
    for path in results.rglob("*"):
        with suppress(OSError):  # it has just been moved
            if path.is_file() and path.name != ".lock" and path.stat().st_mtime >= newest:
                newest, name = path.stat().st_mtime, str(path.relative_to(results))
    return name


def _lines(results: Path) -> dict[Path, Sequence[bytes]]:
    """Return the whole lines of each file of records."""
    return {path: path.read_bytes().split(b"\n")[:-1] for path in results.rglob("*.jsonl") if path.is_file()}


def finished(
    results: Path, options: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run to the end, and return what `compared_files` returns."""
    words = command(*RUN, *options, "--results", str(results))
    variables = {**ENVIRONMENT, **(environment or {})}
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise Difference(f"{results}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return compared_files(results)


def compared_files(results: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that two runs must leave alike, without its times."""
    compared = sorted(path for path in results.rglob("*") if path.is_file() and _is_compared(path))
    return {str(path.relative_to(results)): hashlib.sha256(_without_times(path)).hexdigest() for path in compared}


def _is_compared(path: Path) -> bool:
    """Pictures and pages show what is compared already, and when it was made."""
    return path.suffix in (".csv", ".jsonl", ".safetensors", ".npz") or path.name == "training.json"


def _without_times(path: Path) -> bytes:
    if path.suffix == ".jsonl":
        return b"\n".join(sorted(path.read_bytes().split(b"\n")))
    if path.name == "training.json":
        log = json.loads(path.read_bytes())
        return json.dumps({name: log[name] for name in log if name not in _TIMES}).encode()
    return path.read_bytes()


_TIMES = ("started", "seconds", "resumed_after_step")
