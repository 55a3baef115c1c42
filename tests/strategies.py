"""Hypothesis strategies that several test modules share."""

from __future__ import annotations

from hypothesis import strategies as st

from noise import Problem
from noise.text.question_features import question_features

EDGE_CASES = (
    "",
    " ",
    "?",
    "...",
    "One sentence without a mark",
    "One sentence with 3 apples?",
    "Tom has $1.50. How much is 3.5 times that?",
    "Mr. A. B. Smith lives in the U.S. at No. 5. How old is he",
    '"Stop!" she said. "How many are there?"',
    "He has 5 apples\nHow many are left?",
    "First.Second.How many?",
    "\u2028\u200b\ufeff",
    "Zażółć gęślą 5 jaźni. Ile? 多少？",
    "\ud800 lone surrogate. How many?",
)

_SENTENCES = st.sampled_from(
    (
        "Ida has 12 pears.",
        "Each crate holds 1,250 nails!",
        "The bill came to $3.75.",
        "She left at 5 p.m. and came home late.",
        "It weighs 2.5 kg.",
        "Dr. Moss bought 3/4 of them.",
        '"Wait!" said Ben.',
        "They share the rest equally.",
        "How many pears are left?",
        "How much did it cost in all?",
        "Find the number of nails",
    )
)

questions = st.one_of(
    st.sampled_from(EDGE_CASES),
    st.lists(_SENTENCES, min_size=1, max_size=6).flatmap(
        lambda parts: st.sampled_from((" ", "  ", "\n")).map(lambda gap: gap.join(parts))
    ),
    st.text(max_size=200),
    st.text(alphabet=st.characters(), max_size=80),
).filter(lambda text: question_features(text).english)
"""Any text that may be a question in English, or is too short to tell: word problems, odd punctuation, and arbitrary
Unicode with lone surrogates."""

problems = st.builds(
    Problem,
    id=st.text(max_size=12),
    question=questions,
    answer=st.integers(min_value=-(10**6), max_value=10**6).map(lambda n: f"So it is {n}.\n#### {n}"),
)
seeds = st.integers(min_value=0, max_value=2**32)
