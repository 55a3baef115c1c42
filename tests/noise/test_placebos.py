"""A placebo is as long as its noise's draw, stands in the same position, and distracts from nothing."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from noise import NOISES, PLACEBOS, NoisyProblem, Problem, generate_noisy_datasets, inject, inject_all, mini, strip
from noise.__main__ import main
from noise.certify import refusal
from noise.placebo_names import file_stem, is_placebo, split_placebo
from noise.placebo_sentences import Wanted, sentence_of_length
from noise.placebos import NoPlaceboError, magnitudes_of, numbers_of_problem, placebo_of, tolerance, words_of
from noise.problems.noisy_files import load_noisy_for, read_noisy
from noise.proposals import NoDistractorError
from noise.registry import find_noise, find_placebo
from noise.text.noun_lexicon import LEXICON, meaning
from noise.text.question_features import question_features
from noise.text.word_tokens import numbers_in_digits, tokenize
from tests.noise.test_injection import PEARS
from tests.strategies import problems, seeds

pytestmark = pytest.mark.quick

#: Every placebo of every noise that it can match.
NAMES = [
    f"{placebo}:{noise}"
    for placebo in PLACEBOS
    for noise in NOISES
    if PLACEBOS[placebo].carries == "nothing" or NOISES[noise].carries != "nothing"
]
every_placebo = pytest.mark.parametrize("name", NAMES)
every_filler = pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("filler:")])
every_digits = pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("digits:")])
few = settings(max_examples=40, deadline=None)
made_up = st.one_of(problems, st.sampled_from(mini.problems("test")))


def pieces(text: str) -> int:
    """Count as a tokenizer of subwords may: three letters at a time, digits and marks alone."""
    return len(re.findall(r"[^\W\d_]{1,3}|\d|[^\w\s]", text))


def texts(noisy: NoisyProblem) -> list[str]:
    return [noisy.question[start:stop].strip() for start, stop in noisy.spans]


def drawn(problem: Problem, name: str, seed: int, **options: object) -> tuple[NoisyProblem, NoisyProblem]:
    """Return the draw of the noise, and that of the placebo. Skips texts that carry neither."""
    try:
        return inject(problem, split_placebo(name)[1], seed), inject(problem, name, seed, **options)  # type: ignore[arg-type]
    except NoDistractorError:
        assume(False)
        raise


@every_placebo
@few
@given(problem=made_up, seed=seeds, count=st.sampled_from([None, pieces]))
def test_each_sentence_is_as_long_as_its_distractor(name: str, problem: Problem, seed: int, count: object) -> None:
    noisy, placebo = drawn(problem, name, seed, length=count)
    measure = pieces if count else words_of
    assert len(placebo.spans) == len(noisy.spans)
    for distractor, sentence in zip(texts(noisy), texts(placebo), strict=True):
        assert abs(measure(sentence) - measure(distractor)) <= tolerance(measure(distractor)), (distractor, sentence)


@every_placebo
@few
@given(problem=made_up, seed=seeds, dose=st.integers(2, 5))
def test_all_sentences_of_a_dose_are_as_long_as_all_distractors(
    name: str, problem: Problem, seed: int, dose: int
) -> None:
    noisy, placebo = drawn(problem, f"{name}{dose}", seed)
    assert len(set(texts(placebo))) == len(placebo.spans) == dose
    wanted = sum(map(words_of, texts(noisy)))
    assert abs(sum(map(words_of, texts(placebo))) - wanted) <= tolerance(wanted)


@every_placebo
@few
@given(problem=made_up, seed=seeds)
def test_deleting_the_spans_gives_the_original_and_the_position_is_that_of_the_noise(
    name: str, problem: Problem, seed: int
) -> None:
    noisy, placebo = drawn(problem, name, seed)
    assert strip(placebo) == problem.question
    assert (placebo.noise, placebo.seed, placebo.problem) == (name, seed, problem)
    assert placebo.spans[0][0] == noisy.spans[0][0]
    after = len(noisy.question) - noisy.spans[-1][1]
    assert len(placebo.question) - placebo.spans[-1][1] == after


@every_filler
@few
@given(problem=made_up, seed=seeds)
def test_filler_is_certified_to_carry_nothing_and_has_no_number(name: str, problem: Problem, seed: int) -> None:
    _, placebo = drawn(problem, name, seed)
    for sentence in texts(placebo):
        assert refusal(problem.question, sentence, "nothing", problem.target) is None
        assert not any(word.number for word in tokenize(sentence))


@every_digits
@few
@given(problem=made_up, seed=seeds)
def test_digits_are_certified_and_as_large_as_those_of_the_noise(name: str, problem: Problem, seed: int) -> None:
    noisy, placebo = drawn(problem, name, seed)
    for distractor, sentence in zip(texts(noisy), texts(placebo), strict=True):
        assert sorted(magnitudes_of(sentence)) == sorted(magnitudes_of(distractor))
        assert refusal(problem.question, sentence, "numbers", problem.target) is None


@every_digits
@few
@given(problem=made_up, seed=seeds)
def test_no_label_is_a_number_of_the_question_its_worked_answer_or_its_target(
    name: str, problem: Problem, seed: int
) -> None:
    _, placebo = drawn(problem, name, seed)
    taken = numbers_of_problem(problem, question_features(problem.question))
    assert str(abs(problem.target)) in taken
    assert taken.issuperset(numbers_in_digits(problem.answer))
    assert taken.isdisjoint(number for sentence in texts(placebo) for number in numbers_in_digits(sentence))


@every_placebo
@few
@given(problem=made_up, seed=seeds)
def test_no_content_word_is_one_of_the_question(name: str, problem: Problem, seed: int) -> None:
    _, placebo = drawn(problem, name, seed)
    asked = {word for token in tokenize(problem.question) for word in token.meanings}
    for sentence in texts(placebo):
        assert asked.isdisjoint(word for token in tokenize(sentence) for word in token.meanings)


@every_placebo
@few
@given(problem=made_up, seed=seeds)
def test_the_same_call_gives_the_same_text_and_another_worked_answer_only_other_labels(
    name: str, problem: Problem, seed: int
) -> None:
    _, placebo = drawn(problem, name, seed)
    assert inject(replace(problem), name, seed) == placebo
    assert inject(problem, name, seed, question_features(problem.question)) == placebo


@every_placebo
def test_the_draw_depends_on_the_seed_and_the_id(name: str) -> None:
    assert len({inject(PEARS, name, seed).question for seed in range(20)}) > 15
    assert len({inject(replace(PEARS, id=f"pears-{n}"), name).question for n in range(20)}) > 15


def test_placebos_of_two_noises_are_not_the_same_sentences() -> None:
    drawn_texts = [inject(PEARS, f"filler:{noise}", seed).question for noise in NOISES for seed in range(10)]
    assert len(set(drawn_texts)) == len(drawn_texts)


@every_placebo
def test_a_larger_dose_holds_the_smaller_one(name: str) -> None:
    doses = [texts(inject(PEARS, f"{name}{dose}" if dose > 1 else name, seed=3)) for dose in range(1, 7)]
    for smaller, larger in pairwise(doses):
        assert larger[1:] == smaller


@every_placebo
def test_no_content_word_or_label_recurs_within_four_sentences(name: str) -> None:
    for seed in range(40):
        words = [
            word.bare
            for sentence in texts(inject(PEARS, f"{name}4", seed))
            for word in tokenize(sentence)
            if word.digits or (word.content and word.bare not in ("far", "away", "ever", "across", "town"))
        ]
        assert len(set(words)) == len(words), words


def test_every_shipped_word_is_plain_and_none_is_a_quantity() -> None:
    """Read from a thousand long sentences without a question, so that no word is refused for the question's sake."""
    rng = random.Random(0)
    for number in range(1000):
        labels = [str(100 + number)] * (number % 2)
        sentence = sentence_of_length(Wanted(12 + number % 30, words_of, labels), frozenset(), rng)
        if sentence is None:
            continue
        assert refusal("", sentence.text, "numbers" if labels else "nothing") is None, sentence.text
        for word in tokenize(sentence.text):
            assert not (word.plural and word.content), word.raw
            assert not (word.entry is not None and word.entry.kind == "person"), word.raw


