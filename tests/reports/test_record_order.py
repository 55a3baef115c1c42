"""The order of the lines in a cell's file is chance: a batch writes its records as they end, and shards are merged."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.findings import Findings
from reports.store.records import Cell
from reports.store.results_folder import Results
from tests.reports.attention_factories import ATTENTION_CELL, ATTENTION_SETTINGS, readings
from tests.reports.intervention_factories import interventions, random_nats, rights
from tests.reports.record_factories import CELL, CLEAN, SETTINGS, outcomes

pytestmark = pytest.mark.quick
COUNT = 12
CONDITIONS = {"clean": -0.5, "noisy": -0.9, "everywhere": -0.7}
ROWS: dict[str, Callable[[Findings], Iterable[Any]]] = {
    "accuracy": lambda findings: findings.cell_accuracies,
    "comparisons": lambda findings: findings.model_comparisons,
    "attention": lambda findings: (values for cell in findings.attention_cells for values in _numbers(cell)),
    "attention_comparisons": lambda findings: findings.model_attention_comparisons,
    "interventions": lambda findings: findings.model_interventions,
}


def _numbers(cell: Any) -> Iterator[list[float]]:
    """The sums over problems, to the last bit."""
    for values in (cell.signed, cell.absolute, cell.tokens, cell.lift):
        yield values.sum(axis=0).ravel().tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = Results(tmp_path_factory.mktemp("ordered"))
    ids = [f"p{n}" for n in range(COUNT)]
    for model, number in (("diffllama", 0), ("llama", 1)):
        results.append(Cell(model, "clean", CLEAN.stage), SETTINGS, outcomes(10, 2))
        results.append(Cell(model, "inf", CELL.stage), SETTINGS, outcomes(5 + number, 7 - number))
        pairs = zip(readings(ids, 2, 3), readings(ids, 2, 3, seed=number), strict=True)
        made = [replace(other, tokens=first.tokens) for first, other in pairs]  # both models split texts alike
        results.append(Cell(model, "inf", ATTENTION_CELL.stage), ATTENTION_SETTINGS, made)
        answers = rights({"clean": 11, "noisy": 5, "everywhere": 8}, COUNT)
        records = interventions(answers, random_nats(CONDITIONS, COUNT, number))
        results.append(Cell(model, "inf", "intervene"), SETTINGS, records)
    return results.folder


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lines_changes_no_figure(folder: Path, rows: str, seed: int, tmp_path: Path) -> None:
    for path in folder.rglob("*.json*"):
        target = tmp_path / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().splitlines(keepends=True)
        if path.suffix == ".jsonl":
            random.Random(f"{seed} {path.relative_to(folder)}").shuffle(lines)
        target.write_bytes(b"".join(lines))
    before, after = (list(ROWS[rows](Findings(Results(top)))) for top in (folder, tmp_path))
    assert before
    assert before == after
