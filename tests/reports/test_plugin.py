"""The plugin in runs of a tiny experiment: two made-up models, four noises, ten problems per cell."""

from __future__ import annotations

import importlib
import json
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from reports.store.folder_lock import FolderLock
from reports.write_reports import REPORTS, Report


@pytest.fixture(autouse=True, scope="module")
def _imported() -> None:
    """pytester forgets the imports of a run in this process, and numpy can be imported only once per process."""
    for name in (
        "matplotlib.figure",
        "matplotlib.backends.backend_agg",
        "pandas",
        "scipy.stats",
        "statsmodels.stats.proportion",
    ):
        importlib.import_module(name)


@pytest.fixture(autouse=True)
def _without_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing them for each run would take most of the time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


CONFTEST = """
pytest_plugins = ["reports.plugin"]

def pytest_addoption(parser):
    parser.addoption("--results", default="results")
    parser.addoption("--fresh", action="store_true")
    parser.addoption("--size", type=int, default=10)
    parser.addoption("--tokens", type=int, default=64)

def pytest_configure(config):
    from reports.experiment import Experiment
    from reports.plugin import announce
    from reports.store.results_folder import Results

    experiment = Experiment(
        Results(config.rootpath / config.option.results), seed=5, caveat=lambda cells: "made up, all of it"
    )
    announce(config, experiment, config.option.fresh)
"""

CASES = """
from dataclasses import replace

import pytest

from reports.store.records import Cell
from tests.reports.record_factories import SETTINGS, predicted, question_of

@pytest.mark.parametrize("noise", ["clean", "inf", "rcs", "sd"])
@pytest.mark.parametrize("model", ["diffllama", "llama"])
def test_case(experiment, pytestconfig, model, noise):
    asked = {f"p{n}": question_of(f"p{n}") for n in range(pytestconfig.option.size)}
    settings = replace(SETTINGS, max_new_tokens=pytestconfig.option.tokens)
    right = 8 if noise == "clean" else 4
    with experiment.cell(Cell(model, noise, "zero_shot"), settings, asked) as recorder:
        for n, id in enumerate(asked):
            if id not in recorder.records:
                {trouble}
                recorder.append([predicted(id, "correct" if n < right else "incorrect")])
    assert "error" not in {prediction.outcome for prediction in recorder.records.values()}

def test_of_another_kind():
    pass
"""


@pytest.fixture
def grid(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    write_cases(pytester)
    return pytester


def write_cases(pytester: pytest.Pytester, trouble: str = "pass") -> None:
    pytester.makepyfile(test_grid=CASES.replace("{trouble}", trouble))


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "xdist.plugin", *options, no_reraise_ctrlc=True)


def accuracy_lines(pytester: pytest.Pytester) -> list[str]:
    return (pytester.path / "results" / "accuracy.csv").read_text().splitlines()[1:]


def last_run(pytester: pytest.Pytester) -> dict[str, Any]:
    return json.loads((pytester.path / "results" / "run.json").read_text())["runs"][-1]


SUMMARY = [
    "=* experiment *=",
    "what noise costs (95 % intervals, p after Holm)",
    "  zero_shot, all 3 noises: diffllama loses 40.0 points *",
    "*No evidence that llama loses more than diffllama: 0.0*",
    "accuracy, % [[]95 % interval[]], 10 problems a cell",
    "*clean *inf *rcs *sd",
    "diffllama * 80.0 [[]49, 94[]] * 40.0 [[]17, 69[]] * 40.0 * 40.0 *",
    "llama *80.0*",
    "predictions: 0 read, 80 made*",
    "full tables: python -m reports accuracy|comparisons* results",
    "note: made up, all of it",
    "files in results: run.json, accuracy.csv, accuracy.png, comparisons.csv",
    f"page: {Path('results', 'report.html')}",
]


