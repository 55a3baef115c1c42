"""What a line and a settings file look like, and how a line that is not one is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from reports.store.atomic_io import ResultsDamaged
from reports.store.cell_files import whole_lines
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
from tests.reports.attention_factories import ATTENTION_CELL, ATTENTION_SETTINGS, reading
from tests.reports.record_factories import CELL, OTHER_SETTINGS, SETTINGS, changed_line, predicted

pytestmark = pytest.mark.quick
LINE = encode_record(CELL, SETTINGS, predicted("p0"))


def test_a_line_has_the_cell_the_settings_the_record_and_its_checksum_in_that_order() -> None:
    values = json.loads(LINE)
    assert list(values) == [*asdict(CELL), "settings", *asdict(predicted("p0")), "check"]
    assert values["settings"] == settings_hash(SETTINGS)


def test_factors_come_back_and_lines_without_them_are_read() -> None:
    prediction = predicted("p0", factors=("topic=in role=own range=out",))
    line = encode_record(CELL, SETTINGS, prediction)
    assert decode_record(line, "inf.jsonl:1")[2] == prediction
    older = changed_line(LINE, b', "factors": []', b"")
    assert decode_record(older, "inf.jsonl:1")[2] == predicted("p0")


@pytest.mark.parametrize("factors", [b'"asked"', b"[1]", b'["asked", "far"]', b"null"])
def test_factors_of_another_form_are_refused(factors: bytes) -> None:
    line = changed_line(LINE, b'"factors": []', b'"factors": ' + factors)
    with pytest.raises(ResultsDamaged, match="factors"):
        decode_record(line, "inf.jsonl:1")


def test_a_settings_file_can_be_read_by_people() -> None:
    lines = encode_settings(SETTINGS).decode().split("\n")
    assert lines[:2] == ["{", '  "weights": "weights-1",']
    assert lines[-2:] == ["}", ""]


def test_settings_are_known_by_their_hash_and_nothing_else_is_settings() -> None:
    content = encode_settings(SETTINGS)
    assert decode_settings(content, settings_hash(SETTINGS)) == SETTINGS
    for other, name in ((content, "0" * 12), (b"{}", "0" * 12), (b"[1]", "0" * 12), (b"\xff", "0" * 12)):
        assert decode_settings(other, name) is None


def test_every_field_of_the_settings_is_in_their_hash() -> None:
    changed = [replace(SETTINGS, **{name: "other"}) for name in asdict(SETTINGS)]
    assert len({settings_hash(settings) for settings in (SETTINGS, *changed)}) == 1 + len(changed)


def test_settings_that_differ_are_described_field_by_field() -> None:
    assert settings_differences(SETTINGS, OTHER_SETTINGS) == (
        "max_new_tokens was 64 and is now 128; precision was 'float32' and is now 'bfloat16'"
    )
    assert "is missing" in settings_differences(None, SETTINGS)


def test_a_long_value_is_described_by_its_ends() -> None:
    before, after = replace(SETTINGS, prompt="a" * 88), replace(SETTINGS, prompt="b" * 600 + "c" * 600)
    assert settings_differences(before, after) == (
        f"prompt was '{'a' * 88}' and is now '{'b' * 39}…{'c' * 39}' (1,202 characters)"
    )
    assert f"…{'a' * 39}' (91 characters)" in settings_differences(replace(SETTINGS, prompt="a" * 89), SETTINGS)


@pytest.mark.parametrize("name", ["id", "question", "gold", "text"])
def test_what_should_be_text_is_refused_where_it_is_not(name: str) -> None:
    value = json.dumps(getattr(predicted("p0"), name)).encode()
    line = changed_line(LINE, b'"%s": %s' % (name.encode(), value), b'"%s": 5' % name.encode())
    with pytest.raises(ResultsDamaged, match=f"^here: expected a prediction, got 5 as its {name}$"):
        decode_record(line, "here")


@pytest.mark.parametrize("name", ["model", "noise", "stage", "settings"])
@pytest.mark.parametrize("value", ["5", '""', "null"])
def test_what_should_be_a_name_is_refused_where_it_is_not(name: str, value: str) -> None:
    old = json.dumps({**asdict(CELL), "settings": settings_hash(SETTINGS)}[name]).encode()
    line = changed_line(LINE, b'"%s": %s' % (name.encode(), old), b'"%s": %s' % (name.encode(), value.encode()))
    for decode in (decode_cell, decode_record):
        with pytest.raises(ResultsDamaged, match=f"^here: expected a name as {name}, got "):
            decode(line, "here")


def test_what_a_line_lacks_is_named() -> None:
    with pytest.raises(
        ResultsDamaged, match=r"which has model, noise, .*; missing: noise, stage, settings, id, question"
    ):
        decode_record(b'{"model": "m"}\n', "here")


def test_spans_that_are_no_pairs_are_refused_with_what_they_are() -> None:
    for spans in (b"[10, 25]", b"[[10, 25, 30]]", b"5"):
        with pytest.raises(ResultsDamaged, match=r"^here: expected spans as pairs of numbers, got "):
            decode_record(changed_line(LINE, b"[[10, 25]]", spans), "here")


def test_a_checksum_is_that_of_its_line_alone() -> None:
    line = LINE.removesuffix(b"\n")
    assert has_check(line)
    assert signed(line.rpartition(b', "check"')[0] + b"}") == line
    assert not has_check(line.replace(b'"p0"', b'"p1"'))
    assert not has_check(line.rpartition(b', "check"')[0] + b"}")
    assert not has_check(line + b" ")


def test_a_checksum_that_is_not_the_last_thing_of_its_line_is_refused() -> None:
    moved = b'{"check": "5d1c0a94e7b2", ' + LINE.rpartition(b', "check"')[0][1:] + b"}"
    with pytest.raises(ResultsDamaged, match=r"^here: .*misplaced checksum"):
        decode_record(moved, "here")
    assert decode_record(changed_line(LINE, b'"gold": "2', b'"gold": "check 2'), "here")[2].id == "p0"


def test_no_number_at_all_stays_none_and_every_other_is_rounded() -> None:
    values = json.loads(encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, reading("p0", lambdas=None)))
    assert values["lambdas"] is None
    values = json.loads(encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, reading("p0", lambdas=(1234.5678,))))
    assert values["lambdas"] == [1234.57]


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", []), (b"a\n", [b"a"]), (b"a\nb\n", [b"a", b"b"]), (b"a\n{b", [b"a"]), (b"{", []), (b"a\n{b}", [b"a"])],
)
def test_a_file_is_its_whole_lines(content: bytes, lines: list[bytes]) -> None:
    assert whole_lines(content, "here") == lines


@pytest.mark.parametrize("end", [b"\0\0", b"b", LINE[:-1] + b"\0"])
def test_what_no_kill_leaves_at_the_end_of_a_file_is_refused(end: bytes) -> None:
    """A kill leaves the beginning of a line; a whole one with another end was changed."""
    with pytest.raises(ResultsDamaged, match=r"^here, line 2: expected a line of JSON, got "):
        whole_lines(b"a\n" + end, "here")
