"""The tasks that `python -m noise --format lm-eval` writes: lm-evaluation-harness runs them as they are, and agrees."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.evaluation import draw_questions
from benchmarks.grading import grade
from models.decode.generation import generate
from models.loading.load_model import load
from models.model_registry import MODELS
from noise.__main__ import main
from noise.problems.noisy_files import read_noisy
from noise.problems.problem_sources import load_problems

N = 40
NAMES = ("clean", "inf", "sd4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("made")
    assert main(["--problems", "mini", "--datasets", "inf,sd4", "--format", "lm-eval", "--out", str(made)]) == 0
    return made.rename(tmp_path_factory.mktemp("moved") / "tasks")  # a folder of tasks may be moved


@pytest.mark.quick
def test_a_task_has_its_problems_beside_it(folder: Path) -> None:
    tasks = {path.stem for path in folder.glob("*.yaml")}
    assert tasks == {f"mini_{name}_test" for name in NAMES}
    assert {path.stem for path in folder.glob("*.jsonl")} == tasks
    assert read_noisy(folder / "mini_inf_test.jsonl")[0].noise == "inf"
    assert len(load_problems(folder / "mini_clean_test.jsonl")) == 1000


@pytest.mark.quick
def test_the_lines_load_with_datasets(folder: Path) -> None:
    import datasets

    path = str(folder / "mini_sd4_test.jsonl")
    lines = datasets.load_dataset("json", data_files=path, split="train", cache_dir=str(folder / "cache"))
    assert len(lines) == 1000
    assert {"question", "answer", "spans", "original_question", "noise_type"} <= set(lines.column_names)
    assert len(lines[0]["spans"]) == 4


def test_an_unknown_noise_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as misuse:
        main(["--problems", "mini", "--datasets", "ifn", "--format", "lm-eval", "--out", str(tmp_path / "out")])
    assert misuse.value.code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["diffllama", "llama"])
def test_the_harness_gets_the_accuracies_that_we_get(model: str, folder: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("wants lm_eval, of requirements-peers.txt")
    command = [
        *(sys.executable, "-m", "lm_eval", "--model", "hf", "--device", "cpu", "--batch_size", str(N)),
        *("--model_args", f"pretrained={MODELS[model].source},dtype=float32", "--limit", str(N)),
        *("--include_path", str(folder), "--tasks", "noisy_mini_test", "--output_path", str(tmp_path)),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (written,) = tmp_path.rglob("results_*.json")
    theirs = {
        task.split("_")[1]: facts["exact_match,strict-match"]
        for task, facts in json.loads(written.read_text())["results"].items()
        if task.startswith("mini_")
    }
    loaded = load(model, device="cpu", dtype="float32")
    ours = {}
    for name in NAMES:
        asked = draw_questions(name, load_problems("mini")[:N], seed=0)
        generations = generate(loaded, [problem.question for problem in asked])
        right = [grade(*pair).outcome == "correct" for pair in zip(asked, generations, strict=True)]
        ours[name] = sum(right) / N
    assert theirs == pytest.approx(ours)
    print(f"{model}: {ours}")
