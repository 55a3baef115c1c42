"""What holds for every registered noise, whatever the question, and how varied the shipped noises are."""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noise import NOISES, NoisyProblem, Problem, inject, strip
from noise.certify import refusal, refusal_reason
from noise.inject import certified_proposal
from noise.text.question_features import QuestionFeatures, question_features
from noise.text.sentence_splitting import sentence_starts
from tests.strategies import EDGE_CASES, problems, seeds

pytestmark = pytest.mark.quick

every_noise = pytest.mark.parametrize("name", NOISES)
#: Variety is a claim about the noises that come with the project; a noise of a few sentences is as good.
SHIPPED = ("inf", "rcs", "sd")
shipped_noise = pytest.mark.parametrize("name", SHIPPED)
few = settings(max_examples=60, deadline=None)
PEARS = Problem(
    "pears-1", "Ida has 12 pears. She eats 5 pears. How many pears does Ida have left?", "12 - 5 = 7\n#### 7"
)


def added(noisy: NoisyProblem) -> str:
    return "".join(noisy.question[start:stop] for start, stop in noisy.spans)


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_deleting_the_spans_gives_the_original(name: str, problem: Problem, seed: int) -> None:
    assert strip(inject(problem, name, seed)) == problem.question


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_a_round_trip_through_json_keeps_the_spans_exact(name: str, problem: Problem, seed: int) -> None:
    noisy = inject(problem, name, seed)
    read_back = json.loads(json.dumps({"question": noisy.question, "spans": noisy.spans}))
    restored = replace(noisy, question=read_back["question"], spans=tuple(map(tuple, read_back["spans"])))
    assert strip(restored) == problem.question


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_spans_are_ordered_inside_the_question_and_hold_the_sentence(name: str, problem: Problem, seed: int) -> None:
    noisy = inject(problem, name, seed)
    ends = [0, *(edge for span in noisy.spans for edge in span), len(noisy.question)]
    assert ends == sorted(ends)
    assert refusal(problem.question, added(noisy).strip(), NOISES[name].carries, problem.target) is None


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_the_target_is_untouched_and_not_given_away(name: str, problem: Problem, seed: int) -> None:
    noisy = inject(problem, name, seed)
    assert noisy.problem is problem
    assert noisy.problem.target == problem.target
    assert str(problem.target) not in re.findall(r"\d+", added(noisy).replace(",", ""))


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_every_number_of_the_original_is_still_there(name: str, problem: Problem, seed: int) -> None:
    """No text is joined to a number and no number is cut. Numbers are runs of digits with their punctuation."""
    number = re.compile(r"\d+(?:[.,/:]\d+)*")
    before = number.findall(problem.question)
    after = number.findall(inject(problem, name, seed).question)
    for text in set(before):
        assert after.count(text) >= before.count(text)


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_the_same_call_gives_the_same_text(name: str, problem: Problem, seed: int) -> None:
    assert inject(problem, name, seed) == inject(replace(problem), name, seed)


@every_noise
@few
@given(batch=st.lists(problems, min_size=2, max_size=5, unique_by=lambda p: p.id), seed=seeds)
def test_order_and_subset_change_nothing(name: str, batch: list[Problem], seed: int) -> None:
    forward = {p.id: inject(p, name, seed).question for p in batch}
    backward = {p.id: inject(p, name, seed).question for p in reversed(batch[1:])}
    assert backward.items() <= forward.items()


@every_noise
@few
@given(problem=problems, seed=seeds, other=st.sampled_from(sorted(NOISES)))
def test_a_second_distractor_is_recovered_just_as_exactly(name: str, problem: Problem, seed: int, other: str) -> None:
    once = inject(problem, other, seed)
    assume(question_features(once.question).english)  # an English sentence more may tell that the others are not
    twice = inject(Problem(problem.id, once.question, problem.answer), name, seed)
    assert strip(twice) == once.question
    assert strip(once) == problem.question


@every_noise
@pytest.mark.parametrize("question", EDGE_CASES)
def test_every_edge_case_gets_a_distractor(name: str, question: str) -> None:
    noisy = inject(Problem("edge-case", question, "#### 1"), name)
    assert added(noisy).strip().endswith(".")
    assert strip(noisy) == question


