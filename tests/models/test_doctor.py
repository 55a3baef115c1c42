"""`python -m models doctor`: a tick for what works, a cross with a remedy for what does not, and an exit status."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.__main__ import main
from models.attention.mass_recorder import MassRecorder
from models.commands import doctor_checks
from models.commands.doctor import run_check
from models.loading.load_errors import PickledWeightsError
from models.model_registry import MODELS, ModelSpec


def test_a_complete_installation_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "all checks passed"
    assert [line[0] for line in lines[:-1]] == ["✓"] * 12
    assert any(line.startswith("✓ noise: mini_inf_test.jsonl 1,000 problems;") for line in lines)
    differential = r"✓ attention diffllama: differential, λ 0\.\d\d to 0\.\d\d; rows sum to 1 − λ, within"
    assert re.search(differential, "\n".join(lines))


def test_quick_loads_no_model(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loading.load_model.load", lambda *given: pytest.fail("a model was loaded"))
    assert main(["doctor", "--quick"]) == 0
    assert "generation" not in capsys.readouterr().out


def cross(check: Callable[[], str]) -> str:
    """What is printed of a check that fails."""
    outcome = run_check("it", check)
    assert not outcome.passed
    text = str(outcome)
    assert text.startswith("✗ it: ")
    assert text.count("\n    ") == 1, "the remedy is on the next line"
    return text


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("peft", "pandas"):
            raise metadata.PackageNotFoundError(name)
        return "0.0.1"

    monkeypatch.setattr(metadata, "version", version)
    assert "not installed: peft, pandas\n    make install" in cross(doctor_checks.check_packages)


def test_a_package_of_another_version_is_named_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {name: metadata.version(name) for name in ("torch", "pytest")}
    monkeypatch.setattr(metadata, "version", lambda name: versions.get(name, "0.0.1"))
    check = run_check("it", doctor_checks.check_packages)
    assert check.passed
    assert "pandas 0.0.1 instead of " in check.detail
    assert "torch" not in check.detail


def test_a_full_disk_is_a_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**20))
    assert "0.0 GiB free" in cross(doctor_checks.check_disk)


@pytest.fixture
def copied(tmp_path: Path) -> ModelSpec:
    return ModelSpec("mine", str(shutil.copytree(MODELS["diffllama"].source, tmp_path / "mine")))


def test_a_checkpoint_without_weights_is_a_cross(copied: ModelSpec) -> None:
    (Path(copied.source) / "model.safetensors").unlink()
    assert "no weights in " in cross(lambda: doctor_checks.check_checkpoint(copied))
    assert "LoadError" in cross(lambda: doctor_checks.check_generation(copied))


def test_a_pattern_that_is_not_the_applied_one_is_a_cross(copied: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    real = MassRecorder.lambda_of
    monkeypatch.setattr(MassRecorder, "lambda_of", lambda *arguments: real(*arguments) + 0.01)
    assert "row sums differ from 1 − λ by 0.01" in cross(lambda: doctor_checks.check_attention(copied))


def test_a_hub_model_that_was_never_fetched_is_a_cross(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    text = cross(lambda: doctor_checks.check_checkpoint(ModelSpec("nowhere", "somebody/nowhere")))
    assert f"somebody/nowhere is not in {tmp_path}\n    python -m models download somebody/nowhere" in text


def test_an_option_that_fixes_an_error_is_its_remedy() -> None:
    def check() -> str:
        raise PickledWeightsError("only pickles")

    assert "PickledWeightsError: only pickles\n    see the message, and --allow-pickles" in cross(check)


def test_a_cross_is_the_exit_status(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert main(["doctor", "--quick"]) == 1
    assert capsys.readouterr().out.endswith("1 failed\n")
    assert main(["doctor", "--models", "difflama"]) == 2
    assert "Did you mean" in capsys.readouterr().err
