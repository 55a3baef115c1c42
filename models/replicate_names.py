"""Names of replicates: `diffllama:3` is the model of the family `diffllama` that was trained with seed 3.

`diffllama` alone is `diffllama:0`. `reports` may not import this, and reads names for itself
(`reports.store.replicates`); a test holds both sides together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = r"0|[1-9][0-9]{0,3}"
#: What may stand behind the name of a family.
REPLICATE_SUFFIX = rf":(?:{_NUMBER})"
_REPLICATE = re.compile(rf"(?P<family>[^:]+)(?::(?P<number>{_NUMBER}))?")


def replicate_name(family: str, number: int) -> str:
    """Return the name of a replicate."""
    return f"{family}:{number}" if number else family


def split_replicate(name: str) -> tuple[str, int]:
    """Return the family and the number of a replicate; the number of a name that has none is 0."""
    match = _REPLICATE.fullmatch(name)
    return (match["family"], int(match["number"] or 0)) if match else (name, 0)


def replicates_text(names: Sequence[str]) -> str:
    """Return names in words, the replicates of a family together: `diffllama:0-7, llama:0-7`."""
    numbers: dict[str, list[int]] = {}
    for family, number in map(split_replicate, names):
        numbers.setdefault(family, []).append(number)
    return ", ".join(
        f"{family}:{_ranges(sorted(of))}" if len(of) > 1 else replicate_name(family, of[0])
        for family, of in numbers.items()
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers as `0-3+5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return "+".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def canonical_name(name: str) -> str:
    """Return the name that a model is known by: `diffllama:0` is `diffllama`."""
    return replicate_name(*split_replicate(name))
