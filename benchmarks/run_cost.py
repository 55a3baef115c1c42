"""What a run will cost: arithmetic from what is asked and how fast a model was. No torch here."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: Problems in one pass of the stages that only read: `benchmarks.stages.likelihood` and `.attention` have the same.
READ_AT_ONCE = 16
#: Bytes that the activations of a layer take in training, per token and unit of width, at two bytes a value, attention
#: scores aside. Source: Korthikanti et al., arXiv 2205.05198, equation 1.
_ACTIVATIONS = 34
#: AdamW keeps two float32 values for each weight that is trained, next to its gradient.
_OPTIMIZER_BYTES = 8


@dataclass(frozen=True)
class ModelShape:
    """What a model's memory depends on. `value_bytes` is the size of a number; `cached_bytes` are those of a token's
    keys and values in all layers; `adapter` counts the weights of a LoRA adapter of rank 1."""

    parameters: int
    value_bytes: int
    cached_bytes: int
    layers: int
    hidden: int
    vocabulary: int
    differential: bool = False
    adapter: int = 0

    @property
    def weight_bytes(self) -> int:
        """The bytes of all weights."""
        return self.parameters * self.value_bytes


@dataclass(frozen=True)
class TextRates:
    """How a tokenizer counts: tokens a character of questions and of worked answers, and of the rest of a prompt."""

    question: float
    answer: float
    prompt: float

    def prompt_tokens(self, characters: int, texts: int) -> int:
        """Return the tokens of `texts` prompts whose questions have that many characters together."""
        return round(self.question * characters + self.prompt * texts)

    def answer_tokens(self, characters: int) -> int:
        """Return the tokens of worked answers of that many characters together."""
        return round(self.answer * characters)


@dataclass(frozen=True)
class DecodingRates:
    """Seconds for a token of a prompt (`prompt_token`), for a step of all rows (`step`) and for each row in it (`row`).

    `lengths` are the tokens of the texts that were timed, in any order, written under the limit `limit`.
    """

    prompt_token: float
    step: float
    row: float
    lengths: tuple[int, ...]
    limit: int

    def expected_lengths(self, limit: int) -> tuple[int, ...]:
        """Return the lengths under another limit; a text that reached the old one is counted at the new one."""
        return tuple(limit if length >= self.limit else min(length, limit) for length in self.lengths)

    def tokens(self, texts: int, limit: int) -> int:
        """Return the tokens that `texts` texts are expected to have together."""
        lengths = self.expected_lengths(limit)
        return round(texts * sum(lengths) / len(lengths))

    def seconds(self, texts: int, prompt_tokens: int, rows: int, limit: int) -> float:
        """Return the time for answers to `texts` prompts, `rows` at once."""
        steps = decoding_steps(self.expected_lengths(limit), texts, rows)
        return self.prompt_token * prompt_tokens + self.step * steps + self.row * self.tokens(texts, limit)


@dataclass(frozen=True)
class ReadingRates:
    """Seconds of a cell of a stage that only reads: `cell`, and for each token of prompts and worked answers."""

    cell: float
    token: float


@dataclass(frozen=True)
class TuningRates:
    """Seconds of a fine-tuning with its checks (`whole`), without its steps of `batch` problems, `step` each."""

    whole: float
    step: float
    batch: int


@dataclass(frozen=True)
class ModelRates:
    """How fast a model was, on a device and in a precision, `batch` problems at once.

    `load` is the time it took to load. `intervene` says how many times as long the stage takes as answers and
    likelihoods without interventions. What was not measured is None, or not in `reading`, by stage.
    """

    model: str
    device: str
    dtype: str
    batch: int
    prompt: str
    shape: ModelShape
    text: TextRates
    load: float
    decoding: DecodingRates
    reading: dict[str, ReadingRates]
    intervene: float | None = None
    tuning: TuningRates | None = None


@dataclass(frozen=True)
class CellWork:
    """What a cell asks: `problems`, the characters of their questions and worked answers together, and the characters
    of the same questions without noise. `longest` is the longest question."""

    problems: int
    questions: int
    answers: int
    clean: int
    longest: int


@dataclass(frozen=True)
class StageWork:
    """What a model does in a stage. `kind`: it writes answers, reads, intervenes, or is tuned with `steps` steps of
    problems that `cells` hold.

    `conditions` counts those of an intervention, `written` those whose answers are not known from `zero_shot`.
    """

    model: str
    stage: str
    kind: str
    cells: tuple[CellWork, ...]
    conditions: int = 1
    written: int = 1
    clean_conditions: int = 0
    steps: int = 0


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run that cost depends on."""

    batch: int
    max_new_tokens: int
    tuning_batch: int = 8
    tuning_rank: int = 0  # 0: every weight is trained


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


