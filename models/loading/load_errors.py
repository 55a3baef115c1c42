"""The errors of loading a model. Those that one option fixes have a class of their own. No torch here."""

from __future__ import annotations


class LoadError(RuntimeError):
    """A model cannot be loaded. The message says, in one sentence, what is wrong and what to do."""


class DeviceError(LoadError):
    """`device` is not a torch device, or this machine does not have it."""


class DtypeError(LoadError):
    """`dtype` is neither `auto` nor a precision that models are loaded in."""


class ChatTemplateError(LoadError):
    """A chat was asked for (`chat=True`), and the model's chat template is missing or unusable."""


class UntrustedError(LoadError):
    """A checkpoint could run code of its author while it is read, and `Trust` does not allow that."""


class PickledWeightsError(UntrustedError):
    """A checkpoint has only pickled weights; `Trust(pickles=True)` allows them."""


class RemoteCodeError(UntrustedError):
    """A checkpoint needs Python files of its author; `Trust(code=True)` allows them."""


class CheckpointDamaged(ValueError):
    """A file of a checkpoint does not hold what it should. The message names the file."""
