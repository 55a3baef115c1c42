from __future__ import annotations

import errno
import multiprocessing
import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.store.atomic_io import ResultsDamaged, ResultsFolderError
from reports.store.record_codec import decode_record, encode_record, settings_hash
from reports.store.records import OUTCOMES, Cell, Prediction, Settings
from reports.store.results_folder import OtherTextsError, Results, ResultsMismatch
from tests.reports.record_factories import (
    CELL,
    CLEAN,
    OTHER_SETTINGS,
    SETTINGS,
    asked,
    changed_line,
    predicted,
    question_of,
)

pytestmark = pytest.mark.quick


def _consistent(prediction: Prediction) -> Prediction:
    """`prediction` with the answer that its outcome needs."""
    answers = {"correct": prediction.target, "incorrect": f"not {prediction.target}"}
    return replace(prediction, answer=answers.get(prediction.outcome, prediction.answer))


predictions = st.builds(
    Prediction,
    id=st.text(),
    question=st.text(),
    spans=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=3).map(tuple),
    gold=st.text(),
    target=st.text(),
    text=st.text(),
    answer=st.none() | st.text(),
    outcome=st.sampled_from(OUTCOMES),
    tokens=st.integers(0, 10**9),
    error=st.none() | st.text(),
    finished=st.booleans(),
    grading=st.text(),
).map(_consistent)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


# Codec


@given(prediction=predictions, model=st.text(min_size=1))
def test_a_record_round_trips(prediction: Prediction, model: str) -> None:
    cell = Cell(model, "inf", "zero_shot")
    line = encode_record(cell, SETTINGS, prediction)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    line_cell, _, decoded = decode_record(line, "here")
    assert (line_cell, decoded) == (cell, prediction)


def test_a_lone_surrogate_round_trips() -> None:
    """UTF-8 cannot encode it, but a tokenizer that splits a character may leave one in a Python string."""
    prediction = predicted("p0", text="half \ud83d of it")
    assert decode_record(encode_record(CELL, SETTINGS, prediction), "here")[2] == prediction


def test_text_stays_readable_in_the_file() -> None:
    assert "3 × 4 €".encode() in encode_record(CELL, SETTINGS, predicted("p0", text="3 × 4 €"))


def test_an_unknown_key_is_ignored() -> None:
    line = changed_line(encode_record(CELL, SETTINGS, predicted("p0")), b'"tokens"', b'"mood": "good", "tokens"')
    assert decode_record(line, "here")[2] == predicted("p0")


# The folder


@settings(max_examples=30)
@given(batch=st.lists(predictions, max_size=5, unique_by=lambda prediction: prediction.id))
def test_what_was_appended_is_read_back(tmp_path_factory: pytest.TempPathFactory, batch: list[Prediction]) -> None:
    folder = tmp_path_factory.mktemp("results")
    Results(folder).append(CELL, SETTINGS, batch)
    assert Results(folder).newest_records(CELL) == {prediction.id: prediction for prediction in batch}


def test_a_folder_that_was_only_read_is_not_created(results: Results) -> None:
    assert results.read_for_resume(CELL, SETTINGS, asked("p0")) == {}
    assert results.cells() == []
    assert results.newest_records(CELL) == {}
    results.append(CELL, SETTINGS, [])
    assert results.set_aside() is None
    assert not results.folder.exists()


def test_answers_come_in_the_order_asked_and_no_others(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted(id) for id in ("p0", "p1", "p2")])
    assert list(results.read_for_resume(CELL, SETTINGS, asked("p2", "p9", "p0"))) == ["p2", "p0"]


