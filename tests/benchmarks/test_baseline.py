"""`--save-baseline` and `--baseline` as a CI types them: red for a damaged checkpoint, green for another batch size."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.gate_options import gate_of
from benchmarks.plan_errors import PlanError
from models.model_registry import MODELS
from reports.gate.baseline_file import BaselineError, read_baseline, write_baseline
from tests.benchmarks.typed_commands import typed, typed_in_turn

LLAMA = ["benchmarks", "--models", "llama", "--skip-sft", "--skip-attention", "--max-samples", "24"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ci.json`, the baseline of llama's clean and inf cells, and the results it was made from."""
    folder = tmp_path_factory.mktemp("ci")
    done = typed(
        *LLAMA, "--datasets", "clean,inf", "--results", f"{folder}/made", "--save-baseline", f"{folder}/ci.json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "baseline: 2 cells of this run are in " in done.stdout
    return folder


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The llama miniature with noise in one of its matrices, four times as large as the matrix's own spread."""
    folder = tmp_path_factory.mktemp("damaged") / "llama"
    shutil.copytree(MODELS["llama"].source, folder)
    weights = load_file(folder / "model.safetensors")
    matrix = weights["model.layers.1.mlp.down_proj.weight"]
    noise = torch.randn(matrix.shape, generator=torch.Generator().manual_seed(0))
    matrix += (4 * matrix.float().std() * noise).to(matrix.dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_the_same_checkpoint_in_other_batches_and_another_process_is_green(folder: Path) -> None:
    done = typed(*LLAMA, "--datasets", "clean,inf", "--batch-size", "5", "--results", f"{folder}/same",
                 "--baseline", f"{folder}/ci.json", "--junitxml", f"{folder}/same.xml")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ci.json: 2 cells compared, none significantly lower" in done.stdout
    assert re.search(r"a cell that loses \d+\.\d (to \d+\.\d )?points is found in 80 % of runs", done.stdout)
    cases = ElementTree.parse(f"{folder}/same.xml").iter("testcase")  # of our own making
    properties = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert len(properties) == 2
    for found in properties:
        assert 0 <= float(found["low"] or 1) <= float(found["accuracy"] or 1) <= float(found["high"] or 0) <= 1
        assert (found["baseline_verdict"], found["baseline_problems"]) == ("not lower", "24")


def test_answers_that_were_read_are_counted_and_a_smaller_run_saves_nothing(folder: Path) -> None:
    """What a run has read says nothing of the code of today."""
    few = [*LLAMA[:-1], "8", "--datasets", "clean", "--results", f"{folder}/made"]
    done = typed(*few, "--baseline", f"{folder}/ci.json", "--save-baseline", f"{folder}/other.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  8 of 8 answers were read from " in done.stdout
    assert (folder / "other.json").exists()
    done = typed(*few, "--save-baseline", f"{folder}/ci.json", "--tolerance", "2")
    assert done.returncode == 1
    assert "llama-clean-zero_shot stayed as in " in done.stdout
    assert len(read_baseline(folder / "ci.json")) == 2


def test_too_few_problems_for_any_loss_are_no_pass(folder: Path) -> None:
    done = typed(
        *LLAMA[:-1], "4", "--datasets", "clean", "--results", f"{folder}/made", "--baseline", f"{folder}/ci.json"
    )
    assert done.returncode == 4
    assert "4 problems cannot show any loss at 0.05 / 1 cells; ask at least 5" in done.stderr


def test_a_damaged_checkpoint_is_red_and_says_what_it_lost(folder: Path, damaged: Path) -> None:
    done = typed(*LLAMA, "--datasets", "clean,inf", "--results", f"{folder}/damaged", "--models", f"llama={damaged}",
                 "--baseline", f"{folder}/ci.json")  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert re.search(r"llama-clean-zero_shot lost \d+\.\d points of accuracy: \d+\.\d % now, \d+\.\d % in ", said)
    assert "significant at 0.05 / 2 cells" in said
    assert re.search(r"\d+ worse now: mini-test-\d+, ", said)
    assert f"--save-baseline {folder}/ci.json in place of --baseline" in said
    assert (folder / "damaged" / "baseline.csv").read_text().count("llama,clean,zero_shot,mini-test-") > 5


IN_ONE_PROCESS_AND_IN_TWO = pytest.mark.parametrize("workers", [[], pytest.param(["-n", "2"], marks=pytest.mark.slow)])


@IN_ONE_PROCESS_AND_IN_TWO
def test_a_cell_that_the_baseline_lacks_is_no_pass(workers: list[str], folder: Path) -> None:
    """Without workers it is said before a model is loaded, and with them by a case, which has the same exit status."""
    done = typed(
        *LLAMA, "--datasets", "clean,sd", *workers, "--results", f"{folder}/more", "--baseline", f"{folder}/ci.json"
    )
    assert done.returncode == 4, done.stdout + done.stderr
    assert "has no llama-sd-zero_shot; it has llama-clean-zero_shot, llama-inf-zero_shot. Add what is missing" in (
        " ".join((done.stdout + done.stderr).split())
    )


def test_a_run_that_is_refused_sets_nothing_aside(folder: Path) -> None:
    kept = f"{folder}/kept"
    typed(*LLAMA, "--datasets", "clean", "--max-samples", "2", "--results", kept)
    done = typed(*LLAMA, "--datasets", "clean,sd", "--results", kept, "--fresh", "--baseline", f"{folder}/ci.json")
    assert done.returncode == 4
    assert not (folder / "kept" / "set_aside").exists()
    assert (folder / "kept" / "accuracy.csv").exists()


@IN_ONE_PROCESS_AND_IN_TWO
def test_a_run_that_compares_nothing_is_no_pass(workers: list[str], folder: Path) -> None:
    arguments = ["benchmarks", "-k", "no-such-case", *workers, "--results", f"{folder}/none", "--baseline"]
    done = typed(*arguments, f"{folder}/ci.json")
    assert done.returncode == (5 if workers else 4), done.stdout + done.stderr
    if workers:
        assert "ci.json: no case was compared with it, so this run says nothing" in done.stdout


def test_a_cell_with_unanswered_problems_is_not_saved(folder: Path, tmp_path: Path) -> None:
    """Of a case that stops in the middle: here of a model whose positions are too few for the longest answers."""
    path = tmp_path / "ci.json"
    done = typed(*LLAMA, "--datasets", "clean", "--max-new-tokens", "100000", "--results", f"{tmp_path}/r",
                 "--save-baseline", f"{path}")  # fmt: skip
    assert done.returncode == 1
    assert "was not written: no case of this run answered all its problems" in done.stdout
    assert not path.exists()


def options(**given: object) -> SimpleNamespace:
    nothing = dict.fromkeys(("baseline", "save_baseline", "tolerance", "alpha"))
    return SimpleNamespace(**(nothing | given))


def test_options_that_mean_nothing_are_answered_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    with pytest.raises(BaselineError, match="does not exist"):
        gate_of(options(baseline=path))
    write_baseline(path, [])
    for given, said in (
        ({"tolerance": 1.0}, "--tolerance needs a baseline: add --baseline FILE"),
        ({"alpha": 0.1}, "--alpha needs a baseline"),
        ({"baseline": path, "tolerance": -1.0}, "--tolerance -1: expected points of accuracy, from 0 to below 100"),
        ({"baseline": path, "alpha": 0.5}, "--alpha 0.5: expected a probability above 0 and below 0.5"),
        ({"baseline": path, "alpha": float("nan")}, "--alpha nan: expected a probability"),
        ({"baseline": path, "save_baseline": path}, "name the same file"),
    ):
        with pytest.raises(PlanError, match=re.escape(said)):
            gate_of(options(**given))
    path.write_text("[]")
    with pytest.raises(BaselineError, match="is not a baseline"):
        gate_of(options(save_baseline=path))
    assert gate_of(options()) is None


def test_a_baseline_that_cannot_be_written_is_refused_before_a_case_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    paths = ("/proc/x.json", f"{tmp_path}/file/ci.json", f"{tmp_path}/{'x' * 245}.json")
    for done in typed_in_turn([[*LLAMA, "--results", f"{tmp_path}/r", "--save-baseline", path] for path in paths]):
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert re.match(r"ERROR: cannot write .*: ", done.stderr)
        assert "collected" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_asking_whether_a_baseline_can_be_written_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    write_baseline(path, [])
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert gate_of(options(save_baseline=path)) is None
    assert gate_of(options(save_baseline=tmp_path / "new" / "ci.json")) is None
    assert [path.name for path in tmp_path.iterdir()] == ["ci.json"]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_the_tolerance_is_in_points(folder: Path) -> None:
    gate = gate_of(options(baseline=folder / "ci.json", tolerance=2.5))
    assert gate is not None
    assert (gate.tolerance, gate.alpha) == (0.025, 0.05)
    assert gate.baseline.keys() == read_baseline(folder / "ci.json").keys()
