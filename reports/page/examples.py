"""What every model wrote, as data for the page: texts that models share are there once."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reports.stages import has_predictions
from reports.stats.noise_doses import by_dose
from reports.store.records import OUTCOMES, Cell, Prediction, problem_of
from reports.store.results_folder import Results


@dataclass
class _Gathered:
    """`asked` holds a row for each problem, noise and draw; `answers` what each model wrote to it."""

    columns: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    noises: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)


def examples(results: Results) -> dict[str, Any]:
    """Plain values: `columns` (a model and a stage each), the `models` of these, `noises`, `outcomes`, and `rows`, by
    problem and noise.

    A row has `id`, `problem`, `noise` (its place), `question`, `spans`, `gold` and `answers`: by column, None or
    [outcome (its place), answer, text]. Where models were asked different texts of one name, each has a row of its own.
    Raises `ResultsDamaged`.
    """
    found = _Gathered()
    for cell in sorted((cell for cell in results.cells() if has_predictions(cell.stage)), key=_order):
        on_disk = results.load(cell)
        records = on_disk.predictions.values() if on_disk else ()
        _gather(found, cell, (record for record in records if isinstance(record, Prediction)))
    rows = sorted(found.asked.values(), key=lambda row: (row["problem"], row["noise"], row["id"]))
    for row in rows:
        row["answers"] = [row["answers"].get(place) for place in range(len(found.columns))]
    known = {"columns": found.columns, "models": found.models, "noises": found.noises, "outcomes": list(OUTCOMES)}
    return known | {"rows": rows}


def packed(values: object) -> str:
    """Plain values as text for the page's script to unpack: JSON, deflated, in base64. No markup can stand in it, and
    it is a fifth as long."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(text, 9)).decode()


def _gather(found: _Gathered, cell: Cell, predictions: Iterable[Prediction]) -> None:
    column = cell.model if cell.stage == "zero_shot" else f"{cell.model}, {cell.stage}"
    if column not in found.columns:
        found.columns.append(column)
        found.models.append(cell.model)
    if cell.noise not in found.noises:
        found.noises.append(cell.noise)
    place = found.columns.index(column)
    for record in predictions:
        key = (record.id, cell.noise, record.question)
        row = found.asked.setdefault(
            key,
            {
                "id": record.id,
                "problem": problem_of(record.id),
                "noise": found.noises.index(cell.noise),
                "question": record.question,
                "spans": [list(span) for span in record.spans],
                "gold": record.gold,
                "answers": {},
            },
        )
        row["answers"][place] = [OUTCOMES.index(record.outcome), record.answer, record.error or record.text]


def _order(cell: Cell) -> tuple[object, ...]:
    return cell.stage != "zero_shot", cell.stage, cell.model, by_dose(cell.noise)