FULL_TABLES = [
    "what noise costs, zero_shot, in accuracy (95 % intervals; p adjusted over 3",
    "  comparisons, means over noises separately)",
    "  all 3 noises: diffllama loses 40.0 points *",
    "  inf: diffllama loses 40.0 points [[]*[]] and llama 40.0 [[]*[]].",
    "    No evidence that llama loses more than diffllama: 0.0 points *",
    "zero_shot, 10 problems a cell",
    "*clean *inf *rcs *sd",
    "diffllama * 80.0 * 40.0 * 40.0 * 40.0",
    "*49.0-94.3 *16.8-68.7*",
    "*degradation * 40.0*",
    "llama *80.0*",
]


def test_a_verbose_run_prints_the_full_tables(grid: pytest.Pytester) -> None:
    run(grid, "-v").stdout.fnmatch_lines(FULL_TABLES)


def test_a_run_writes_files_and_a_summary(grid: pytest.Pytester) -> None:
    outcome = run(grid)
    outcome.assert_outcomes(passed=9)
    outcome.stdout.fnmatch_lines(SUMMARY)
    assert len(accuracy_lines(grid)) == 8
    assert (grid.path / "results" / "accuracy.png").exists()
    assert (last_run(grid)["status"], last_run(grid)["seed"], len(last_run(grid)["cells"])) == ("finished", 5, 8)


def test_workers_write_the_predictions_and_the_controller_the_rest(grid: pytest.Pytester) -> None:
    """Files and summary are those of a run without workers."""
    outcome = run(grid, "-n", "2")
    outcome.assert_outcomes(passed=9)
    outcome.stdout.fnmatch_lines(SUMMARY)
    assert len(accuracy_lines(grid)) == 8
    (only,) = json.loads((grid.path / "results" / "run.json").read_text())["runs"]
    assert sum(cell["made"] for cell in only["cells"]) == 80
    outcome = run(grid, "-n", "2", "--fresh", "-k", "inf")
    outcome.stdout.fnmatch_lines(["predictions: 0 read, 20 made*", "earlier predictions are in *set_aside*"])
    assert len(list((grid.path / "results" / "set_aside").iterdir())) == 1


