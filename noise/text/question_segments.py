"""What each character of a question is for: key maths information, noise, or other content.

Noise is what the distractors are. Key maths information is found by a rule over the clean text, so a distractor can
neither be part of it nor change it: the numbers, what they count, and the sentence that asks. docs/attention.md has the
rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from noise.problems.problem import NoisyProblem, strip
from noise.text.quantities import merged, quantities
from noise.text.sentence_splitting import place, starts

KINDS = ("kmi", "ni", "oc")
"""Key maths information, noise information, other content."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The half-open character range of a noisy question that is of one kind, of `KINDS`."""

    kind: str
    start: int
    stop: int


def segments(noisy: NoisyProblem) -> tuple[Segment, ...]:
    """The question of `noisy` cut into segments: in order, without a gap, none empty, no two neighbours of one kind.

    The characters of `noisy.spans` are `ni` and no others are. The rest is what `key_spans` makes of the clean text.
    Raises `ValueError` where the spans are out of order or do not leave the clean question when they are deleted.
    """
    edges = [0, *(edge for span in noisy.spans for edge in span), len(noisy.question)]
    clean = noisy.problem.question
    if edges != sorted(edges) or strip(noisy) != clean:
        raise ValueError(
            f"problem {noisy.problem.id!r}: expected spans in order that leave the clean question when they are"
            f" deleted, got {noisy.spans}"
        )
    marks = ["oc"] * len(clean)
    for start, stop in key_spans(clean):
        marks[start:stop] = ["kmi"] * (stop - start)
    for start, stop in noisy.spans:  # in order: all before `start` has its place in the noisy question already
        marks[start:start] = ["ni"] * (stop - start)
    found, start = [], 0
    for kind, run in groupby(marks):
        stop = start + sum(1 for _ in run)
        found.append(Segment(kind, start, stop))
        start = stop
    return tuple(found)


def key_spans(question: str) -> list[tuple[int, int]]:
    """The half-open character ranges of a clean text that are key maths information, sorted and not touching.

    They are its numbers, with what they count, and the sentence that asks: docs/attention.md has the rule. Every digit
    of the text is inside one. Any text is accepted.
    """
    return merged([*quantities(question), *_asking(question)])


def _asking(question: str) -> Iterator[tuple[int, int]]:
    """The sentence that asks, without the white space behind it."""
    start = place(question)
    end = next((offset for offset in starts(question) if offset > start), len(question))
    stop = start + len(question[start:end].rstrip())
    if stop > start:
        yield start, stop
