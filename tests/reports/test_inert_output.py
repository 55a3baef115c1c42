"""Names and texts of others do nothing in a spreadsheet or on a terminal."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas
import pytest

from reports.store.spreadsheet_safe_csv import write_csv
from reports.tables.printable_text import printable

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("name", ["=cmd()", "@SUM(1)", "+1", "-1", "\tx"])
def test_a_name_is_no_formula(tmp_path: Path, name: str) -> None:
    write_csv(pandas.DataFrame({"model": [name, "llama"], "accuracy": [-0.25, 0.5]}), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["model", "accuracy"], [f"'{name}", "-0.25"], ["llama", "0.5"]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202eb\x9b1m", "a\\u202eb\\x9b1m"),
        ("a\rb", "a\\rb"),
        ("模型 – ½ %\n\ttext", "模型 – ½ %\n\ttext"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert printable(text) == shown