@pytest.mark.parametrize("columns", [80, 120])
def test_the_summary_fits_the_terminal(grid: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = run(grid, "-k", "sd or clean", "--color=no").outlines
    summary = lines[next(number for number, line in enumerate(lines) if "= experiment =" in line) :]
    assert max(map(len, summary)) <= columns
    assert any(len(line) > 0.75 * columns for line in summary), "the width is used"
    page = next(number for number, line in enumerate(summary) if line.startswith("page: "))
    assert summary[page + 1].startswith("answer (zero_shot, sd): "), "the answer comes last"
    assert "\x1b" not in "".join(lines)


def test_a_second_run_over_part_of_the_grid_resumes_and_keeps_the_rest(grid: pytest.Pytester) -> None:
    run(grid)
    outcome = run(grid, "-k", "diffllama and inf", "--size", "12")
    outcome.stdout.fnmatch_lines(["accuracy, *, 12 problems a cell", "predictions: 10 read, 2 made*"])
    outcome.stdout.no_fnmatch_line("llama  *80.0*")
    assert len(accuracy_lines(grid)) == 8
    runs = json.loads((grid.path / "results" / "run.json").read_text())["runs"]
    assert [len(run["cells"]) for run in runs] == [8, 1]


def test_the_table_is_over_the_problems_of_this_run(grid: pytest.Pytester) -> None:
    run(grid, "-k", "clean")
    outcome = run(grid, "-k", "clean", "--size", "5")
    outcome.stdout.fnmatch_lines(
        ["accuracy, *, 5 problems a cell", "diffllama * 100.0 *", "predictions: 10 read, 0 made"]
    )
    assert [line.split(",")[3] for line in accuracy_lines(grid)] == ["10", "10"]


def test_other_settings_fail_the_case_and_change_nothing(grid: pytest.Pytester) -> None:
    run(grid, "-k", "clean")
    before = accuracy_lines(grid)
    outcome = run(grid, "-k", "clean", "--tokens", "128")
    outcome.assert_outcomes(failed=2)
    outcome.stdout.fnmatch_lines(["*ResultsMismatch: *max_new_tokens was 64 and is now 128."])
    assert accuracy_lines(grid) == before
    outcome.stdout.no_fnmatch_line("page: *")
    assert len(json.loads((grid.path / "results" / "run.json").read_text())["runs"]) == 1


def test_a_run_that_makes_nothing_draws_nothing_anew(grid: pytest.Pytester) -> None:
    """Unless a report is missing or was changed."""
    run(grid)
    results = grid.path / "results"
    reports = [results / name for name in ("accuracy.csv", "accuracy.png", "comparisons.csv", "report.html")]
    before = [path.stat().st_mtime_ns for path in reports]
    outcome = run(grid)
    outcome.stdout.fnmatch_lines(["predictions: 80 read, 0 made*", "page: *report.html"])
    assert [path.stat().st_mtime_ns for path in reports] == before
    reports[0].write_text("mine")
    reports[1].unlink()
    run(grid)
    assert all(path.stat().st_mtime_ns > then for path, then in zip(reports, before, strict=True))
    assert reports[0].read_text().startswith("model,")


def test_fresh_sets_the_earlier_predictions_aside(grid: pytest.Pytester) -> None:
    run(grid)
    outcome = run(grid, "-k", "clean", "--tokens", "128", "--fresh")
    outcome.stdout.fnmatch_lines(["predictions: 0 read, 20 made*", f"earlier predictions are in {Path('results')}*"])
    assert len(accuracy_lines(grid)) == 2
    (aside,) = (grid.path / "results" / "set_aside").iterdir()
    assert len(list(aside.rglob("*.jsonl"))) == 8


@pytest.mark.parametrize(
    "options",
    [("--collect-only",), ("--collect-only", "--fresh"), ("-k", "another"), ("-k", "another", "-n", "1", "--fresh")],
)
def test_a_run_without_a_case_writes_and_prints_nothing(grid: pytest.Pytester, options: tuple[str, ...]) -> None:
    outcome = run(grid, *options)
    assert outcome.ret == 0
    outcome.stdout.no_fnmatch_line("*experiment*")
    assert not (grid.path / "results").exists()


def test_collecting_moves_nothing(grid: pytest.Pytester) -> None:
    run(grid, "-k", "clean")
    before = sorted(grid.path.rglob("results/**"))
    run(grid, "--collect-only", "--fresh")
    assert sorted(grid.path.rglob("results/**")) == before


def test_an_interrupted_run_writes_its_reports(grid: pytest.Pytester) -> None:
    """Also about the interrupted cell, whose case has no report."""
    write_cases(grid, "if (model, noise, n) == ('diffllama', 'inf', 3): raise KeyboardInterrupt")
    outcome = run(grid)
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    outcome.stdout.fnmatch_lines(
        ["accuracy, *, 3 to 10 problems a cell", "diffllama*80.0*100.0*", "predictions: 0 read, 13 made*"]
    )
    assert [line.split(",")[2:4] for line in accuracy_lines(grid)] == [["clean", "10"], ["inf", "3"]]
    assert last_run(grid)["status"] == "interrupted"
    outcome.stdout.fnmatch_lines(["interrupted: all records so far are saved; the same command resumes the run"])
    write_cases(grid)
    run(grid).stdout.fnmatch_lines(["predictions: 13 read, 67 made*"])


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_with_its_reports_even_if_it_comes_twice(grid: pytest.Pytester, name: str) -> None:
    """The second one comes while pytest handles the first."""
    send = f"os.kill(os.getpid(), signal.{name})"
    grid.makeconftest(f"{CONFTEST}\nimport os, signal\n\ndef pytest_keyboard_interrupt():\n    {send}\n")
    write_cases(grid, f"import os, signal; (model, noise, n) == ('diffllama', 'inf', 3) and {send}")
    in_a_terminal = signal.default_int_handler  # the shell ignores some signals for a command in the background
    before = signal.signal(getattr(signal, name), in_a_terminal)
    outcome = run(grid)
    assert signal.signal(getattr(signal, name), before) is in_a_terminal
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert last_run(grid)["status"] == "interrupted"
    assert [line.split(",")[2:4] for line in accuracy_lines(grid)] == [["clean", "10"], ["inf", "3"]]
    outcome.stdout.fnmatch_lines([f"*KeyboardInterrupt: {name}*"])
    write_cases(grid)
    run(grid).stdout.fnmatch_lines(["predictions: 13 read, 67 made*"])


ENDS_AFTER_THE_SECOND = """
import pytest

def pytest_runtest_logfinish(nodeid):
    if nodeid.endswith("[diffllama-inf]"):
        pytest.exit("enough", returncode=0)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_run_that_a_plugin_ends_early_is_not_finished_whatever_its_status(
    grid: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    saving = CONFTEST.replace("config.option.fresh)", "config.option.fresh, save_baseline=config.rootpath / 'ci.json')")
    grid.makeconftest(saving + ENDS_AFTER_THE_SECOND)
    outcome = run(grid, *workers)
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    assert last_run(grid)["status"] == "interrupted"
    outcome.stdout.fnmatch_lines(
        ["interrupted: all records so far are saved; the same*", "baseline *ci.json was not written: 7 of*did not end"]
    )
    assert not (grid.path / "ci.json").exists()
    grid.makeconftest(saving)
    outcome = run(grid, *workers)
    assert (outcome.ret, last_run(grid)["status"]) == (0, "finished")
    assert (grid.path / "ci.json").exists()


def test_a_run_that_ends_at_its_first_failure_has_failed(grid: pytest.Pytester) -> None:
    write_cases(grid, "assert n < 4")
    assert run(grid, "-x").ret == pytest.ExitCode.TESTS_FAILED
    assert last_run(grid)["status"] == "failed"


LOCKED = """import json, os, pathlib, time
                lock, deadline = pathlib.Path("results/.lock"), time.monotonic() + 30
                while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
                    time.sleep(0.01)
                assert json.loads(lock.read_text())["process"] == str(os.getppid())"""


def test_with_workers_the_main_process_has_the_lock_before_anything_is_created(grid: pytest.Pytester) -> None:
    """A worker may be killed, and the lock does not end with it."""
    write_cases(grid, LOCKED)
    outcome = run(grid, "-n", "1", "-k", "llama and clean and not diff")
    outcome.assert_outcomes(passed=1)
    assert not (grid.path / "results" / ".lock").exists()
    outcome = run(grid, "-n", "1", "--fresh", "-k", "llama and clean and not diff")
    outcome.assert_outcomes(passed=1)


@pytest.mark.parametrize("options", [(), ("-n", "1"), ("--fresh",), ("-n", "1", "--fresh")])
def test_a_second_run_is_refused_and_creates_nothing(grid: pytest.Pytester, options: tuple[str, ...]) -> None:
    """Whatever it has inherited from the first."""
    run(grid, "-k", "clean")
    lock = FolderLock(grid.path / "results", "another run")
    lock.acquire()
    before = sorted(grid.path.rglob("results/**"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_XDIST_TESTRUNUID", "another run")
        outcome = run(grid, *options, "-k", "inf")
    assert outcome.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR)
    assert "is in use by another run" in outcome.stdout.str() + outcome.stderr.str()
    assert sorted(grid.path.rglob("results/**")) == before
    lock.release()


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_case_that_fails_before_it_records_anything_leaves_no_folder(
    grid: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    grid.makepyfile(test_grid="def test_case(experiment):\n    assert False\n")
    run(grid, *workers).assert_outcomes(failed=1)
    assert not (grid.path / "results").exists()


def test_a_case_that_fails_halfway_is_reported_with_its_records(grid: pytest.Pytester) -> None:
    write_cases(grid, "assert n < 4")
    outcome = run(grid, "-k", "clean")
    outcome.assert_outcomes(failed=2)
    outcome.stdout.fnmatch_lines(["accuracy, *, 4 problems a cell", "predictions: 0 read, 8 made*"])
    assert last_run(grid)["status"] == "failed"


def test_an_error_in_a_problem_is_shown_and_the_problem_asked_again(grid: pytest.Pytester) -> None:
    write_cases(grid, "if n == 2: recorder.append([predicted(id, 'error')]); continue")
    outcome = run(grid, "-k", "llama and sd and not diffllama")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        [
            "accuracy, *, 9 problems a cell, 1 error left out",
            "error in llama-sd-zero_shot, problem p2: RuntimeError: no luck; *",
        ]
    )
    write_cases(grid)
    outcome = run(grid, "-k", "llama and sd and not diffllama")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(["predictions: 9 read, 1 made*"])


def test_a_report_that_cannot_be_written_fails_the_run_with_one_sentence(grid: pytest.Pytester) -> None:
    (grid.path / "results" / "accuracy.csv").mkdir(parents=True)
    outcome = run(grid, "-k", "clean")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["the reports are not complete: cannot write results*accuracy.csv: *"])
    outcome.stdout.no_fnmatch_line("*Traceback*")


def test_a_bug_in_a_report_fails_the_run_and_hides_no_result(
    grid: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(REPORTS, "page", Report("page", ("report.html",), lambda findings: iter([1 / 0])))  # type: ignore[list-item]
    outcome = run(grid, "-k", "diffllama")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["diffllama * 80.0*", "files in results: run.json, *"])
    printed = " ".join(outcome.stdout.str().split())
    assert "the reports are not complete: ZeroDivisionError: division by zero (" in printed
    outcome.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_damage_elsewhere_in_the_folder_does_not_hide_the_table(grid: pytest.Pytester) -> None:
    run(grid, "-k", "clean")
    damaged = grid.path / "results" / "predictions" / "zero_shot" / "llama" / "clean.jsonl"
    damaged.write_bytes(damaged.read_bytes() + b"oops\n")
    outcome = run(grid, "-k", "diffllama and clean")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["diffllama * 80.0 *", "the reports are not complete: *clean.jsonl,", "  line 11: expected *"]
    )


def test_outcomes_and_accuracy_of_a_case_reach_junitxml(grid: pytest.Pytester) -> None:
    run(grid, "-k", "diffllama", "--junitxml=out.xml")
    expected = {"clean": (8, 0.8), "inf": (4, 0.4), "rcs": (4, 0.4), "sd": (4, 0.4)}
    for number, (correct, accuracy) in enumerate(expected.values(), start=1):
        properties = ElementTree.parse(grid.path / "out.xml").findall(f".//testcase[{number}]/properties/property")
        values = [(str(each.get("name")), float(str(each.get("value")))) for each in properties]
        assert values[:3] == [("correct", correct), ("incorrect", 10 - correct), ("accuracy", accuracy)]
        assert [name for name, _ in values[3:]] == ["low", "high"]
        assert 0 < values[3][1] < accuracy < values[4][1] < 1


def test_a_damaged_cell_does_not_end_a_run_that_writes_xml(grid: pytest.Pytester) -> None:
    run(grid, "-k", "clean")
    damaged = grid.path / "results" / "predictions" / "zero_shot" / "llama" / "clean.jsonl"
    damaged.write_bytes(b"oops\n" + damaged.read_bytes())
    outcome = run(grid, "-k", "inf", "--junitxml=out.xml")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["the reports are not complete: *clean.jsonl,", "  line 1: expected *"])


def test_a_case_without_an_announced_experiment_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("pytest_plugins = ['reports.plugin']")
    pytester.makepyfile("def test_case(experiment): pass")
    outcome = run(pytester)
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*call reports.plugin.announce in the root conftest's pytest_configure*"])


def test_the_plugin_alone_changes_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("pytest_plugins = ['reports.plugin']")
    pytester.makepyfile("def test_case(): pass")
    outcome = run(pytester)
    outcome.assert_outcomes(passed=1)
    outcome.stdout.no_fnmatch_line("*experiment*")
