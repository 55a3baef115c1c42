"""Compute float32 linear layers on a CPU in oneDNN where torch's default is MKL.

On non-Intel processors, MKL may leave half of the vector unit unused (docs/speed.md has figures). oneDNN, which torch
uses for bfloat16 and for compiled models, does not. On others the two are as fast. The choice depends on the build of
torch alone: one by timing differs from run to run on a busy machine, and with it the last digit of a likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.functional import linear

from models.upstream_torch import has_mkldnn_linear, has_own_forward, mkldnn_linear, replaced_forward

#: Products with fewer multiplications are not worth oneDNN's overhead (by timing, on two cores).
MIN_MULTIPLICATIONS = 2**20


@contextmanager
def onednn_matmul(model: nn.Module) -> Iterator[None]:
    """Inside, the plain float32 linear layers of `model` on a CPU compute in oneDNN where torch would use MKL
    and no gradient is recorded. The order of the sums differs, as it does from one batch to another."""
    layers = []
    if replaces_mkl():
        layers = [
            layer
            for layer in model.modules()
            if type(layer) is nn.Linear and not has_own_forward(layer) and _is_plain_float32(layer.weight)
        ]
    with replaced_forward(layers, _linear_forward):
        yield


def _is_plain_float32(weight: torch.Tensor) -> bool:
    """Return whether `weight` is an ordinary float32 CPU tensor. Quantised weights may claim to be float32."""
    plain = type(weight) in (torch.Tensor, nn.Parameter) and weight.layout == torch.strided
    return plain and weight.device.type == "cpu" and weight.dtype == torch.float32


def _linear_forward(layer: nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
    unsuited = inputs.dtype != torch.float32 or torch.is_autocast_enabled("cpu") or torch.is_grad_enabled()
    if unsuited or inputs.numel() * layer.out_features < MIN_MULTIPLICATIONS:
        return linear(inputs, layer.weight, layer.bias)
    rows = inputs.numel() // layer.in_features
    padded_rows = padded_row_count(rows)
    if padded_rows == rows:
        return mkldnn_linear(inputs, layer.weight, layer.bias)
    padded = inputs.new_zeros(padded_rows, layer.in_features)
    padded[:rows] = inputs.reshape(rows, -1)
    return mkldnn_linear(padded, layer.weight, layer.bias)[:rows].view(*inputs.shape[:-1], -1)


def padded_row_count(rows: int) -> int:
    """Return the next larger of a few row counts: oneDNN compiles a kernel of some 0.7 MB for each count, and keeps a
    thousand of them."""
    if rows <= 8:
        return 1 << (rows - 1).bit_length()
    step = 16 if rows <= 128 else 64
    return -(-rows // step) * step


def replaces_mkl() -> bool:
    """Return whether this torch has both libraries, and would use MKL."""
    return has_mkldnn_linear() and torch.backends.mkl.is_available()
