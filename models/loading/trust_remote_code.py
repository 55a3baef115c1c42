"""Which code may run when a checkpoint is read, its author's or the user's, and the options for it. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Trust:
    """Which code is run to read a checkpoint.

    Code of its author, which is not run by default: pickled weights, and Python files next to the weights. Code of the
    user: the Python file `architecture_file` (`models.loading.architecture_file`), if there is one.
    """

    pickles: bool = False
    code: bool = False
    architecture_file: str = ""


NO_TRUST = Trust()


def add_trust_options(add: Callable[..., object]) -> None:
    """Add the options with `add`: argparse's `add_argument` or pytest's `addoption`."""
    add("--allow-pickles", action="store_true", help="read pickled weights, which can run any code of their author")
    add("--trust-remote-code", action="store_true", help="run the Python files that come with a checkpoint")
    add(
        "--adapter",
        default="",
        metavar="FILE",
        help="run this Python file first: it describes an architecture that is not built in (docs/attention.md)",
    )


def trust_of(options: Any) -> Trust:
    """Return the trust that the parsed options grant."""
    architecture_file = str(Path(options.adapter).absolute()) if options.adapter else ""
    return Trust(pickles=options.allow_pickles, code=options.trust_remote_code, architecture_file=architecture_file)
