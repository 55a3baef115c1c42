"""The lines of a text file, read strictly: a regular file of UTF-8, and no line that never ends."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterator
from pathlib import Path

#: A longer line, in bytes, is no problem: a disk image, or a file of another kind.
LONGEST_LINE = 16 * 2**20
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
#: What other files begin with. Longer beginnings stand first.
_BEGINNINGS = {
    b"\xff\xfe\0\0": "UTF-32 text",
    b"\0\0\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b'{\0"\0': "UTF-16 text",
    b"{\0 \0": "UTF-16 text",
    b'\0{\0"': "UTF-16 text",
    b"\0{\0 ": "UTF-16 text",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"PK\x03\x04": "a zip file; unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it",
    b"\xfd7zXZ": "an xz file; unpack it",
    b"BZh": "a bzip2 file; unpack it",
    b"PAR1": "a parquet file",
    b"version https://git-lfs": "a pointer of Git LFS; `git lfs pull` fetches the file",
}


def check_regular_file(path: Path) -> None:
    """Raise for what is not a file that ends: reading a pipe or a device may never end.

    Raises `FileNotFoundError`, with the nearest file name, for a missing file, `ValueError` for a folder, a pipe, a
    device and the like, and `OSError` for what the system refuses.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(_missing(path)) from None
    except OSError as error:
        raise _with_file_name(path, error) from None
    except ValueError:
        raise ValueError(f"{path!s:.60}: expected the name of a .jsonl file, got a NUL character in it") from None
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise ValueError(f"{path}: expected a regular file, got {kind}")


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers (from 1) and bytes of the lines of a file. Blank lines at its end are left out.

    Raises what `check_regular_file` raises, and `ValueError` for an empty file and for one that is no UTF-8 text from
    its first bytes on.
    """
    check_regular_file(path)
    number, blanks = 0, list[tuple[int, bytes]]()
    try:
        with path.open("rb") as file:  # bytes, as only \n ends a line: JSON text may hold other line separators
            _check_beginning(path, file.peek(32)[:32])
            while raw := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(raw) > LONGEST_LINE:
                    raise ValueError(
                        f"{path}:{number}: expected lines of at most {LONGEST_LINE // 2**20} MiB, got a longer one"
                    )
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                if not raw.strip():
                    blanks.append((number, raw))
                    continue
                yield from blanks
                blanks.clear()
                yield number, raw
    except OSError as error:
        raise _with_file_name(path, error) from None
    if number == len(blanks):
        raise ValueError(f"{path}: expected one JSON object a line, got an empty file")


def _check_beginning(path: Path, content: bytes) -> None:
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            raise ValueError(f"{path}: expected UTF-8 text, got {kind}")


def _with_file_name(path: Path, error: OSError) -> OSError:
    """Return the error as one sentence that begins with the file."""
    return type(error)(f"{path!s:.200}: {error.strerror or error}")


def _missing(path: Path) -> str:
    try:
        siblings = [file.name for file in path.parent.iterdir() if file.suffix == path.suffix]
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    return f"{path}: no such file" + (f"; did you mean {str(path.parent / near[0])!r}?" if near else "")
