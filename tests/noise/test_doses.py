"""A number after the name of a noise is the number of distractors, each certified like a single one."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noise import NOISES, NoisyProblem, Problem, generate_noisy_datasets, inject, strip
from noise.certify import refusal
from noise.inject import certified_proposal
from noise.problems.noisy_files import read_noisy
from noise.registry import MAX_DOSE, find_noise
from noise.text.distractor_features import distractor_features
from noise.text.question_features import question_features
from noise.text.question_segments import segments
from tests.noise.test_injection import PEARS, shipped_noise
from tests.strategies import problems, seeds

pytestmark = pytest.mark.quick

every_noise = pytest.mark.parametrize("name", NOISES)
few = settings(max_examples=30, deadline=None)
doses = st.integers(min_value=2, max_value=5)


def sentences(noisy: NoisyProblem) -> list[str]:
    return [noisy.question[start:stop].strip() for start, stop in noisy.spans]


def dosed(problem: Problem, name: str, dose: int, seed: int) -> NoisyProblem:
    """Skip odd texts for which there are too few sentences, as `inject` says."""
    try:
        return inject(problem, f"{name}{dose}", seed)
    except RuntimeError as error:
        if "no other sentence" in str(error):
            assume(False)
        raise


@every_noise
@few
@given(problem=problems, seed=seeds, dose=doses)
def test_deleting_the_spans_gives_the_original(name: str, problem: Problem, seed: int, dose: int) -> None:
    noisy = dosed(problem, name, dose, seed)
    assert strip(noisy) == problem.question
    assert noisy.noise == f"{name}{dose}"
    assert len(set(sentences(noisy))) == len(noisy.spans) == dose


@every_noise
@few
@given(problem=problems, seed=seeds, dose=doses)
def test_each_distractor_is_certified(name: str, problem: Problem, seed: int, dose: int) -> None:
    for sentence in sentences(dosed(problem, name, dose, seed)):
        assert refusal(problem.question, sentence, NOISES[name].carries, problem.target) is None


@every_noise
def test_a_larger_dose_holds_the_smaller_one(name: str) -> None:
    """So a curve over doses shows their number, not a change of sentences."""
    texts = [sentences(inject(PEARS, f"{name}{dose}" if dose > 1 else name, seed=3)) for dose in range(1, 9)]
    for smaller, larger in pairwise(texts):
        assert larger[1:] == smaller


@shipped_noise
def test_the_largest_dose_is_available(name: str) -> None:
    noisy = inject(PEARS, f"{name}{MAX_DOSE}")
    assert len(noisy.spans) == MAX_DOSE
    assert noisy.question.startswith("Ida has 12 pears. She eats 5 pears. ")
    assert noisy.question.endswith(". How many pears does Ida have left?")
    kinds = [segment.kind for segment in segments(noisy)]
    assert kinds.count("ni") == 1, "they are adjacent"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inf0", "unknown noise 'inf0'"),
        ("inf1", "the number after 'inf' is the number of distractors, expected 2 to 32"),
        ("inf33", "noise 'inf33': the number after"),
        ("inf100", "expected 2 to 32"),
        ("inf04", "unknown noise"),
        ("ifn4", "unknown noise 'ifn'. Did you mean 'inf'?"),
        ("4", "unknown noise '4'"),
    ],
)
def test_another_number_or_name_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the message is checked below
        find_noise(name)
    assert words in str(refused.value)


def test_no_registered_name_could_be_read_as_a_dose() -> None:
    assert not any(name[-1].isdigit() for name in NOISES)


def test_a_file_of_a_dose_reads_as_it_was_written(tmp_path) -> None:  # type: ignore[no-untyped-def]
    paths = generate_noisy_datasets("mini", names=("rcs3",), folder=tmp_path)
    assert paths["rcs3"].name == "mini_rcs3_test.jsonl"
    first = read_noisy(paths["rcs3"])[0]
    assert first == inject(first.problem, "rcs3")


@every_noise
def test_every_real_question_can_carry_four_distractors(name: str, gsm8k: list[Problem]) -> None:
    """Of the slower noises, which are drawn only where they are named, every tenth question."""
    for problem in gsm8k if NOISES[name].by_default else gsm8k[::10]:
        noisy = inject(problem, f"{name}4")
        assert strip(noisy) == problem.question
        assert len(set(sentences(noisy))) == 4


@pytest.mark.parametrize("name", NOISES)
def test_the_distractors_of_a_problem_repeat_no_template_number_or_name(name: str) -> None:
    question = "Ida has 12 pears and 7 kites. She eats 5 pears. How many pears does Ida have left?"
    features = question_features(question)
    for seed in range(60):
        problem, proposals = Problem(f"pears-{seed}", question, "#### 7"), []
        for number in range(4):
            proposals.append(certified_proposal(problem, features, NOISES[name], seed, number, proposals))
        assert len({proposal.template for proposal in proposals}) == 4
        read = [distractor_features(proposal.text) for proposal in proposals]
        own = [{*sentence.numbers, *sentence.names, *sentence.place_names} - {"ida"} for sentence in read]
        assert not any(a & b for a, b in combinations(own, 2)), proposals
