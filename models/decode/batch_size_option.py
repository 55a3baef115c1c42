"""The batch size as a command line gives it. No torch here."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Literal

#: A number of prompts decoded at once, or `auto` for the number that decodes fastest.
BatchSize = int | Literal["auto"]


def parse_batch_size(text: str) -> BatchSize:
    """Return the batch size that `text` names.

    Raises `argparse.ArgumentTypeError` otherwise: pytest parses its options with argparse.
    """
    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a number from 1 up, or auto; got {text!r}") from None


def fixed_batch_size(size: BatchSize) -> int:
    """Return `size` as a number, 64 for `auto`: for code that times nothing."""
    return 64 if size == "auto" else size
