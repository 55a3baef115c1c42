"""Attention readings in the results folder. The rules are those of predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.stats.accuracies import accuracies
from reports.store.atomic_io import ResultsDamaged
from reports.store.record_codec import decode_record, encode_record, settings_hash
from reports.store.record_kinds import ATTENTION_READINGS
from reports.store.records import Cell
from reports.store.results_folder import Results, ResultsMismatch
from tests.reports.attention_factories import ATTENTION_CELL, ATTENTION_SETTINGS, failed_reading, reading, readings
from tests.reports.record_factories import CELL, SETTINGS, asked, changed_line, outcomes, predicted

pytestmark = pytest.mark.quick
SIX_DIGITS = st.floats(-2, 2).map(lambda value: float(f"{value:.6g}"))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@given(
    signed=st.lists(SIX_DIGITS, min_size=5, max_size=5),
    lambdas=st.none() | st.tuples(SIX_DIGITS),
    question=st.text(),
    id=st.text(),
)
def test_a_reading_round_trips(signed: list[float], lambdas: tuple[float, ...] | None, question: str, id: str) -> None:
    original = reading(id, signed=((tuple(signed),),), lambdas=lambdas, question=question)
    line = encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, original)
    assert line.count(b"\n") == 1
    assert decode_record(line, "here", ATTENTION_READINGS) == (
        ATTENTION_CELL,
        settings_hash(ATTENTION_SETTINGS),
        original,
    )


def test_an_error_round_trips() -> None:
    line = encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, failed_reading("p0"))
    assert decode_record(line, "here", ATTENTION_READINGS)[2] == failed_reading("p0")


def test_numbers_keep_six_significant_digits() -> None:
    original = reading("p0", lambdas=(0.123456789,), tokens=(1 / 3, 2e-7 / 3, 0.25, 0.25, 1 / 6))
    facts = json.loads(encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, original))
    assert facts["lambdas"] == [0.123457]
    assert facts["tokens"][:2] == [0.333333, 6.66667e-08]


def test_a_number_that_is_not_finite_is_refused_with_cell_and_problem() -> None:
    original = reading("p7", lambdas=(float("nan"),))
    with pytest.raises(ValueError, match=r"diffllama-inf-attention, problem 'p7': expected finite numbers"):
        encode_record(ATTENTION_CELL, ATTENTION_SETTINGS, original)


def test_the_hash_of_old_settings_is_stable() -> None:
    """Without `attention` it is what it was before that field existed."""
    assert settings_hash(SETTINGS) == "103bef14289c"
    assert settings_hash(ATTENTION_SETTINGS) != settings_hash(SETTINGS)


def test_readings_are_stored_in_their_own_folder(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    written = sorted(str(path.relative_to(results.folder)) for path in results.folder.rglob("*") if path.is_file())
    key = settings_hash(ATTENTION_SETTINGS)
    assert written == [str(Path("readings/attention/diffllama/inf.jsonl")), str(Path(f"readings/settings/{key}.json"))]
    assert results.settings(key) == ATTENTION_SETTINGS


def test_cells_of_both_kinds_are_listed(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    results.append(CELL, SETTINGS, [predicted("p0")])
    assert set(results.cells()) == {ATTENTION_CELL, CELL}


def test_an_error_is_left_out_and_then_replaced(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [failed_reading("p0"), reading("p1")])
    assert results.read_for_resume(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1")) == {"p1": reading("p1")}
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    assert list(results.read_for_resume(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1"))) == ["p0", "p1"]


def test_readings_of_other_queries_are_refused_with_both_values(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    other = replace(ATTENTION_SETTINGS, attention="queries last; layers all; heads all")
    with pytest.raises(ResultsMismatch, match=r"attention was 'queries answer; .*' and is now 'queries last; "):
        results.read_for_resume(ATTENTION_CELL, other, asked("p0"))


def test_a_line_cut_anywhere_is_dropped_and_the_run_goes_on(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    path = results.path(ATTENTION_CELL)
    whole = path.read_bytes()
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p1")])
    longer = path.read_bytes()
    for cut in range(len(whole), len(longer)):
        path.write_bytes(longer[:cut])
        assert list(results.read_for_resume(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0", "p1"))) == ["p0"]
        Results(results.folder).append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p1")])
        assert path.read_bytes() == longer


@pytest.mark.parametrize(
    ("valid", "invalid", "expected"),
    [
        (b'"measured"', b'"correct"', "an outcome out of measured, error"),
        (b'"layers": [0]', b'"layers": [0, 1]', "numbers for 2 layers × 1 heads × 5 segments"),
        (b'"tokens": [0.25, ', b'"tokens": [', "numbers for 1 layers"),
        (b'"signed": [[[', b'"signed": [[7], [[', "the numbers of a reading as nested lists"),
        (b'"lambdas": null', b'"lambdas": [0.1, 0.2]', "numbers for 1 layers"),
        (b'"tokens": [0.25, ', b'"tokens": ["a", ', "a reading, got .* as its tokens"),
        (b'"absolute": [[[0.25, ', b'"absolute": [[[NaN, ', "a reading, got .* as its absolute"),
        (b'"queries"', b'"quarries"', "a reading, which has .*; missing: queries"),
        (b'{"model"', b'"model"', "a reading as one line of JSON"),
    ],
)
def test_a_damaged_line_is_an_error_that_names_file_and_line(
    results: Results, valid: bytes, invalid: bytes, expected: str
) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0"), reading("p1")])
    lines = results.path(ATTENTION_CELL).read_bytes().splitlines(keepends=True)
    results.path(ATTENTION_CELL).write_bytes(lines[0] + changed_line(lines[1], valid, invalid))
    with pytest.raises(ResultsDamaged, match=rf"inf\.jsonl, line 2: expected {expected}"):
        results.load_cell(ATTENTION_CELL)


def test_setting_aside_takes_predictions_readings_and_maps(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    results.append(CELL, SETTINGS, [predicted("p0")])
    (results.folder / "attention_maps").mkdir()
    aside = results.set_aside()
    assert aside is not None
    assert results.cells() == []
    assert sorted(path.name for path in aside.iterdir()) == ["attention_maps", "predictions", "readings"]
    assert Results(aside).read_for_resume(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0")) == {"p0": reading("p0")}


def test_readings_alone_are_set_aside_too(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    assert results.set_aside() is not None
    assert results.read_for_resume(ATTENTION_CELL, ATTENTION_SETTINGS, asked("p0")) == {}


def test_readings_have_no_accuracy(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    results.append(CELL, SETTINGS, outcomes(2, 1))
    assert [row.cell for row in accuracies(results)] == [CELL]
    assert [row.cell for row in accuracies(results, only={ATTENTION_CELL: ["p0"], CELL: ["p0"]})] == [CELL]


def test_the_factory_makes_valid_readings() -> None:
    """Their sums are those that `AttentionReading` documents."""
    for made_up in readings(["p0", "p1"], 2, 3, lambdas=True):
        assert sum(made_up.tokens) == pytest.approx(1)
        assert made_up.lambdas is not None
        for layer, lambda_ in zip(range(2), made_up.lambdas, strict=True):
            assert [sum(head) for head in made_up.absolute[layer]] == pytest.approx([1] * 3)
            assert [sum(head) for head in made_up.signed[layer]] == pytest.approx([1 - lambda_] * 3)


def test_a_file_of_another_cell_is_an_error(results: Results) -> None:
    other = Cell("llama", "inf", "attention")
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, [reading("p0")])
    results.path(other).parent.mkdir(parents=True)
    results.path(ATTENTION_CELL).rename(results.path(other))
    with pytest.raises(ResultsDamaged, match=r"llama-inf-attention, got one of diffllama-inf-attention"):
        results.load_cell(other)
