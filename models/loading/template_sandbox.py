"""Run the code of a chat template for a limited time: it is a stranger's, and may loop for ever.

jinja's sandbox bounds a single `range`, and neither loops in loops nor the length of a text. `"a" * 10**10` is one step
of the interpreter, which no thread and no signal handler can end, so the template runs in a forked child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jinja2 import TemplateError

#: Seconds of the child's processor time, and of the clock: a template takes milliseconds.
CPU_SECONDS, WALL_SECONDS = 3, 60
#: Bytes that the child may allocate, and those of its text.
_MEMORY, _LONGEST = 2**30, 16 * 2**20


class RenderingFailed(Exception):
    """A template raised an exception or took too long. `refused` says that the template itself raised its error."""

    def __init__(self, message: str, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


def bounded(render: Callable[[], str]) -> str:
    """Return `render()`, called in a child of this process. Raises `RenderingFailed`.

    Where the system cannot fork, it is called here, without limits.
    """
    if not hasattr(os, "fork"):
        return _called(render)
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns where other threads run. The child runs nothing but the template, and ends without clean-up.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _limit_child()
            _send(render, writing)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        content = _received(reading, time.monotonic() + WALL_SECONDS)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if content is None:
        raise RenderingFailed(f"it did not end within {CPU_SECONDS} s, or wrote more than {_LONGEST // 2**20} MiB")
    answer = json.loads(content)
    if "error" in answer:
        raise RenderingFailed(answer["error"], answer["refused"])
    return str(answer["text"])


def _called(render: Callable[[], str]) -> str:
    try:
        return render()
    except Exception as error:  # a template can raise anything
        raise RenderingFailed(
            f"{type(error).__name__}: {error}".removesuffix(": "), isinstance(error, TemplateError)
        ) from error


def _limit_child() -> None:
    """Limit time and memory of this process. Memory is limited where /proc says how much it has already."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _MEMORY,) * 2)


def _send(render: Callable[[], str], writing: int) -> None:
    try:
        answer = {"text": _called(render)}
    except RenderingFailed as error:
        answer = {"error": str(error)[:1_000], "refused": error.refused}  # type: ignore[dict-item]
    with os.fdopen(writing, "wb") as file:
        file.write(json.dumps(answer).encode() + b"\n")


def _received(reading: int, deadline: float) -> bytes | None:
    """Return the line that the child wrote; None where it was killed, wrote too much, or the time is over."""
    content = bytearray()
    while not content.endswith(b"\n"):
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(reading, 2**16) if ready else b""
        content += part
        if not part or len(content) > _LONGEST:
            return None
    return bytes(content)
