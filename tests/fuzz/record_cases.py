"""The record codec: records that were made up, lines and settings that were changed, and lines signed by others."""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from random import Random
from typing import Any

from reports.stages import kind_of
from reports.store.atomic_io import ResultsDamaged
from reports.store.record_codec import (
    decode_cell,
    decode_record,
    decode_settings,
    encode_record,
    encode_settings,
    has_check,
    settings_differences,
    settings_hash,
    signed,
)
from reports.store.records import (
    OUTCOMES,
    READING_OUTCOMES,
    AttentionReading,
    Cell,
    Likelihood,
    Prediction,
    Record,
    Settings,
)
from tests.fuzz.fuzz_target import FuzzTarget
from tests.fuzz.random_texts import any_number, any_text, changed_bytes, changed_text

_WHERE = "llama/inf.jsonl, line 7"
#: What a value of a line is replaced by, as JSON: anything but what is expected there.
_OTHER_VALUES = (
    "null", "true", "0", "-1", "1e400", "NaN", "-Infinity", '""', '"a"', "[]", "[[]]", "[1]", "[[1, 2]]",
    '[["a", "b"]]', "[[1, 2, 3]]", "{}", '{"a": 1}', "[[[0.5]]]", '[[["a"]]]', "[[[null]]]", '"correct"', "1.5",
    "[0.5]", "9" * 5000, "[" * 2000 + "]" * 2000, '"\\ud800"', '["kmi"]', "[[1.5, 2]]", "[[true, 2]]",
)  # fmt: skip


@dataclass(frozen=True)
class RecordCase:
    """A record of a cell, and what is done to its line: `kind` says it. `seed` makes the changes."""

    kind: str
    cell: Cell
    settings: Settings
    record: Record
    seed: int


def draw(rng: Random) -> RecordCase:
    """Return a record of any stage, and what is done to its line."""
    stage, make = rng.choice((("zero_shot", _prediction), ("attention", _reading), ("likelihood", _likelihood)))
    cell = Cell(any_text(rng, 6) or "m", any_text(rng, 3) or "inf", stage)
    values = {field.name: any_text(rng, 12) for field in fields(Settings)}
    settings = Settings(**{**values, "max_new_tokens": rng.randrange(9999)})  # type: ignore[arg-type]
    return RecordCase(rng.choice(tuple(_CHECKS)), cell, settings, make(rng), rng.randrange(2**32))


def _any_float(rng: Random) -> float:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.random()
    if kind == 1:
        return rng.choice((0.0, -0.0, 5e-324, -1.7976931348623157e308, 1e22, 0.1, 999999.5, 1e-5))
    return math.ldexp(rng.random() - 0.5, rng.randrange(-1070, 1024))


def _texts(rng: Random) -> dict[str, Any]:
    question = any_text(rng)
    edges = sorted(rng.randrange(len(question) + 1) for _ in range(2 * rng.randrange(3)))
    return {
        "id": any_text(rng, 8),
        "question": question,
        "spans": tuple(zip(edges[::2], edges[1::2], strict=True)),
        "gold": any_text(rng),
        "error": rng.choice((None, any_text(rng))),
    }


def _prediction(rng: Random) -> Prediction:
    texts = _texts(rng)
    factors = tuple(any_text(rng, 3) for _ in texts["spans"] if rng.random() < 0.5)
    target, other = str(any_number(rng)), str(any_number(rng) + Fraction(1, 11))
    outcome = rng.choice(OUTCOMES)
    answer = {"correct": target, "incorrect": other}.get(outcome)
    text, tokens = any_text(rng), rng.randrange(999)
    return Prediction(
        **texts, target=target, text=text, answer=answer, outcome=outcome, tokens=tokens,
        finished=rng.random() < 0.5, grading=any_text(rng, 2),
        factors=factors if len(factors) == len(texts["spans"]) else (),
    )  # fmt: skip


def _likelihood(rng: Random) -> Likelihood:
    return Likelihood(
        **_texts(rng), outcome=rng.choice(READING_OUTCOMES), tokens=rng.randrange(1, 9), nats=_any_float(rng)
    )


def _reading(rng: Random) -> AttentionReading:
    layers, heads, segments = (tuple(range(rng.randrange(3))) for _ in range(3))

    def pattern() -> tuple[tuple[tuple[float, ...], ...], ...]:
        return tuple(tuple(tuple(_any_float(rng) for _ in segments) for _ in heads) for _ in layers)

    return AttentionReading(
        **_texts(rng), outcome=rng.choice(READING_OUTCOMES), queries=rng.randrange(99),
        segments=tuple(any_text(rng, 4) for _ in segments), layers=layers, heads=heads,
        tokens=tuple(_any_float(rng) for _ in segments), signed=pattern(), absolute=pattern(),
        lambdas=rng.choice((None, tuple(_any_float(rng) for _ in layers))),
    )  # fmt: skip


def check(case: RecordCase) -> str:
    """Check one line, or one settings file; the table in docs/reliability.md says the claims."""
    return _CHECKS[case.kind](case, Random(case.seed))


def _line_of(case: RecordCase) -> bytes:
    line = encode_record(case.cell, case.settings, case.record)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    return line


def _round_trip(case: RecordCase, rng: Random) -> str:
    """What is written is read: the same cell, settings and record, but for digits after the sixth."""
    line, kind = _line_of(case), kind_of(case.cell.stage)
    assert has_check(line[:-1])
    assert decode_cell(line, _WHERE, kind) == _joined(case.cell)
    cell, settings, record = decode_record(line, _WHERE, kind)
    assert (cell, settings) == (_joined(case.cell), settings_hash(case.settings))
    rounded = {name: _six_digits(getattr(case.record, name)) for name in kind.rounded}
    assert record == _joined(replace(case.record, **rounded))
    assert encode_record(cell, case.settings, record) == line, "and written again as the same bytes"
    return "round trip"


