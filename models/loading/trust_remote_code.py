"""Which code may run when a checkpoint is read, its author's or the user's, and the options for it. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Trust:
    """Which code is run to read a checkpoint. Of its author's: pickled weights, and Python files next to the weights;
    neither by default. Of the user's: `adapter_file`, a Python file that describes the architecture, if there is one
    (`models.loading.adapter_file`)."""

    pickles: bool = False
    code: bool = False
    adapter_file: str = ""


NO_TRUST = Trust()


def add_trust_options(add: Callable[..., object]) -> None:
    """Add the options with `add`: argparse's `add_argument` or pytest's `addoption`."""
    add("--allow-pickles", action="store_true", help="read pickled weights, which can run any code of their author")
    add("--trust-remote-code", action="store_true", help="run the Python files that come with a checkpoint")
    add(
        "--adapter",
        default="",
        metavar="FILE",
        help="run a Python file that describes an architecture: how its layers subtract (docs/attention.md)",
    )


def trust_of(options: Any) -> Trust:
    """Return the trust that the parsed options grant."""
    adapter_file = str(Path(options.adapter).expanduser().resolve()) if options.adapter else ""
    return Trust(pickles=options.allow_pickles, code=options.trust_remote_code, adapter_file=adapter_file)
