"""Problem files that cannot be read, and what is said of each: `file:line: expected … got …`."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOOD = {"question": "Ann has 3 pens and buys 4. How many has she?", "answer": "3+4=<<3+4=7>>7\n#### 7"}
_GOOD = json.dumps(GOOD)


@dataclass(frozen=True)
class BadFile:
    """`write` makes the file at a path. `said` follows its name; it begins with `:2: ` where a line is bad."""

    name: str
    write: Callable[[Path], object]
    said: str

    @property
    def is_one_line(self) -> bool:
        """Whether the rest of the file can be read without the line."""
        return self.said[1].isdigit()


def _lines(*lines: object) -> Callable[[Path], object]:
    texts = [line if isinstance(line, str | bytes) else json.dumps(line) for line in lines]
    content = b"".join((text.encode() if isinstance(text, str) else text) + b"\n" for text in texts)
    return lambda path: path.write_bytes(content)


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _line(name: str, line: object, said: str) -> BadFile:
    """A bad line between two good ones."""
    return BadFile(name, _lines(_GOOD, line, _GOOD), f":2: {said}")


def _answer(name: str, target: str, shown: str | None = None) -> BadFile:
    said = f"problem 'mine-00002': expected one number, right after the last '####', got {shown or repr(target)}"
    return _line(name, {**GOOD, "answer": f"#### {target}"}, said)


def _whole(name: str, content: bytes, said: str) -> BadFile:
    return BadFile(name, _bytes(content), f": {said}")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**36)


_NOT_JSON = "expected a JSON object, got text that is not JSON"
_ZEROS = "…" + "0" * 60
BAD_FILES = [
    # not a JSON object
    _line("bad JSON", '{"question": "x", "answer" "#### 1"}', f"{_NOT_JSON} (Expecting ':' delimiter, character 28"),
    _line("cut off", _GOOD[:40], f"{_NOT_JSON} ("),
    _line("two objects", _GOOD + _GOOD, f"{_NOT_JSON} (Extra data"),
    _line("a comma at the end", _GOOD + ",", f"{_NOT_JSON} (Extra data"),
    _line("single quotes", str(GOOD), f"{_NOT_JSON} (Expecting property name"),
    _line("a comment", "# problems", f"{_NOT_JSON} (Expecting value, character 1, in '# problems')"),
    _line("a list", [1, 2], "expected a JSON object, got list [1, 2]"),
    _line("a number", "5", "expected a JSON object, got int 5"),
    _line("a string", '"x"', "expected a JSON object, got str 'x'"),
    _line("null", "null", "expected a JSON object, got NoneType None"),
    _line("NaN", "NaN", "expected a JSON object, got float nan"),
    _line("deep nesting", "[" * 100_000, "expected a JSON object, got JSON that is nested too deep"),
    _line("deep nesting in a field", '{"x": ' * 50_000, "expected a JSON object, got JSON that is nested too deep"),
    _line("a long number", "1" * 5_000, "expected a JSON object, got a number of more than"),
    _line("an empty line", "", "expected a JSON object, got a blank line before the end"),
    _line("NULs", "\0" * 4_096, f"{_NOT_JSON} (Expecting value, character 1, in '\\x00"),
    _line("a NUL in a text", '{"question": "a\0b"}', f"{_NOT_JSON} (Invalid control character"),
    _line("a key twice", '{"question": "x?", "question": "y?"}', "expected each key once, got 'question' twice"),
    _line("Latin-1", '{"question": "café"}'.encode("latin-1"), "expected UTF-8 text, got byte 0xe9 at 17"),
    _line("a raw surrogate", b'{"question": "\xed\xa0\x80"}', "expected UTF-8 text, got byte 0xed at 14"),
    # not a problem
    _line("no question", {"answer": "#### 7"}, "expected a string field 'question', got no such field"),
    _line("no answer", {"question": "x?"}, "expected a string field 'answer', got no such field"),
    _line("a misspelt field", {"Question": "x?"}, "expected a string field 'question', got no such field; it has"),
    _line("a question of the wrong type", {**GOOD, "question": ["x"]}, "expected 'question' to be a string, got list"),
    _line("an answer of the wrong type", {**GOOD, "answer": 7}, "expected 'answer' to be a string, got int 7"),
    _line("an answer that is NaN", '{"question": "x?", "answer": NaN}', "expected 'answer' to be a string, got float"),
    _line("an id of the wrong type", {**GOOD, "id": 1.5}, "expected 'id' to be a string, got float 1.5"),
    _line("an id that is null", {**GOOD, "id": None}, "expected 'id' to be a string, got NoneType None"),
    _line("an empty id", {**GOOD, "id": ""}, "expected 'id' not to be blank, got ''"),
    _line("a long id", {**GOOD, "id": "i" * 10**6}, "expected an 'id' of at most 1,000 characters, got 1,000,000"),
    _line("a blank question", {**GOOD, "question": " "}, "expected 'question' not to be blank, got ' '"),
    _line("a lone surrogate", {**GOOD, "question": "\ud800?"}, "expected 'question' to be valid Unicode"),
    _line(
        "a lone surrogate in an answer", {**GOOD, "answer": "\udc00 #### 7"}, "expected 'answer' to be valid Unicode"
    ),
    _line("a lone surrogate in an id", {**GOOD, "id": "\udc00"}, "expected 'id' to be valid Unicode"),
    _line(
        "a lone surrogate in an original question",
        {**GOOD, "original_question": "\udc00"},
        "expected 'original_question' to be valid Unicode",
    ),
    # no target
    _line("no target", {**GOOD, "answer": "7"}, "problem 'mine-00002': expected an answer that ends in '#### N'"),
    _answer("a target in words", "seven"),
    _answer("a target that is NaN", "NaN"),
    _answer("a target that is infinite", "inf"),
    _answer("a target that is minus infinite", "-Infinity"),
    _answer("a division by zero", "1/0"),
    _answer("a power", "10**5000"),
    _answer("a large exponent", "1e5000"),
    _answer("a small exponent", "1e-5000"),
    _answer("a target of 5,000 digits", "1" + "0" * 5_000, repr(_ZEROS)),
    _answer("a denominator of 5,000 digits", "1/1" + "0" * 5_000, repr(_ZEROS)),
    _answer("a number and a large exponent", "7 1e5000"),
    _answer("two targets", "7 or 8"),
    # one line and another
    BadFile(
        "an id twice",
        _lines({**GOOD, "id": "a"}, {**GOOD, "id": "a"}, _GOOD),
        ":2: expected a unique id, got 'a', which",
    ),
    BadFile(
        "the id of a line without one",
        _lines(_GOOD, {**GOOD, "id": "mine-00001"}),
        ":2: expected a unique id, got 'mine-00001', which",
    ),
    BadFile(
        "two gold answers",
        _lines({"question": "x?", "answer": "#### 5"}, {"question": "X?", "answer": "#### 8"}, _GOOD),
        ":2: expected one gold answer per question, got 8 for that of",
    ),
    # no text
    _whole("empty", b"", "expected one JSON object a line, got an empty file"),
    _whole("empty but for a byte order mark", b"\xef\xbb\xbf", "expected one JSON object a line, got an empty file"),
    _whole("empty lines alone", b"\n\n \n", "expected one JSON object a line, got an empty file"),
    _whole("UTF-16", (_GOOD + "\n").encode("utf-16"), "expected UTF-8 text, got UTF-16 text"),
    _whole("UTF-16 without a mark", _GOOD.encode("utf-16-le"), "expected UTF-8 text, got UTF-16 text"),
    _whole("UTF-16 of the other order", _GOOD.encode("utf-16-be"), "expected UTF-8 text, got UTF-16 text"),
    _whole("UTF-32", _GOOD.encode("utf-32"), "expected UTF-8 text, got UTF-32 text"),
    _whole("gzip", gzip.compress(_GOOD.encode()), "expected UTF-8 text, got a gzip file; unpack it"),
    _whole("zip", b"PK\x03\x04" + bytes(300), "expected UTF-8 text, got a zip file; unpack it"),
    _whole("Git LFS", b"version https://git-lfs.github.com/spec/v1\n", "expected UTF-8 text, got a pointer of Git LFS"),
    BadFile("64 GiB of NULs", _sparse, ":1: expected lines of at most 16 MiB, got a longer one"),
    # no file
    BadFile("missing", lambda path: None, ": no such file"),
    BadFile("a folder", lambda path: path.mkdir(), ": expected a regular file, got a folder"),
    BadFile("a pipe", lambda path: os.mkfifo(path), ": expected a regular file, got a pipe"),
    BadFile("a device", lambda path: path.symlink_to("/dev/zero"), ": expected a regular file, got a device"),
    BadFile("a link to itself", _loop, ": Too many levels of symbolic links"),
    BadFile("a link to nothing", lambda path: path.symlink_to("nothing"), ": no such file"),
]
if os.getuid():  # root reads everything
    BAD_FILES.append(BadFile("unreadable", lambda path: (path.write_text(_GOOD), path.chmod(0)), ": Permission denied"))
#: Whole-file faults that look like a line's.
_OF_THE_FILE = ("64 GiB of NULs",)
BAD_LINES = [file for file in BAD_FILES if file.is_one_line and file.name not in _OF_THE_FILE]
WHOLE_FILES = [file for file in BAD_FILES if file not in BAD_LINES]
#: Files that look odd and are fine, and their numbers of problems.
GOOD_FILES = [
    ("a byte order mark", _bytes(b"\xef\xbb\xbf" + _GOOD.encode() + b"\n"), 1),
    ("Windows line ends", _bytes((_GOOD + "\r\n").encode() * 2), 2),
    ("no line end at the end", _bytes(_GOOD.encode()), 1),
    ("empty lines at the end", _lines(_GOOD, "", " ", "\r"), 1),
    ("a question of 1 MB", _lines({**GOOD, "question": "Ann has 3 pens. " * 62_500 + "How many has she?"}), 1),
    ("an answer of 1 MB", _lines({**GOOD, "answer": "y " * 500_000 + "#### 1"}), 1),
    ("a NUL in a question, escaped", _lines({**GOOD, "question": "a\0b 3?"}), 1),
    ("a field that nobody reads", _lines({**GOOD, "x": [[[[{"y": None}]]]]}), 1),
]
