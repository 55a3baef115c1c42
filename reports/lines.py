"""One prediction as one line of JSON, and back. A line, wrapped here for reading:

{"model": "diffllama", "noise": "inf", "stage": "zero_shot", "settings": "3f9a0c51d2be", "id": "mine-00001",
 "question": "Ann has 3 pens. A bus seats 40. How many pens has she?", "spans": [[15, 31]],
 "gold": "She has 3.\\n#### 3", "target": "3", "text": " She has 3.\\n#### 3", "answer": "3", "outcome": "correct",
 "tokens": 9, "error": null}
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from typing import Any

from reports.disk import ResultsDamaged
from reports.records import OUTCOMES, Cell, Prediction, Settings

_CELL = [field.name for field in fields(Cell)]
_ALL = [field.name for field in fields(Prediction)]
_NEEDED = [*_CELL, "settings", *(field.name for field in fields(Prediction) if field.default is MISSING)]


def settings_hash(settings: Settings) -> str:
    """12 hexadecimal digits that stand for the settings."""
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()[:12]


def encoded_settings(settings: Settings) -> bytes:
    return (json.dumps(asdict(settings), indent=2) + "\n").encode()


def settings_from(content: bytes) -> Settings | None:
    """The inverse of `encoded_settings`; None for anything else."""
    try:
        return Settings(**json.loads(content))
    except (ValueError, TypeError):
        return None


def encoded_line(cell: Cell, settings: Settings, prediction: Prediction) -> bytes:
    """One line of UTF-8 with its line end. Text stays readable; a lone surrogate, which UTF-8 lacks, is escaped."""
    facts = {**asdict(cell), "settings": settings_hash(settings), **asdict(prediction)}
    try:
        line = json.dumps(facts, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        line = json.dumps(facts).encode()
    return line + b"\n"


def decoded_cell(line: bytes, where: str) -> Cell:
    """The cell that a line belongs to. Raises `ResultsDamaged`, beginning with `where`, for a damaged line."""
    facts = _facts(line, where)
    return Cell(*(facts[name] for name in _CELL))


def decoded_line(line: bytes, where: str) -> tuple[Cell, str, Prediction]:
    """A line's cell, settings hash and prediction. Keys we do not know are let be: a later version may have added
    them. Raises `ResultsDamaged`, beginning with `where`, for a damaged line."""
    facts = _facts(line, where)
    if facts["outcome"] not in OUTCOMES:
        raise ResultsDamaged(f"{where}: expected an outcome out of {', '.join(OUTCOMES)}, found {facts['outcome']!r}")
    cell = Cell(*(facts[name] for name in _CELL))
    known = {name: facts[name] for name in _ALL if name in facts}
    try:
        known["spans"] = tuple((start, stop) for start, stop in known["spans"])
    except (TypeError, ValueError):
        raise ResultsDamaged(f"{where}: expected spans as pairs of numbers, found {known['spans']!r}") from None
    return cell, facts["settings"], Prediction(**known)


def _facts(line: bytes, where: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError:
        raise ResultsDamaged(f"{where}: expected a prediction as one line of JSON, found {line[:60]!r}") from None
    if not isinstance(facts, dict):
        raise ResultsDamaged(f"{where}: expected a JSON object, found {line[:60]!r}")
    missing = [name for name in _NEEDED if name not in facts]
    if missing:
        raise ResultsDamaged(
            f"{where}: expected a prediction, which has {', '.join(_NEEDED)}; missing: {', '.join(missing)}"
        )
    return facts
