"""Everything that depends on the internals of torch.

`tests/models/test_upstream_torch.py` says which of them changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map


def has_mkldnn_linear() -> bool:
    """Return whether `mkldnn_linear` works: False for a torch built without oneDNN."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def mkldnn_linear(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Compute `torch.nn.functional.linear` in oneDNN, by the operator that `torch.compile` uses for it."""
    outputs: torch.Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return outputs


def is_failed_write(error: BaseException) -> bool:
    """Return whether `torch.save` raised this because the disk refused the bytes, for which it has no error class: a
    full disk, a quota, or a limit on the size of files."""
    messages = ("iostream error", "unexpected pos", "file write failed", "PytorchStreamWriter failed")
    return isinstance(error, RuntimeError) and any(message in str(error) for message in messages)


def has_own_forward(module: nn.Module) -> bool:
    """Return whether this instance has a `forward` that is not its class's, as hooks of accelerate install."""
    return "forward" in module.__dict__


@contextmanager
def replaced_forward(modules: Sequence[nn.Module], forward: Callable[..., torch.Tensor]) -> Iterator[None]:
    """Inside, each of `modules` runs `forward(module, *inputs)`. None of them may have an own `forward` already."""
    for module in modules:  # in the instance, where `nn.Module.__setattr__` has nothing to register
        module.__dict__["forward"] = partial(forward, module)
    try:
        yield
    finally:
        for module in modules:
            del module.__dict__["forward"]


def multiplies_bfloat16() -> bool:
    """Return whether this processor has instructions that multiply in bfloat16."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@contextmanager
def muon_orthogonalised_by(function: Callable[..., torch.Tensor]) -> Iterator[None]:
    """Inside, `torch.optim.Muon` orthogonalises a matrix by `function(gradient, coefficients, steps, epsilon)`."""
    from torch.optim import _muon

    module: Any = _muon
    original, module._zeropower_via_newtonschulz = module._zeropower_via_newtonschulz, function
    try:
        yield
    finally:
        module._zeropower_via_newtonschulz = original


class RepeatableTensor(torch.Tensor):
    """A tensor of shape (rows, heads, columns, size) whose `repeat` along the heads copies nothing: it returns a
    `RepeatedTensor`. Everything else is as in `torch.Tensor`."""

    def repeat(self, *sizes: int) -> Any:  # type: ignore[override]
        plain = self.as_subclass(torch.Tensor)
        if len(sizes) != 4 or (sizes[0], *sizes[2:]) != (1, 1, 1):
            return plain.repeat(*sizes)
        repeated = plain.as_subclass(RepeatedTensor)
        repeated.plain, repeated.times = plain, sizes[1]
        return repeated


class RepeatedTensor(torch.Tensor):
    """`plain` with its heads repeated `times` times. Any function of torch gets the repeated copy."""

    plain: torch.Tensor
    times: int

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*tree_map(materialize, args), **tree_map(materialize, kwargs or {}))


def materialize(value: Any) -> Any:
    """Return the repeated copy of a `RepeatedTensor`, and anything else as it is."""
    return value.plain.repeat(1, value.times, 1, 1) if isinstance(value, RepeatedTensor) else value
