"""The limits of this machine, matrix products and memory, and what decoding needs of both: `python -m benchmarks
roofline`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel


def matrix_rate(dtype: str) -> float:
    """Return floating-point operations a second in a product of the size of the study's largest: the fastest of several
    trials, by the faster of torch's libraries."""
    import torch
    from torch.nn.functional import linear

    from models.decode.onednn_linear import replaces_mkl
    from models.upstream_torch import mkldnn_linear

    torch_dtype = getattr(torch, dtype)
    inputs, weights = torch.randn(1024, 1024).to(torch_dtype), torch.randn(4096, 1024).to(torch_dtype)
    with torch.inference_mode():
        seconds = _fastest_seconds(lambda: linear(inputs, weights), 30)
        if dtype == "float32" and replaces_mkl():
            seconds = min(seconds, _fastest_seconds(lambda: mkldnn_linear(inputs, weights, None), 30))
    return 2 * 1024 * 1024 * 4096 / seconds


def memory_rate() -> float:
    """Return bytes read a second, of a gigabyte that no cache holds."""
    import torch

    values = torch.ones(2**28)
    return values.nbytes / _fastest_seconds(values.sum, 5)


def _fastest_seconds(work: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def least_seconds(
    loaded: LoadedModel, tokens: Sequence[tuple[int, int]], rows: int, matrix: float, memory: float
) -> float:
    """Return a lower bound on the time that any program needs for `tokens`: a prompt's and an answer's number each.

    It is the larger of the arithmetic of all weights at `matrix` operations a second, and of reading the weights once a
    step of `rows` rows at `memory` bytes a second. The output head is counted for generated tokens alone, attention not
    at all.
    """
    head = loaded.model.get_output_embeddings().weight
    weights = sum(parameter.numel() for name, parameter in loaded.model.named_parameters() if "embed" not in name)
    body = weights - (0 if loaded.model.config.tie_word_embeddings else head.numel())
    written = sum(answer for _, answer in tokens)
    read = sum(prompt for prompt, _ in tokens)
    operations = 2 * body * (read + written) + 2 * head.numel() * written
    steps = written / rows
    return max(operations / matrix, steps * (body + head.numel()) * head.element_size() / memory)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the measured rates. Return the exit status 0."""
    description = "How fast this machine multiplies matrices and reads memory."
    argparse.ArgumentParser(prog="python -m benchmarks roofline", description=description).parse_args(arguments)
    for dtype in ("float32", "bfloat16"):
        print(f"matrix products, {dtype}: {matrix_rate(dtype) / 1e9:.0f} GFLOP/s")
    print(f"memory, read: {memory_rate() / 1e9:.1f} GB/s")
    return 0
