"""One record as one line of JSON, and back. A prediction, wrapped here for reading:

{"model": "diffllama", "noise": "inf", "stage": "zero_shot", "settings": "3f9a0c51d2be", "id": "mine-00001",
 "question": "Ann has 3 pens. A bus seats 40. How many pens has she?", "spans": [[15, 31]],
 "gold": "She has 3.\\n#### 3", "target": "3", "text": " She has 3.\\n#### 3", "answer": "3", "outcome": "correct",
 "tokens": 9, "error": null}

A reading has the same first keys, and in place of the text, of one layer with one head:

{"model": "diffllama", "noise": "inf", "stage": "attention", "settings": "81c7b2093f6e", "id": "mine-00001",
 "question": "Ann has 3 pens. A bus seats 40. How many pens has she?", "spans": [[15, 31]], "outcome": "measured",
 "queries": 9, "segments": ["kmi", "ni", "oc", "sink", "answer"], "layers": [3], "heads": [0],
 "tokens": [0.31, 0.23, 0.23, 0.04, 0.19], "signed": [[[0.2, -0.01, 0.05, 0.3, 0.1]]],
 "absolute": [[[0.3, 0.05, 0.1, 0.4, 0.15]]], "lambdas": [0.36], "error": null}

A likelihood has, after question and spans, `"gold": "She has 3.\\n#### 3", "outcome": "measured", "tokens": 9,
"nats": -4.21, "error": null}`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from typing import Any

from reports.stages import kind_of
from reports.store.atomic_io import ResultsDamaged
from reports.store.record_kinds import PREDICTIONS, RecordKind
from reports.store.records import Cell, Record, Settings

_CELL = [field.name for field in fields(Cell)]
_DIGITS = 6


def settings_hash(settings: Settings) -> str:
    """12 hexadecimal digits that stand for the settings."""
    facts = asdict(settings)
    for name in ("attention", "rendered"):  # they came later, and the predictions made before them must still be found
        if not facts[name]:
            del facts[name]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def encoded_settings(settings: Settings) -> bytes:
    return (json.dumps(asdict(settings), indent=2) + "\n").encode()


def settings_from(content: bytes) -> Settings | None:
    """The inverse of `encoded_settings`; None for anything else."""
    try:
        return Settings(**json.loads(content))
    except (ValueError, TypeError):
        return None


def settings_differences(before: Settings | None, now: Settings) -> str:
    """In words what `now` has otherwise than `before`, which is None where its file is gone."""
    if before is None:
        return "the file that names them is gone from the folder settings/, so they cannot be compared"
    old, new = asdict(before), asdict(now)
    different = [name for name in new if old[name] != new[name]]
    return "; ".join(f"{name} was {_short(old[name])} and is now {_short(new[name])}" for name in different)


def _short(value: object) -> str:
    """A value in a sentence: a prompt may have many examples in it."""
    text = repr(value)
    return text if len(text) <= 90 else f"{text[:40]}…{text[-40:]} ({len(text):,} characters)"


def encoded_line(cell: Cell, settings: Settings, record: Record) -> bytes:
    """One line of UTF-8 with its line end. Text stays readable; a lone surrogate, which UTF-8 lacks, is escaped.

    Measured numbers keep six significant digits. Raises `ValueError` for one that is not finite.
    """
    known = {field.name: getattr(record, field.name) for field in fields(record)}
    known |= {name: _rounded(known[name]) for name in kind_of(cell.stage).rounded}
    facts = {**asdict(cell), "settings": settings_hash(settings), **known}
    try:
        line = json.dumps(facts, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        line = json.dumps(facts, allow_nan=False).encode()
    except ValueError as error:
        raise ValueError(f"{cell.id}, problem {record.id!r}: expected finite figures, found others") from error
    return line + b"\n"


def decoded_cell(line: bytes, where: str, kind: RecordKind = PREDICTIONS) -> Cell:
    """The cell that a line belongs to. Raises `ResultsDamaged`, beginning with `where`, for a damaged line."""
    facts = _facts(line, where, kind)
    return Cell(*(facts[name] for name in _CELL))


def decoded_line(line: bytes, where: str, kind: RecordKind = PREDICTIONS) -> tuple[Cell, str, Record]:
    """A line's cell, settings hash and record, which is expected to be of `kind`. Keys we do not know are let be: a
    later version may have added them. Raises `ResultsDamaged`, beginning with `where`, for a damaged line."""
    facts = _facts(line, where, kind)
    if facts["outcome"] not in kind.outcomes:
        allowed = ", ".join(kind.outcomes)
        raise ResultsDamaged(f"{where}: expected an outcome out of {allowed}, found {facts['outcome']!r}")
    cell = Cell(*(facts[name] for name in _CELL))
    known = {field.name: facts[field.name] for field in fields(kind.type) if field.name in facts}
    texts = [name for name in ("id", "question", "gold", "text") if not isinstance(known.get(name, ""), str)]
    if texts:
        raise ResultsDamaged(f"{where}: expected text as {texts[0]}, found {known[texts[0]]!r}")
    try:
        known["spans"] = tuple((start, stop) for start, stop in known["spans"])
    except (TypeError, ValueError):
        raise ResultsDamaged(f"{where}: expected spans as pairs of numbers, found {known['spans']!r}") from None
    record: Record = kind.type(**kind.decode(known, where))
    return cell, facts["settings"], record


def _facts(line: bytes, where: str, kind: RecordKind) -> dict[str, Any]:
    word = kind.noun
    try:
        facts = json.loads(line)
    except ValueError:
        raise ResultsDamaged(f"{where}: expected a {word} as one line of JSON, found {line[:60]!r}") from None
    if not isinstance(facts, dict):
        raise ResultsDamaged(f"{where}: expected a JSON object, found {line[:60]!r}")
    needed = [*_CELL, "settings", *(field.name for field in fields(kind.type) if field.default is MISSING)]
    missing = [name for name in needed if name not in facts]
    if missing:
        raise ResultsDamaged(
            f"{where}: expected a {word}, which has {', '.join(needed)}; missing: {', '.join(missing)}"
        )
    return facts


def _rounded(value: Any) -> Any:
    """A number, or numbers nested to any depth, at six significant digits."""
    if isinstance(value, tuple | list):
        return [_rounded(part) for part in value]
    return value if value is None else float(f"{value:.{_DIGITS}g}")
