"""The notebook as somebody runs it: from the top, in a kernel of its own, without a screen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.typed_commands import ROOT

NOTEBOOK = ROOT / "benchmarks" / "colab.ipynb"


@pytest.fixture
def nbformat() -> Any:
    pytest.importorskip("nbclient", reason="wants nbclient, of requirements-dev.txt")
    pytest.importorskip("ipykernel", reason="wants ipykernel, of requirements-dev.txt")
    return pytest.importorskip("nbformat", reason="wants nbformat, of requirements-dev.txt")


def executed(nbformat: Any, monkeypatch: pytest.MonkeyPatch, folder: Path, modes: list[str]) -> Any:
    """The notebook, set up for `folder` and `modes`, once every cell has been run; a cell that fails raises."""
    from nbclient import NotebookClient

    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)  # those of the run that this test is in
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    for line, now in (
        ('RESULTS = "results-notebook"', f"RESULTS = {str(folder)!r}"),
        ('MODES = ["quick"]', f"MODES = {modes!r}"),
    ):
        assert setup.source.count(line) == 1
        setup.source = setup.source.replace(line, now)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    return notebook


def outputs(notebook: Any, kind: str) -> list[str]:
    """What was shown as `kind`, a MIME type, or as `text` printed, in order."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    if kind == "text":
        return [output.text for output in shown if output.output_type == "stream"]
    return [output.data[kind] for output in shown if kind in output.get("data", {})]


def test_it_is_kept_as_it_is_before_the_first_run(nbformat: Any) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.outputs or cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of jupyter's packages, which are not what is tested
def test_it_shows_tables_and_pictures_of_the_quick_mode(
    nbformat: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notebook = executed(nbformat, monkeypatch, tmp_path, ["quick"])
    said = "".join(outputs(notebook, "text"))
    assert "18 passed" in said
    assert "what noise costs, zero_shot" in said
    assert len(outputs(notebook, "image/png")) == 4
    accuracy, comparisons, attention, page = outputs(notebook, "text/html")
    assert accuracy.count("<tr") == 4
    assert "all 3: diffllama against llama" in comparisons
    assert attention.count("<tr") == 10
    assert "srcdoc" in page
    assert "What noise costs" in page
    assert not (ROOT / "benchmarks" / "results-notebook").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_every_mode_runs(nbformat: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    notebook = executed(nbformat, monkeypatch, tmp_path, ["quick", "medium", "full"])
    said = "".join(outputs(notebook, "text"))
    assert "zero_shot, 20 problems a cell" in said
    assert "sft, 100 problems a cell" in said
    assert "zero_shot, 1,000 problems a cell" in said
    assert "the stage attention was skipped" in said
