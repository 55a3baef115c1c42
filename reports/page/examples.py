"""The predictions of each model, for the page's examples; texts that models share are stored once.

Of a family with several replicates it is the first one's.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reports.stages import has_predictions
from reports.stats.noise_doses import noise_order
from reports.store.records import OUTCOMES, Cell, Prediction, problem_of
from reports.store.replicates import first_replicates
from reports.store.results_folder import Results


@dataclass
class _Examples:
    """`asked` holds a row for each problem, noise and draw, with the answer of each column."""

    columns: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    noises: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)


def examples(results: Results) -> dict[str, Any]:
    """Return plain values: `columns` (a model and stage each), their `models`, `noises`, `outcomes`, and `rows`.

    A row has `id`, `problem`, `noise` (an index), `question`, `spans`, `gold` and `answers`: per column None or
    [outcome (an index), answer, text]. Rows are sorted by problem and noise. If models were asked different texts under
    one name, each text has a row. Raises `ResultsDamaged`.
    """
    gathered = _Examples()
    predicted = [cell for cell in results.cells() if has_predictions(cell.stage)]
    first = first_replicates(cell.model for cell in predicted)
    for cell in sorted((cell for cell in predicted if cell.model in first), key=_order):
        on_disk = results.load_cell(cell)
        records = on_disk.records.values() if on_disk else ()
        _gather(gathered, cell, (record for record in records if isinstance(record, Prediction)))
    rows = sorted(gathered.asked.values(), key=lambda row: (row["problem"], row["noise"], row["id"]))
    for row in rows:
        row["answers"] = [row["answers"].get(column) for column in range(len(gathered.columns))]
    return {
        "columns": gathered.columns,
        "models": gathered.models,
        "noises": gathered.noises,
        "outcomes": list(OUTCOMES),
        "rows": rows,
    }


def packed(values: object) -> str:
    """Return plain values as base64 of deflated JSON, for the page's script. It cannot contain markup, and it is a
    fifth as long."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(text, 9)).decode()


def _gather(gathered: _Examples, cell: Cell, predictions: Iterable[Prediction]) -> None:
    column = cell.model if cell.stage == "zero_shot" else f"{cell.model}, {cell.stage}"
    if column not in gathered.columns:
        gathered.columns.append(column)
        gathered.models.append(cell.model)
    if cell.noise not in gathered.noises:
        gathered.noises.append(cell.noise)
    index = gathered.columns.index(column)
    for record in predictions:
        key = (record.id, cell.noise, record.question)
        row = gathered.asked.setdefault(
            key,
            {
                "id": record.id,
                "problem": problem_of(record.id),
                "noise": gathered.noises.index(cell.noise),
                "question": record.question,
                "spans": [list(span) for span in record.spans],
                "gold": record.gold,
                "answers": {},
            },
        )
        row["answers"][index] = [OUTCOMES.index(record.outcome), record.answer, record.error or record.text]


def _order(cell: Cell) -> tuple[object, ...]:
    return cell.stage != "zero_shot", cell.stage, cell.model, noise_order(cell.noise)
