"""`python -m models doctor`: a tick for what works, a cross with a remedy for what does not, and an exit status."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.__main__ import main
from models.commands import doctor
from models.model_registry import MODELS, ModelSpec


def test_a_whole_installation_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "all well"
    assert [line[0] for line in lines[:-1]] == ["✓"] * 12
    assert any(line.startswith("✓ noise: mini_inf_test.jsonl 1,000 problems;") for line in lines)
    assert "✓ attention diffllama: differential, λ 0.47 to 0.73; rows sum as they should, within" in "\n".join(lines)


def test_quick_loads_no_model(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.loading.load_model.load", lambda *given: pytest.fail("a model was loaded"))
    assert main(["doctor", "--quick"]) == 0
    assert "generation" not in capsys.readouterr().out


def crossed(look: Callable[[], str]) -> str:
    """A check that fails, as it is printed."""
    check = doctor._made("it", look)
    assert not check.well
    said = str(check)
    assert said.startswith("✗ it: ")
    assert said.count("\n    ") == 1, "a remedy stands below it"
    return said


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("peft", "pandas"):
            raise metadata.PackageNotFoundError(name)
        return "0.0.1"

    monkeypatch.setattr(metadata, "version", version)
    assert "not installed: peft, pandas\n    make install" in crossed(doctor._packages)


def test_a_package_of_another_version_is_said_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {name: metadata.version(name) for name in ("torch", "pytest")}
    monkeypatch.setattr(metadata, "version", lambda name: versions.get(name, "0.0.1"))
    check = doctor._made("it", doctor._packages)
    assert check.well
    assert "pandas 0.0.1 instead of " in check.found
    assert "torch" not in check.found


def test_a_full_disk_is_a_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 2**20))
    assert "0.0 GiB free" in crossed(doctor._disk)


@pytest.fixture
def copied(tmp_path: Path) -> ModelSpec:
    return ModelSpec("mine", str(shutil.copytree(MODELS["diffllama"].source, tmp_path / "mine")))


def test_a_checkpoint_without_weights_is_a_cross(copied: ModelSpec) -> None:
    (Path(copied.source) / "model.safetensors").unlink()
    assert "no weights in " in crossed(lambda: doctor._checkpoint(copied))
    assert "LoadError" in crossed(lambda: doctor._generation(copied))


def test_a_pattern_that_is_not_the_applied_one_is_a_cross(copied: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    import models.attention.differential as differential

    real = differential.pair_lambdas
    monkeypatch.setattr(differential, "pair_lambdas", lambda model: [weight + 0.01 for weight in real(model)])
    assert "rows are 0.01 away from 1 − λ" in crossed(lambda: doctor._attention(copied))


def test_a_hub_model_that_was_never_fetched_is_a_cross(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    said = crossed(lambda: doctor._checkpoint(ModelSpec("nowhere", "somebody/nowhere")))
    assert f"somebody/nowhere is not in {tmp_path}\n    python -m models download somebody/nowhere" in said


def test_a_cross_is_the_exit_status(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert main(["doctor", "--quick"]) == 1
    assert capsys.readouterr().out.endswith("1 to mend\n")
    assert main(["doctor", "--models", "difflama"]) == 2
    assert "Did you mean" in capsys.readouterr().err