def test_an_error_is_left_out_and_then_replaced(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0", "error"), predicted("p1")])
    assert list(results.read_for_resume(CELL, SETTINGS, asked("p0", "p1"))) == ["p1"]
    assert results.newest_records(CELL)["p0"].outcome == "error"
    results.append(CELL, SETTINGS, [predicted("p0", "incorrect")])
    assert results.newest_records(CELL)["p0"].outcome == "incorrect"
    assert list(results.read_for_resume(CELL, SETTINGS, asked("p0", "p1"))) == ["p0", "p1"]


def test_other_settings_are_refused_with_both_values(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    with pytest.raises(ResultsMismatch) as refusal:
        results.read_for_resume(CELL, OTHER_SETTINGS, asked("p7"))
    message = str(refusal.value)
    assert "max_new_tokens was 64 and is now 128" in message
    assert "precision was 'float32' and is now 'bfloat16'" in message
    assert "weights was" not in message
    assert "--" not in message, "reports know no option"


def test_a_new_cell_with_other_problems_is_refused(results: Results) -> None:
    """The tables of a folder are about one source of problems."""
    results.append(CELL, SETTINGS, [predicted("p1")])
    others = replace(SETTINGS, problems="mine.jsonl 0a1b2c3d")
    with pytest.raises(ResultsMismatch, match=r"about the problems of 'made-up', .* those of 'mine.jsonl 0a1b2c3d'\.$"):
        results.read_for_resume(CLEAN, others, asked("p1"))
    assert results.read_for_resume(CLEAN, replace(SETTINGS, problems=""), asked("p1")) == {}, "nothing is known of it"
    results.set_aside()
    assert results.read_for_resume(CLEAN, others, asked("p1")) == {}


def test_other_settings_cannot_be_appended_either(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    with pytest.raises(ResultsMismatch):
        Results(results.folder).append(CELL, OTHER_SETTINGS, [predicted("p1")])
    assert list(results.newest_records(CELL)) == ["p0"]


def test_each_cell_has_its_own_settings(results: Results) -> None:
    """Another cell of the folder may have another precision: they are not pooled."""
    results.append(CELL, SETTINGS, [predicted("p0")])
    results.append(CLEAN, OTHER_SETTINGS, [predicted("p0")])
    assert results.read_for_resume(CELL, SETTINGS, asked("p0"))
    assert results.read_for_resume(CLEAN, OTHER_SETTINGS, asked("p0"))


def test_other_settings_are_refused_without_their_file(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    for path in (results.predictions_folder / "settings").iterdir():
        path.unlink()
    with pytest.raises(ResultsMismatch, match="cannot be compared"):
        results.read_for_resume(CELL, OTHER_SETTINGS, asked("p0"))


def test_another_text_for_an_id_is_refused(results: Results) -> None:
    """Another seed gives another noise, and an answer to one text is not an answer to the other."""
    results.append(CELL, SETTINGS, [predicted("p0"), predicted("p1"), predicted("p2")])
    with pytest.raises(
        OtherTextsError, match=r"problem 'p1' and 1 more had another text: .* seed, in the problems, or"
    ):
        results.read_for_resume(CELL, SETTINGS, asked("p0") | {"p1": "Why?", "p2": "Why not?", "p3": "So?"})


@pytest.mark.parametrize("stage", ["zero_shot", "sft"])
def test_a_new_cell_has_the_texts_of_the_cells_it_is_compared_with(results: Results, stage: str) -> None:
    """A file that was changed between two runs would put answers to different questions side by side."""
    results.append(CELL, SETTINGS, [predicted("p0"), predicted("p1")])
    other_model = Cell("another model", CELL.noise, stage)
    with pytest.raises(OtherTextsError, match=r"inf\.jsonl: problem 'p1' had another text"):
        results.read_for_resume(other_model, SETTINGS, asked("p0") | {"p1": "Why?"})
    assert results.read_for_resume(other_model, SETTINGS, asked("p0", "p1", "p2")) == {}
    other_noise = Cell("another model", "sd", stage)
    assert results.read_for_resume(other_noise, SETTINGS, {"p1": "Why?"}) == {}


def test_a_model_has_the_same_weights_with_every_noise(results: Results) -> None:
    """The folder of a checkpoint may hold another one by now."""
    results.append(CELL, SETTINGS, [predicted("p0")])
    others = replace(SETTINGS, weights="others")
    with pytest.raises(ResultsMismatch, match=r"weights was 'weights-1' and is now 'others'; one model has one row"):
        results.read_for_resume(CLEAN, others, asked("p0"))
    assert results.read_for_resume(replace(CLEAN, model="another"), others, asked("p0")) == {}
    assert results.read_for_resume(replace(CLEAN, stage="sft"), others, asked("p0")) == {}


def test_the_settings_of_a_hash_are_on_disk_with_the_first_line(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    stored = results.load_cell(CELL)
    assert stored is not None
    assert results.settings(stored.settings_hash) == SETTINGS
    with pytest.raises(ResultsDamaged, match=r"000000000000\.json: a settings file is missing"):
        results.settings("0" * 12)


@pytest.mark.parametrize(
    "model", ["org/name", "../up", ".", "..", "/root/model", "C:\\x", "a b", "名前", "x" * 400, "a%2Fb"]
)
def test_any_model_name_is_a_file_inside_the_folder(results: Results, model: str) -> None:
    cell = Cell(model, "clean", "zero_shot")
    results.append(cell, SETTINGS, [predicted("p0")])
    assert results.path(cell).resolve().is_relative_to(results.predictions_folder.resolve())
    assert Results(results.folder).cells() == [cell]
    assert results.read_for_resume(cell, SETTINGS, asked("p0"))


def test_names_that_differ_have_files_that_differ(results: Results) -> None:
    names = ["org/name", "org%2Fname", "org-name", "x" * 400, "x" * 401, ".x", "x"]
    assert len({results.path(Cell(name, "clean", "zero_shot")) for name in names}) == len(names)


def test_a_file_of_another_cell_is_an_error(results: Results) -> None:
    """As on a case-insensitive file system, where `Llama` and `llama` share a file."""
    results.append(CELL, SETTINGS, [predicted("p0")])
    other = Cell("DiffLlama", "inf", "zero_shot")
    results.path(other).parent.mkdir(parents=True, exist_ok=True)
    results.path(CELL).rename(results.path(other))
    with pytest.raises(ResultsDamaged, match=r"expected .* DiffLlama-inf-zero_shot, got one of diffllama-inf"):
        results.read_for_resume(other, SETTINGS, asked("p0"))


def test_a_copy_of_a_cell_s_file_is_refused_with_the_name_of_the_file(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    copy = results.path(CELL).with_name("inf (copy).jsonl")
    shutil.copy(results.path(CELL), copy)
    message = r"inf \(copy\)\.jsonl holds records of diffllama-inf-zero_shot, whose file is .*inf\.jsonl; move the copy"
    with pytest.raises(ResultsDamaged, match=message):
        results.cells()


def test_a_folder_in_place_of_a_cell_s_file_is_refused(results: Results) -> None:
    results.path(CELL).mkdir(parents=True)
    for read in (results.cells, lambda: results.load_cell(CELL)):
        with pytest.raises(ResultsDamaged, match=r"inf\.jsonl: expected a regular file"):
            read()


def test_a_changed_settings_file_is_refused_with_its_name_and_written_again(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    (path,) = (results.predictions_folder / "settings").iterdir()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"64", b"65"))
    with pytest.raises(ResultsDamaged, match=rf"settings.{path.name}: the file was changed after it was written"):
        results.settings(path.stem)
    results.append(CELL, SETTINGS, [predicted("p1")])
    assert path.read_bytes() == content


# After a kill


def test_a_line_cut_anywhere_is_dropped_and_the_run_goes_on(results: Results) -> None:
    last = predicted("p2", text="naïve ✓\n#### 5")
    results.append(CELL, SETTINGS, [predicted("p0"), predicted("p1")])
    whole = results.path(CELL).read_bytes()
    results.append(CELL, SETTINGS, [last])
    longer = results.path(CELL).read_bytes()
    for cut in range(len(whole), len(longer)):
        results.path(CELL).write_bytes(longer[:cut])
        resumed = Results(results.folder)
        assert list(resumed.read_for_resume(CELL, SETTINGS, asked("p0", "p1", "p2"))) == ["p0", "p1"]
        resumed.append(CELL, SETTINGS, [last])
        assert results.path(CELL).read_bytes() == longer


def test_a_file_with_only_a_partial_line_is_empty(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    results.path(CELL).write_bytes(results.path(CELL).read_bytes()[:30])
    assert results.cells() == []
    assert results.load_cell(CELL) is None
    results.append(CELL, SETTINGS, [predicted("p1")])
    assert list(results.newest_records(CELL)) == ["p1"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"{oops\n", "one line of JSON"),
        (b"\x00\x00\xff\n", "one line of JSON"),
        (b"\n", "one line of JSON"),
        (b"[1]\n", "a JSON object"),
        (b"[" * 100_000 + b"\n", "one line of JSON"),
        (b'{"id": "p9"}\n', "missing: model"),
    ],
)
def test_a_damaged_line_is_an_error_that_names_file_and_line(results: Results, line: bytes, expected: str) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    good = results.path(CELL).read_bytes()
    results.path(CELL).write_bytes(good + line + good)
    with pytest.raises(ResultsDamaged, match=rf"inf\.jsonl, line 2: expected .*{expected}"):
        results.read_for_resume(CELL, SETTINGS, asked("p0"))


@pytest.mark.parametrize(
    ("valid", "invalid", "expected"),
    [
        (b'"correct"', b'"corect"', "an outcome out of correct, incorrect"),
        (b"[[10, 25]]", b"[10, 25]", "spans as pairs"),
        (b"[[10, 25]]", b'[["a", "b"]]', "a prediction, got .*'a', 'b'.* as its spans"),
        (b'"finished": true', b'"finished": "yes"', "a prediction, got 'yes' as its finished"),
        (b'"error": null', b'"error": []', r"a prediction, got \[\] as its error"),
        (b'"answer": "5"', b'"answer": "6"', "the answer '5' of a correct prediction, got '6'"),
        (b'"outcome": "correct"', b'"outcome": "incorrect"', "another answer than '5' of a wrong prediction, got '5'"),
    ],
)
def test_an_invalid_value_is_an_error(results: Results, valid: bytes, invalid: bytes, expected: str) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    results.path(CELL).write_bytes(changed_line(results.path(CELL).read_bytes(), valid, invalid))
    with pytest.raises(ResultsDamaged, match=rf"line 1: expected {expected}"):
        results.newest_records(CELL)


def test_a_verdict_that_its_answer_contradicts_is_not_written(results: Results) -> None:
    """It could not be read back, and the model's time would be lost."""
    with pytest.raises(ValueError, match=r"the answer '5' of a correct prediction, got '5\.001'"):
        results.append(CELL, SETTINGS, [predicted("p0", answer="5.001")])
    assert results.load_cell(CELL) is None


def test_lines_of_two_settings_in_one_file_are_an_error(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    with results.path(CELL).open("ab") as file:
        file.write(encode_record(CELL, OTHER_SETTINGS, predicted("p1")))
    with pytest.raises(ResultsDamaged, match="line 2: expected the settings of line 1"):
        results.newest_records(CELL)


def test_lines_without_a_checksum_are_those_of_an_older_version_and_come_first(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted(id) for id in ("p0", "p1", "p2")])
    lines = results.path(CELL).read_bytes().splitlines(keepends=True)
    older = [line.rpartition(b', "check"')[0] + b"}\n" for line in lines]
    for kept in (older, [*older[:1], *lines[1:]], [*older[:2], *lines[2:]]):
        results.path(CELL).write_bytes(b"".join(kept))
        assert list(results.newest_records(CELL)) == ["p0", "p1", "p2"]
    for number, mixed in ((2, [lines[0], older[1], lines[2]]), (3, [older[0], lines[1], older[2]])):
        results.path(CELL).write_bytes(b"".join(mixed))
        with pytest.raises(ResultsDamaged, match=rf"inf\.jsonl, line {number}: its checksum is missing"):
            results.newest_records(CELL)


# Starting over


def test_set_aside_makes_another_results_folder(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    aside = results.set_aside()
    assert aside is not None
    assert results.cells() == []
    assert Results(aside).read_for_resume(CELL, SETTINGS, asked("p0"))
    results.append(CELL, OTHER_SETTINGS, [predicted("p0")])
    assert results.set_aside() != aside
    assert results.set_aside() is None


def test_what_is_set_aside_is_named_after_the_time_and_leaves_the_rest_in_place(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    for name in ("report.html", "run.json", "mine.txt"):
        (results.folder / name).write_text("")
    (results.folder / "checkpoints").mkdir()
    before = datetime.now()
    aside = results.set_aside(["report.html", "run.json", "comparisons.csv"])
    assert aside is not None
    assert aside.parent == results.folder / "set_aside"
    assert before <= datetime.strptime(aside.name, "%Y-%m-%dT%H-%M-%S-%f") <= datetime.now()
    assert sorted(path.name for path in aside.iterdir()) == ["checkpoints", "predictions", "report.html", "run.json"]
    assert sorted(path.name for path in results.folder.iterdir()) == ["mine.txt", "set_aside"]


def test_what_is_set_aside_twice_at_one_time_is_in_two_folders(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the clock stands still or was put back."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 11, 26, 9, 30, tzinfo=tz or UTC)

    monkeypatch.setattr("reports.store.results_folder.datetime", Stopped)
    names = []
    for number in range(3):
        (results.folder / "checkpoints").mkdir(parents=True)
        (results.folder / "checkpoints" / str(number)).touch()
        aside = results.set_aside()
        assert aside is not None
        assert [path.name for path in (aside / "checkpoints").iterdir()] == [str(number)]
        names.append(aside.name)
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3"]


def test_what_another_run_began_after_a_set_aside_is_not_written_to(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    results.set_aside()
    Results(results.folder).append(CELL, OTHER_SETTINGS, [predicted("p0")])
    with pytest.raises(ResultsMismatch):
        results.append(CELL, SETTINGS, [predicted("p1")])


def test_hidden_files_are_no_cells(results: Results) -> None:
    """Some file systems keep notes beside a file, under its name after a dot."""
    results.append(CELL, SETTINGS, [predicted("p0")])
    results.path(CELL).with_name("._inf.jsonl").write_bytes(b"\0")
    assert results.cells() == [CELL]


# Two workers, and a folder that is not writable


def _append_many(folder: Path, cell: Cell, settings: Settings) -> None:
    results = Results(folder)
    for number in range(50):
        results.append(cell, settings, [predicted(f"p{number}")])


def test_two_workers_write_two_cells_at_once(tmp_path: Path) -> None:
    cells = [CELL, CLEAN]
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_append_many, args=(tmp_path, cell, SETTINGS)) for cell in cells]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    results = Results(tmp_path)
    assert sorted(cell.id for cell in results.cells()) == sorted(cell.id for cell in cells)
    assert all(len(results.newest_records(cell)) == 50 for cell in cells)
    assert len(list((results.predictions_folder / "settings").iterdir())) == 1


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(ResultsFolderError, match=r"cannot write .*results is a file; expected a folder"):
        Results(tmp_path / "results").append(CELL, SETTINGS, [predicted("p0")])


def test_a_full_disk_is_an_error_with_the_file(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    results.append(CELL, SETTINGS, [predicted("p0")])
    monkeypatch.setattr("reports.store.results_folder.truncate_partial_line", full)
    with pytest.raises(ResultsFolderError, match=r"cannot write .*inf\.jsonl: No space left on device"):
        results.append(CELL, SETTINGS, [predicted("p1")])


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (CELL, "predictions/zero_shot/diffllama/inf.jsonl"),
        (CELL, "predictions/settings/*.json"),
        (CLEAN, "predictions/settings/*.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(
    results: Results, cell: Cell, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    (path,) = results.folder.glob(name)
    monkeypatch.setattr("pathlib.Path.open", failing_on(path, Path.open))
    with pytest.raises(ResultsFolderError, match=rf"^cannot read .*{re.escape(path.name)}: Input/output error$"):
        results.read_for_resume(cell, SETTINGS, asked("p0"))


def failing_on(broken: Path, open_file: Callable[..., Any]) -> Callable[..., Any]:
    """Return `Path.open`, which fails for one file."""

    def opened(path: Path, *args: Any, **options: Any) -> Any:
        if path == broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return open_file(path, *args, **options)

    return opened


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions restrict")
def test_a_folder_without_permission_is_an_error(results: Results) -> None:
    results.folder.mkdir()
    results.folder.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(ResultsFolderError, match=r"cannot write .*Permission denied"):
        results.append(CELL, SETTINGS, [predicted("p0")])


def test_the_smallest_difference_in_a_question_is_refused(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    with pytest.raises(ResultsMismatch, match=r"inf\.jsonl: problem 'p0' had another text"):
        results.read_for_resume(CELL, SETTINGS, {"p0": question_of("p0") + " "})


def test_a_missing_settings_file_is_rewritten_by_the_next_run(results: Results) -> None:
    results.append(CELL, SETTINGS, [predicted("p0")])
    shutil.rmtree(results.predictions_folder / "settings")
    assert list(results.read_for_resume(CELL, SETTINGS, asked("p0"))) == ["p0"]
    assert results.settings(settings_hash(SETTINGS)) == SETTINGS
