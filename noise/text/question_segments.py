"""Segments of a noisy question: key maths information, noise, and other content.

Noise is the distractors. Key maths information is the numbers, what they count, and the asking sentence. It is found by
a rule over the clean text, so a distractor can neither be part of it nor change it. docs/attention.md has the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from noise.problems.problem import NoisyProblem, strip
from noise.text.quantities import merge_ranges, quantity_spans
from noise.text.sentence_splitting import insertion_point, sentence_starts

KINDS = ("kmi", "ni", "oc")
"""Key maths information, noise information, other content."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A half-open character range of a noisy question, and its kind, one of `KINDS`."""

    kind: str
    start: int
    stop: int


def segments(noisy: NoisyProblem) -> tuple[Segment, ...]:
    """Return the segments of the question of `noisy`: in order, without gaps, not empty, neighbours of different kinds.

    The characters in `noisy.spans` are `ni`, and no others. The rest is `kmi` where `key_spans` of the clean question
    says so, else `oc`. Raises `ValueError` for spans that are out of order or whose deletion does not give the clean
    question.
    """
    edges = [0, *(edge for span in noisy.spans for edge in span), len(noisy.question)]
    clean = noisy.problem.question
    if edges != sorted(edges) or strip(noisy) != clean:
        raise ValueError(
            f"problem {noisy.problem.id!r}: expected spans in order whose deletion gives the clean question,"
            f" got {noisy.spans}"
        )
    kinds = ["oc"] * len(clean)
    for start, stop in key_spans(clean):
        kinds[start:stop] = ["kmi"] * (stop - start)
    # The spans are in order, so all before `start` is inserted already.
    for start, stop in noisy.spans:
        kinds[start:start] = ["ni"] * (stop - start)
    result, start = [], 0
    for kind, run in groupby(kinds):
        stop = start + sum(1 for _ in run)
        result.append(Segment(kind, start, stop))
        start = stop
    return tuple(result)


def key_spans(question: str) -> list[tuple[int, int]]:
    """Return the half-open character ranges of key maths information in any clean text, sorted and not touching.

    They are the numbers, with what they count, and the asking sentence: docs/attention.md has the rule. Every digit of
    the text is in one of them.
    """
    return merge_ranges([*quantity_spans(question), *_asking_sentence(question)])


def _asking_sentence(question: str) -> Iterator[tuple[int, int]]:
    """Yield the range of the asking sentence without trailing white space, if it is not empty."""
    start = insertion_point(question)
    end = next((offset for offset in sentence_starts(question) if offset > start), None)
    stop = start + len(question[start:end].rstrip())
    if stop > start:
        yield start, stop
