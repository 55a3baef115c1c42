"""Ask a model problems under one condition of the stage `intervene`, and weigh their worked answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.evaluation import NOT_FINITE, ask_in_halves, record_as_they_come, retry_one_by_one
from benchmarks.grading import graded_text
from benchmarks.intervention_cases import InterventionCase, failed_case, record_of
from benchmarks.intervention_conditions import Condition
from models.decode.batch_size_option import BatchSize, fixed_batch_size
from reports.experiment import CellRecorder
from reports.store.records import Intervention, Prediction

if TYPE_CHECKING:  # torch stays out of collection
    from models.attention.attention_edits import AttentionEdit
    from models.loading.load_model import LoadedModel

#: The largest batch of texts whose likelihood is taken: a large vocabulary has large logits.
_LARGEST_BATCH = 16


def measure(
    recorder: CellRecorder,
    loaded: LoadedModel,
    condition: Condition,
    cases: Sequence[InterventionCase],
    known: Mapping[tuple[str, str], Prediction],
    batch_size: BatchSize,
    max_new_tokens: int,
    answers: bool,
) -> None:
    """Record the likelihoods of `cases`, and the answers unless they are known, as they come."""
    edit = edit_for(loaded, condition)
    by_length = sorted(cases, key=lambda case: -len(case.prompt.ids))
    weighed = list[InterventionCase]()
    size = min(fixed_batch_size(batch_size), _LARGEST_BATCH)
    for start in range(0, len(by_length), size):
        batch = by_length[start : start + size]
        for case in retry_one_by_one(batch, lambda part: _weighed(loaded, part, edit), failed_case):
            if isinstance(case, Intervention):
                recorder.append([case])
            else:
                weighed.append(case)
    if not answers:
        recorder.append([record_of(case, None) for case in weighed])
        return
    written = [(case, _known_text(case, known)) for case in weighed]
    recorder.append([record_of(case, prediction) for case, prediction in written if prediction is not None])
    unwritten = [case for case, prediction in written if prediction is None]

    def ask(part: Sequence[InterventionCase]) -> Iterator[tuple[int, Intervention]]:
        from models.decode.generation import edited_answers

        prompts = [case.prompt for case in part]
        for index, generation in edited_answers(loaded, prompts, edit, max_new_tokens, batch_size):
            case = part[index]
            if not generation.finite:
                yield index, failed_case(case, NOT_FINITE.format(generation.tokens))
                continue
            graded = graded_text(case.noisy, generation.text, generation.tokens, generation.finished)
            yield index, record_of(case, graded)

    record_as_they_come(recorder, ask_in_halves(unwritten, ask, failed_case, lambda case: len(case.prompt.ids)))


def _weighed(
    loaded: LoadedModel, cases: Sequence[InterventionCase], edit: AttentionEdit
) -> list[InterventionCase | Intervention]:
    """Return the cases with the likelihoods of their worked answers."""
    from models.answer_likelihood import edited_likelihoods
    from models.sft.tokenized_examples import tokenize_examples

    examples = tokenize_examples(loaded, [replace(case.noisy.problem, question=_text(case)) for case in cases])
    pairs = [(case.prompt, answer) for case, (_, answer) in zip(cases, examples, strict=True)]
    likelihoods = edited_likelihoods(loaded, [case.noisy.problem.id for case in cases], pairs, edit)
    return [
        replace(case, nats=nats, gold_tokens=tokens) for case, (nats, tokens) in zip(cases, likelihoods, strict=True)
    ]


def _known_text(case: InterventionCase, known: Mapping[tuple[str, str], Prediction]) -> Prediction | None:
    """Return what was written before for the text of a case; None if it was graded against another worked answer."""
    prediction = known.get((case.noisy.problem.id, _text(case)))
    return prediction if prediction is not None and prediction.gold == case.noisy.problem.answer else None


def _text(case: InterventionCase) -> str:
    """Return the question of a case as it is read."""
    return case.noisy.problem.question if case.condition.clean else case.noisy.question


def edit_for(loaded: LoadedModel, condition: Condition) -> AttentionEdit:
    """Return the edit of a condition; its cut is given for each batch."""
    from models.attention.cut_attention import edit_of

    edit = edit_of(
        loaded.model,
        part=condition.part,
        renormalise=condition.renormalise,
        second_factor=condition.second_factor,
    )
    if condition.heads is not None:
        edit.heads = condition.heads
    return edit
