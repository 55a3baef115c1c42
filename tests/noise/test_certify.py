"""The certification rule, tested on pairs labelled by hand and on what it documents."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noise.certify import Carries, refusal
from tests.strategies import questions

pytestmark = pytest.mark.quick

PAIRS = [json.loads(line) for line in Path(__file__).with_name("labelled_pairs.jsonl").read_text("utf-8").splitlines()]
PEARS = "Ida has 12 pears. She eats 5 pears. How many pears does Ida have left?"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{'good' if pair['good'] else 'bad'}: {pair['why']}")
def test_the_rule_agrees_with_the_labels(pair: dict[str, str]) -> None:
    target = Fraction(pair["target"]) if "target" in pair else None
    worked = pair.get("worked", "")
    reason = refusal(pair["question"], pair["distractor"], pair["carries"], target, worked)  # type: ignore[arg-type]
    assert (reason is None) == pair["good"], reason


def test_there_are_enough_pairs_and_half_of_them_are_bad() -> None:
    bad = sum(not pair["good"] for pair in PAIRS)
    assert len(PAIRS) >= 260
    assert abs(bad - len(PAIRS) / 2) <= 0.05 * len(PAIRS)
    assert len({(pair["question"], pair["distractor"]) for pair in PAIRS}) == len(PAIRS)


def test_pairs_of_each_kind_are_labelled_either_way() -> None:
    for carries in get_args(Carries):
        assert {pair["good"] for pair in PAIRS if pair["carries"] == carries} == {True, False}
    assert {pair["good"] for pair in PAIRS if "worked" in pair} == {True, False}


@pytest.mark.parametrize(
    "word",
    "one dozen half twice another more extra few several every all both pair third none one-third".split(),
)
def test_no_quantity_word_is_certified_where_nothing_may_be_counted(word: str) -> None:
    reason = refusal(PEARS, f"The basket looked {word} pleasant in the light.", "nothing")
    assert reason is not None
    assert word in reason


@pytest.mark.parametrize(("in_question", "in_sentence"), [("34", "٣٤"), ("٣٤", "34"), ("٣,٠٠٠", "3000")])
def test_a_number_is_the_same_in_another_script(in_question: str, in_sentence: str) -> None:
    question, sentence = PEARS.replace("12", in_question), f"A market in Porto sold {in_sentence} lanterns."
    assert "is in the question" in (refusal(question, sentence) or "")
    assert "is the answer" in (refusal(PEARS, sentence, target=Fraction(in_sentence)) or "")


@pytest.mark.parametrize("number", ["9" * 5000, "9," * 5000, "1." + "9" * 5000, "9." * 5000 + "9"])
def test_a_number_that_python_does_not_convert_is_refused(number: str) -> None:
    sentence = f"On a wall in Porto, {number} × 2 = 18 is written."
    for carries in ("numbers", "sums", "nothing"):
        assert refusal(PEARS, sentence, carries, Fraction(7, 2)) == "it has a number of more than 100 digits"  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["in Porto.r.", "in Porto.Then it closed.", "in Porto. It closed.", "… in Porto."])
def test_a_second_sentence_is_refused_also_without_a_space(end: str) -> None:
    assert "more than one sentence" in (refusal(PEARS, f"A market sold 34 lanterns {end}") or "")


@pytest.mark.parametrize("stop", ["\n", "\r", "? ", "! "])
def test_a_sentence_does_not_end_or_break_before_its_full_stop(stop: str) -> None:
    assert "not one plain sentence" in (refusal(PEARS, f"In Porto a bus stops{stop}and seats 40 riders.") or "")


@pytest.mark.parametrize(
    "sentence",
    [
        "In Porto, Bea owns 40 lanterns (of glass).",
        "In Porto, a sign reads “40 lanterns”.",
        'In Porto, a sign reads "40 lanterns".',
        "In Porto, a U.K museum owns 40 lanterns.",
        "In Porto (the old town etc.), Bea owns 40 lanterns.",
        "In Porto, tram No.15 seats 40 riders.",
        "In Porto, tram 15.b seats 40 riders.",
        "In Porto, Bea owns 40 lanterns of a very thin and very old kind of glass, as the wind of the bay blows there.",
    ],
)
def test_a_stop_inside_a_word_or_a_bracket_at_the_end_is_no_second_sentence(sentence: str) -> None:
    assert refusal(PEARS, sentence) is None


@pytest.mark.parametrize("place", "far away,faraway,distant,abroad,overseas,elsewhere,long ago,Long ago".split(","))
def test_a_place_far_away_does_without_a_name(place: str) -> None:
    assert refusal(PEARS, f"Some bus {place} seats 40 riders.") is None


def test_a_refusal_names_the_word() -> None:
    assert "'pears'" in (refusal(PEARS, "A market in Porto sold 34 pears.") or "")
    assert "Ida" in (refusal(PEARS, "In Porto, Ida owns 34 lanterns.") or "")


@settings(max_examples=150, deadline=None)
@given(question=questions, distractor=st.text(max_size=80), carries=st.sampled_from(("numbers", "sums", "nothing")))
def test_any_two_texts_are_certified_or_refused(question: str, distractor: str, carries: str) -> None:
    reason = refusal(question, distractor, carries)  # type: ignore[arg-type]
    assert reason is None or reason


HE = "Tom has 12 pears. How many does he have?"
GROUP = "A group of friends shares 12 pears. How many pears does each friend get?"
GUESTS = "A hotel has 12 guests. How many guests has it?"
NUMBER = "Ida thinks of a number. She adds 12. What is the number?"


@pytest.mark.parametrize(
    ("question", "sentence", "carries", "target", "reason"),
    [
        (PEARS, "a bus in Porto seats 40 riders.", "numbers", None, "not one plain sentence"),
        (PEARS, "In Porto, a bus seats 40. riders sit there.", "numbers", None, "more than one sentence"),
        (PEARS, "In Porto, a bus  seats 40 riders.", "numbers", None, "badly spaced"),
        (PEARS, "In Porto, she owns 40 lanterns.", "numbers", None, "the pronoun 'she'"),
        (HE, "In Porto, Bob owns 40 lanterns.", "numbers", None, "goes on with 'he or she'"),
        (GROUP, "In Porto, a farmer owns 34 lanterns.", "numbers", None, "speaks of a group"),
        (PEARS, "In Porto, Ida owns 34 lanterns.", "numbers", None, "Ida is somebody"),
        (PEARS, "In Porto, Bea owns 34 lanterns altogether.", "numbers", None, "'altogether' could refer to"),
        (PEARS, "In Porto, Bea owns 34 lanterns per room.", "numbers", None, "'per' is a rate"),
        (PEARS, "A market in Porto sold 34 pears.", "numbers", None, "'pears' is in the question"),
        ("Ida has 12 apples. How many fruits has Ida?", "In Porto, Bea owns 34 bananas.", "numbers", None, "that kind"),
        (
            "Ida has 12 apples. How many apples has Ida?",
            "In Porto, Bea owns 34 fruits.",
            "numbers",
            None,
            "general word",
        ),
        ("Ida has 12 items. How many items has Ida?", "In Porto, Bea owns 34 frobs.", "numbers", None, "of that kind"),
        (
            "Ida has 12 dogs and 3 cats. How many animals has Ida?",
            "In Porto, a parrot saw 34 lanterns.",
            "numbers",
            None,
            "'parrot' is of that kind",
        ),
        (GUESTS, "In Porto, Bea owns 34 lanterns.", "numbers", None, "this sentence brings one more"),
        (PEARS, "A bus seats 40 riders.", "numbers", None, "no owner or place"),
        (PEARS, "A distantly heard bus seats 40 riders.", "numbers", None, "no owner or place"),
        (PEARS, "In Porto, Bea owns lanterns.", "numbers", None, "carries no number"),
        (PEARS, "In Porto, Bea owns 34 lanterns.", "sums", None, "no calculation"),
        (PEARS, "In Porto, Bea counted 3 + 4 = 8 lanterns.", "sums", None, "calculation is false"),
        (PEARS, "In Porto, Bea counted 3 + 4 = 8 lanterns.", "numbers", None, "calculation is false"),
        (PEARS, "In Porto, Bea counted 3 + 4 = 7 lanterns and 9 lamps.", "sums", None, "does not use"),
        (NUMBER, "Of course 5 + 6 = 11.", "sums", None, "numbers as such"),
        (
            "Ida ran 12 miles. How many miles did Ida run?",
            "In Porto, a road is 34 miles long.",
            "numbers",
            None,
            "length",
        ),
        (PEARS, "In Porto, Bea owns 12 lanterns.", "numbers", None, "12 is in the question"),
        (PEARS, "In Porto, Bea owns 7 lanterns.", "numbers", 7, "7 is the answer"),
        (PEARS, "In Porto, Bea owns 3.5 lanterns.", "numbers", Fraction(7, 2), "3.5 is the answer"),
        (HE, "A farmer whistled in the garden.", "nothing", None, "goes on with 'he or she'"),
        (PEARS, "The basket had a pear on top.", "nothing", None, "'a pear' would be one to count"),
        (PEARS.replace("pears", "apples"), "The basket had an apple on top.", "nothing", None, "'an apple' would be"),
        (PEARS, "The kilogram is old.", "nothing", None, "'kilogram' is a unit"),
        (PEARS, "The basket lost its colour.", "nothing", None, "'lost' may change how much"),
        (PEARS, "The basket had 4 colours.", "nothing", None, "'4' is a quantity"),
        (PEARS, "In the garden, Bea whistled.", "nothing", None, "Bea is not the only name"),
        (
            "12 boys play. How many people play?",
            "Sailors sang in the garden.",
            "nothing",
            None,
            "'sailors' are not among",
        ),
    ],
)
def test_what_is_refused_is_refused_for_its_own_reason(
    question: str, sentence: str, carries: Carries, target: Fraction | None, reason: str
) -> None:
    refused = refusal(question, sentence, carries, target) or "Certified."
    assert reason in refused
    begins_with_a_name = refused.split()[0] in sentence
    assert refused[0].islower() or refused[0] == "'" or begins_with_a_name, "it is to go on in somebody's sentence"


@pytest.mark.parametrize(
    ("question", "sentence", "carries", "target"),
    [
        (PEARS, "In Porto, Bea owns 40 lanterns.", "numbers", None),
        (PEARS, "In Porto, Bea owns 7 lanterns.", "numbers", 8),
        (PEARS, "In Porto, Bea owns 7 lanterns.", "numbers", Fraction(7, 2)),
        (PEARS, "In Porto, Bea owns 3.5 lanterns.", "numbers", Fraction(5, 2)),
        (PEARS, "In Porto, Bea owns 34 animals.", "numbers", None),
        (PEARS, "Far away, a bus seats 40 riders.", "numbers", None),
        (PEARS, "In Porto, Bea counted 3 + 4 = 7 lanterns.", "sums", None),
        (PEARS, "Of course 4 + 6 = 10.", "sums", None),
        (NUMBER, "In Porto 5 + 6 = 11.", "sums", None),
        (PEARS, "In the garden, Ida whistled.", "nothing", None),
        (HE, "In the garden, Tom whistled.", "nothing", None),
        (PEARS, "The basket had a well-known colour.", "nothing", None),
        (GROUP, "A farmer whistled in the garden.", "nothing", None),
        ("12 sailors play. How many people play?", "Sailors sang in the garden.", "nothing", None),
    ],
)
def test_what_is_close_to_a_refused_sentence_but_harmless_is_certified(
    question: str, sentence: str, carries: Carries, target: Fraction | None
) -> None:
    assert refusal(question, sentence, carries, target) is None


WORDS = "How many pears does Ida have left?"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("twenty-five pears", 25),
        ("two hundred pears", 200),
        ("two hundred and five pears", 205),
        ("three dozen pears", 36),
        ("a four-week month", 4),
        ("¾ of the pears", 3),
        ("three quarters of the pears", 4),
        ("2.5 million pears", 2500000),
        ("twice as many pears", 2),
    ],
)
def test_a_number_is_seen_however_it_is_written(text: str, number: int) -> None:
    question = f"Ida has {text}. She eats some pears. {WORDS}"
    sentence = f"The archive of Porto keeps a charter under number {number}."
    assert f"its number {number} is in the question" in (refusal(question, sentence) or "its number was missed")


def test_no_number_of_the_worked_answer_is_taken() -> None:
    sentence = "A tower in Porto is 15 feet tall."
    assert refusal(PEARS, sentence) is None
    assert refusal(PEARS, sentence, worked="5*3=15\n15+5=20\n#### 20") == "its number 15 is in the worked answer"


@pytest.mark.parametrize(
    ("question", "sentence", "reason"),
    [
        ("Nora has 50 beads. Liam has 20 beads. Who has more?", "Bea from Porto owns 59 lanterns.", "asks who"),
        ("Nora has 50 beads. Liam has 20. Whose beads are fewer?", "A baker in Porto owns 59 lanterns.", "asks who"),
        ("Which boy has more, Nils or Tom?", "Bea from Porto owns 59 lanterns.", "asks who"),
        ("Tom drives 9 miles. How long does he need to get there?", "In Porto, fog lay 40 feet deep.", "with 'there'"),
        ("Ida has 3 pens. If they're shared, how many is that?", "In Porto, drummers own 40 gongs.", 'with "they'),
        ("Ida has an oven. If it's off, what is the heat?", "A loom in Porto has 324 threads.", "with 'it'"),
        ("Ida adds 7 to a number and gets 12. What is the number?", "Tram 40 in Porto is blue.", "counts nothing"),
    ],
)
def test_what_the_asking_sentence_leaves_open_is_not_filled_by_a_distractor(
    question: str, sentence: str, reason: str
) -> None:
    assert reason in (refusal(question, sentence) or "")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Tom, who has 50 beads, sells 20. How many beads are left for Tom?", "Bea from Porto owns 59 lanterns."),
        ("How many pears are there in the basket?", "In Porto, drummers own 40 gongs."),
        ("Ida adds 7 to a number and gets 12. What is the number?", "Rain in Porto fell for 40 hours."),
    ],
)
def test_words_that_only_look_like_such_a_reference_refuse_nothing(question: str, sentence: str) -> None:
    assert refusal(question, sentence) is None


@pytest.mark.parametrize(
    ("good", "sentence"),
    [
        (True, "A rhyme from Porto teaches that 76 minus 34 gives 42."),
        (True, "A rhyme from Porto opens with the line “76 minus 34 gives 42”."),
        (True, "In a schoolroom in Porto, 76 minus 34 gives 42."),
        (False, "A rhyme from Porto teaches 76 minus 34 gives 42."),
        (False, "In a schoolroom in Porto, 76 minus 34 gives 42 is chanted aloud."),
    ],
)
def test_a_clause_does_not_stand_where_a_noun_should(good: bool, sentence: str) -> None:
    assert (refusal(PEARS, sentence, "sums") is None) == good


@pytest.mark.parametrize(
    "question",
    [
        "Lena hat 14 Knöpfe und verliert 5 davon auf dem Weg. Wie viele Knöpfe hat Lena noch?",
        "Hay 14 botones en la caja y Lena pierde 5. ¿Cuántos botones quedan en la caja?",
        "莉娜有14颗纽扣,丢了5颗。还剩几颗?",
        "У Лены 14 пуговиц, она потеряла 5. Сколько пуговиц осталось?",
    ],
)
def test_an_english_sentence_is_refused_in_another_language(question: str) -> None:
    assert "not in English" in (refusal(question, "In Porto, Bea owns 34 lanterns.") or "")


def test_a_name_that_is_nobody_is_no_person() -> None:
    question = "A trunk weighs 400 pounds. Termites ate 30 % of it. How many pounds are left?"
    assert "does not agree" in (refusal(question, "Termites likes the sun.", "nothing") or "")
    assert "is nobody" in (refusal(question, "Chatter about Termites was on the radio.", "nothing") or "")


def test_a_sentence_that_says_a_noun_twice_is_refused() -> None:
    assert "'pear' twice" in (refusal(PEARS, "Pears looked pleasant on the pictures of pears.", "nothing") or "")


@pytest.mark.parametrize(
    ("question", "sentence", "word"),
    [
        ("Tom buys a computer mouse for $20. How much does Tom pay?", "Poets often write about mice.", "mice"),
        ("Ida sees 12 players at the basketball court. How many does she see?", "Poets like basketball.", "basketball"),
        ("Ida has 12 stuffed animals. How many stuffed animals has Ida?", "The animal had gentle eyes.", "animal"),
        ("The tea is too tart for Ida and 3 guests. How many guests are there?", "Tom drew tarts.", "tarts"),
        ("Ida deletes 12 emails. How many emails are left for Ida?", "Dreams about emails are strange.", "emails"),
        ("Ida buys 12 tires. How many tires has Ida?", "A choir was practicing a hymn about tires.", "tires"),
    ],
)
def test_a_noun_in_another_sense_or_an_unfitting_frame_is_refused(question: str, sentence: str, word: str) -> None:
    assert f"'{word}'" in (refusal(question, sentence, "nothing") or "certified")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Tom sees a mouse and 12 cats. How many cats does Tom see?", "Poets often write about mice."),
        ("Ida has 12 cats. How many cats has Ida?", "Folk tales of the region often speak of cats."),
        ("A train leaves at 9 a.m. How many miles does it go?", "Fresh air was blowing through the train."),
    ],
)
def test_a_noun_in_its_own_sense_is_certified(question: str, sentence: str) -> None:
    assert refusal(question, sentence, "nothing") is None
