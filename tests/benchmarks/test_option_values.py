"""Every option that takes a value, of every command, with values that mean nothing: no traceback and no hang.

The options are those of the parsers themselves, so a new option is covered. Nothing is loaded, drawn or trained.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import models.__main__
import noise.__main__
import reports.__main__
from benchmarks.error_remedies import user_message
from benchmarks.gate_options import gate_of
from benchmarks.options import add_skip_options, pytest_addoption
from benchmarks.plan_from_options import plan_of, results_folder
from models.commands.command_parser import command_parser
from models.loading.load_errors import LoadError
from models.model_registry import UnknownModelError
from noise.commands import audit_command, import_command, strength_command, write_command
from noise.registry import NOISES

pytestmark = pytest.mark.quick
VALUES = [
    *("1" + "0" * 30, "-1", "-1" + "0" * 30, "1" * 5_000, "0.5", "1e999", "nan", "inf", "²", "0-" + "9" * 12, "5-1"),
    *("", " ", ",", "=", "a=", "=b", "a,b,c", "é", "\ud800", "\udcff", "a\0b", "x" * 300, "x" * 5_000, "a/" * 3_000),
    *(
        "loop",
        "pipe",
        "file/below",
        "/dev/zero",
        "/dev/full",
        "loop.jsonl",
        "pipe.jsonl",
        "zero.jsonl",
        "mini:",
        "inf0",
    ),
    *("fewshot:", "fewshot:" + "9" * 5_000, "cuda:", "cuda:" + "9" * 40, "inf" + "9" * 30, "closed/below"),
]
_SECONDS = 300


def pytest_parser() -> pytest.Parser:
    parser = pytest.Parser(_ispytest=True)
    pytest_addoption(parser)
    add_skip_options(parser)
    return parser


def valued(parser: argparse.ArgumentParser) -> list[str]:
    """The options of a parser that take a value."""
    return [action.option_strings[0] for action in parser._actions if action.option_strings and action.nargs != 0]


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of its commands."""
    (group,) = parser._subparsers._group_actions  # type: ignore[union-attr]
    return dict(group.choices)  # type: ignore[arg-type]


PYTEST_OPTIONS = [
    option.names()[0]
    for group in pytest_parser()._groups
    for option in group.options
    if option.attrs().get("action") != "store_true"
]
NOISE_OPTIONS = valued(write_command._parser())
NAMED_NOISE_OPTIONS = [
    (name, option)
    for name, module in (("import", import_command), ("audit", audit_command), ("strength", strength_command))
    for option in (*valued(module._parser()), "")
]
MODELS_OPTIONS = [(name, option) for name, sub in commands(command_parser(None)).items() for option in valued(sub)]


@pytest.fixture(autouse=True)
def _odd_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The current folder has what the values name, and a test that does not end fails."""
    import os

    monkeypatch.chdir(tmp_path)
    for name in ("loop", "loop.jsonl"):
        Path(name).symlink_to(name)
    for name in ("pipe", "pipe.jsonl"):
        os.mkfifo(name)
    Path("zero.jsonl").symlink_to("/dev/zero")
    Path("file").touch()
    Path("closed").mkdir(mode=0)
    registered = dict(NOISES)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)
    NOISES.clear()
    NOISES.update(registered)


def test_the_lists_of_options_are_whole() -> None:
    assert {"--models", "--problems", "--results", "--sft-lr", "--baseline", "--alpha"} <= set(PYTEST_OPTIONS)
    assert {"--seed", "--out", "--processes", "--noise-file"} <= set(NOISE_OPTIONS)
    assert {("import", "--out"), ("audit", "--csv"), ("strength", "--datasets")} <= set(NAMED_NOISE_OPTIONS)
    assert {("chat", "--seed"), ("train-mini", "--out"), ("download", "--cache")} <= set(MODELS_OPTIONS)


@pytest.mark.parametrize("option", PYTEST_OPTIONS)
def test_pytest_refuses_or_plans(option: str) -> None:
    """What `pytest_configure` of the root conftest does; the errors are those that it turns into a usage error."""
    for value in VALUES:
        with suppress(pytest.UsageError):  # the parser's own
            options = pytest_parser().parse([f"{option}={value}"])
            try:
                plan_of(options)
                gate_of(options)
                results_folder(str(options.results or "results"), Path.cwd()).resolve()
            except (OSError, UnknownModelError, ValueError) as error:
                sentence = user_message(error) or str(error)
                if "\n" in sentence:
                    pytest.fail(f"{option}={value[:60]}: {sentence}")


def checked(main: Any, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command, which ends with a status and at most a sentence."""
    with suppress(SystemExit):  # argparse's own
        assert main(arguments) in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("option", NOISE_OPTIONS)
