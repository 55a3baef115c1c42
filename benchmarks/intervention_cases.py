"""The records of the stage `intervene`. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.answer_faults import fault_of
from benchmarks.intervention_conditions import Condition, listed_heads
from benchmarks.intervention_prompts import NoisyTokens
from noise.problems.problem import NoisyProblem
from reports.store.records import Intervention, Prediction

if TYPE_CHECKING:  # torch stays out of collection
    from models.decode.edited_prompt import EditedPrompt


@dataclass(frozen=True, eq=False)
class ConditionItem:
    """A problem to ask under a condition; `known` is the answer that was written for the same text before, if any."""

    noisy: NoisyProblem
    tokens: NoisyTokens
    condition: Condition
    known: Prediction | None = None


@dataclass(frozen=True, eq=False)
class InterventionCase:
    """A problem under a condition: its prompt, and the likelihood of its worked answer."""

    noisy: NoisyProblem
    tokens: NoisyTokens
    condition: Condition
    prompt: EditedPrompt
    known: Prediction | None = None
    nats: float | None = None
    gold_tokens: int = 0


def intervention_id(noisy: NoisyProblem, condition: Condition) -> str:
    return f"{noisy.problem.id} {condition.name}"


def question_under(noisy: NoisyProblem, condition: Condition) -> str:
    """Return the question of a problem as it is read under a condition."""
    return noisy.problem.question if condition.clean else noisy.question


def record_of(case: InterventionCase, written: Prediction | None) -> Intervention:
    """Return the record of a case; `written` is what the model wrote, None where only the likelihood was taken."""
    tokens, cut = case.tokens, case.prompt.cut
    record = replace(
        failed_record(case.noisy, case.condition),
        outcome="measured",
        nats=case.nats,
        gold_tokens=case.gold_tokens,
        hidden=0 if cut is None else len(tokens.noise),
        edges=0 if cut is None else int(cut.sum()),
        straddling=tokens.straddling,
        same_tokens=tokens.same_tokens,
    )
    if written is None:
        return record
    return replace(
        record,
        text=written.text,
        answer=written.answer,
        outcome=written.outcome,
        tokens=written.tokens,
        fault=fault_of(
            written.text,
            written.answer,
            written.outcome,
            record.target,
            record.gold,
            record.question,
            record.spans,
        ),
        finished=written.finished,
        grading=written.grading,
    )


def failed_case(case: InterventionCase | ConditionItem, error: str) -> Intervention:
    return failed_record(case.noisy, case.condition, error)


def failed_record(noisy: NoisyProblem, condition: Condition, error: str | None = None) -> Intervention:
    """Return the record of a problem that ended in an error; `error` is the traceback."""
    return Intervention(
        id=intervention_id(noisy, condition),
        problem=noisy.problem.id,
        condition=condition.name,
        question=noisy.question,
        spans=noisy.spans,
        gold=noisy.problem.answer,
        target=str(noisy.problem.target),
        text="",
        answer=None,
        outcome="error",
        tokens=0,
        fault="",
        nats=None,
        gold_tokens=0,
        hidden=0,
        edges=0,
        straddling=0,
        same_tokens=False,
        error=error,
        heads=listed_heads(condition.heads),
    )
