"""The vocabulary of a result, on one page. No torch here, and no model: records outlive both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Outcome = Literal["correct", "incorrect", "no_answer", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
ReadingOutcome = Literal["measured", "error"]
READING_OUTCOMES: tuple[ReadingOutcome, ...] = get_args(ReadingOutcome)


def draw_id(problem: str, draw: int) -> str:
    """The id of a problem's record with its noise drawn again: the first draw, 0, has the problem's own."""
    return f"{problem} (draw {draw + 1})" if draw else problem


def problem_of(id: str) -> str:
    """The inverse of `draw_id`: which problem a record is about."""
    return _DRAW.sub("", id) if id.endswith(")") else id


_DRAW = re.compile(r" \(draw \d+\)$")


@dataclass(frozen=True)
class Cell:
    """One point of the grid: a model, a noise (`clean` for none) and a stage. `id` is the id of its pytest case."""

    model: str
    noise: str
    stage: str

    @property
    def id(self) -> str:
        return f"{self.model}-{self.noise}-{self.stage}"


@dataclass(frozen=True)
class Settings:
    """Everything besides the problem's text that a record depends on; with the text it is the record's key.

    `weights` is a fingerprint of the checkpoint's files, `prompt` the template, `stop` the stop rule in words,
    `max_new_tokens` in tokens, `precision` the dtype the model ran in, `generation` the version of the code that
    generates. `problems` names the source of the problems: without it the predictions on two sources, whose ids need
    not meet, would silently be pooled into one accuracy. `attention` says in words what a reading is taken over
    (queries, layers and heads); it is empty for predictions. `rendered` is the prompt in the model's own chat format,
    empty where that was not asked for.
    """

    weights: str
    prompt: str
    stop: str
    max_new_tokens: int
    precision: str
    generation: str
    problems: str = ""
    attention: str = ""
    rendered: str = ""


@dataclass(frozen=True)
class Prediction:
    """What a model wrote for one problem.

    `question` is the text the model was asked, noise included; `spans` the half-open character ranges of it that
    are distractors. `gold` is the worked answer, `target` and `answer` exact numbers as text (`"7/2"`; `answer` is
    None where none could be read). `tokens` counts what was generated. `error` is a traceback, for the outcome
    `error` alone.
    """

    id: str
    question: str
    spans: tuple[tuple[int, int], ...]
    gold: str
    target: str
    text: str
    answer: str | None
    outcome: Outcome
    tokens: int
    error: str | None = None

    @property
    def asked(self) -> str:
        """What the prediction depends on of its problem: the question alone."""
        return self.question


@dataclass(frozen=True)
class AttentionReading:
    """Where the attention heads of a model look in the text of one problem.

    `question` and `spans` are those of a prediction. `queries` is the number of positions that the figures are means
    over. `layers` and `heads` are the numbers, from 0, of those measured, `segments` the names of the parts of the
    text. `signed`, [layer][head][segment], is the mass of the pattern on a segment: over the segments it sums to 1,
    in a differential layer, where parts of it may be negative, to 1 − λ. `absolute`, of the same shape, is the share
    of the absolute mass and sums to 1. `tokens`, [segment], is the share of the visible tokens that lies in a segment
    and sums to 1. `lambdas`, [layer], is None for an ordinary model. For the outcome `error` alone, `error` is a
    traceback, `queries` is 0 and every tuple but `spans` is empty.
    """

    id: str
    question: str
    spans: tuple[tuple[int, int], ...]
    outcome: ReadingOutcome
    queries: int
    segments: tuple[str, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    tokens: tuple[float, ...]
    signed: tuple[tuple[tuple[float, ...], ...], ...]
    absolute: tuple[tuple[tuple[float, ...], ...], ...]
    lambdas: tuple[float, ...] | None
    gold: str = ""
    error: str | None = None

    @property
    def asked(self) -> str:
        """What the reading depends on of its problem: the question, and the worked answer that was read behind it."""
        return f"{self.question}\n{self.gold}" if self.gold else self.question


@dataclass(frozen=True)
class Likelihood:
    """How likely a model holds the worked answer of one problem to be.

    `question` and `spans` are those of a prediction, `gold` is the worked answer. `nats` is the natural logarithm of
    its probability, `tokens` its length. For the outcome `error` alone, `error` is a traceback, and both are 0.
    """

    id: str
    question: str
    spans: tuple[tuple[int, int], ...]
    gold: str
    outcome: ReadingOutcome
    tokens: int
    nats: float
    error: str | None = None

    @property
    def asked(self) -> str:
        """What it depends on of its problem: the question, and the worked answer behind it."""
        return f"{self.question}\n{self.gold}"


Record = Prediction | AttentionReading | Likelihood


@dataclass(frozen=True)
class CellRun:
    """What one run did about one cell.

    `asked` are the ids of the problems it asked for, in order. Of their records `read` were on disk already and
    `made` are new. `seconds` is the wall time that the new ones took, loading of the model left out. `outcomes`
    counts the outcomes of all of them; their sum is less than `len(asked)` where the run was interrupted.
    """

    cell: Cell
    settings: Settings
    asked: tuple[str, ...]
    read: int
    made: int
    seconds: float
    outcomes: Mapping[str, int]

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> CellRun:
        """The inverse of `dataclasses.asdict`: a test worker hands its cells over as plain values."""
        return cls(
            cell=Cell(**facts["cell"]),
            settings=Settings(**facts["settings"]),
            asked=tuple(facts["asked"]),
            read=facts["read"],
            made=facts["made"],
            seconds=facts["seconds"],
            outcomes=dict(facts["outcomes"]),
        )
