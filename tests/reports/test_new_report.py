"""A report of somebody else's: one module and one registration, and it is written, has a command, and is set aside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.findings import Findings
from reports.store.results_folder import Results
from reports.write_reports import REPORTS, Report, register_report, report_files
from tests.benchmarks.typed_commands import typed
from tests.reports.record_factories import CELL, SETTINGS, outcomes
from tests.reports.test_plugin import CASES, CONFTEST

#: Writes the number of cells in the folder.
TOY_REPORT = """
from reports.store.atomic_io import write_atomically
from reports.write_reports import Report, register_report


def write(findings):
    path = findings.results.folder / "cells.txt"
    write_atomically(path, f"{len(findings.results.cells())} cells".encode())
    yield path


register_report(Report("cells", ("cells.txt",), write))
"""


@pytest.fixture(autouse=True)
def _registry_is_restored() -> Iterator[None]:
    before = dict(REPORTS)
    yield
    REPORTS.clear()
    REPORTS.update(before)


def toy_report(name: str = "cells", files: tuple[str, ...] = ("cells.txt",), written: bool = True) -> Report:
    def write(findings: Findings) -> Iterator[Path]:
        for file in files if written else ():
            path = findings.results.folder / file
            path.write_text(f"{len(findings.results.cells())} cells")
            yield path

    return Report(name, files, write)


def test_a_new_report_is_written_at_the_end_of_a_run_and_set_aside(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(toy_report=TOY_REPORT, test_grid=CASES.replace("{trouble}", "pass"))
    pytester.makeconftest(CONFTEST + "\nimport toy_report\n")
    first = typed("-k", "clean and llama", cwd=pytester.path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "2 passed" in first.stdout
    assert "cells.txt" in first.stdout
    assert (pytester.path / "results" / "cells.txt").read_text() == "2 cells"
    typed("-k", "clean and llama", "--fresh", "--collect-only", cwd=pytester.path)
    assert (pytester.path / "results" / "cells.txt").exists()
    typed("-k", "inf and diffllama", "--fresh", cwd=pytester.path)
    (aside,) = (pytester.path / "results" / "set_aside").iterdir()
    assert (aside / "cells.txt").read_text() == "2 cells"
    assert (pytester.path / "results" / "cells.txt").read_text() == "1 cells"


def test_a_new_report_has_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register_report(toy_report())
    Results(tmp_path).append(CELL, SETTINGS, outcomes(1, 1))
    assert main(["cells", str(tmp_path)]) == 0
    note, files = " ".join(capsys.readouterr().out.split()).split("files: ")
    assert files == str(tmp_path / "cells.txt")
    assert "run.json is not there, so a caveat about these" in note
    assert (tmp_path / "cells.txt").read_text() == "1 cells"


def test_a_command_that_has_nothing_to_write_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register_report(toy_report(written=False))
    assert main(["cells", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"no files written: {tmp_path} has no records for the report cells\n"


@pytest.mark.quick
def test_the_page_is_the_last_report() -> None:
    register_report(toy_report())
    assert list(REPORTS)[-2:] == ["cells", "page"]
    assert "cells.txt" in report_files()


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("accuracy", "other.csv", "report 'accuracy': the name is taken; registered are accuracy, comparisons, "),
        ("other", "accuracy.csv", "report 'other': the file 'accuracy.csv' belongs to the report 'accuracy'"),
        ("other", "predictions", "report 'other': the file 'predictions' belongs to the results folder itself"),
        ("other", "baseline.csv", "report 'other': the file 'baseline.csv' belongs to the results folder itself"),
    ],
)
def test_a_name_or_a_file_that_is_taken_is_refused(name: str, file: str, message: str) -> None:
    before = dict(REPORTS)
    with pytest.raises(ValueError, match=message):
        register_report(toy_report(name, (file,)))
    assert before == REPORTS


@pytest.mark.quick
def test_every_file_that_a_run_may_leave_is_set_aside() -> None:
    assert set(report_files()) >= {
        *("accuracy.csv", "accuracy.png", "doses.png", "comparisons.csv", "baseline.csv", "attention.csv"),
        *("attention_heat.png", "retrieval.png", "attention_maps", "report.html"),
    }


@pytest.mark.quick
def test_the_registry_is_imported_without_matplotlib_or_pandas() -> None:
    code = "import sys, reports.write_reports; print({'matplotlib', 'pandas', 'torch', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
