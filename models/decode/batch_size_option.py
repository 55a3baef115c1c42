"""How many problems are asked at once, as the command line says it. No torch here."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Literal

#: A number, or as many as are answered fastest.
BatchSize = int | Literal["auto"]


def batch_size(text: str) -> BatchSize:
    """What `--batch-size` takes. Raises argparse's own error, as pytest reads the option with argparse."""
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a number from 1 up, or auto; got {text!r}") from None


def rows_of(size: BatchSize) -> int:
    """The number of rows where nothing is timed."""
    return 64 if size == "auto" else size
