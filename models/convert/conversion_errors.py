"""The errors of a conversion. No torch here."""

from __future__ import annotations


class ConversionError(ValueError):
    """A checkpoint cannot be converted. The message says, in one sentence, what is wrong and what was expected."""


class ConfigMissingError(ConversionError):
    """There is no configuration next to a checkpoint, nor where `config` names one."""


class GroupedKeysError(ConversionError):
    """Differential heads share their keys, and `grouped_keys` does not say how."""