def _joined(value: Any) -> Any:
    """Return a value with surrogates that stand as a pair as the character that JSON reads them as."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, tuple):
        return tuple(map(_joined, value))
    if isinstance(value, Cell | Prediction | AttentionReading | Likelihood):
        return replace(value, **{field.name: _joined(getattr(value, field.name)) for field in fields(value)})
    return value


def _six_digits(value: Any) -> Any:
    return (
        value
        if value is None
        else tuple(map(_six_digits, value))
        if isinstance(value, tuple)
        else float(f"{value:.6g}")
    )


def _changed_byte(case: RecordCase, rng: Random) -> str:
    """A line with one byte changed, or cut off anywhere, is refused or holds what it held."""
    line, kind = _line_of(case), kind_of(case.cell.stage)
    changed = changed_bytes(rng, line) if rng.random() < 0.9 else line[: rng.randrange(len(line))]
    read = _decoded(changed, case)
    assert read is None or read == decode_record(line, _WHERE, kind)
    return "changed byte refused" if read is None else "changed byte means nothing"


def _decoded(line: bytes, case: RecordCase) -> tuple[Cell, str, Record] | None:
    """Return what a line holds; None where it is refused by the one error for it, in one line that says where."""
    try:
        return decode_record(line, _WHERE, kind_of(case.cell.stage))
    except ResultsDamaged as error:
        message = str(error)
    assert message.startswith(f"{_WHERE}: ")
    assert "\n" not in message
    assert message.encode()
    return None


def _signed_by_others(case: RecordCase, rng: Random) -> str:
    """A line that was changed and signed again is refused, or has values of the declared types and finite numbers."""
    line = signed(_changed_line(_line_of(case), rng))
    read = _decoded(line, case)
    if read is None:
        return "signed by others refused"
    cell, _, record = read
    hints = typing.get_type_hints(type(record))
    for name, hint in hints.items():
        assert _is_of_type(getattr(record, name), hint), f"{name}: {getattr(record, name)!r:.60}, not {hint}"
    assert encode_record(cell, case.settings, record)
    return "signed by others read"


def _changed_line(line: bytes, rng: Random) -> bytes:
    """Return the content of a line with a value replaced, dropped or repeated, or with its text changed."""
    content = line.rpartition(b', "check"')[0] + b"}"
    values = json.loads(content)
    name = rng.choice(tuple(values))
    kind = rng.randrange(6)
    if kind <= 3:
        values[name] = None
        other = rng.choice(_OTHER_VALUES)
        head, middle, tail = json.dumps(values).partition(f'"{name}": null')
        return (head + middle.removesuffix("null") + other + tail).encode()
    if kind == 4:
        del values[name]
        return json.dumps(values).encode()
    return changed_text(rng, content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")


def _is_of_type(value: Any, hint: Any) -> bool:
    """Return whether a value has the type of an annotation of a record: text, numbers, tuples and literals."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value in parts
    if origin is types.UnionType:
        return any(_is_of_type(value, part) for part in parts)
    if origin is tuple:
        if not isinstance(value, tuple) or (parts[-1] is not ... and len(value) != len(parts)):
            return False
        hints = parts[:1] * len(value) if parts[-1] is ... else parts
        return all(map(_is_of_type, value, hints))
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint


def _settings(case: RecordCase, rng: Random) -> str:
    """Settings are read as they were written; a file with a changed byte is none, or the same."""
    content, name = encode_settings(case.settings), settings_hash(case.settings)
    assert decode_settings(content, name) == _joined_settings(case.settings)
    assert decode_settings(changed_bytes(rng, content), name) in (None, _joined_settings(case.settings))
    value = rng.choice(_OTHER_VALUES)
    assert decode_settings(value.encode(), name) is None
    field = rng.choice(fields(Settings)).name
    other = replace(case.settings, **{field: 10_000 if field == "max_new_tokens" else "another " + any_text(rng)})
    assert field in settings_differences(case.settings, other)
    assert settings_hash(other) != name
    assert decode_settings(encode_settings(other), name) is None
    return "settings"


def _joined_settings(settings: Settings) -> Settings:
    return replace(settings, **{field.name: _joined(getattr(settings, field.name)) for field in fields(settings)})


def _refused_when_written(case: RecordCase, rng: Random) -> str:
    """Nothing that would be refused when it is read is ever written."""
    record: Record
    if isinstance(case.record, Prediction):
        outcome = rng.choice(("correct", "incorrect"))
        answer = rng.choice((None, case.record.target if outcome == "incorrect" else case.record.target + "0"))
        record = replace(case.record, outcome=outcome, answer=answer)  # type: ignore[arg-type]
    elif isinstance(case.record, Likelihood):
        record = replace(case.record, nats=rng.choice((math.nan, math.inf, -math.inf)))
    else:
        record = replace(case.record, tokens=(*case.record.tokens, math.nan))
    try:
        encode_record(case.cell, case.settings, record)
    except ValueError:
        return "refused when written"
    raise AssertionError("it was written")


_CHECKS = {
    "round trip": _round_trip,
    "changed byte": _changed_byte,
    "signed by others": _signed_by_others,
    "settings": _settings,
    "refused when written": _refused_when_written,
}
RECORDS = FuzzTarget("records", draw, check)
