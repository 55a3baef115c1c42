"""The arithmetic of `python -m benchmarks plan`: it adds up, and grows with what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.model_rates import ModelRates, decoding_steps, fitted_line
from benchmarks.plan import Plan
from benchmarks.rates_file import RatesError, rates_of, read_rates, write_rates
from benchmarks.run_cost import StageCost, stage_cost, total_cost
from benchmarks.run_cost_table import bytes_text, time_text
from benchmarks.run_work import work_of
from benchmarks.runner import Runner
from benchmarks.stage_work import CellWork, RunSettings, StageWork
from models.model_registry import MODELS
from reports.experiment import Experiment
from reports.store.results_folder import Results
from tests.benchmarks.example_rates import RATES

pytestmark = pytest.mark.quick
SETTINGS = RunSettings(batch=4, max_new_tokens=20)
KINDS = {"zero_shot": "answers", "attention": "reads", "likelihood": "reads", "intervene": "intervenes"}


def cell(problems: int, characters: int = 100) -> CellWork:
    return CellWork(problems, problems * characters, problems * 40, problems * 80, characters if problems else 0)


def cost(stage: str, *cells: CellWork, rates: ModelRates = RATES, settings: RunSettings = SETTINGS) -> StageCost:
    work = StageWork("llama", stage, KINDS[stage], cells, conditions=4, written=3, clean_conditions=1)
    return stage_cost(work, rates, settings)


def seconds(stage: str, *cells: CellWork) -> float:
    of_stage = cost(stage, *cells).seconds
    assert of_stage is not None
    return of_stage


@pytest.mark.parametrize("stage", KINDS)
@given(few=st.integers(0, 60), more=st.integers(0, 60))
def test_more_problems_never_take_less_time(stage: str, few: int, more: int) -> None:
    assert seconds(stage, cell(few)) <= seconds(stage, cell(few + more))


@pytest.mark.parametrize("stage", KINDS)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_a_stage_costs_the_sum_of_its_cells(stage: str, sizes: list[int]) -> None:
    whole, parts = cost(stage, *map(cell, sizes)), [cost(stage, cell(size)) for size in sizes]
    for name in ("cells", "problems", "prompt_tokens", "generated", "generated_at_most", "seconds"):
        assert getattr(whole, name) == pytest.approx(sum(getattr(part, name) for part in parts)), name
    assert whole.memory == max(part.memory for part in parts)
    assert replace(total_cost(parts), model="", seconds=None) == replace(whole, model="", stage="", seconds=None)


def test_no_text_is_longer_than_the_limit_and_one_that_was_cut_off_takes_any() -> None:
    decoding = RATES.decoding
    assert decoding.expected_lengths(8) == (5, 7, 8, 8)
    assert decoding.expected_lengths(100) == (5, 7, 9, 100)
    of_cell = cost("zero_shot", cell(8))
    assert (of_cell.generated, of_cell.generated_at_most) == (82, 160)


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=8).map(tuple),
    texts=st.integers(0, 50),
    rows=st.integers(1, 8),
)
def test_steps_are_between_a_full_batch_and_one_text_at_a_time(lengths: tuple[int, ...], texts: int, rows: int) -> None:
    steps = decoding_steps(lengths, texts, rows)
    tokens = sum(lengths[number % len(lengths)] for number in range(texts))
    assert tokens <= steps * rows
    assert steps <= tokens
    assert decoding_steps(lengths, texts, 1) == tokens
    assert decoding_steps(lengths, texts, max(1, texts)) == max(lengths[:texts], default=0)


def test_an_answer_is_a_prompt_read_and_steps_taken() -> None:
    """Two problems of 100 characters: 2 × (25 + 3) prompt tokens; 5 and 7 tokens in one batch are 7 steps."""
    expected = 0.001 * 56 + 0.01 * 7 + 0.002 * cost("zero_shot", cell(2)).generated
    assert seconds("zero_shot", cell(2)) == pytest.approx(expected)


def test_what_was_not_measured_is_not_estimated() -> None:
    without = replace(RATES, reading={}, intervene=None, tuning=None)
    assert cost("attention", cell(3), rates=without).seconds is None
    assert cost("intervene", cell(3), rates=without).seconds is None
    tuning = StageWork("llama", "tune", "tunes", (cell(16),), steps=4)
    assert stage_cost(tuning, without, SETTINGS).seconds is None
    assert stage_cost(tuning, RATES, SETTINGS).seconds == pytest.approx(10 + 4 * 0.5)
    known = [cost("zero_shot", cell(2)), cost("attention", cell(3), rates=without)]
    assert total_cost(known).seconds == known[0].seconds
    assert total_cost(known[1:]).seconds is None


def test_memory_grows_with_the_batch_up_to_the_number_of_problems() -> None:
    by_batch = [cost("zero_shot", cell(6), settings=RunSettings(batch, 20)).memory for batch in (1, 2, 6, 64)]
    assert by_batch[0] < by_batch[1] < by_batch[2] == by_batch[3]
    assert by_batch[0] > RATES.shape.weight_bytes


def test_full_tuning_takes_more_memory_than_an_adapter() -> None:
    work = StageWork("llama", "tune", "tunes", (cell(16),), steps=4)
    adapter, full = (stage_cost(work, RATES, RunSettings(4, 20, 8, rank)).memory for rank in (1, 0))
    assert full - adapter >= (RATES.shape.parameters - RATES.shape.adapter) * 8


@given(constant=st.floats(0, 10), slope=st.floats(0.001, 10), small=st.integers(1, 5), more=st.integers(1, 50))
def test_a_line_through_two_times_is_what_made_them(constant: float, slope: float, small: int, more: int) -> None:
    points = [(amount, constant + slope * amount) for amount in (small, small + more)]
    assert fitted_line(points) == pytest.approx((constant, slope), abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("points", [[(2, 3.0), (4, 1.0)], [(2, 1.0), (4, 9.0)], [(3, 1.0), (3, 2.0)]])
def test_no_line_has_a_negative_part(points: list[tuple[float, float]]) -> None:
    constant, slope = fitted_line(points)
    assert constant == 0
    assert constant + slope * points[1][0] == pytest.approx(points[1][1])


def test_rates_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    write_rates(path, {"llama": RATES})
    assert read_rates(path) == {"llama": RATES}
    assert rates_of(MODELS["llama:3"], read_rates(path), path) == RATES  # replicates have one shape


def test_a_model_without_rates_is_refused_with_the_ones_there_are(tmp_path: Path) -> None:
    with pytest.raises(RatesError, match="no rates of 'diffllama', expected one of llama, other; did you mean 'llama'"):
        rates_of(MODELS["diffllama"], {"llama": RATES, "other": RATES}, tmp_path / "rates.json")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "models": {"a": {}}}', '{"format": 9}']
)
def test_another_file_is_no_file_of_rates(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(content)
    with pytest.raises(RatesError, match=r"rates\.json: expected"):
        read_rates(path)


def test_the_work_of_a_plan_is_its_cells(tmp_path: Path) -> None:
    plan = Plan((MODELS["llama"],), ("clean", "inf"), ("zero_shot", "sft", "attention", "intervene"), max_samples=6)
    plan = replace(plan, attention_samples=3, interventions=("moved",))
    runner = Runner(plan, Experiment(Results(tmp_path / "results")))
    works = {work.stage: work for work in work_of(runner, plan.models[0], RATES.shape)}
    assert list(works) == ["load", "zero_shot", "tune", "sft", "attention", "needle", "intervene"]
    assert len(works["load"].cells) == 2  # the model, and its tuned version
    assert [cell.problems for cell in works["zero_shot"].cells] == [6, 6]
    assert works["zero_shot"].cells[1].questions > works["zero_shot"].cells[1].clean
    assert [cell.problems for cell in works["attention"].cells] == [3, 3, 3, 3]  # of both models
    assert len(works["needle"].cells) == 2
    intervene = works["intervene"]
    assert (intervene.conditions, intervene.written, intervene.clean_conditions) == (3, 1, 1)
    assert works["tune"].steps == 2 * -(-works["tune"].cells[0].problems // plan.tuning.batch)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (7_260, "2 h 1 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_times_have_two_units_at_most(value: float, expected: str) -> None:
    assert time_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (99_960, "100 kB"), (2_340_000_000, "2.3 GB")],
)
def test_bytes_have_three_digits_at_most(value: int, expected: str) -> None:
    assert bytes_text(value) == expected
