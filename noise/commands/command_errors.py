"""What the commands do alike: an error is one sentence on stderr, and nothing that is printed moves a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from noise.problems.jsonl import FileDiffersError
from noise.registry import find_noise
from noise.sentence_files import add_sentence_file


def exit_status(command: str, work: Callable[[], None], out_option: str = "--out") -> int:
    """Do the work of a command and return its exit status: 0, or 1 after one sentence on stderr, or 130."""
    try:
        work()
    except FileDiffersError as error:
        say(f"{command}: {error}; choose another {out_option}, or add --force")
        return 1
    except (ValueError, OSError, RuntimeError) as error:
        say(f"{command}: {_sentence(error)}")
        return 1
    except KeyboardInterrupt:
        say(f"{command}: interrupted; the unfinished file was not written")
        return 130
    return 0


def say(line: str) -> None:
    """Print a line to stderr."""
    print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    """Return text that does nothing on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def add_noise_file_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that makes a noise of a text file."""
    parser.add_argument(
        "--noise-file",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a noise of your own: a text file with one sentence a line, under the name of the file's stem or NAME",
    )


def register_noise_files(parser: argparse.ArgumentParser, files: list[str]) -> None:
    """Register the noises of `--noise-file`; end as for wrong use where one can be none."""
    for text in files:
        try:
            add_sentence_file(text)
        except (ValueError, OSError) as error:
            parser.error(f"argument --noise-file: {printable(_sentence(error))}")


def check_noises(parser: argparse.ArgumentParser, names: list[str]) -> None:
    """End as for wrong use where a name is that of no noise."""
    for name in names:
        try:
            find_noise(name)
        except ValueError as error:
            parser.error(f"argument --datasets: {error}")


def _sentence(error: Exception) -> str:
    """Return the message of an error, without the number that the system gives it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
