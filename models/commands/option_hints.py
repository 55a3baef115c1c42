"""The option that fixes an error, for the commands of `python -m models`. No torch here."""

from __future__ import annotations

from models.commands.terminal_text import for_terminal
from models.convert.conversion_errors import ConfigMissingError, GroupedKeysError
from models.hub.hub_errors import DiskSpaceError, PickledRepositoryError
from models.loading.load_errors import (
    ChatTemplateError,
    DeviceError,
    DtypeError,
    PickledWeightsError,
    RemoteCodeError,
)
from models.prompt import UnknownPromptError

#: By exception type. The errors themselves name parameters, as they also reach callers without a command line.
OPTIONS: dict[type[Exception], str] = {
    DeviceError: "--device",
    DtypeError: "--dtype",
    UnknownPromptError: "--prompt",
    ChatTemplateError: "--chat",
    PickledWeightsError: "--allow-pickles",
    PickledRepositoryError: "--allow-pickles",
    RemoteCodeError: "--trust-remote-code",
    DiskSpaceError: "--cache",
    ConfigMissingError: "--config",
    GroupedKeysError: "--grouped-keys",
}


def option_for(error: BaseException) -> str | None:
    """Return the option that fixes an error; None where there is none."""
    return next((option for kind, option in OPTIONS.items() if isinstance(error, kind)), None)


def with_option(error: BaseException) -> str:
    """Return the message of an error for a terminal, followed by the option that fixes it."""
    option = option_for(error)
    return for_terminal(f"{error} ({option})" if option else str(error))
