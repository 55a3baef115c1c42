"""Run every stage where the disk or the memory ends, ask for the reports, and run the same command again with enough.

Disks are file systems in memory of random sizes; limits on the size of a file and of memory are the shell's. A run must
end with a sentence and an exit status, its records must be readable, and the run with enough must leave what a run
without trouble leaves.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.typed_commands import ROOT, command
from tests.campaigns.killed_runs import ENVIRONMENT, RUN, Difference, compared_files, finished

#: A disk of `size` kilobytes, as a script for a shell in a name space of its own: its first argument is the folder of
#: the disk, the second the folder to copy the results to.
_DISK = """
mount -t tmpfs -o size={size}k tmpfs "$1" || exit 77
{run} > "$2/stdout" 2>&1; echo $? > "$2/status"
{reports} > "$2/reports" 2>&1; echo $? > "$2/reports_status"
mount -o remount,size=1g "$1"
{run} > "$2/again" 2>&1; echo $? > "$2/again_status"
cp -r "$1/results" "$2/results"
"""
#: The same with a limit of the shell.
_LIMIT = """
(ulimit {option} {size}; {run}) 2>&1 | cat > "$2/stdout"; echo ${{PIPESTATUS[0]}} > "$2/status"
{reports} > "$2/reports" 2>&1; echo $? > "$2/reports_status"
{run} > "$2/again" 2>&1; echo $? > "$2/again_status"
cp -r "$1/results" "$2/results"
"""
#: Name -> (script, sizes in kB, words of which a refused run says some). Importing torch takes 1.5 GB of addresses.
KINDS = {
    "disk": (_DISK, (8, 8_000), ("No space left on device", "cannot save")),
    "file-size limit": (_LIMIT.replace("{option}", "-f"), (8, 8_000), ("File too large", "cannot save")),
    "memory limit": (_LIMIT.replace("{option}", "-v"), (1_600_000, 1_900_000), ("memory", "Memory")),
}


def run_short(count: int, seed: int, folder: Path) -> Iterator[str]:
    """Run `count` times short of something, and yield a line for each and a last one for all. Raises `Difference`."""
    rng = random.Random(seed)
    expected = finished(folder / "with_enough")
    ended: Counter[str] = Counter()
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        low, high = KINDS[kind][1]
        size = round(low * (high / low) ** rng.random())
        status = _run_with(folder / f"{number}", kind, size, expected)
        ended[f"{kind}: {'finished' if status == 0 else 'ended with a sentence'}"] += 1
        yield f"{kind} of {size} kB: exit {status}, then the same {len(expected)} files"
    yield f"{count} runs: {', '.join(f'{number} × {what}' for what, number in sorted(ended.items()))}"


def _run_with(folder: Path, kind: str, size: int, expected: dict[str, str]) -> int:
    template, _, reasons = KINDS[kind]
    disk = folder / "disk"
    disk.mkdir(parents=True)
    results = disk / "results"
    words = [*command(*RUN, "--results", str(results))]
    reports = [sys.executable, "-m", "reports", "accuracy", str(results)]
    script = template.format(size=size, run=_quoted(words), reports=_quoted(reports))
    space = ["unshare", "--map-root-user", "--mount"]
    subprocess.run(
        [*space, "bash", "-c", script, "bash", str(disk), str(folder)], cwd=ROOT, env=ENVIRONMENT, check=True
    )
    said = {name: (folder / name).read_text() for name in ("stdout", "reports", "again")}
    for name, text in said.items():
        if "Traceback" in text or "INTERNALERROR" in text:
            raise Difference(f"{folder / name}: a traceback")
    status, again = (int((folder / name).read_text()) for name in ("status", "again_status"))
    if status not in (0, 1) or again != 0:
        raise Difference(f"{folder}: exit {status}, and {again} with enough")
    if status == 1 and not any(reason in said["stdout"] for reason in reasons):
        raise Difference(f"{folder / 'stdout'}: the reason is not said")
    left = compared_files(folder / "results")
    different = sorted(name for name in expected.keys() | left.keys() if expected.get(name) != left.get(name))
    if different:
        raise Difference(f"{folder}: {', '.join(different)}")
    shutil.rmtree(folder / "results")
    return status


def _quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)
