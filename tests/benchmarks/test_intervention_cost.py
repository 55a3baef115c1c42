"""What a condition of the stage `intervene` costs, beside answers as they are. `--slow` measures and prints it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from typing import Any

import pytest

from benchmarks.evaluation import draw_questions
from benchmarks.intervention_conditions import Condition, conditions_of
from benchmarks.intervention_prompts import noisy_tokens, prompt_under
from benchmarks.measure_interventions import edit_for
from models.decode.generation import answers, edited_answers
from models.loading.load_model import load
from noise import mini

pytestmark = pytest.mark.slow
RUNS, LIMIT = 5, 1.3
ASKED = ["everywhere", "moved", "answer", "zeroed", "first"]


def seconds_a_token(written: Iterable[tuple[int, Any]]) -> float:
    """Return the processor time of an iteration, by the tokens that it wrote."""
    start = time.process_time()
    tokens = sum(generation.tokens for _, generation in written)
    return (time.process_time() - start) / tokens


@pytest.mark.parametrize("name", ["diffllama", "llama"])
def test_a_condition_takes_at_most_a_third_longer_than_plain_answers(name: str) -> None:
    loaded = load(name, "cpu", "float32")
    noisy_problems = draw_questions("inf", mini.problems("test")[:200], 0)
    questions = [noisy.question for noisy in noisy_problems]
    tokens = [noisy_tokens(loaded, noisy) for noisy in noisy_problems]
    ratios: dict[str, list[float]] = {}

    def edited(condition: Condition) -> Iterable[tuple[int, Any]]:
        prompts = [prompt_under(of_problem, condition, "seed") for of_problem in tokens]
        return edited_answers(loaded, prompts, edit_for(loaded, condition), 64)

    conditions = conditions_of(ASKED, range(4), name == "diffllama", {})[2:]
    for _ in range(RUNS):
        for condition in conditions:
            plain = seconds_a_token(answers(loaded, questions, 64))
            ratios.setdefault(condition.name, []).append(seconds_a_token(edited(condition)) / plain)
    print(f"{name}, 200 problems, {RUNS} runs; processor time a token, to plain answers of the same run")
    for condition_name, of_condition in ratios.items():
        low, middle, high = min(of_condition), statistics.median(of_condition), max(of_condition)
        print(f"  {condition_name:12} min / median / max {low:.2f} / {middle:.2f} / {high:.2f}")
        assert middle <= LIMIT, condition_name
