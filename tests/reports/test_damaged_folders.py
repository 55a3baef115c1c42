"""`python -m reports` on a folder that holds other things than a run left: one sentence, no traceback, an end."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from reports.store.record_codec import signed
from reports.store.records import Cell, Likelihood
from reports.store.results_folder import Results
from reports.store.run_json import add_run
from tests.reports.attention_factories import ATTENTION_SETTINGS, reading
from tests.reports.record_factories import SETTINGS, outcomes

pytestmark = pytest.mark.quick
CELLS = {
    "predictions": "predictions/zero_shot/llama/inf.jsonl",
    "attention": "readings/attention/llama/inf.jsonl",
    "likelihood": "readings/likelihood/llama/inf.jsonl",
}
#: The command that reads each.
COMMANDS = {"predictions": "accuracy", "attention": "attention", "likelihood": "comparisons"}
_SECONDS = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = Results(tmp_path_factory.mktemp("whole") / "results")
    for noise in ("clean", "inf"):
        results.append(Cell("llama", noise, "zero_shot"), SETTINGS, outcomes(3, 2))
        results.append(Cell("llama", noise, "attention"), ATTENTION_SETTINGS, [reading(f"p{n}") for n in range(2)])
        likelihoods = [Likelihood(f"p{n}", "How many?", (), "#### 3", "measured", 3, -1.5) for n in range(2)]
        results.append(Cell("llama", noise, "likelihood"), ATTENTION_SETTINGS, likelihoods)
    add_run(results.folder / "run.json", {"seed": 0}, [])
    return results.folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "results"))


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """A test that waits for ever on a pipe fails."""
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)


def instead(write: Callable[[Path], object]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        path.unlink()
        write(path)

    return edit


THINGS = {
    "a pipe": instead(os.mkfifo),
    "a device": instead(lambda path: path.symlink_to("/dev/zero")),
    "a folder": instead(lambda path: path.mkdir()),
    "a link to itself": instead(lambda path: path.symlink_to(path.name)),
    "NULs": instead(lambda path: path.write_bytes(b"\0" * 100_000)),
    "nested lists": instead(lambda path: path.write_bytes(b"[" * 100_000 + b"\n")),
    "nested objects": instead(lambda path: path.write_bytes(b'{"model":' * 50_000 + b"\n")),
    "a list": instead(lambda path: path.write_bytes(b"[1]\n")),
    "null": instead(lambda path: path.write_bytes(b"null\n")),
    "a long number": instead(lambda path: path.write_bytes(b"1" * 5_000 + b"\n")),
    "Latin-1": instead(lambda path: path.write_bytes(b'{"model": "\xe9"}\n')),
}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence that a command ends with."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_that_is_none_is_named(folder: Path, capsys: pytest.CaptureFixture[str], kind: str, thing: str) -> None:
    THINGS[thing](folder / CELLS[kind])
    message = said(capsys, COMMANDS[kind], str(folder))
    assert CELLS[kind] in message
    assert "expected" in message


@pytest.mark.parametrize("thing", ["a pipe", "nested lists"])
@pytest.mark.parametrize("command", ["html", "comparisons"])
def test_every_command_names_it(folder: Path, capsys: pytest.CaptureFixture[str], command: str, thing: str) -> None:
    THINGS[thing](folder / CELLS["predictions"])
    assert CELLS["predictions"] in said(capsys, command, str(folder))


def test_a_comparison_of_two_folders_names_it(whole: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    THINGS["nested objects"](folder / CELLS["predictions"])
    assert CELLS["predictions"] in said(capsys, "compare", str(whole), str(folder))


@pytest.mark.parametrize("thing", THINGS)
def test_settings_that_are_none_are_named(folder: Path, capsys: pytest.CaptureFixture[str], thing: str) -> None:
    (settings,) = (folder / "predictions/settings").iterdir()
    THINGS[thing](settings)
    assert settings.name in said(capsys, "accuracy", str(folder))


@pytest.mark.parametrize("thing", ["a pipe", "a device", "a folder", "nested lists"])
def test_a_run_json_that_is_none_costs_its_caveat_alone(
    folder: Path, capsys: pytest.CaptureFixture[str], thing: str
) -> None:
    THINGS[thing](folder / "run.json")
    assert main(["accuracy", str(folder)]) == 0
    assert "run.json is damaged" in " ".join(capsys.readouterr().out.split())


#: A field, and values that it cannot have.
WRONG_TYPES: dict[str, dict[str, list[Any]]] = {
    "predictions": {
        **{name: [5, [], None, {}] for name in ("model", "noise", "stage", "settings", "id", "question", "gold")},
        **{name: [5, [], None] for name in ("text", "target", "outcome", "grading")},
        **{name: [5, []] for name in ("answer", "error")},
        "spans": [5, None, [5], [["a", "b"]], [[1]], [[1, 2.5]]],
        "tokens": ["many", None, 1.5],
    },
    "attention": {
        "queries": ["many", None, 1.5],
        "segments": [5, [1, 2, 3, 4, 5]],
        "layers": [["a"], [0.5], [None], 5],
        "heads": [["b"], {}, None],
        "tokens": [["a"] * 5, [None] * 5, [float("nan")] * 5],
        "signed": [[[["x"] * 5]], [[[None] * 5]], [[[float("inf")] * 5]], [[[[]] * 5]]],
        "absolute": [[[["x"] * 5]], [[5]]],
        "lambdas": [["x"], [None], [float("nan")]],
    },
    "likelihood": {"nats": ["x", None, float("nan")], "tokens": ["x", 0, -1, 1.5]},
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind, names in WRONG_TYPES.items() for name, values in names.items() for value in values],
)
def test_a_field_of_the_wrong_type_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str, value: Any
) -> None:
    """Even with the checksum of what the line says: other code may have written it."""
    path = folder / CELLS[kind]
    line = json.loads(path.read_bytes().splitlines()[0])
    del line["check"]
    path.write_bytes(signed(json.dumps({**line, name: value}).encode()) + b"\n")
    message = said(capsys, COMMANDS[kind], str(folder))
    assert f"{CELLS[kind]}, line 1: expected" in message
    assert len(message) < 500


@pytest.mark.parametrize("name", ["predictions", "readings", "predictions/zero_shot/llama", "predictions/settings"])
def test_a_file_in_the_place_of_a_folder_is_no_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shutil.rmtree(folder / name)
    (folder / name).write_text("x")
    for command in ("accuracy", "attention"):
        assert main([command, str(folder)]) in (0, 1)
        assert capsys.readouterr().err.count("\n") <= 1


@pytest.mark.parametrize("name", ["accuracy.csv", "accuracy.png"])
def test_a_folder_in_the_place_of_a_report_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / name).mkdir()
    assert name in said(capsys, "accuracy", str(folder))
