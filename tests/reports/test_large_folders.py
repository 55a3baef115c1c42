"""A folder whose records do not fit in memory: the same reports, made while few records are there at once."""

from __future__ import annotations

import base64
import gc
import json
import tracemalloc
import weakref
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from reports.experiment import Experiment
from reports.findings import Findings
from reports.page import examples as page_examples
from reports.page.examples import examples, packed
from reports.progress_bars import no_progress_bar
from reports.store import folder_snapshot
from reports.store.atomic_io import ResultsDamaged
from reports.store.folder_snapshot import Snapshot
from reports.store.records import Cell, CellRun, Prediction
from reports.store.results_folder import Results, StoredCell
from reports.write_reports import REPORTS
from tests.reports.record_factories import CELL, CLEAN, SETTINGS, asked, outcomes, predicted

MODELS, NOISES, PROBLEMS = ("diffllama", "llama", "diffllama:1", "llama:1"), ("clean", "inf", "sd"), 30


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """A folder of two families with two seeds, three noises, a tuned model, errors, and answers that were asked again;
    not all cells have all problems, and no file has them in order."""
    results = Results(tmp_path / "results")
    for number, model in enumerate(MODELS):
        settings = replace(SETTINGS, weights=model)
        for noise in NOISES:
            right = 20 - 4 * number - 3 * NOISES.index(noise)
            records = outcomes(right, PROBLEMS - right)[: PROBLEMS - number]
            results.append(Cell(model, noise, "zero_shot"), settings, [predicted("p3", "error"), *records[::-1]])
    tuned = replace(SETTINGS, weights="tuned", base="llama")
    results.append(Cell("llama", "clean", "sft"), tuned, [*outcomes(25, 5), predicted("p7", "error")])
    return results


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_snapshot, "KEPT_BYTES", 0)
    monkeypatch.setattr(page_examples, "BLOCK", 40)


def live_predictions() -> int:
    gc.collect()
    return sum(type(tracked) is Prediction for tracked in gc.get_objects())


def written(results: Results) -> dict[str, bytes]:
    """The tables and the page, anew. Pictures show what is in them."""
    findings = Findings(Results(results.folder))
    paths = [path for report in REPORTS.values() for path in report.write(findings)]
    return {path.name: path.read_bytes() for path in paths if path.suffix in (".csv", ".html")}


def test_reports_are_the_same_to_the_byte(results: Results, request: pytest.FixtureRequest) -> None:
    expected = written(results)
    assert expected.keys() == {"accuracy.csv", "comparisons.csv", "report.html"}
    request.getfixturevalue("little_memory")
    assert written(results) == expected


@pytest.mark.usefixtures("little_memory")
def test_findings_keep_no_prediction(results: Results) -> None:
    before = live_predictions()
    findings = Findings(results)
    assert findings.accuracies
    assert findings.comparisons
    assert findings.settings
    assert findings.single_seed_claims is not None
    assert live_predictions() == before
    block = Counter(row["problem"] for row in examples(findings.results)["rows"])
    assert len(block) == PROBLEMS
    assert live_predictions() == before