def test_noise_refuses_or_draws(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.jsonl").write_text('{"question": "Ann has 3 caps. How many caps?", "answer": "#### 3"}\n')
    defaults = {"--problems": "mine.jsonl", "--datasets": "sd", "--out": "out"}
    others = [f"{name}={value}" for name, value in defaults.items() if name != option]
    for value in VALUES:
        checked(noise.__main__.main, [*others, f"{option}={value}"], capsys)


@pytest.mark.parametrize(("command", "option"), NAMED_NOISE_OPTIONS)
def test_commands_of_noise_refuse_or_answer(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an option, of the file that they read."""
    Path("mine.jsonl").write_text('{"question": "Ann has 3 caps. How many caps?", "answer": "#### 3"}\n')
    layout = ["gsm-plus"] if command == "import" else []
    for value in VALUES:
        if command == "strength":
            defaults = {"--problems": "mine.jsonl", "--datasets": "sd"}
            typed = [f"{name}={given}" for name, given in defaults.items() if name != option]
            typed.append(f"{option}={value}" if option else f"--datasets=plus={value}")
        else:
            typed = [*layout, f"{option}={value}", "mine.jsonl"] if option else [*layout, "--", value]
        checked(noise.__main__.main, [command, *typed], capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "option"), MODELS_OPTIONS)
def test_models_refuses_or_begins(
    command: str, option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow, as torch is imported."""
    from models.commands import doctor, download
    from models.loading import load_model
    from models.mini import train_mini_pairs
    from tests.models.reference_checkpoints import TinyCheckpoint

    def stop(*_: object, **__: object) -> Any:
        raise LoadError("stopped")

    monkeypatch.setattr(load_model, "load", stop)
    monkeypatch.setattr(doctor, "doctor", lambda *_: 0)
    monkeypatch.setattr(train_mini_pairs, "train_pairs", lambda *_, **__: [])
    monkeypatch.setattr(download, "_download_with_base", lambda *_: [])
    monkeypatch.setattr(sys, "stdin", StringIO())
    TinyCheckpoint("mlx", differential=True).write(Path("tiny"))
    needed = {"chat": ["llama"], "inspect": ["llama"], "download": ["llama"], "train-mini": ["--out", "out"]}
    needed["convert"] = ["tiny", "--out", "out"]
    for value in VALUES:
        checked(models.__main__.main, [command, *needed.get(command, []), f"{option}={value}"], capsys)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["chat", "inspect", "download"])
def test_models_refuses_names(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.commands import download
    from models.loading import load_model

    def stop(*_: object, **__: object) -> Any:
        raise LoadError("stopped")

    monkeypatch.setattr(load_model, "load", stop)
    monkeypatch.setattr(download, "download", lambda *_: 0)
    for value in VALUES:
        checked(models.__main__.main, [command, "--", value], capsys)


@pytest.mark.parametrize("command", commands(reports.__main__._parser()))
def test_reports_refuses_folders(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for value in VALUES:
        checked(reports.__main__.main, [command, "--", *[value] * (2 if command == "compare" else 1)], capsys)


@pytest.mark.parametrize("option", ["--register", "--csv"])
def test_reports_refuses_values(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    for value in VALUES:
        checked(reports.__main__.main, ["compare", "nowhere", "nowhere", f"{option}={value}"], capsys)