@every_noise
def test_the_draw_depends_on_the_seed_and_the_id(name: str) -> None:
    at_least = 15 if name in SHIPPED else 1
    by_seed = {inject(PEARS, name, seed).question for seed in range(20)}
    by_id = {inject(replace(PEARS, id=f"pears-{n}"), name).question for n in range(20)}
    assert len(by_seed) > at_least
    assert len(by_id) > at_least


@every_noise
def test_the_answer_text_has_no_part_in_the_draw(name: str) -> None:
    """Only the target is checked, so another worked answer with the same target gives the same noisy text."""
    assert inject(PEARS, name).question == inject(replace(PEARS, answer="Seven.\n#### 7"), name).question


@pytest.mark.parametrize(("name", "of_one_question"), [("inf", 1000), ("rcs", 1000), ("sd", 60)])
def test_there_are_well_over_200_distinct_sentences(name: str, of_one_question: int) -> None:
    assert len({added(inject(PEARS, name, seed)) for seed in range(1200)}) > of_one_question
    fruits = "pears plums lemons cherries melons grapes mangoes kiwis peaches figs apricots berries".split()
    asked = [PEARS.question.replace("pears", fruit) for fruit in fruits]
    sentences = {added(inject(Problem(q, q, PEARS.answer), name, seed)) for q in asked for seed in range(120)}
    assert len(sentences) > 400


@every_noise
@few
@given(problem=problems, seed=seeds)
def test_features_that_are_passed_along_change_nothing(name: str, problem: Problem, seed: int) -> None:
    features = question_features(problem.question)
    noisy = inject(problem, name, seed)
    assert inject(problem, name, seed, features) == noisy
    assert refusal_reason(features, added(noisy).strip(), NOISES[name].carries, problem.target) is None


def test_the_features_of_a_question_are_computed_once_for_all_proposals(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing remembers them: the next call computes them again."""
    questions: list[str] = []

    def counted(question: str) -> QuestionFeatures:
        questions.append(question)
        return question_features(question)

    for module in ("noise.placement", "noise.certify"):
        monkeypatch.setattr(sys.modules[module], "question_features", counted)
    inject(PEARS, "inf8")
    assert questions == [PEARS.question]
    inject(PEARS, "inf8")
    assert questions == 2 * [PEARS.question]


@every_noise
def test_the_sentence_stands_in_front_of_the_question(name: str) -> None:
    noisy = inject(PEARS, name)
    assert noisy.question.startswith("Ida has 12 pears. She eats 5 pears. ")
    assert noisy.question.endswith(". How many pears does Ida have left?")


@every_noise
def test_a_problem_without_an_answer_can_still_be_made_noisy(name: str) -> None:
    assert strip(inject(Problem("bare", PEARS.question, ""), name)) == PEARS.question


def test_the_registry_key_is_the_name() -> None:
    assert all(key == noise.name and noise.description for key, noise in NOISES.items())


def test_a_misspelt_noise_names_the_nearest_one() -> None:
    with pytest.raises(ValueError, match=r"unknown noise 'rsc'. Did you mean 'rcs'\?"):
        inject(PEARS, "rsc")


def test_a_noise_that_is_never_certified_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no silent fallback: the message names the problem, the sentence and the reason."""
    from noise.proposals import Noise, Proposal

    def shout(features: object, rng: object) -> Proposal:
        return Proposal("Give every pear away.", "")

    monkeypatch.setitem(NOISES, "shout", Noise("shout", "never certified", "numbers", shout, shout))
    with pytest.raises(RuntimeError, match=r"'pears-1': no sentence .* 260 .*'Give every pear away\.'.*refused"):
        inject(PEARS, "shout")


def test_a_noise_with_too_few_sentences_for_the_dose_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from noise.proposals import Noise, Proposal

    def repeat(features: object, rng: object) -> Proposal:
        return Proposal("In Porto, Bea owns 34 lanterns.", "")

    monkeypatch.setitem(NOISES, "repeat", Noise("repeat", "the same sentence", "numbers", repeat, repeat))
    assert "34 lanterns" in inject(PEARS, "repeat").question
    with pytest.raises(RuntimeError, match=r"no other sentence .* because it is in the question already"):
        inject(PEARS, "repeat2")


def test_a_noisy_problem_says_how_it_was_made() -> None:
    noisy = inject(PEARS, "inf2", seed=7)
    assert (noisy.problem, noisy.noise, noisy.seed) == (PEARS, "inf2", 7)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many?", r"(S) (S) How many\?"),
        ("Ida has 12 pears. How many?", r"Ida has 12 pears\. (S) (S) How many\?"),
        ("Ida has 12 pears.\nHow many?", r"Ida has 12 pears\.\n(S) (S) How many\?"),
        ("", r"(S) (S)"),
    ],
)
def test_sentences_are_one_space_apart(question: str, expected: str) -> None:
    noisy = inject(Problem("p", question, "#### 5"), "inf2")
    assert re.fullmatch(expected.replace("S", r"[A-Z][^\n]*?\."), noisy.question)
    assert strip(noisy) == question


