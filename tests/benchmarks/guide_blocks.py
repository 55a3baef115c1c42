"""The README and the guides in docs/, taken apart: their code blocks, their commands, their modules."""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
import types
from collections.abc import Iterator

import pytest

from tests.benchmarks.typed_commands import ROOT

GUIDES = ("README.md", "docs/howto.md", "docs/migration.md")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document in `language`; an output block has the language ""."""
    return [textwrap.dedent(code) for name, code in FENCE.findall(text_of(document)) if name == language]


def module_of(document: str, path: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The code block of a document that begins with `# path`, as the module that would be there."""
    (code,) = (block for block in blocks(document, "python") if block.startswith(f"# {path}\n"))
    module = types.ModuleType(path.removesuffix(".py").replace("/", "."))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code, vars(module))
    return module


def inline_code(document: str) -> list[str]:
    """Code spans in the right column of the tables of a document, where it says what to type."""
    rows = [line.rsplit("|", 2)[1] for line in text_of(document).splitlines() if line.startswith("|")]
    return [span for row in rows for span in re.findall(r"`([^`]+)`", row)]


def commands(document: str) -> Iterator[list[str]]:
    """The words of every command line in the bash blocks and tables of a document."""
    for block in blocks(document, "bash"):
        without_files = re.sub(r"<<'END'\n.*?^END$", "", block.replace("\\\n", " "), flags=re.MULTILINE | re.DOTALL)
        for line in without_files.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words
    for span in inline_code(document):
        if span.startswith(("pytest ", "python -m ")) and "…" not in span:
            yield shlex.split(span)
