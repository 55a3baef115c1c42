"""Ask a model problems under the conditions of the stage `intervene`, and weigh their worked answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.engines.engine import Ask
from benchmarks.evaluation import NOT_FINITE, ask_in_halves, retry_one_by_one
from benchmarks.grading import graded_text
from benchmarks.intervention_cases import ConditionItem, InterventionCase, failed_case, question_under, record_of
from benchmarks.intervention_conditions import Condition
from benchmarks.intervention_prompts import prompt_under
from models.decode.batch_size_option import BatchSize, fixed_batch_size
from reports.store.records import Intervention

if TYPE_CHECKING:  # torch stays out of collection
    from models.attention.attention_edits import AttentionEdit
    from models.loading.load_model import LoadedModel

#: The largest batch of texts whose likelihood is taken: a large vocabulary has large logits.
_LARGEST_BATCH = 16


def records_under_conditions(
    loaded: LoadedModel,
    items: Sequence[ConditionItem],
    batch_size: BatchSize,
    max_new_tokens: int,
    answers: bool,
) -> Iterator[Sequence[Intervention]]:
    """Yield a record for each of `items`, as they come, one condition after the other.

    With `answers` they have what the model writes, unless it is known; their likelihoods they have in any case.
    """
    by_condition: dict[str, list[ConditionItem]] = {}
    for item in items:
        by_condition.setdefault(item.condition.name, []).append(item)
    for of_condition in by_condition.values():
        yield from _records_under(loaded, of_condition, batch_size, max_new_tokens, answers)


def item_length(item: ConditionItem) -> int:
    """Return how many tokens are read: of more, the answer takes longer."""
    return len(item.tokens.clean_ids if item.condition.clean else item.tokens.ids)


def condition_of(item: ConditionItem) -> str:
    """Return the name of the condition, under which a batch is asked."""
    return item.condition.name


#: How the records of a cell are got.
INTERVENTIONS_OF_ITEMS = Ask(records_under_conditions, failed_case, item_length, condition_of)


def _records_under(
    loaded: LoadedModel, items: Sequence[ConditionItem], batch_size: BatchSize, max_new_tokens: int, answers: bool
) -> Iterator[Sequence[Intervention]]:
    """Yield the records of `items`, which are of one condition."""
    edit = edit_for(loaded, items[0].condition)
    cases = [
        InterventionCase(
            item.noisy,
            item.tokens,
            item.condition,
            prompt_under(item.tokens, item.condition, item.noisy.problem.id),
            item.known,
        )
        for item in items
    ]
    by_length = sorted(cases, key=lambda case: -len(case.prompt.ids))
    weighed = list[InterventionCase]()
    size = min(fixed_batch_size(batch_size), _LARGEST_BATCH)
    for start in range(0, len(by_length), size):
        batch = by_length[start : start + size]
        for case in retry_one_by_one(batch, lambda part: _weighed(loaded, part, edit), failed_case):
            if isinstance(case, Intervention):
                yield [case]
            else:
                weighed.append(case)
    if not answers:
        yield [record_of(case, None) for case in weighed]
        return
    yield [record_of(case, case.known) for case in weighed if case.known is not None]
    unwritten = [case for case in weighed if case.known is None]

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

    for record in ask_in_halves(unwritten, ask, failed_case, lambda case: len(case.prompt.ids)):
        yield [record]


def _weighed(
    loaded: LoadedModel, cases: Sequence[InterventionCase], edit: AttentionEdit
) -> list[InterventionCase | Intervention]:
    """Return the cases with the likelihoods of their worked answers."""
    from models.answer_likelihood import edited_likelihoods
    from models.sft.tokenized_examples import tokenize_examples

    texts = [replace(case.noisy.problem, question=question_under(case.noisy, case.condition)) for case in cases]
    examples = tokenize_examples(loaded, texts)
    pairs = [(case.prompt, answer) for case, (_, answer) in zip(cases, examples, strict=True)]
    likelihoods = edited_likelihoods(loaded, [case.noisy.problem.id for case in cases], pairs, edit)
    return [
        replace(case, nats=nats, gold_tokens=tokens) for case, (nats, tokens) in zip(cases, likelihoods, strict=True)
    ]


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
