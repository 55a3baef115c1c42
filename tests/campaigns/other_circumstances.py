"""Run every stage under other circumstances, and compare what it leaves byte for byte: times and line order apart.

Circumstances are the seed of Python's hashes, the locale, the time zone, the name of the folder, workers, and the size
of a batch. Of a batch size, only what generates and tunes is compared: a batch of fewer than 16 changes the sixth digit
of a reading, as padding changes the order of the sums.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tests.campaigns.killed_runs import Difference, finished

_WITHOUT_READINGS = ("accuracy.csv", "predictions/", "checkpoints/")
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
        compared = sorted(expected.keys() | left.keys())
        if "--batch-size" in options:
            compared = [path for path in compared if path.startswith(_WITHOUT_READINGS)]
        different = [path for path in compared if expected.get(path) != left.get(path)]
        if different:
            raise Difference(f"{name}: {', '.join(different)}")
        yield f"{name}: the same {len(compared)} files"
