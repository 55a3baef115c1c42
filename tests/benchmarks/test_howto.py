"""The README and the guides in docs/: their commands are accepted and their code runs."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import re
import shlex
from pathlib import Path

import pytest

import noise
from benchmarks import stages
from benchmarks.choices import choose_models
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from noise.proposals import Noise
from noise.registry import NOISES
from reports.experiment import Experiment
from reports.findings import Findings
from reports.stages import REPORTED_STAGES
from reports.store.results_folder import Results
from tests.benchmarks.guide_blocks import GUIDES, blocks, commands, inline_code, module_of, text_of
from tests.benchmarks.typed_commands import typed_in_turn


def problems_of_the_guide() -> str:
    """The file that docs/howto.md writes."""
    (block,) = (block for block in blocks("docs/howto.md", "bash") if "mine.jsonl <<'END'" in block)
    return block.partition("<<'END'\n")[2].partition("END\n")[0]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Map words of the guides' commands that name files or noises to ones that exist here."""
    mine, baseline = tmp_path / "mine.jsonl", tmp_path / "accuracy.json"
    mine.write_text(problems_of_the_guide(), encoding="utf-8")
    noise.generate_noisy_datasets(mine, folder=tmp_path)  # as `python -m noise` does in the guide
    baseline.write_text('{"format": 1, "cells": {}}\n', encoding="utf-8")
    return {
        "mine.jsonl": str(mine),
        "s3://bucket/mine.jsonl": f"file://{mine}",
        "accuracy.json": str(baseline),
        "report.xml": str(tmp_path / "report.xml"),
        "clean,weather,weather4": "clean,inf,inf4",  # the recipe has a test of its own
    }


