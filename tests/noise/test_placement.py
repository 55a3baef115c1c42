"""Where distractors go: before the asking sentence, before all, between, or at random; and in which language."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from noise import NOISES, Problem, inject, inject_all, strip
from noise.certify import refusal_reason
from noise.placement import POSITIONS, Placement
from noise.proposals import NoDistractorError
from noise.text.question_features import question_features
from noise.text.sentence_splitting import insertion_point, sentence_starts
from noise.text.worked_numbers import WorkedNumbers
from tests.strategies import problems

pytestmark = pytest.mark.quick

PEARS = Problem("pears", "Ida has 12 pears. Ida eats 5 pears. Ida has a cat. How many pears has Ida?", "12-5=7\n#### 7")
GERMAN = Problem(
    "birnen", "Lena hat 14 Birnen im Korb und isst am Abend 5 davon auf. Wie viele Birnen hat Lena noch?", "#### 9"
)
every_position = pytest.mark.parametrize("position", POSITIONS)


def start_of(problem: Problem, name: str, position: str, seed: int = 0) -> int:
    return inject(problem, name, seed, placement=Placement(position)).spans[0][0]


@pytest.mark.parametrize(("position", "start"), [("first", 0), ("middle", 36), ("last", 51)])
def test_a_position_is_a_beginning_of_a_sentence(position: str, start: int) -> None:
    assert {start_of(PEARS, name, position) for name in NOISES} == {start}


def test_random_positions_are_all_of_them_and_the_same_for_every_noise() -> None:
    """A placebo stands where its noise does."""
    starts = Counter(start_of(PEARS, "inf", "random", seed) for seed in range(200))
    assert set(starts) == {0, 18, 36, 51}
    assert min(starts.values()) > 25
    for seed in range(20):
        assert len({start_of(PEARS, name, "random", seed) for name in (*NOISES, "filler:inf")}) == 1


@every_position
@pytest.mark.parametrize("name", NOISES)
@settings(max_examples=25, deadline=None)
@given(problem=problems)
def test_every_position_is_certified_and_reversible(name: str, position: str, problem: Problem) -> None:
    """What follows the distractor is read as the asking sentence is. A question may carry none there."""
    try:
        noisy = inject(problem, name, 3, placement=Placement(position))
    except NoDistractorError:
        return
    ((start, stop),) = noisy.spans
    assert strip(noisy) == problem.question
    assert start in {
        *sentence_starts(problem.question),
        insertion_point(problem.question),
        start_of(problem, name, "last", 3),
    }
    features = question_features(problem.question, start)
    sentence = noisy.question[start:stop].strip()
    target = problem.target
    assert refusal_reason(features, sentence, NOISES[name].carries, target, WorkedNumbers(problem.answer)) is None


def test_nearly_every_real_question_can_carry_noise_before_all(gsm8k: list[Problem]) -> None:
    for name in ("inf", "rcs", "sd", "near"):
        carried = sum(1 for _ in inject_all(gsm8k[:1500], name, placement=Placement("first")))
        assert carried >= 0.97 * 1500, name


def test_an_unknown_position_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown position 'frist'\. Did you mean 'first'\?"):
        Placement("frist")


@pytest.mark.parametrize("name", NOISES)
def test_english_noise_goes_into_another_language_only_where_that_is_asked_for(name: str) -> None:
    with pytest.raises(NoDistractorError, match="the question is not in English"):
        inject(GERMAN, name)
    noisy = inject(GERMAN, name, placement=Placement(any_language=True))
    assert strip(noisy) == GERMAN.question


def test_several_processes_place_alike() -> None:
    asked = [Problem(f"p{number}", PEARS.question, PEARS.answer) for number in range(5)]
    placement = Placement("random")
    alone = list(inject_all(asked, "inf", placement=placement))
    assert alone == list(inject_all(asked, "inf", processes=2, placement=placement))
