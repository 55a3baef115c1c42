"""`python -m noise`: write noisy problems, and import, audit and measure those of others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from noise.commands import audit_command, import_command, strength_command, write_command

#: The commands with a name. Without one, noisy problems are written.
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "import": import_command.main,
    "audit": audit_command.main,
    "strength": strength_command.main,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Return its exit status: 0, or 1 after one sentence on stderr. Misuse exits with 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    return write_command.main(arguments)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or a file that is not in UTF-8 gets escapes
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