@pytest.mark.parametrize(("dose", "key"), [("inf", b"3/inf/pears-1"), ("inf2", b"3/inf/pears-1/distractor 1")])
def test_a_draw_is_that_of_its_seed_noise_problem_and_number(dose: str, key: bytes) -> None:
    """Otherwise another version would add other sentences under the same seed. The last distractor drawn is first."""
    features, rng = question_features(PEARS.question), random.Random(key)
    proposals = (NOISES["inf"].propose(features, rng).text for _ in range(60))
    first = next(text for text in proposals if refusal_reason(features, text, "numbers", PEARS.target) is None)
    noisy = inject(PEARS, dose, seed=3)
    assert noisy.question[slice(*noisy.spans[0])].strip() == first


def test_any_id_has_a_draw() -> None:
    """An id may hold a lone surrogate, which UTF-8 cannot encode."""
    assert strip(inject(replace(PEARS, id="\ud83d"), "inf")) == PEARS.question


@every_noise
def test_real_questions_are_never_split_or_doubled(name: str, gsm8k: list[Problem]) -> None:
    """Every question of the split: recovered, spaced, and broken only where a sentence begins."""
    for problem in gsm8k:
        noisy = inject(problem, name)
        ((start, stop),) = noisy.spans
        sentence = noisy.question[start:stop]
        assert strip(noisy) == problem.question
        assert start in sentence_starts(problem.question)
        assert re.fullmatch(r" ?[A-Z][^\n?!]*[\w)]\. ?", sentence), sentence
        assert start == 0 or noisy.question[start - 1].isspace() or sentence[0] == " "
        assert noisy.question[stop - 1] == " "
        assert not noisy.question[stop].isspace()


@shipped_noise
def test_no_template_is_more_than_two_percent_of_real_draws(name: str, gsm8k: list[Problem]) -> None:
    features = [question_features(problem.question) for problem in gsm8k]
    proposals = [certified_proposal(*known, NOISES[name], 0) for known in zip(gsm8k, features, strict=True)]
    most, count = Counter(proposal.template for proposal in proposals).most_common(1)[0]
    assert count <= 0.02 * len(gsm8k), f"{most!r} is {count / len(gsm8k):.1%} of the draws"


def test_three_noises_over_all_real_questions_take_as_long_as_splitting_them_a_hundred_times(
    gsm8k: list[Problem],
) -> None:
    """Ten times as long as splitting them five times into words when this was written: 5.8 and 0.57 s.

    Processor time, and a ratio: neither the load nor the speed of the machine is a regression.
    """
    start = time.process_time()
    for _ in range(5):
        for problem in gsm8k:
            re.findall(r"\w+|[^\w\s]", problem.question)
    split = time.process_time()
    for problem in gsm8k:
        features = question_features(problem.question)
        for name in SHIPPED:
            inject(problem, name, features=features)
    assert time.process_time() - split < 20 * (split - start)
