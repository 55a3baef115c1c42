"""One record as one line of JSON, and back. A prediction, wrapped here for reading:

{"model": "diffllama", "noise": "inf", "stage": "zero_shot", "settings": "3f9a0c51d2be", "id": "mine-00001",
 "question": "Ann has 3 pens. A bus seats 40. How many pens has she?", "spans": [[15, 31]],
 "gold": "She has 3.\\n#### 3", "target": "3", "text": " She has 3.\\n#### 3", "answer": "3", "outcome": "correct",
 "tokens": 9, "error": null}

Where a noise has several kinds of sentence, a later key is `"factors": ["topic=in role=own range=out"]`, with one for
each span.

An attention reading has the same first keys; this one is of one layer with one head:

{"model": "diffllama", "noise": "inf", "stage": "attention", "settings": "81c7b2093f6e", "id": "mine-00001",
 "question": "Ann has 3 pens. A bus seats 40. How many pens has she?", "spans": [[15, 31]], "outcome": "measured",
 "queries": 9, "segments": ["kmi", "ni", "oc", "sink", "answer"], "layers": [3], "heads": [0],
 "tokens": [0.31, 0.23, 0.23, 0.04, 0.19], "signed": [[[0.2, -0.01, 0.05, 0.3, 0.1]]],
 "absolute": [[[0.3, 0.05, 0.1, 0.4, 0.15]]], "lambdas": [0.36], "error": null}

Every line ends in `"check": "5d1c0a94e7b2"`, 12 hexadecimal digits of the SHA-256 of the bytes before it.

After `question` and `spans`, a likelihood has `"gold": "She has 3.\\n#### 3", "outcome": "measured", "tokens": 9,
"nats": -4.21, "error": null}`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields
from functools import cache, lru_cache
from typing import Any

from reports.stages import kind_of
from reports.store.atomic_io import ResultsDamaged
from reports.store.declared_types import mistyped_field
from reports.store.json_content import parsed_json
from reports.store.record_kinds import PREDICTIONS, RecordKind, contradiction_in
from reports.store.records import Cell, Prediction, Record, Settings

_CELL_KEYS = [field.name for field in fields(Cell)]
_LINE_KEYS = [*_CELL_KEYS, "settings"]
_SIGNIFICANT_DIGITS = 6
#: What a line ends in: its checksum. Lines of older versions have none.
_CHECK = b', "check": "%s"}'
_CHECKED_LINE = re.compile(rb'(?s)(.*), "check": "([0-9a-f]{12})"\}')


#: How a damaged file is mended.
MEND = "move the file away and run the same command again"


def settings_hash(settings: Settings) -> str:
    """Return 12 hexadecimal digits that identify the settings."""
    values = asdict(settings)
    for name in ("attention", "rendered", "base"):  # added later: without them, older records keep their hash
        if not values[name]:
            del values[name]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


#: For settings of a run, which has the same ones with every record. Those from disk may have values of other types that
#: are equal, as 64.0 and 64, and whose hashes differ.
_settings_hash_of_run = lru_cache(maxsize=1_000)(settings_hash)


def encode_settings(settings: Settings) -> bytes:
    """Return the settings as indented JSON."""
    return (json.dumps(asdict(settings), indent=2) + "\n").encode()


def decode_settings(content: bytes, name: str) -> Settings | None:
    """Return the inverse of `encode_settings`; None for anything else, or if their hash is not `name`."""
    try:
        settings = Settings(**parsed_json(content))
    except (ValueError, TypeError):
        return None
    return settings if settings_hash(settings) == name else None


def settings_differences(before: Settings | None, now: Settings) -> str:
    """Describe how `now` differs from `before`, which is None if its file is missing."""
    if before is None:
        return "their file in the folder settings/ is missing, so they cannot be compared"
    return "; ".join(f"{name} was {old} and is now {new}" for name, old, new in different_settings(before, now))


def different_settings(left: Settings, right: Settings) -> list[tuple[str, str, str]]:
    """Return the name of each setting that differs, with both values for a sentence."""
    values = asdict(left), asdict(right)
    different = [name for name in values[1] if values[0][name] != values[1][name]]
    return [(name, _abbreviated(values[0][name]), _abbreviated(values[1][name])) for name in different]


def _abbreviated(value: object) -> str:
    """Return a value for a sentence. A prompt may contain many examples, so long ones lose their middle."""
    text = repr(value)
    return text if len(text) <= 90 else f"{text[:40]}…{text[-40:]} ({len(text):,} characters)"


def encode_record(cell: Cell, settings: Settings, record: Record) -> bytes:
    """Return a record as one line of UTF-8 with its line end.

    Text stays readable; a lone surrogate, which UTF-8 cannot encode, is escaped. Measured numbers keep six significant
    digits. Raises `ValueError` for a number that is not finite, and for an outcome that the answer contradicts.
    """
    if isinstance(record, Prediction):
        contradiction = contradiction_in(record.outcome, record.answer, record.target)
        if contradiction:
            raise ValueError(f"{cell.id}, problem {record.id!r}: {contradiction}")
    values = {name: getattr(record, name) for name in _field_names(type(record))}
    values |= {name: _rounded(values[name]) for name in kind_of(cell.stage).rounded}
    values = {**vars(cell), "settings": _settings_hash_of_run(settings), **values}
    try:
        line = json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        line = json.dumps(values).encode()
    except ValueError as error:
        raise ValueError(f"{cell.id}, problem {record.id!r}: expected finite numbers, got NaN or infinity") from error
    return signed(line) + b"\n"


def decode_cell(line: bytes, where: str, kind: RecordKind = PREDICTIONS) -> Cell:
    """Return the cell of a line. Raises `ResultsDamaged`, beginning with `where`, for a damaged line."""
    return decode_keys(line, where, kind)[0]


def decode_keys(line: bytes, where: str, kind: RecordKind = PREDICTIONS) -> tuple[Cell, str]:
    """Return the cell and the settings hash of a line. Raises the same."""
    values = _parsed_object(line, where, kind)
    return Cell(*(values[name] for name in _CELL_KEYS)), values["settings"]


def decode_record(line: bytes, where: str, kind: RecordKind = PREDICTIONS) -> tuple[Cell, str, Record]:
    """Return the cell, the settings hash and the record of a line that is expected to be of `kind`.

    Unknown keys are ignored: a later version may have added them. Raises `ResultsDamaged`, beginning with `where`, for
    a damaged line.
    """
    values = _parsed_object(line, where, kind)
    if values["outcome"] not in kind.outcomes:
        allowed = ", ".join(kind.outcomes)
        raise ResultsDamaged(f"{where}: expected an outcome out of {allowed}, got {values['outcome']!r}")
    cell = Cell(*(values[name] for name in _CELL_KEYS))
    known = {name: values[name] for name in _field_names(kind.type) if name in values}
    try:
        known["spans"] = tuple((start, stop) for start, stop in known["spans"])
    except (TypeError, ValueError):
        raise ResultsDamaged(f"{where}: expected spans as pairs of numbers, got {known['spans']!r:.60}") from None
    record: Record = kind.type(**kind.decode(known, where))
    wrong = mistyped_field(record)
    if wrong:
        raise ResultsDamaged(f"{where}: expected a {kind.noun}, got {getattr(record, wrong)!r:.60} as its {wrong}")
    return cell, values["settings"], record


def signed(line: bytes) -> bytes:
    """Return a line, `{…}` without a line end, with its checksum."""
    return line[:-1] + _CHECK % _check(line[:-1])


def has_check(line: bytes) -> bool:
    """Return whether a line ends in a checksum that is its own."""
    checked = _CHECKED_LINE.fullmatch(line)
    return checked is not None and _check(checked[1]) == checked[2]


def is_checked(line: bytes) -> bool:
    """Return whether a line ends in a checksum, whosever it is."""
    return _CHECKED_LINE.fullmatch(line) is not None


def _check(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:12].encode()


def _parsed_object(line: bytes, where: str, kind: RecordKind) -> dict[str, Any]:
    line = line.removesuffix(b"\n")
    checked = _CHECKED_LINE.fullmatch(line)
    if checked is not None and _check(checked[1]) != checked[2]:
        raise ResultsDamaged(f"{where}: the line was changed after it was written (checksum mismatch); {MEND}")
    try:
        values = parsed_json(line)
    except ValueError:
        raise ResultsDamaged(f"{where}: expected a {kind.noun} as one line of JSON, got {line[:60]!r}") from None
    if not isinstance(values, dict):
        raise ResultsDamaged(f"{where}: expected a JSON object, got {line[:60]!r}")
    if "check" in values and checked is None:
        raise ResultsDamaged(f"{where}: the line was changed after it was written (misplaced checksum); {MEND}")
    required = _required_keys(kind.type)
    if not values.keys() >= required.keys():
        missing = [name for name in required if name not in values]
        raise ResultsDamaged(
            f"{where}: expected a {kind.noun}, which has {', '.join(required)}; missing: {', '.join(missing)}"
        )
    unnamed = [name for name in _LINE_KEYS if not isinstance(values[name], str) or not values[name]]
    if unnamed:
        raise ResultsDamaged(f"{where}: expected a name as {unnamed[0]}, got {values[unnamed[0]]!r:.60}")
    return values


def _names(record_type: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record_type))


def _required(record_type: Any) -> dict[str, None]:
    """Return the keys that a line of a record cannot be without, in their order."""
    names = (field.name for field in fields(record_type) if field.default is MISSING)
    return dict.fromkeys([*_LINE_KEYS, *names])


#: The same, worked out once for each type, and not for each line.
_field_names: Callable[[Any], tuple[str, ...]] = cache(_names)
_required_keys: Callable[[Any], dict[str, None]] = cache(_required)


def _rounded(value: Any) -> Any:
    """Return a number, or numbers nested to any depth, at six significant digits."""
    if isinstance(value, tuple | list):
        return [_rounded(part) for part in value]
    return value if value is None else float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