def test_every_pytest_command_of_the_guides_chooses_cases(
    files: dict[str, str], tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Unknown options, models, datasets or problems are usage errors. `--collect-only` loads nothing."""
    guide_commands = [
        words[1:]
        for document in GUIDES
        for words in commands(document)
        if words[0].rpartition("/")[2] == "pytest" and "tests" not in words
    ]
    assert len(guide_commands) > 20
    collecting = []
    for words in guide_commands:
        arguments = [files.get(word, word) for word in words]
        for number, word in enumerate(words[:-1]):
            if word == "--results":
                arguments[number + 1] = str(tmp_path / words[number + 1])
        collecting.append([*arguments, "--collect-only", "-q"])
    for words, done in zip(guide_commands, typed_in_turn(collecting), strict=True):
        with subtests.test(shlex.join(words)):
            assert done.returncode == 0, done.stderr
            assert "benchmarks/" in done.stdout
    assert not list(tmp_path.glob("results*")), "collecting leaves nothing behind"


class _Parsed(Exception):
    """A command line was accepted."""


@pytest.mark.quick
def test_every_module_command_of_the_guides_is_accepted(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    real = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser: argparse.ArgumentParser, *args: object) -> argparse.Namespace:
        real(parser, *args)  # type: ignore[call-overload]
        raise _Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    guide_commands = [words[2:] for document in GUIDES for words in commands(document) if words[0] == "python"]
    assert len(guide_commands) > 10
    for module, *arguments in guide_commands:
        with subtests.test(shlex.join(["python", "-m", module, *arguments])):
            is_package = hasattr(importlib.import_module(module), "__path__")
            main = importlib.import_module(f"{module}.__main__" if is_package else module).main
            with pytest.raises(_Parsed):
                main(arguments)


@pytest.mark.quick
def test_every_other_command_of_the_guides_is_known() -> None:
    targets = re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE)
    for document in GUIDES:
        for words in commands(document):
            program = words[0].rpartition("/")[2]
            assert program in {"pytest", "python", "python3", "pip", "cat", "make"}, words
            if program == "make":
                assert words[1] in targets, words


def test_every_name_in_the_migration_table_exists() -> None:
    names = [span for span in inline_code("docs/migration.md") if re.fullmatch(r"(noise|models|benchmarks)\.\w+", span)]
    assert len(names) > 4
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), attribute)), name


@pytest.mark.quick
def test_the_problems_of_the_guide_take_every_noise(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(problems_of_the_guide(), encoding="utf-8")
    for problem in noise.load_problems(str(tmp_path / "mine.jsonl")):
        for name in NOISES:
            assert noise.strip(noise.inject(problem, name)) == problem.question


@pytest.mark.quick
def test_the_example_sentences_of_the_guide_are_what_the_noises_write() -> None:
    (output,) = (block for block in blocks("docs/howto.md", "") if block.startswith("inf: "))
    (code,) = (block for block in blocks("docs/howto.md", "python") if "noise.Problem" in block)
    scope: dict[str, object] = {}
    exec(code.partition("noisy = ")[0], scope)
    problem = scope["problem"]
    assert isinstance(problem, noise.Problem)
    for line in output.splitlines():
        name, _, sentence = line.partition(": ")
        noisy = noise.inject(problem, name, seed=0)
        assert [noisy.question[start:stop].strip() for start, stop in noisy.spans] == [sentence]


@pytest.mark.quick
def test_the_noise_recipe_makes_a_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """As written: its file, its import in the registry, one distractor and four."""
    module_of("docs/howto.md", "noise/weather.py", monkeypatch)
    (registration,) = (block for block in blocks("docs/howto.md", "python") if "in noise/registry.py" in block)
    scope: dict[str, object] = {}
    exec(registration, scope)
    weather = scope["WEATHER"]
    assert isinstance(weather, Noise)
    assert weather.name == "weather"
    monkeypatch.setitem(NOISES, weather.name, weather)
    for problem in noise.load_problems("mini")[:20]:
        for name, dose in (("weather", 1), ("weather4", 4)):
            noisy = noise.inject(problem, name)
            assert len(noisy.spans) == dose
            assert noise.strip(noisy) == problem.question


@pytest.fixture(scope="module")
def python_of_the_guide(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the Python of docs/howto.md prints, and the results that it leaves, at a smaller size than it is written."""
    folder = tmp_path_factory.mktemp("guide") / "results"
    (code,) = (block for block in blocks("docs/howto.md", "python") if "run_comprehensive_evaluation" in block)
    for written, smaller in (
        ("max_samples_per_dataset=50", "max_samples_per_dataset=2"),
        ("num_samples=10", "num_samples=1"),
        ('results="results-python"', f"results={str(folder)!r}"),
    ):
        assert code.count(written) == 1
        code = code.replace(written, smaller)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    return printed.getvalue(), folder


def test_the_python_of_the_guide_runs(python_of_the_guide: tuple[str, Path]) -> None:
    printed, folder = python_of_the_guide
    assert printed.count("diffllama") > 2
    assert (folder / "accuracy.csv").is_file()


def test_the_report_recipe_writes_its_file(
    python_of_the_guide: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = module_of("CONTRIBUTING.md", "reports/tables/cell_sizes.py", monkeypatch)
    (path,) = module.write_cell_sizes(Findings(Results(python_of_the_guide[1])))
    cells = [f"{model} {dataset} zero_shot 2" for model in ("diffllama", "llama") for dataset in ("clean", "inf")]
    assert path.read_text(encoding="utf-8").splitlines() == cells


@pytest.mark.quick
def test_the_stage_recipe_runs_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("CONTRIBUTING.md", "benchmarks/stages/length.py", monkeypatch)
    (line,) = (block for block in blocks("CONTRIBUTING.md", "python") if '"length": LENGTH' in block)
    added = eval(f"{{{line}}}", {"LENGTH": module.LENGTH})
    for registry in (stages.STAGES, REPORTED_STAGES):
        monkeypatch.setitem(registry, "length", added["length"])
    plan = Plan(choose_models("llama"), ("clean", "inf"), ("length",), max_samples=2)
    runner = Runner(plan, Experiment(Results(tmp_path)))
    for cell in plan.cells("length"):
        records = runner.run(cell).values()
        assert [record.characters for record in records] == [len(record.question) for record in records]
        assert len(records) == 2
        assert runner.run(cell).keys() == {record.id for record in records}
