"""The numbers of a worked answer: a wrong answer that holds one of them could not be traced to the noise."""

from __future__ import annotations

from functools import cached_property

from noise.text.word_tokens import numbers_in_digits


class WorkedNumbers:
    """The numbers of a worked answer that are written in digits, as text; they are read when they are needed.

    Few numbers of distractors stand in an answer, and a look for their digits tells most of the others.
    """

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._plain = answer.replace(",", "")

    def __contains__(self, number: object) -> bool:
        """Return whether the answer has a number, in the form of `number_text`."""
        if self._plain.isascii() and str(number) not in self._plain:
            return False
        return number in self._numbers

    @cached_property
    def _numbers(self) -> frozenset[str]:
        return frozenset(numbers_in_digits(self._answer))
