"""Files of a results folder that were changed after they were written are refused or read as before; never counted."""

from __future__ import annotations

import csv
import multiprocessing
import os
import random
import shutil
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from reports.findings import Findings
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.write_reports import REPORTS
from tests.reports.attention_factories import ATTENTION_SETTINGS, reading
from tests.reports.record_factories import SETTINGS, outcomes, predicted

MODELS, NOISES = ("diffllama", "llama"), ("clean", "inf")
FILE = "predictions/zero_shot/llama/inf.jsonl"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with predictions and attention readings of two models."""
    results = Results(tmp_path_factory.mktemp("whole") / "results")
    for right, (model, noise) in enumerate([(model, noise) for model in MODELS for noise in NOISES], start=5):
        results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(right, 12 - right))
        readings = [reading(f"p{n}", signed=(((0.1 * n, 0.2, 0.3, 0.1, 0.3),),)) for n in range(3)]
        results.append(Cell(model, noise, "attention"), ATTENTION_SETTINGS, readings)
    return results.folder


def tables(folder: Path) -> dict[str, list[list[str]]]:
    """The rows of each table of a folder, written anew."""
    findings = Findings(Results(folder))
    rows = {}
    for report in ("accuracy", "comparisons", "attention"):
        for path in REPORTS[report].write(findings):
            if path.suffix == ".csv":
                rows[path.name] = list(csv.reader(path.read_text().splitlines()))
    return rows


def refused_or_same(folder: Path, expected: dict[str, list[list[str]]]) -> bool:
    """Whether the tables are refused. If they are not, they are the expected ones."""
    try:
        found = tables(folder)
    except ResultsDamaged:
        return True
    assert found == expected
    return False


@pytest.fixture(scope="module")
def expected(whole: Path) -> dict[str, list[list[str]]]:
    return tables(whole)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "results"))


@pytest.mark.parametrize("flips", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_refused_or_changes_nothing(
    folder: Path, expected: dict[str, list[list[str]]], flips: int
) -> None:
    """In random places of predictions, readings and settings."""
    rng = random.Random(0)
    files = sorted(path for name in ("predictions", "readings") for path in (folder / name).rglob("*.json*"))
    refused = 0
    for _ in range(flips):
        path = rng.choice(files)
        content = path.read_bytes()
        flipped = bytearray(content)
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        refused += refused_or_same(folder, expected)
        path.write_bytes(content)
    assert refused > 0.9 * flips


def replaced(old: bytes, new: bytes) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return edit


def copied_to(name: str) -> Callable[[Path], None]:
    def copy(path: Path) -> None:
        target = path.parent / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)

    return copy


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replaced(b'"incorrect"', b'"correct"'), "line 9: the line was changed after it was written"),
        (replaced(b'"p3"', b'"p4"'), "line 4: the line was changed after it was written"),
        (replaced(b'"answer": "5"', b'"answer": "7"'), "line 1: the line was changed after it was written"),
        (replaced(b"}\n", b"}\0"), "line 1: "),
        (replaced(b', "check": "', b',"check":"'), "line 1: the line was changed after it was written"),
        (replaced(b'"model": "llama"', b'"model": 5'), "line 1: the line was changed after it was written"),
        (lambda path: path.write_bytes(b"\0" * 5_000), "line 1: expected a line of JSON"),
        (copied_to("inf (copy).jsonl"), "holds records of llama-inf-zero_shot, whose file is "),
        (copied_to("../llama-backup/inf.jsonl"), "holds records of llama-inf-zero_shot, whose file is "),
        (copied_to("../diffllama/inf.jsonl"), "holds records of llama-inf-zero_shot, whose file is "),
        (copied_to("inf.JSONL"), "inf.JSONL is not where records are, which is <stage>/<model>/<noise>.jsonl"),
        (copied_to("old/inf.jsonl"), "old/inf.jsonl is not where records are"),
        (copied_to("../inf.jsonl"), "zero_shot/inf.jsonl is not where records are"),
    ],
)
def test_a_changed_cell_is_refused(folder: Path, edit: Callable[[Path], None], message: str) -> None:
    edit(folder / FILE)
    with pytest.raises(ResultsDamaged, match="jsonl") as refused:
        tables(folder)
    assert message in str(refused.value)


def test_a_cell_behind_a_link_to_another_disk_counts(folder: Path, expected: dict[str, list[list[str]]]) -> None:
    model = (folder / FILE).parent
    elsewhere = model.rename(folder.parent / "elsewhere")
    model.symlink_to(elsewhere, target_is_directory=True)
    assert tables(folder) == expected


def test_a_cell_behind_a_link_to_nothing_is_missed(folder: Path) -> None:
    """Such as one on a disk that is not mounted: without it the tables would be about other models."""
    model = (folder / FILE).parent
    model.rename(folder.parent / "elsewhere").rename(folder.parent / "gone")
    model.symlink_to(folder.parent / "elsewhere", target_is_directory=True)
    with pytest.raises(ResultsDamaged, match=r"llama is a link to .*elsewhere, which is not there"):
        tables(folder)


def test_a_cell_in_a_folder_that_cannot_be_read_is_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> Iterator[Path]:
        if path == (folder / FILE).parent:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(ResultsFolderError, match=r"cannot read .*llama: Permission denied"):
        tables(folder)


def test_a_line_without_its_checksum_among_others_is_refused(folder: Path) -> None:
    path = folder / FILE
    *others, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*others, last.rpartition(b', "check"')[0] + b"}\n"]))
    with pytest.raises(ResultsDamaged, match="line 12: its checksum is missing"):
        tables(folder)


def test_a_file_of_an_older_version_without_checksums_is_read(
    folder: Path, expected: dict[str, list[list[str]]]
) -> None:
    path = folder / FILE
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"".join(line.rpartition(b', "check"')[0] + b"}\n" for line in lines))
    assert tables(folder) == expected
    cell, results = Cell("llama", "inf", "zero_shot"), Results(folder)
    results.append(cell, SETTINGS, [predicted("p99")])
    assert len(results.newest_records(cell)) == 13, "and it can be extended"


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"weights": "w"}'])
def test_damaged_settings_are_refused_and_written_again_by_the_next_run(
    folder: Path, expected: dict[str, list[list[str]]], damage: bytes
) -> None:
    for path in (folder / "predictions/settings").iterdir():
        path.write_bytes(damage)
    with pytest.raises(ResultsDamaged, match="the command that made the records writes it again"):
        tables(folder)
    cell, results = Cell("llama", "inf", "zero_shot"), Results(folder)
    results.read_for_resume(cell, SETTINGS, {})
    assert tables(folder) == expected


def _append(folder: Path, name: str, barrier: Barrier) -> None:
    results = Results(folder)
    barrier.wait()
    for batch in range(40):
        results.append(Cell("m", "clean", "zero_shot"), SETTINGS, [predicted(f"{name}-{batch}-{n}") for n in range(16)])


def test_two_processes_that_append_to_one_cell_lose_no_line(tmp_path: Path) -> None:
    barrier = multiprocessing.Barrier(2)
    writers = [multiprocessing.Process(target=_append, args=(tmp_path, name, barrier)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(Results(tmp_path).newest_records(Cell("m", "clean", "zero_shot"))) == 2 * 40 * 16


def test_a_pipe_in_the_place_of_a_cell_is_refused(folder: Path) -> None:
    """Reading it would wait for ever."""
    (folder / FILE).unlink()
    os.mkfifo(folder / FILE)
    with pytest.raises(ResultsDamaged, match="expected a regular file"):
        tables(folder)


def test_a_link_to_a_file_that_is_not_there_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """A stranger's folder would have its first record written anywhere."""
    (folder / FILE).unlink()
    (folder / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultsDamaged, match="expected a regular file"):
        Results(folder).append(Cell("llama", "inf", "zero_shot"), SETTINGS, outcomes(1, 0))
    assert not (tmp_path / "elsewhere").exists()
