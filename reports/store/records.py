"""The types of a result, on one page. They need neither torch nor a model."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Outcome = Literal["correct", "incorrect", "no_answer", "truncated", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
ReadingOutcome = Literal["measured", "error"]
InterventionOutcome = Literal["correct", "incorrect", "no_answer", "truncated", "measured", "error"]
INTERVENTION_OUTCOMES: tuple[InterventionOutcome, ...] = get_args(InterventionOutcome)
READING_OUTCOMES: tuple[ReadingOutcome, ...] = get_args(ReadingOutcome)


def draw_id(problem: str, draw: int) -> str:
    """Return the record id of a draw of a problem's noise. Draw 0 has the id of the problem."""
    return f"{problem} (draw {draw + 1})" if draw else problem


def problem_of(id: str) -> str:
    """Return the problem id of a record id: the inverse of `draw_id`."""
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
    """Everything that a record depends on besides the text of its problem. Settings and text are the record's key.

    `weights` is a fingerprint of the checkpoint's files, `prompt` the template, `stop` a description of the stop rule,
    `max_new_tokens` in tokens, `precision` the dtype of the model, `generation` the version of the generating code.
    `problems` names the source of the problems: without it, predictions on two sources, whose ids may differ, would
    silently be pooled into one accuracy. `attention` describes the queries, layers and heads of a reading; it is empty
    for predictions. `rendered` is the prompt in the model's chat format; it is empty if none was used. `base` is the
    fingerprint of the weights that a model was tuned from here; it is empty for any other.
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
    base: str = ""


@dataclass(frozen=True)
class Prediction:
    """What a model wrote for one problem.

    `question` is the text of the question, noise included; `spans` are the half-open character ranges of its
    distractors. `gold` is the worked answer. `target` and `answer` are exact numbers as text (`"7/2"`); `answer` is
    None if none could be extracted. `tokens` is the number of generated tokens. `error` is a traceback; it is None
    unless the outcome is `error`. `finished` is False where the token limit cut the text off, and `grading` is the
    version of the code that graded it: with them a text can be graded again. `factors` says what kind of sentence each
    distractor is, where its noise has several kinds: "topic=in role=own range=out" of `ic`, "asked" of `near`.
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
    finished: bool = True
    grading: str = ""
    factors: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        """The text that the prediction depends on: the question."""
        return self.question


@dataclass(frozen=True)
class AttentionReading:
    """Attention of a model's heads to the segments of one problem.

    `question` and `spans` are those of a prediction. All numbers are means over `queries` query positions. `layers` and
    `heads` are the indices, from 0, of the measured ones; `segments` are the names of the parts of the text.

    `signed`, [layer][head][segment], is the mass of the pattern on a segment. Over the segments it sums to 1; in a
    differential layer, where it may be negative, to 1 − λ. `absolute`, of the same shape, is the share of the absolute
    mass and sums to 1. `tokens`, [segment], is the share of the visible tokens and sums to 1. `lambdas`, [layer], is
    None for an ordinary model. Where λ depends on the text they are means over heads and queries, and `lambda_stds`
    its standard deviations over them.

    If the outcome is `error`, `error` is a traceback, `queries` is 0 and every tuple except `spans` is empty.
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
    lambda_stds: tuple[float, ...] | None = None

    @property
    def asked(self) -> str:
        """The text that the reading depends on: the question, followed by the worked answer if there is one."""
        return f"{self.question}\n{self.gold}" if self.gold else self.question


@dataclass(frozen=True)
class Likelihood:
    """Log-likelihood of the worked answer of one problem.

    `question` and `spans` are those of a prediction, `gold` is the worked answer. `nats` is the natural logarithm of
    its probability, `tokens` its length. If the outcome is `error`, `error` is a traceback, and both are 0.
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
        """The text that the likelihood depends on: the question, followed by the worked answer."""
        return f"{self.question}\n{self.gold}"


@dataclass(frozen=True)
class Intervention:
    """What a model wrote for one problem under one condition, and how likely it found the worked answer.

    `condition` says what was changed, as `everywhere`: no token of the text behind the noise could attend to it.
    `clean` is the problem without noise and `noisy` that with it, both as they are. `problem` is the record id of the
    problem, and `id` both: "mine-00001 everywhere". `question` and `spans` are those of the noisy question, whatever
    the condition; `gold`, `target`, `text`, `answer`, `tokens`, `finished` and `grading` are those of a prediction.
    `fault` says what is wrong with a wrong answer (`benchmarks.answer_faults`); it is empty for any other.

    `nats` is the natural logarithm of the worked answer's probability, and `gold_tokens` its length. Where only one of
    the two was measured, `nats` is None, or `outcome` is `measured` and `text` empty.

    `heads` lists the heads that were cut where they were chosen, as "1.0,2.3" for head 0 of layer 1 and head 3 of
    layer 2. `hidden` counts the tokens that were hidden from others, and `edges` the pairs of a query and a key in the
    prompt that were cut, each once for all heads and layers. `straddling` counts the tokens that noise and problem
    share, and `same_tokens` says whether the text without the noise's tokens has the tokens of the clean text.
    """

    id: str
    problem: str
    condition: str
    question: str
    spans: tuple[tuple[int, int], ...]
    gold: str
    target: str
    text: str
    answer: str | None
    outcome: InterventionOutcome
    tokens: int
    fault: str
    nats: float | None
    gold_tokens: int
    hidden: int
    edges: int
    straddling: int
    same_tokens: bool
    error: str | None = None
    finished: bool = True
    grading: str = ""
    heads: str = ""

    @property
    def asked(self) -> str:
        """The text that the record depends on: the noisy question, followed by the worked answer."""
        return f"{self.question}\n{self.gold}"


Record = Prediction | AttentionReading | Likelihood | Intervention


@dataclass(frozen=True)
class CellRun:
    """What one run did for one cell.

    `asked` are the record ids that the run requested, in order. Of their records `read` were on disk and `made` are
    new; of `graded_again` the text was on disk and the verdict is new. `seconds` is the wall time for the new ones,
    without loading the model. `outcomes` counts the outcomes of all records; the sum is less than `len(asked)` if the
    run was interrupted.
    """

    cell: Cell
    settings: Settings
    asked: tuple[str, ...]
    read: int
    made: int
    seconds: float
    outcomes: Mapping[str, int]
    graded_again: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CellRun:
        """Return the inverse of `dataclasses.asdict`: xdist workers send plain values."""
        return cls(
            cell=Cell(**values["cell"]),
            settings=Settings(**values["settings"]),
            asked=tuple(map(sys.intern, values["asked"])),  # cells share their ids
            read=values["read"],
            made=values["made"],
            seconds=values["seconds"],
            outcomes=dict(values["outcomes"]),
            graded_again=values.get("graded_again", 0),
        )
