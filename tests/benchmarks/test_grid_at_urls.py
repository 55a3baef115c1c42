"""`pytest benchmarks --problems URL --results URL`: what is refused, and a run whose folders are both at URLs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.comprehensive_evaluation import run_comprehensive_evaluation
from benchmarks.eval_set import eval_set
from benchmarks.plan import Plan
from benchmarks.plan_errors import PlanError
from models.model_registry import MODELS
from tests.benchmarks.typed_commands import typed, typed_in_turn

_CASE = ["benchmarks/test_zero_shot.py", "--skip-sft", "--models", "llama", "--datasets", "clean"]
LINES = (
    {"question": "Ida has 12 pears. She sells 5. How many are left?", "answer": "#### 7"},
    {"question": "Bo has 4 hats. He buys 5. How many has he now?", "answer": "#### 9"},
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def test_the_key_of_a_record_does_not_depend_on_where_the_problems_lie(mine: Path) -> None:
    local = Plan(models=(MODELS["llama"],), datasets=("clean",), stages=("zero_shot",), problems=str(mine))
    remote = replace(local, problems=f"file://{mine}")
    assert remote.source == local.source == "mine.jsonl"
    assert eval_set(remote, needs_tuning=True) == eval_set(local, needs_tuning=True)


def test_what_cannot_be_is_a_usage_error_without_the_secret(mine: Path) -> None:
    secret, of_file, of_folder = "s3://AKID:hidden@bucket/mine", "the URL of a file", "the URL of a folder"
    refused = {
        f"--problems expected {of_file}": ["--problems", f"{secret}.jsonl"],
        f"--sft-problems expected {of_file}": ["--sft-problems", f"{secret}.jsonl", "--enable-sft"],
        f"--datasets expected {of_file}": ["--datasets", f"clean,other={secret}.jsonl"],
        f"--results: expected {of_folder}": ["--results", secret],
        "--baseline: expected a file on this machine, got a URL": ["--baseline", secret],
        "--save-baseline: expected a file on this machine, got a URL": ["--save-baseline", secret],
        "--skip-data-gen reads the noisy files next": ["--problems", f"file://{mine}", "--skip-data-gen"],
        f"--problems file://{mine}x: no such file": ["--problems", f"file://{mine}x"],
        "cannot write gs://bucket/mine: a package for gs:// is missing: `pip install gcsfs`": [
            "--results",
            "gs://bucket/mine",
        ],
    }
    words = [[word for word in _CASE if "--enable-sft" not in arguments or word != "--skip-sft"]
             for arguments in refused.values()]  # fmt: skip
    commands = [[*common, *arguments] for common, arguments in zip(words, refused.values(), strict=True)]
    for sentence, done in zip(refused, typed_in_turn(commands), strict=True):
        assert done.returncode == pytest.ExitCode.USAGE_ERROR, sentence
        assert sentence in done.stderr
        assert "hidden" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "workers",
    [pytest.param([], id="alone"), pytest.param(["-n", "2"], id="with workers", marks=pytest.mark.slow)],
)
def test_a_run_at_urls_leaves_the_records_of_a_run_on_this_machine(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    local = typed(*_CASE, "--problems", str(mine), "--results", f"{tmp_path}/local")
    arguments = ["--problems", f"file://{mine}", "--results", f"file://{tmp_path}/store/results", *workers]
    remote = typed(*_CASE, *arguments)
    assert (local.returncode, remote.returncode) == (0, 0), remote.stdout + remote.stderr
    for name in ("accuracy.csv", "predictions/zero_shot/llama/clean.jsonl"):
        assert (tmp_path / "store" / "results" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()


def test_the_function_takes_no_url() -> None:
    with pytest.raises(PlanError, match=r"^results: expected a folder on this machine"):
        run_comprehensive_evaluation(models=["llama"], datasets=["clean"], results="s3://bucket/mine")
