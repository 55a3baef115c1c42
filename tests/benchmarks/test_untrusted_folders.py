"""A folder that an option names is read, and no code in it is run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.model_registry import MODELS
from tests.benchmarks.typed_commands import typed

#: Touches the file `ran` of the temporary folder.
CODE = "from pathlib import Path\n\nPath({ran!r}).touch()\n"


@pytest.fixture
def untrusted(tmp_path: Path) -> Path:
    """Three folders, of a model, of problems and of results, each with a conftest.py, also in a folder `tests`."""
    shutil.copytree(MODELS["llama"].source, tmp_path / "model")
    for folder in (tmp_path / name for name in ("model", "problems", "results")):
        (folder / "tests").mkdir(parents=True)
        for parent in (folder, folder / "tests"):
            (parent / "conftest.py").write_text(CODE.format(ran=str(tmp_path / "ran")))
    (tmp_path / "problems" / "mine.jsonl").write_text('{"question": "Ann has 1 cap?", "answer": "#### 1"}\n')
    return tmp_path


@pytest.mark.parametrize("form", ["spaces", "equals signs", "before the tests"])
def test_a_conftest_in_the_folder_of_an_option_is_not_run(untrusted: Path, form: str) -> None:
    values = {"models": "model", "problems": "problems/mine.jsonl", "results": "results"}
    pairs = [(f"--{option}", str(untrusted / path)) for option, path in values.items()]
    options = (
        ["=".join(pair) for pair in pairs] if form == "equals signs" else [word for pair in pairs for word in pair]
    )
    tests = ["benchmarks", "--collect-only", "-q", "--skip-sft"]
    done = typed(*(options + tests if form == "before the tests" else tests + options))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[model-clean-zero_shot]" in done.stdout
    assert not (untrusted / "ran").exists()


@pytest.mark.parametrize("option", ["--model", "--problem-file", "-results"])
def test_a_conftest_in_the_folder_of_a_misspelt_option_is_not_run(untrusted: Path, option: str) -> None:
    """pytest takes the value of an option that it does not know for the name of tests."""
    done = typed("benchmarks", option, str(untrusted / "model"), "--collect-only", "-q", "--skip-sft")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"unknown option {option}, so {untrusted / 'model'} would be run as tests" in done.stderr
    assert not (untrusted / "ran").exists()


def test_settings_of_another_folder_are_refused(tmp_path: Path) -> None:
    """pytest reads the settings of the first folder on its command line before any code of this project runs."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = typed("--models", str(tmp_path), "benchmarks", "--collect-only")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"pytest's settings are from {tmp_path}/pytest.ini, expected " in done.stderr
    assert "or write --models=FOLDER" in done.stderr
