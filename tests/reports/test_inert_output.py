"""Names and texts of others do nothing in a spreadsheet, on a terminal, in XML or in a path."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas
import pytest

from models.model_registry import UnknownModelError, find_models
from reports.store.file_names import file_name
from reports.store.records import Cell
from reports.store.results_folder import Results
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


ODD = "a\x1b[31m\x00\x0b\ufffe<&\"']]>\ud800\U0001f600é"


def test_a_junit_file_stays_well_formed(pytester: pytest.Pytester) -> None:
    """Names, messages, output and properties of others, in which XML allows no control character."""
    pytester.makeconftest("")
    pytester.makepyfile(
        f"""
        import pytest

        ODD = {ODD!r}

        @pytest.mark.parametrize("name", [ODD], ids=[ODD.encode("utf-8", "replace").decode()])
        def test_one(name, record_property):
            record_property("baseline_verdict", name.replace("\\ud800", ""))
            print(name.replace("\\ud800", ""))
            pytest.fail(name.replace("\\ud800", ""), pytrace=False)
        """
    )
    pytester.runpytest_subprocess("--junitxml", "report.xml", "-p", "no:cacheprovider")
    (case,) = ElementTree.parse(pytester.path / "report.xml").getroot().iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert "#x1B" in str(failure.get("message"))


NAMES = ["../x", "/etc/passwd", "..", ".", "a/../../b", "x" * 300, "CON", "nul", "aux.txt", "COM1.jsonl", "lpt9", "a."]
NAMES += [
    "a ",
    " a",
    "a\\\\b",
    "C:x",
    "a:b",
    "a*?b",
    "\x1b[31m",
    "\0",
    "\ud800",
    "模型",
    "-rf",
    "~",
    "%2F",
    "a\nb",
    ".hidden",
]
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{name}{digit}" for name in ("COM", "LPT") for digit in range(10))}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_harmless_part_of_a_path(name: str) -> None:
    safe = file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9%+_.~-]{1,200}", safe)
    assert not safe.startswith(".")
    assert not safe.endswith((".", " "))
    assert safe.split(".")[0].upper() not in _DEVICES
    assert f"{safe}.jsonl".split(".")[0].upper() not in _DEVICES


def test_different_names_are_different_files() -> None:
    names = [*NAMES, *(name for name in map(file_name, NAMES) if len(name) < 200), "x" * 301, "CON.a", "%43ON", "a%2E"]
    assert len({file_name(name) for name in names}) == len(set(names))


def test_a_cell_of_any_name_stays_in_its_folder(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    for name in NAMES:
        path = results.path(Cell(name, name, "zero_shot"))
        assert path.resolve().is_relative_to(tmp_path / "results/predictions/zero_shot")
        assert len(path.relative_to(tmp_path / "results").parts) == 4


@pytest.mark.parametrize(("first", "second"), [("Mine", "mine"), ("straße", "STRASSE"), ("ﬁne", "fine")])
def test_two_models_whose_names_differ_in_case_alone_are_refused(first: str, second: str) -> None:
    """Their records would be one file where a disk tells no capitals apart."""
    with pytest.raises(UnknownModelError, match="expected a different name for each, whatever the case"):
        find_models(f"{first}=llama,{second}=diffllama")
