"""A stage of somebody else's: one module, one registration, and its cases, records, tables and resuming are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import ROOT, typed

#: Counts the characters of each question: no model is loaded.
TOY_STAGE = '''
"""A toy stage: the length of each question."""

from dataclasses import dataclass

from benchmarks.evaluation import settings_without_model
from benchmarks.stages import Stage, register_stage
from reports.store.record_kinds import Measure, RecordKind


@dataclass(frozen=True)
class Length:
    id: str
    question: str
    spans: tuple[tuple[int, int], ...]
    outcome: str
    characters: int
    error: str | None = None

    @property
    def asked(self):
        return self.question


def run(runner, cell):
    questions = runner.questions(cell)
    settings = settings_without_model("length 1", runner.eval_set.source)
    with runner.experiment.cell(cell, settings, {q.problem.id: q.question for q in questions}) as recorder:
        missing = [q for q in questions if q.problem.id not in recorder.records]
        recorder.append([Length(q.problem.id, q.question, q.spans, "measured", len(q.question)) for q in missing])
    return recorder.records


register_stage(
    Stage(
        name="length",
        records=RecordKind(
            type=Length,
            noun="length",
            measure=Measure(
                name="length", label="length of the question", unit="characters", score=lambda r: r.characters, digits=1
            ),
        ),
        terminal=lambda findings, width: ["lengths are no result"],
        run=run,
    )
)
'''


@pytest.fixture
def study(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder of somebody's own with the project's conftest, a toy stage, and the file of added stages."""
    pytester.makepyfile(toy_stage=TOY_STAGE, conftest=(ROOT / "conftest.py").read_text() + "\nimport toy_stage\n")
    pytester.makepyfile(test_added_stages=(ROOT / "benchmarks" / "test_added_stages.py").read_text())
    settings = (ROOT / "pytest.ini").read_text().replace("pythonpath = .", f"pythonpath = . {ROOT}")
    pytester.makefile(".ini", pytest=settings.replace("testpaths = tests benchmarks\n", ""))
    return pytester


def run(study: pytest.Pytester, *arguments: str) -> subprocess.CompletedProcess[str]:
    return typed("--datasets", "clean,inf", "--max-samples", "3", *arguments, cwd=study.path)


def lines(text: str) -> pytest.LineMatcher:
    return pytest.LineMatcher(text.splitlines())


def test_a_new_stage_has_cases_records_tables_and_resumes(study: pytest.Pytester) -> None:
    first = run(study)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "= 4 passed in " in first.stdout
    lines(first.stdout).fnmatch_lines(["*lengths are no result*", "*readings of length: 0 read, 12 made*"])
    lines(first.stdout).fnmatch_lines(["*length, inf: diffllama loses -* characters *"])
    records = (study.path / "results/readings/length/llama/inf.jsonl").read_text().splitlines()
    assert [json.loads(line)["characters"] > 0 for line in records] == [True] * 3
    rows = (study.path / "results/comparisons.csv").read_text().splitlines()
    assert any(row.startswith("length,length,degradation,llama") for row in rows)
    second = run(study, "--max-samples", "4")
    assert "readings of length: 12 read, 4 made" in second.stdout
    # Where nothing registers the stage, as here, its readings are left alone and named.
    results = Results(study.path / "results")
    assert results.unregistered_stages() == ["length"]
    assert results.cells() == []
    rebuilt = {
        arguments: subprocess.run(
            [sys.executable, "-m", "reports", "comparisons", str(study.path / "results"), *arguments],
            cwd=study.path, env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{study.path}"},
            capture_output=True, text=True, check=False,
        )
        for arguments in ((), ("--register", "toy_stage"))
    }  # fmt: skip
    assert rebuilt[()].returncode == 1, "no other stage is in this folder"
    assert "length of the question" in rebuilt["--register", "toy_stage"].stdout


def test_its_cases_are_chosen_as_all_others_are(study: pytest.Pytester) -> None:
    chosen = run(study, "-k", "llama-inf-length and not diffllama", "--collect-only", "-q")
    lines(chosen.stdout).fnmatch_lines(["*test_added_stage?llama-inf-length?", "1/4 tests collected*"])


def test_a_name_that_is_taken_is_refused(study: pytest.Pytester) -> None:
    study.makepyfile(toy_stage=TOY_STAGE.replace('name="length",\n        records', 'name="sft",\n        records'))
    refused = run(study)
    assert refused.returncode != 0
    assert "ValueError: register_stage: the name 'sft' is taken" in refused.stderr


def test_a_misspelt_stage_mark_is_refused_with_the_nearest_name(study: pytest.Pytester) -> None:
    study.makepyfile(
        test_mine='import pytest\n\n@pytest.mark.stage("zeroshot")\ndef test_mine(cell): pass\n',
    )
    refused = run(study, "test_mine.py")
    assert refused.returncode == pytest.ExitCode.INTERRUPTED
    assert "unknown stage 'zeroshot'. Did you mean 'zero_shot'?" in refused.stdout


def test_setup_only_does_no_work(study: pytest.Pytester) -> None:
    assert run(study, "--setup-only").returncode == 0
    assert not (study.path / "results").exists()
