"""The predictions of each model, for the page's examples; texts that models share are stored once.

Of a family with several replicates it is the first one's. They are read and packed a block of problems at a time.
"""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from reports.stages import has_predictions
from reports.stats.noise_doses import noise_order
from reports.store.folder_snapshot import Snapshot
from reports.store.records import OUTCOMES, Cell, Prediction, Record, problem_of
from reports.store.replicates import first_replicates
from reports.store.results_folder import Results

#: How many predictions are in memory at once, next to those that a snapshot keeps.
BLOCK = 20_000


@dataclass
class _Examples:
    """`asked` holds a row for each problem, noise and draw, with the answer of each column."""

    columns: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    noises: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)


class ExampleRows:
    """The rows of the predictions of some cells, sorted by problem and noise, made anew at each iteration."""

    def __init__(self, snapshot: Snapshot, cells: Sequence[Cell], gathered: _Examples) -> None:
        self._snapshot, self._cells, self._gathered = snapshot, cells, gathered

    def __bool__(self) -> bool:
        return bool(self._cells)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        columns = range(len(self._gathered.columns))
        positions = _positions_by_block(self._snapshot, self._cells)
        for block in sorted(set().union(*(by_block.keys() for by_block in positions.values()))):
            self._gathered.asked.clear()
            for cell, by_block in positions.items():
                _gather(self._gathered, cell, self._snapshot.records_at(cell, by_block.get(block, ())))
            for row in sorted(self._gathered.asked.values(), key=lambda row: (row["problem"], row["noise"], row["id"])):
                yield row | {"answers": [row["answers"].get(column) for column in columns]}


def examples(results: Results) -> dict[str, Any]:
    """Return plain values: `columns` (a model and stage each), their `models`, `noises`, `outcomes`, and `rows`, which
    are an iterable of plain values.

    A row has `id`, `problem`, `noise` (an index), `question`, `spans`, `gold` and `answers`: per column None or
    [outcome (an index), answer, text]. Rows are sorted by problem and noise. If models were asked different texts under
    one name, each text has a row. Raises `ResultsDamaged`.
    """
    gathered, snapshot = _Examples(), Snapshot.of(results)
    predicted = [cell for cell in snapshot.cells() if has_predictions(cell.stage)]
    first = first_replicates(cell.model for cell in predicted)
    shown = sorted((cell for cell in predicted if cell.model in first), key=_order)
    for cell in shown:
        if _column(cell) not in gathered.columns:
            gathered.columns.append(_column(cell))
            gathered.models.append(cell.model)
        if cell.noise not in gathered.noises:
            gathered.noises.append(cell.noise)
    return {
        "columns": gathered.columns,
        "models": gathered.models,
        "noises": gathered.noises,
        "outcomes": list(OUTCOMES),
        "rows": ExampleRows(snapshot, shown, gathered),
    }


def packed(values: Mapping[str, object]) -> str:
    """Return plain values as base64 of deflated JSON, for the page's script. It cannot contain markup, and it is a
    fifth as long."""
    deflated = zlib.compressobj(9)
    parts = [deflated.compress(text.encode("utf-8", "replace")) for text in _json_parts(values)]
    return base64.b64encode(b"".join([*parts, deflated.flush()])).decode()


def _json_parts(values: Mapping[str, object]) -> Iterator[str]:
    """Yield what is together the JSON of the values, the rows of examples one by one."""
    for number, (name, value) in enumerate(values.items()):
        yield f"{'{' if number == 0 else ','}{_json(name)}:"
        if isinstance(value, ExampleRows):
            yield "["
            for row_number, row in enumerate(value):
                yield f"{',' if row_number else ''}{_json(row)}"
            yield "]"
        else:
            yield _json(value)
    yield "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _positions_by_block(snapshot: Snapshot, cells: Sequence[Cell]) -> dict[Cell, dict[int, array[int]]]:
    """Return for each cell the positions of its records by the number of their block: of `BLOCK` predictions or, if a
    problem has more, of one problem. Blocks are in the order of their problems."""
    indexes = {cell: index for cell in cells if (index := snapshot.index(cell)) is not None}
    sizes = Counter(problem_of(id) for index in indexes.values() for id in index.ids)
    problems = sorted(sizes)
    ends = accumulate(sizes[problem] for problem in problems)
    block_of = {problem: (end - 1) // BLOCK for problem, end in zip(problems, ends, strict=True)}
    positions: dict[Cell, dict[int, array[int]]] = {}
    for cell, index in indexes.items():
        by_block = positions.setdefault(cell, {})
        for position, id in enumerate(index.ids):
            by_block.setdefault(block_of[problem_of(id)], array("q")).append(position)
    return positions


def _gather(gathered: _Examples, cell: Cell, records: Iterable[Record]) -> None:
    index, noise = gathered.columns.index(_column(cell)), gathered.noises.index(cell.noise)
    for record in records:
        if not isinstance(record, Prediction):
            continue
        row = gathered.asked.setdefault(
            (record.id, cell.noise, record.question),
            {
                "id": record.id,
                "problem": problem_of(record.id),
                "noise": noise,
                "question": record.question,
                "spans": [list(span) for span in record.spans],
                "gold": record.gold,
                "answers": {},
            },
        )
        row["answers"][index] = [OUTCOMES.index(record.outcome), record.answer, record.error or record.text]


def _column(cell: Cell) -> str:
    return cell.model if cell.stage == "zero_shot" else f"{cell.model}, {cell.stage}"


def _order(cell: Cell) -> tuple[object, ...]:
    return cell.stage != "zero_shot", cell.stage, cell.model, noise_order(cell.noise)
