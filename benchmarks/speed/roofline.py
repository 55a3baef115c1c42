"""What a machine could do: how fast it multiplies matrices and reads memory, and what decoding needs of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel


def matrix_rate(dtype: str) -> float:
    """Floating-point operations a second in a product of the size of the study's largest, the fastest of some, by the
    faster of torch's libraries."""
    import torch
    from torch.nn.functional import linear

    from models.decode.onednn_linear import by_onednn, worth_while

    kind = getattr(torch, dtype)
    inputs, weights = torch.randn(1024, 1024).to(kind), torch.randn(4096, 1024).to(kind)
    with torch.inference_mode():
        seconds = _fastest(lambda: linear(inputs, weights), 30)
        if dtype == "float32" and worth_while():
            seconds = min(seconds, _fastest(lambda: by_onednn(inputs, weights, None), 30))
    return 2 * 1024 * 1024 * 4096 / seconds


def memory_rate() -> float:
    """Bytes read a second, of a gigabyte that no cache holds."""
    import torch

    values = torch.ones(2**28)
    return values.nbytes / _fastest(values.sum, 5)


def _fastest(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def least_seconds(
    loaded: LoadedModel, tokens: Sequence[tuple[int, int]], rows: int, matrix: float, memory: float
) -> float:
    """No program reads prompts of so many tokens and writes answers of so many in less: the larger of the arithmetic
    of all weights at `matrix` operations a second, and of reading them once a step of `rows` rows at `memory` bytes a
    second. The head is counted for written tokens alone, and attention not at all."""
    head = loaded.model.get_output_embeddings().weight
    weights = sum(parameter.numel() for name, parameter in loaded.model.named_parameters() if "embed" not in name)
    body = weights - (0 if loaded.model.config.tie_word_embeddings else head.numel())
    written = sum(answer for _, answer in tokens)
    read = sum(prompt for prompt, _ in tokens)
    operations = 2 * body * (read + written) + 2 * head.numel() * written
    steps = written / rows
    return max(operations / matrix, steps * (body + head.numel()) * head.element_size() / memory)
