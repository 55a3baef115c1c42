"""What a run will cost: arithmetic from what it asks and how fast its models were. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.memory_needs import decoding_memory, reading_memory, tuning_memory
from benchmarks.model_rates import ModelRates
from benchmarks.stage_work import CellWork, RunSettings, StageWork


@dataclass(frozen=True)
class StageCost:
    """What a stage of a model costs. `seconds` is None where it was not measured."""

    model: str
    stage: str
    cells: int
    problems: int
    prompt_tokens: int
    generated: int
    generated_at_most: int
    memory: int
    seconds: float | None


def stage_cost(work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    """Return what a stage of a model costs: the sum over its cells, and the most memory that one takes."""
    cost_of = {
        "answers": _answering,
        "reads": _reading,
        "intervenes": _intervening,
        "tunes": _tuning,
        "loads": _loading,
    }
    costs = [cost_of[work.kind](cell, work, rates, settings) for cell in work.cells]
    seconds = [cost.seconds for cost in costs if cost.seconds is not None]
    return StageCost(
        work.model,
        work.stage,
        cells=0 if work.kind in ("loads", "tunes") else len(costs),
        problems=sum(cost.problems for cost in costs),
        prompt_tokens=sum(cost.prompt_tokens for cost in costs),
        generated=sum(cost.generated for cost in costs),
        generated_at_most=sum(cost.generated_at_most for cost in costs),
        memory=max(cost.memory for cost in costs),
        seconds=sum(seconds) if len(seconds) == len(costs) else None,
    )


def _loading(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    return StageCost(work.model, work.stage, 0, 0, 0, 0, 0, rates.shape.weight_bytes, rates.load)


def _answering(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    limit, decoding = settings.max_new_tokens, rates.decoding
    prompts = rates.text.prompt_tokens(cell.questions, cell.problems)
    return StageCost(
        work.model,
        work.stage,
        1,
        cell.problems,
        prompts,
        decoding.tokens(cell.problems, limit),
        cell.problems * limit,
        decoding_memory(cell, rates, settings),
        decoding.seconds(cell.problems, prompts, settings.batch, limit),
    )


def _reading(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    prompts = rates.text.prompt_tokens(cell.questions, cell.problems)
    of_stage = rates.reading.get(work.stage)
    tokens = prompts + rates.text.answer_tokens(cell.answers)
    seconds = None if of_stage is None else of_stage.cell * (cell.problems > 0) + of_stage.token * tokens
    memory = reading_memory(cell, rates)
    return StageCost(work.model, work.stage, 1, cell.problems, prompts, 0, 0, memory, seconds)


def _intervening(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    """Under each condition the worked answer is read after the prompt, and an answer is written unless it is known."""
    limit, rows, n = settings.max_new_tokens, settings.batch, cell.problems
    noisy, clean = (rates.text.prompt_tokens(characters, n) for characters in (cell.questions, cell.clean))
    prompts = noisy * (work.conditions - work.clean_conditions) + clean * work.clean_conditions
    answers = rates.text.answer_tokens(cell.answers) * work.conditions
    written = prompts * work.written // work.conditions
    decoding = rates.decoding
    seconds = None
    if rates.intervene is not None:
        seconds = decoding.prompt_token * (prompts + answers)
        seconds += work.written * decoding.seconds(n, written // max(1, work.written), rows, limit)
        seconds *= rates.intervene
    return StageCost(
        work.model,
        work.stage,
        1,
        n,
        prompts + written,
        work.written * decoding.tokens(n, limit),
        work.written * n * limit,
        max(decoding_memory(cell, rates, settings), reading_memory(cell, rates)),
        seconds,
    )


def _tuning(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    """The tokens are those of one epoch; `work.steps` are those of all."""
    tuning = rates.tuning
    tokens = rates.text.prompt_tokens(cell.questions, cell.problems)
    per_step = 0.0 if tuning is None else tuning.step * settings.tuning_batch / tuning.batch
    seconds = None if tuning is None else tuning.whole + per_step * work.steps
    memory = tuning_memory(cell, rates, settings)
    return StageCost(work.model, work.stage, 0, cell.problems, tokens, 0, 0, memory, seconds)


def total_cost(costs: Iterable[StageCost]) -> StageCost:
    """Return the sum of costs, and the most memory that one of them takes. Times that are not known count nothing."""
    listed = list(costs)
    seconds = [cost.seconds for cost in listed if cost.seconds is not None]
    return StageCost(
        "all",
        "",
        cells=sum(cost.cells for cost in listed),
        problems=sum(cost.problems for cost in listed),
        prompt_tokens=sum(cost.prompt_tokens for cost in listed),
        generated=sum(cost.generated for cost in listed),
        generated_at_most=sum(cost.generated_at_most for cost in listed),
        memory=max((cost.memory for cost in listed), default=0),
        seconds=sum(seconds) if seconds or not listed else None,
    )
