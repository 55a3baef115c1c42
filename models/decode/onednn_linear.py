"""Products of linear layers in float32 on a CPU, by whichever of torch's two libraries is the faster one.

torch gives them to MKL, which on processors of other makers than Intel may leave half of the vector unit unused
(docs/speed.md has figures). oneDNN, which torch has for its bfloat16 products and for compiled models, does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear

#: Multiplications that a product has at least to be worth the longer way to oneDNN (by timing, on two cores).
LEAST = 2**20
#: How much faster oneDNN has to be. It is twice as fast or as fast, hardly ever between: a run that is repeated
#: should find the same.
FASTER = 1.3


@contextmanager
def quick_products(model: nn.Module) -> Iterator[None]:
    """Inside, the linear layers of `model` that are plain, in float32 and on a CPU, multiply by oneDNN where that is
    faster and no gradient is wanted. The order of the sums differs, as it does from one batch to another."""
    layers = []
    if worth_while():
        for layer in model.modules():
            if type(layer) is nn.Linear and "forward" not in layer.__dict__ and _is_plain(layer.weight):
                layers.append(layer)
                layer.__dict__["forward"] = partial(_forward, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.__dict__["forward"]


def _is_plain(weight: torch.Tensor) -> bool:
    """Whether these are numbers that lie in memory as they are; quantised weights may say that they are float32."""
    plain = type(weight) in (torch.Tensor, nn.Parameter) and weight.layout == torch.strided
    return plain and weight.device.type == "cpu" and weight.dtype == torch.float32


def _forward(layer: nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    other = inputs.dtype != torch.float32 or torch.is_autocast_enabled("cpu") or torch.is_grad_enabled()
    if other or inputs.numel() * layer.out_features < LEAST:
        return linear(inputs, layer.weight, layer.bias)
    rows = inputs.numel() // layer.in_features
    room = rounded(rows)
    if room == rows:
        return by_onednn(inputs, layer.weight, layer.bias)
    filled = inputs.new_zeros(room, layer.in_features)
    filled[:rows] = inputs.reshape(rows, -1)
    return by_onednn(filled, layer.weight, layer.bias)[:rows].view(*inputs.shape[:-1], -1)


def rounded(rows: int) -> int:
    """The next of few sizes: oneDNN makes a program for each that it meets, and keeps a thousand, of some 0.7 MB."""
    if rows <= 8:
        return 1 << (rows - 1).bit_length()
    step = 16 if rows <= 128 else 64
    return -(-rows // step) * step


def by_onednn(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """`torch.nn.functional.linear` by oneDNN; the operator that torch's compiler puts into a program for it."""
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return product


@cache
def worth_while() -> bool:
    """Whether oneDNN is `FASTER` here, tried out once: a few milliseconds. False for a torch without it."""
    if not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")):
        return False
    inputs, weight = (torch.ones(rows, 1024, dtype=torch.float32, device="cpu") for rows in (64, 1024))
    with torch.inference_mode():
        by_mkl = _fastest(lambda: linear(inputs, weight))
        return by_mkl > FASTER * _fastest(lambda: by_onednn(inputs, weight, None))


def _fastest(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(8):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
