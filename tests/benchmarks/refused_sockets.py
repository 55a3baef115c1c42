"""A pytest plugin: in its process, no socket reaches out."""

import sys


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Let local sockets pass, whose address is a path."""
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
        raise ConnectionRefusedError(f"{event} was refused: {arguments[0] if event.endswith('info') else arguments[1]}")


sys.addaudithook(_refuse)