@pytest.mark.parametrize(
    "question",
    [
        "Five times a number, less 4, is 3 more than the sum of the number and 9. What is the number?",
        "Two numbers add up to 31 and one is 5 larger. What is the larger number?",
        "Nora writes 4 and 8. What is the sum of the two numbers?",
    ],
)
def test_no_label_is_offered_where_a_number_is_asked_for(question: str) -> None:
    problem = Problem("asked", question, "#### 18")
    matched = pytest.raises(NoDistractorError) if "sum of the two" in question else pytest.raises(NoPlaceboError)
    with matched:
        inject(problem, "digits:inf")


def test_a_count_that_is_called_a_number_is_no_such_case() -> None:
    for ending in ("What is the number of pears left?", "How many is that, to the nearest whole number?"):
        assert inject(replace(PEARS, question=f"Ida has 12 pears. She eats 5. {ending}"), "digits:inf")


def test_labels_are_refused_where_every_number_of_that_size_is_taken() -> None:
    """A label of one digit is left only for the digits that are not among the problem's own."""
    own = " + ".join(map(str, range(10)))
    problem = replace(PEARS, answer=f"{own} = 45\n#### 45")
    text = "In Porto, tram 5 runs along the river. "
    matched = NoisyProblem(problem, "inf", text + problem.question, ((0, len(text)),), 0)
    with pytest.raises(NoPlaceboError, match="every number of that size"):
        placebo_of(matched, question_features(problem.question), PLACEBOS["digits"], "digits:inf")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("filler", "filler alone needs a noise to match: filler:inf"),
        ("digits:", "digits alone needs a noise to match: digits:inf"),
        ("filer:inf", "unknown placebo 'filer'. Did you mean 'filler'?"),
        ("filler:onf", "unknown noise 'onf'. Did you mean 'inf'?"),
        ("filler:inf99", "expected 2 to 32"),
        ("filler:digits:inf", "placebo 'filler:digits:inf': expected a noise after filler, got a placebo"),
        ("filler:filler", "expected a noise after filler, got a placebo"),
        ("digits:sd", "placebo 'digits:sd': sd has no numbers to match; use filler:sd"),
        ("filler:clean", "unknown noise 'clean'"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_what_does(name: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the message is checked below
        find_noise(name)
    assert words in str(refused.value)


def test_a_placebo_s_name_gives_its_noise_and_dose() -> None:
    assert find_noise("filler:inf4") == (NOISES["inf"], 4)
    assert find_placebo("digits:rcs") is PLACEBOS["digits"]
    assert find_placebo("inf4") is None
    assert [split_placebo(name) for name in ("inf", "filler:inf4")] == [("", "inf"), ("filler", "inf4")]
    assert is_placebo("filler:inf")
    assert not is_placebo("filler")
    assert file_stem("filler:inf") == "filler-inf"
    assert all(key == placebo.name and placebo.description for key, placebo in PLACEBOS.items())
    assert not set(NOISES) & set(PLACEBOS)


def test_a_file_of_a_placebo_reads_as_it_was_written(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    mine = tmp_path / "mine.jsonl"
    asked = [
        PEARS,
        Problem("asked", "Two numbers add up to 31 and one is 5 larger. What is the larger number?", "#### 18"),
    ]
    mine.write_text("".join(json.dumps({"id": p.id, "question": p.question, "answer": p.answer}) + "\n" for p in asked))
    paths = generate_noisy_datasets(mine, names=("filler:inf", "digits:inf"), folder=tmp_path)
    assert [path.name for path in paths.values()] == ["mine_filler-inf.jsonl", "mine_digits-inf.jsonl"]
    assert read_noisy(paths["filler:inf"]) == [inject(problem, "filler:inf") for problem in asked]
    assert load_noisy_for(asked, mine, "digits:inf", tmp_path) == [inject(PEARS, "digits:inf")], (
        "no label suits the other"
    )
    assert list(inject_all(asked, "digits:inf")) == [inject(PEARS, "digits:inf")]
    assert list(inject_all(asked, "digits:inf", processes=2)) == [inject(PEARS, "digits:inf")]
    assert main(["--problems", str(mine), "--datasets", "digits:inf", "--out", str(tmp_path)]) == 0
    assert "mine_digits-inf.jsonl  1 problem; 1 can carry no such sentence" in capsys.readouterr().out


def test_placebos_of_real_questions_are_as_long_and_share_no_noun(gsm8k: list[Problem]) -> None:
    refused = 0
    for problem in gsm8k[:500]:
        nouns = {meaning(word.bare) for word in tokenize(problem.question) if word.bare in LEXICON}
        for name in NAMES:
            noisy = inject(problem, split_placebo(name)[1])
            try:
                placebo = inject(problem, name, length=pieces)
            except NoPlaceboError:
                refused += 1
                continue
            for distractor, sentence in zip(texts(noisy), texts(placebo), strict=True):
                assert abs(pieces(sentence) - pieces(distractor)) <= tolerance(pieces(distractor))
                assert nouns.isdisjoint(meaning(word.bare) for word in tokenize(sentence))
                carries = find_placebo(name).carries  # type: ignore[union-attr]
                assert refusal(problem.question, sentence, carries, problem.target) is None
    assert refused <= 0.006 * 500 * len(NAMES)
