"""`python -m benchmarks plan`: the options of the grid, a table, and no torch where rates are given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.rates_file import read_rates, write_rates
from reports.experiment import Experiment
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.benchmarks.example_rates import RATES
from tests.benchmarks.typed_commands import ROOT


@pytest.fixture
def rates(tmp_path: Path) -> str:
    """A file of rates of the included pair."""
    path = tmp_path / "rates.json"
    write_rates(path, {"diffllama": RATES, "llama": RATES})
    return str(path)


def plan(*arguments: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["plan", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def table(lines: list[str]) -> list[list[str]]:
    """The rows of the table, without its head and its totals."""
    rows = [re.split(r"\s{2,}", line.rstrip()) for line in lines]
    return [row for row in rows if len(row) == 9 and row[0] != "model"]


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["plan", *arguments])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_with_rates_the_default_run_is_estimated_without_torch(rates: str, tmp_path: Path) -> None:
    """In less than ten seconds of processor time: it can be asked where no model can be loaded."""
    script = "import sys, runpy; sys.argv[1:] = sys.argv[1:]\n"
    script += "try: runpy.run_module('benchmarks', run_name='__main__')\n"
    script += "except SystemExit as stopped: assert not stopped.code, stopped.code\n"
    script += "assert not {'torch', 'transformers', 'tokenizers'} & sys.modules.keys()"
    before = os.times()
    words = [sys.executable, "-c", script, "plan", "--rates", rates, "--results", str(tmp_path / "results")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    after = os.times()
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(done.stdout.splitlines())
    expected = ["load", "zero_shot", "tune", "sft", "attention", "needle", "intervene"]
    assert [row[1] for row in rows] == expected * 2
    assert "all  " in done.stdout
    assert after.children_user + after.children_system - before.children_user - before.children_system < 10


def test_the_size_of_a_run_counts(rates: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    common = ("--rates", rates, "--results", str(tmp_path / "results"), "--skip-sft", "--skip-attention")
    few = plan(*common, "--models", "llama", "--datasets", "clean", "--max-samples", "5", capsys=capsys)
    assert [row[2:4] for row in table(few) if row[1] == "zero_shot"] == [["1", "5"]]
    many = plan(*common, "--models", "llama", "--datasets", "clean,inf", "--max-samples", "9", capsys=capsys)
    assert [row[2:4] for row in table(many) if row[1] == "zero_shot"] == [["2", "18"]]


def test_replicates_share_the_rates_of_their_family(
    rates: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = plan("--rates", rates, "--replicates", "0-2", "--results", str(tmp_path / "results"), capsys=capsys)
    models = {row[0] for row in table(lines)} - {""}
    assert models == {f"{family}{seed}" for family in ("diffllama", "llama") for seed in ("", ":1", ":2")}


def test_records_on_disk_are_not_counted(rates: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from benchmarks.evaluation import evaluate
    from models.loading.load_model import load
    from noise import mini
    from noise.problems.problem import NoisyProblem

    asked = [NoisyProblem(problem, "clean", problem.question, (), 0) for problem in mini.problems("test")[:2]]
    folder = tmp_path / "results"
    cell = Cell("llama", "clean", "zero_shot")
    evaluate(Experiment(Results(folder)), load("llama"), cell, asked, "mini:test", max_new_tokens=1)
    common = ("--rates", rates, "--results", str(folder), "--skip-sft", "--skip-attention", "--models", "llama")
    lines = plan(*common, "--datasets", "clean", "--max-samples", "5", capsys=capsys)
    assert [row[2:4] for row in table(lines) if row[1] == "zero_shot"] == [["1", "3"]]


def test_a_model_that_is_not_in_the_file_is_refused(
    rates: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_rates(Path(rates), {"llama": RATES})
    error = refused("--rates", rates, "--results", str(tmp_path / "results"), capsys=capsys)
    assert "no rates of 'diffllama', expected one of llama" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--models", "lama"), "Did you mean 'llama'?"),
        (("--max-samples", "0"), "--max-samples 0: expected"),
        (("--max-sample", "5"), "unrecognized arguments: --max-sample 5"),
        (("--rates", "a", "--save-rates", "b"), "--rates and --save-rates: expected at most one of the two"),
        (("--rates", "missing.json"), "missing.json"),
        (("--results", "s3://bucket/results"), "--results: expected a folder on this machine"),
        (("--fresh",), "--fresh: what is left to do is counted"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(
    arguments: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in refused(*arguments, capsys=capsys)


def test_a_shard_costs_its_part_and_an_empty_one_asks_nothing(
    rates: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    common = ("--rates", rates, "--results", str(tmp_path / "results"), "--skip-sft", "--models", "llama")
    common += ("--datasets", "clean,inf", "--max-samples", "5")
    part = plan(*common, "--shard", "2/2", capsys=capsys)
    assert [row[3] for row in table(part) if row[1] == "zero_shot"] == ["4"], "two of five, clean and with inf"
    empty = plan(*common, "--shard", "9/9", capsys=capsys)
    assert {row[3] for row in table(empty)} == {"–"}


@pytest.mark.slow
def test_rates_are_measured_on_the_problems_of_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every stage gets one, and the second time none is measured."""
    path, results = tmp_path / "rates.json", tmp_path / "results"
    grid = ("--models", "llama", "--datasets", "clean,inf", "--measure", "accuracy,likelihood", "--max-samples", "6")
    grid += ("--sft-samples", "24", "--sft-epochs", "1", "--interventions", "moved", "--results", str(results))
    first = plan(*grid, "--save-rates", str(path), capsys=capsys)
    (of_model,) = read_rates(path).values()
    assert of_model.reading.keys() == {"attention", "needle", "likelihood"}
    assert of_model.intervene is not None
    assert of_model.tuning is not None
    assert min(of_model.load, of_model.decoding.prompt_token, of_model.tuning.step, of_model.intervene) > 0
    assert max(of_model.decoding.lengths) <= of_model.decoding.limit
    assert not results.exists()
    assert plan(*grid, "--rates", str(path), capsys=capsys) == first