@pytest.mark.usefixtures("little_memory")
def test_each_file_is_read_once_for_all_numbers(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[Cell] = Counter()
    load_cell = Results.load_cell

    def counted(self: Results, cell: Cell) -> StoredCell | None:
        reads[cell] += 1
        return load_cell(self, cell)

    monkeypatch.setattr(Results, "load_cell", counted)
    findings = Findings(results)
    everything = {cell: [f"p{number}" for number in range(PROBLEMS)] for cell in results.cells()}
    assert findings.restricted_to(everything) is findings
    assert findings.accuracies
    assert findings.comparisons
    assert findings.settings
    assert set(reads.values()) == {1}
    assert len(reads) == len(everything)


@pytest.mark.usefixtures("little_memory")
def test_lines_that_are_appended_later_are_not_seen(results: Results) -> None:
    snapshot = Snapshot(results)
    index = snapshot.index(CELL)
    assert index is not None
    results.append(CELL, replace(SETTINGS, weights=CELL.model), [predicted("p0", "no_answer"), predicted("new")])
    stored = snapshot.load_cell(CELL)
    assert stored is not None
    assert tuple(stored.records) == index.ids
    assert [record.id for record in snapshot.records_at(CELL, range(len(index.ids)))] == list(index.ids)
    assert stored.records["p0"].outcome == snapshot.records_at(CELL, [index.ids.index("p0")])[0].outcome == "correct"


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("change", ["other line", "damaged line", "shorter"])
def test_a_file_that_was_changed_after_it_was_read_is_an_error(results: Results, change: str) -> None:
    snapshot = Snapshot(results)
    index = snapshot.index(CELL)
    assert index is not None
    path = results.path(CELL)
    lines = path.read_bytes().splitlines(keepends=True)
    content = {
        "other line": b"".join(lines[::-1]),
        "damaged line": path.read_bytes().replace(b"marbles", b"pebbles"),
        "shorter": b"".join(lines[: len(lines) // 2]),
    }[change]
    path.write_bytes(content)
    with pytest.raises(ResultsDamaged, match=r"inf\.jsonl was changed while it was read"):
        snapshot.records_at(CELL, range(len(index.ids)))
    with pytest.raises(ResultsDamaged, match=r"inf\.jsonl"):
        snapshot.load_cell(CELL)


def test_examples_are_packed_as_if_they_were_one_text(results: Results) -> None:
    results.append(
        CLEAN, replace(SETTINGS, weights=CLEAN.model), [predicted(f"é{n}", text=f"{n}" * n) for n in range(999)]
    )
    shown = examples(results) | {"colours": ["#000000"]}
    text = json.dumps(shown | {"rows": list(shown["rows"])}, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(text) > 10**6, "several windows of the compression"
    assert base64.b64decode(packed(shown)) == zlib.compress(text, 9)


def cells_of_a_run() -> Iterator[Cell]:
    return (Cell(model, noise, "zero_shot") for model in MODELS for noise in NOISES)


def test_a_cell_that_has_ended_keeps_no_prediction(tmp_path: Path) -> None:
    experiment = Experiment(Results(tmp_path), progress=no_progress_bar)
    made: list[weakref.ref[Prediction]] = []
    for cell in cells_of_a_run():
        ids = asked(*(f"p{number}" for number in range(PROBLEMS)))
        with experiment.cell(cell, replace(SETTINGS, weights=cell.model), ids) as recorder:
            batch = outcomes(20, PROBLEMS - 20)
            made += map(weakref.ref, batch)
            recorder.append(batch)
            assert len(recorder.records) == PROBLEMS
        del recorder, batch
    gc.collect()
    assert [reference() for reference in made if reference() is not None] == []
    assert len(made) == sum(run.made for run in experiment.runs) == len(MODELS) * len(NOISES) * PROBLEMS


def test_a_cell_that_has_ended_keeps_little_more_than_a_pointer_for_each_problem(tmp_path: Path) -> None:
    """Those are the ids that it asked, which `CellRun` has; what else is kept of a cell is 2,000 bytes at most."""
    experiment, problems = Experiment(Results(tmp_path), progress=no_progress_bar), 300
    ids, batch = asked(*(f"p{number}" for number in range(problems))), outcomes(100, problems - 100)
    held = []
    tracemalloc.start()
    for cell in cells_of_a_run():
        with experiment.cell(cell, replace(SETTINGS, weights=cell.model), ids) as recorder:
            recorder.append([replace(prediction) for prediction in batch])
        del recorder
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    cells = len(held) // 2
    assert held[-1] - held[cells - 1] < cells * (8 * problems + 2_000)


def test_runs_that_workers_send_share_their_ids() -> None:
    run = CellRun(CELL, SETTINGS, ("problem-1",), 0, 1, 1.0, {"correct": 1})
    sent = json.dumps(asdict(run))
    first, second = (CellRun.from_dict(json.loads(sent)) for _ in range(2))
    assert first.asked[0] is second.asked[0]


def test_opening_a_cell_reads_one_other_model_of_its_noise(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many models there are: they have the same texts, as each was compared when it was new."""
    read: list[Cell] = []
    load_cell = Results.load_cell

    def noted(self: Results, cell: Cell) -> StoredCell | None:
        read.append(cell)
        return load_cell(self, cell)

    monkeypatch.setattr(Results, "load_cell", noted)
    new = Cell("another", "inf", "zero_shot")
    texts = asked(*(f"p{number}" for number in range(PROBLEMS)))
    assert results.read_for_resume(new, replace(SETTINGS, weights="another"), texts) == {}
    assert [cell for cell in read if cell != new] == [Cell("diffllama", "inf", "zero_shot")]
