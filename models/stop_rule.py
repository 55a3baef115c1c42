"""The rule that ends an answer, made from the prompt: the same while a text is decoded and when it is read.

No torch here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

# A number must follow at once: `#### Step 1` and `#### 2. Add up` are headings, and the answer is still to come.
_ANSWER_LINE = re.compile(r"(?<!#)####[ \t*]*+(?!\d+[.):][ \t]+\w)([-−]?[$€£]?\.?\d[\d.,]*+)[^\n]*+\n")
#: What a heading has and the unit of an answer has not: `#### 2 numbers are given`.
HEADING_VERB = re.compile(
    r"(?:[ \t*]+[^\W\d_]+){1,3}[ \t*]+(?:is|are|was|were|has|have|had|can|will|must)\b", re.IGNORECASE
)
_FINAL = re.compile(r"####|\\boxed\b|\banswer\b[^.\n]{0,40}\b(?:is|was|equals)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
THOUGHT, THOUGHT_END = "<think>", "</think>"


@dataclass(frozen=True)
class StopRule:
    """Where an answer ends, besides the end of text and the token limit.

    `question_label` is what a line begins with that asks the next question (`Question:`), and `answer_label` what the
    line begins with that answers it; empty in a chat, where `end_of_turn` is what the chat template writes after an
    answer. `in_thought` says that the prompt opens a `<think>` block, whose content is no answer.
    """

    question_label: str = ""
    answer_label: str = ""
    end_of_turn: str = ""
    in_thought: bool = False

    @property
    def key(self) -> str:
        """The rule in words, as it is stored in the key of every prediction."""
        parts = ["end of text, or a complete line '#### N'"]
        if self.question_label:
            parts.append(f"or the next {self.question_label!r} after an answer")
        if self.end_of_turn:
            parts.append(f"or {self.end_of_turn!r}")
        if self.in_thought:
            parts.append(f"after {THOUGHT_END!r}")
        return ", ".join(parts)

    def is_complete(self, text: str) -> bool:
        """Return whether a generated text has reached the rule, so that more of it would not be read."""
        return self._end(text) is not None

    def truncate(self, text: str) -> str:
        """Return `text` up to where the rule ends it; in a batch, generation may have continued past that point.

        An unfinished thought that the prompt opened begins with `<think>`, so that the text says what it is.
        """
        end = self._end(text)
        if end is None:
            end = self._unanswered_question(text)
        kept = text if end is None else text[:end]
        return THOUGHT + kept if self.in_thought and THOUGHT_END not in kept else kept

    @property
    def last_characters(self) -> frozenset[str]:
        """The characters that can complete the rule: a token without any of them ends no answer."""
        labels = (self.question_label, self.answer_label, self.end_of_turn)
        return frozenset({"\n", *(label[-1] for label in labels if label)})

    def _end(self, text: str) -> int | None:
        """Return the index at which the answer in `text` ends; None where it has not ended."""
        begin = text.rfind(THOUGHT_END) + len(THOUGHT_END) if THOUGHT_END in text else 0
        if text.find(THOUGHT, begin) >= 0 or (self.in_thought and not begin):
            return None
        lines = (m for m in _ANSWER_LINE.finditer(text, begin) if not HEADING_VERB.match(text, m.end(1)))
        ends = [(match.start(), match.end()) for match in islice(lines, 1)]
        if self.end_of_turn:
            ends += [(index, index) for index in [text.find(self.end_of_turn, begin)] if index >= 0]
        if self._question is not None:
            questions = (m for m in self._question.finditer(text, begin) if self._asks(text, begin, m))
            starts = (len(text[: match.start()].rstrip()) for match in questions)
            ends += [(index, index) for index in islice(starts, 1)]
        return min(ends)[1] if ends else None

    def _asks(self, text: str, begin: int, match: re.Match[str]) -> bool:
        """Return whether a line asks the next question, and does not repeat the one that is being answered.

        Something that can be an answer stands before it, and it is a final answer, or a blank line follows it, or the
        next question is answered too.
        """
        before = text[begin : match.start()]
        if _FINAL.search(before):
            return True
        if not _DIGIT.search(before):
            return False
        is_behind_a_blank_line = before.rstrip(" \t").endswith("\n")
        return is_behind_a_blank_line or (bool(self.answer_label) and f"\n{self.answer_label}" in text[match.end() :])

    def _unanswered_question(self, text: str) -> int | None:
        """Return the index of a next question behind a number, if nothing after it is an answer to anything."""
        match = None if self._question is None or THOUGHT in text else self._question.search(text)
        if match is None or not _DIGIT.search(text[: match.start()]):
            return None
        after = text[match.end() :]
        return None if _FINAL.search(after) or "=" in after else len(text[: match.start()].rstrip())

    @cached_property
    def _question(self) -> re.Pattern[str] | None:
        if not self.question_label:
            return None
        numbered = re.sub(r"\d+", r"\\d+", re.escape(self.question_label))  # `Problem 2:` is followed by `Problem 3:`
        return re.compile(rf"\n[ \t]*+[*#]{{0,4}}+ ?{numbered}")


def plain_rule(before: str, after: str) -> StopRule:
    """Return the rule of a prompt that is no chat: `before` and `after` are the text around the question."""
    last_line = before.rstrip().rpartition("\n")[2]
    first_line = after.strip().partition("\n")[0]
    return StopRule(_label(re.split(r"[.!?]\s", last_line)[-1]), _label(first_line), in_thought=opens_thought(after))


def opens_thought(after: str) -> bool:
    """Return whether a prompt whose text after the question is `after` opens a thought for the model."""
    return after.rstrip().endswith(THOUGHT)


def _label(text: str) -> str:
    """Return the label in `text`: up to its colon, if it has one. Empty where it is no label."""
    head, colon, _ = text.strip().partition(":")
    label = head + colon
    return label if any(character.isalpha() for character in label) and len(label) <= 60 else ""
