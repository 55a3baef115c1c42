"""Sentences end at more than full stops, and not at every full stop."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from noise.text.sentence_splitting import insertion_point, sentence_starts
from tests.strategies import questions

pytestmark = pytest.mark.quick


def split(text: str) -> list[str]:
    edges = [*sentence_starts(text), len(text)]
    return [text[a:b].strip() for a, b in pairwise(edges)]


SINGLE = (
    "It costs $1.50 to park.",
    "He paid 3.5 times as much",
    "She leaves at 5 p.m. and walks home.",
    "Mr. and Mrs. Hall live next to Dr. Moss.",
    "The U.S. Navy owns 5 of them.",
    "J. R. Reed has a dog.",
    "She lives at No. 5 in St. Ives.",
    "A 1,200 sq. ft. flat costs $900.",
    "Well... it was late.",
    '"Stop!" she said.',
    '"Is it far?" asked Ben.',
    "He said (it was late. Very late.) that he was tired.",
    'He said, "It was late. I left."',
    "1. Ben has two cats.",
    "It is due on Jan. 5 or later.",
    "Visit example.com for more",
    "no mark at all",
    "",
)


@pytest.mark.parametrize("text", SINGLE)
def test_one_sentence_stays_one(text: str) -> None:
    assert split(text) == [text]


SPLIT = {
    "It costs $1.50. How much are 2?": ["It costs $1.50.", "How much are 2?"],
    "She left at 5 p.m. How long was she away?": ["She left at 5 p.m.", "How long was she away?"],
    "It is 5 oz. How heavy are 3?": ["It is 5 oz.", "How heavy are 3?"],
    "He has 40. 25 of them are red.": ["He has 40.", "25 of them are red."],
    "Is it 5? Or 6! Say.": ["Is it 5?", "Or 6!", "Say."],
    'She said, "Go." Then she left.': ['She said, "Go."', "Then she left."],
    'A rope is 5" long. How long are 2?': ['A rope is 5" long.', "How long are 2?"],
    "He waited... Then he left.": ["He waited...", "Then he left."],
    "Ben has 5\nHow many are left?": ["Ben has 5", "How many are left?"],
    "Ben ate 5.How many are left?": ["Ben ate 5.How many are left?"],
    "Ben ate pears.How many are left?": ["Ben ate pears.", "How many are left?"],
    "They met in the U.S. How far is it?": ["They met in the U.S.", "How far is it?"],
    "Pond A is twice as deep as pond B. How deep is it?": ["Pond A is twice as deep as pond B.", "How deep is it?"],
    "They sat in the sun. Maria left.": ["They sat in the sun.", "Maria left."],
    "He came in. Tom left.": ["He came in.", "Tom left."],
    "He asked Mr. Hall. How much?": ["He asked Mr. Hall.", "How much?"],
    "1. Ben has 5. How many?": ["1. Ben has 5.", "How many?"],
    "what is left?? tell me": ["what is left??", "tell me"],
}


@pytest.mark.parametrize("text", SPLIT)
def test_sentences_end_where_they_end(text: str) -> None:
    assert split(text) == SPLIT[text]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Ben has 5. How many?", "How many?"),
        ("Ben has 5. Find the rest", "Find the rest"),
        ("How many?", "How many?"),
        ("Ben has 5 lb. How much is that? (There are 16 oz in a pound.)", "How much is that?"),
        ("How old is Ben? Ben is 5. How old is Al?", "How old is Al?"),
        ("  Ben has 5 cats", "Ben has 5 cats"),
        ('Ben said, "I have 5. How many do you have?"', 'Ben said, "I have 5.'),
    ],
)
def test_the_insertion_point_is_before_the_asking_sentence(text: str, asks: str) -> None:
    """A note after the question stays after it, and no sentence starts inside a quotation."""
    assert text[insertion_point(text) :].startswith(asks)


@given(text=questions)
def test_sentences_cover_the_text_in_order(text: str) -> None:
    offsets = sentence_starts(text)
    assert offsets == sorted(set(offsets))
    assert text[: offsets[0]].strip() == "" or offsets[0] == 0
    assert all(offset == 0 or offset < len(text) for offset in offsets)
    assert insertion_point(text) in offsets


@pytest.mark.parametrize(
    ("question", "asking"),
    [
        ("1. Tom has 2 cats. 2. Ann has 3. 3. How many in all?", "3. How many in all?"),
        ("Tom has 2 cats and gets 3. How many is that? Do you know?", "How many is that? Do you know?"),
        ('A note reads: "This jar holds 12 sweets. How many are red if a third is red?"', "A note reads"),
    ],
)
def test_lists_small_talk_and_quotations_keep_together(question: str, asking: str) -> None:
    assert question[insertion_point(question) :].startswith(asking)
