"""Which parts of a checkpoint may run code of its author, and the options that allow it. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trust:
    """Which parts of a checkpoint may run code of its author when they are read: pickled weights, and Python files
    next to the weights. Neither may by default."""

    pickles: bool = False
    code: bool = False


NO_TRUST = Trust()


def add_trust_options(add: Callable[..., object]) -> None:
    """Add the options with `add`: argparse's `add_argument` or pytest's `addoption`."""
    add("--allow-pickles", action="store_true", help="read pickled weights, which can run any code of their author")
    add("--trust-remote-code", action="store_true", help="run the Python files that come with a checkpoint")


def trust_of(options: Any) -> Trust:
    """Return the trust that the parsed options grant."""
    return Trust(pickles=options.allow_pickles, code=options.trust_remote_code)