@lru_cache(maxsize=4096)
def decoding_steps(lengths: tuple[int, ...], texts: int, rows: int) -> int:
    """Return the number of steps in which `rows` rows write `texts` texts, whose lengths are those of `lengths` in
    turn: a row that has ended goes on with the next text."""
    ends = [0] * min(rows, texts)
    for number in range(texts):
        heapq.heapreplace(ends, ends[0] + lengths[number % len(lengths)])
    return max(ends, default=0)


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
        _decoding_memory(cell, rates, settings),
        decoding.seconds(cell.problems, prompts, settings.batch, limit),
    )


def _reading(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    prompts = rates.text.prompt_tokens(cell.questions, cell.problems)
    of_stage = rates.reading.get(work.stage)
    tokens = prompts + rates.text.answer_tokens(cell.answers)
    seconds = None if of_stage is None else of_stage.cell * (cell.problems > 0) + of_stage.token * tokens
    memory = _reading_memory(cell, rates)
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
        max(_decoding_memory(cell, rates, settings), _reading_memory(cell, rates)),
        seconds,
    )


def _tuning(cell: CellWork, work: StageWork, rates: ModelRates, settings: RunSettings) -> StageCost:
    """The tokens are those of one epoch; `work.steps` are those of all."""
    tuning = rates.tuning
    tokens = rates.text.prompt_tokens(cell.questions, cell.problems)
    per_step = 0.0 if tuning is None else tuning.step * settings.tuning_batch / tuning.batch
    seconds = None if tuning is None else tuning.whole + per_step * work.steps
    memory = _tuning_memory(cell, rates, settings)
    return StageCost(work.model, work.stage, 0, cell.problems, tokens, 0, 0, memory, seconds)


def _decoding_memory(cell: CellWork, rates: ModelRates, settings: RunSettings) -> int:
    """Return the bytes of the weights, of a batch's keys and values, twice as rows that enter are copied, and of its
    scores."""
    rows, shape = min(settings.batch, cell.problems), rates.shape
    columns = rates.text.prompt_tokens(cell.longest, 1) + settings.max_new_tokens
    return shape.weight_bytes + rows * (2 * columns * shape.cached_bytes + shape.vocabulary * (shape.value_bytes + 4))


def _reading_memory(cell: CellWork, rates: ModelRates) -> int:
    """Return the bytes of the weights, and of the scores of a batch of worked answers of mean length."""
    shape, rows = rates.shape, min(READ_AT_ONCE, cell.problems)
    answers = rates.text.answer_tokens(cell.answers) * rows // max(1, cell.problems)
    return shape.weight_bytes + answers * shape.vocabulary * (shape.value_bytes + 4)


def _tuning_memory(cell: CellWork, rates: ModelRates, settings: RunSettings) -> int:
    """Return the bytes of the weights, of the optimizer for those that are trained, and of a batch's activations."""
    shape, rank, rows = rates.shape, settings.tuning_rank, settings.tuning_batch
    trained = shape.adapter * rank if rank else shape.parameters
    weights = shape.weight_bytes if rank else shape.parameters * 4
    answers = rates.text.answer_tokens(cell.answers) * rows // max(1, cell.problems)
    columns = rates.text.prompt_tokens(cell.longest, 1) + answers // rows
    activations = rows * columns * shape.layers * shape.hidden * _ACTIVATIONS * shape.value_bytes // 2
    scores = answers * shape.vocabulary * 3 * 4  # in float32: the scores, their probabilities and their gradient
    return weights + trained * (4 + _OPTIMIZER_BYTES + (4 if rank else 0)) + activations + scores


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


def fitted_line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the constant and the slope of the line through two points (amount, seconds), neither below 0.

    Where the larger amount took no longer, the line goes through the origin and the last point.
    """
    (small, first), (large, second) = points
    if large > small and second > first:
        slope = (second - first) / (large - small)
        if first >= slope * small:
            return first - slope * small, slope
    return 0.0, second / large
