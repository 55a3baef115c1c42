"""The error of a conversion. No torch here."""

from __future__ import annotations


class ConversionError(ValueError):
    """A checkpoint cannot be converted. The message says, in one sentence, what is wrong and what was expected."""
