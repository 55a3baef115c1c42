"""The memory that a device needs at least for a cell or a fine-tuning. No torch here."""

from __future__ import annotations

from benchmarks.model_rates import ModelRates
from benchmarks.stage_work import CellWork, RunSettings

#: Problems in one pass of the stages that only read: `benchmarks.stages.likelihood` and `.attention` have the same.
READ_AT_ONCE = 16
#: Bytes that the activations of a layer take in training, per token and unit of width, at two bytes a value, attention
#: scores aside. Source: Korthikanti et al., arXiv 2205.05198, equation 1.
_ACTIVATIONS = 34
#: AdamW keeps two float32 values for each weight that is trained, next to its gradient.
_OPTIMIZER_BYTES = 8


def decoding_memory(cell: CellWork, rates: ModelRates, settings: RunSettings) -> int:
    """Return the bytes of the weights, of a batch's keys and values, twice as rows that enter are copied, and of its
    scores."""
    rows, shape = min(settings.batch, cell.problems), rates.shape
    columns = rates.text.prompt_tokens(cell.longest, 1) + settings.max_new_tokens
    return shape.weight_bytes + rows * (2 * columns * shape.cached_bytes + shape.vocabulary * (shape.value_bytes + 4))


def reading_memory(cell: CellWork, rates: ModelRates) -> int:
    """Return the bytes of the weights, and of the scores of a batch of worked answers of mean length."""
    shape, rows = rates.shape, min(READ_AT_ONCE, cell.problems)
    answers = rates.text.answer_tokens(cell.answers) * rows // max(1, cell.problems)
    return shape.weight_bytes + answers * shape.vocabulary * (shape.value_bytes + 4)


def tuning_memory(cell: CellWork, rates: ModelRates, settings: RunSettings) -> int:
    """Return the bytes of the weights, of the optimizer for those that are trained, and of a batch's activations."""
    shape, rank, rows = rates.shape, settings.tuning_rank, settings.tuning_batch
    trained = shape.adapter * rank if rank else shape.parameters
    weights = shape.weight_bytes if rank else shape.parameters * 4
    answers = rates.text.answer_tokens(cell.answers) * rows // max(1, cell.problems)
    columns = rates.text.prompt_tokens(cell.longest, 1) + answers // rows
    activations = rows * columns * shape.layers * shape.hidden * _ACTIVATIONS * shape.value_bytes // 2
    scores = answers * shape.vocabulary * 3 * 4  # in float32: the scores, their probabilities and their gradient
    return weights + trained * (4 + _OPTIMIZER_BYTES + (4 if rank else 0)) + activations + scores
