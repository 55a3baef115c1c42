"""Run every stage under other circumstances, and compare what it leaves byte for byte: times and line order apart.

Circumstances are the seed of Python's hashes, the locale, the time zone, the name of the folder, workers, and the size
of a batch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.campaigns.killed_runs import Difference, finished

#: Name -> (environment, options, name of the folder).
CIRCUMSTANCES: dict[str, tuple[dict[str, str], list[str], str]] = {
    "another hash seed": ({"PYTHONHASHSEED": "{seed}"}, [], "hashes"),
    "the locale C and no UTF-8": (
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii:replace"},
        [],
        "locale",
    ),
    "another time zone": ({"TZ": "Asia/Kathmandu"}, [], "zone"),
    "a folder with a strange name": ({}, [], "räume % {0} 'x' 数"),
    "two workers": ({}, ["-n", "2"], "workers"),
    "batches of two": ({}, ["--batch-size", "2"], "batches"),
    "a batch size that is found": ({}, ["--batch-size", "auto"], "found"),
}


def compare_circumstances(count: int, seed: int, folder: Path) -> Iterator[str]:
    """Run under the first `count` circumstances, and yield a line for each. Raises `Difference`."""
    expected = finished(folder / "as_usual")
    hash_seed = str(random.Random(seed).randrange(1, 2**32))
    for name, (environment, options, results) in list(CIRCUMSTANCES.items())[:count]:
        changed = {variable: value.replace("{seed}", hash_seed) for variable, value in environment.items()}
        left = finished(folder / results, options, changed)
        different = sorted(path for path in expected.keys() | left.keys() if expected.get(path) != left.get(path))
        if different:
            raise Difference(f"{name}: {', '.join(different)}")
        yield f"{name}: the same {len(left)} files"
