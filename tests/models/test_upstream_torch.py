"""Canaries for `models.upstream_torch`: each fails with what changed in torch and what depends on it."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from models.upstream_torch import (
    RepeatableTensor,
    RepeatedTensor,
    has_mkldnn_linear,
    has_own_forward,
    is_failed_write,
    materialize,
    mkldnn_linear,
    muon_orthogonalised_by,
    replaced_forward,
)

VERSION = f"torch {torch.__version__}"


def test_the_mkldnn_operator_is_there() -> None:
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch was built without oneDNN")
    assert has_mkldnn_linear(), (
        f"{VERSION} has no operator torch.ops.mkldnn._linear_pointwise, which models.upstream_torch.mkldnn_linear"
        " calls: float32 decoding runs at MKL's speed until it calls what torch.compile uses now"
    )


@pytest.mark.skipif(not has_mkldnn_linear(), reason="this torch was built without oneDNN, or its operator is gone")
def test_the_mkldnn_operator_takes_and_computes_what_it_did() -> None:
    weight, bias = torch.randn(8, 16), torch.randn(8)
    for inputs in (torch.randn(3, 16), torch.randn(2, 3, 16)):
        for chosen in (bias, None):
            try:
                outputs = mkldnn_linear(inputs, weight, chosen)
            except (RuntimeError, TypeError) as error:
                pytest.fail(
                    f"{VERSION}: torch.ops.mkldnn._linear_pointwise takes other arguments than"
                    f" models.upstream_torch.mkldnn_linear gives it: {error}"
                )
            assert torch.allclose(outputs, linear(inputs, weight, chosen), atol=1e-5), (
                f"{VERSION}: torch.ops.mkldnn._linear_pointwise no longer computes inputs @ weight.T + bias, which"
                " models.upstream_torch.mkldnn_linear relies on"
            )


def test_a_forward_in_the_instance_is_called() -> None:
    layer = nn.Linear(2, 2)
    assert not has_own_forward(layer), (
        f"{VERSION} puts a forward into every module's __dict__: models.upstream_torch.has_own_forward would take each"
        " for replaced already, and no layer would compute in oneDNN"
    )
    calls: list[tuple[Any, ...]] = []

    def forward(*args: Any) -> torch.Tensor:
        calls.append(args)
        return args[1]

    inputs = torch.randn(1, 2)
    with replaced_forward([layer], forward):
        outputs = layer(inputs)
    assert calls == [(layer, inputs)], (
        f"{VERSION}: nn.Module.__call__ no longer looks forward up in the instance's __dict__, where"
        " models.upstream_torch.replaced_forward puts it"
    )
    assert outputs is inputs
    assert not has_own_forward(layer)


def test_views_of_a_subclass_keep_the_subclass() -> None:
    tensor = torch.randn(2, 4, 3, 5).as_subclass(RepeatableTensor)
    kinds = {type(part) for part in torch.chunk(tensor, 2, dim=1)}
    assert kinds == {RepeatableTensor}, (
        f"{VERSION}: torch.chunk of a Tensor subclass gives {kinds}; DiffLlama chunks its values before it repeats"
        " them, so models.upstream_torch.RepeatableTensor would see no repeat"
    )


def test_repeat_is_intercepted() -> None:
    repeated = torch.randn(2, 4, 3, 5).as_subclass(RepeatableTensor).repeat(1, 2, 1, 1)
    assert type(repeated) is RepeatedTensor, (
        f"{VERSION}: calling .repeat on a Tensor subclass no longer reaches its own method, which"
        " models.upstream_torch.RepeatableTensor overrides to save a copy"
    )


def test_functions_of_torch_get_the_repeated_copy() -> None:
    plain = torch.randn(2, 4, 3, 5)
    repeated = plain.as_subclass(RepeatableTensor).repeat(1, 2, 1, 1)
    expected = plain.repeat(1, 2, 1, 1)
    assert torch.equal(materialize(repeated), expected)
    for name, result in (
        ("a method", repeated.sum(1)),
        ("a function with a list of tensors", torch.stack([repeated, repeated]).sum((0, 2)) / 2),
        ("a keyword argument", torch.sum(input=repeated, dim=1)),
    ):
        assert torch.allclose(torch.Tensor(result), expected.sum(1), atol=1e-5), (
            f"{VERSION}: {name} of torch no longer goes through __torch_function__ with its arguments as a pytree,"
            " which models.upstream_torch.RepeatedTensor relies on"
        )


@pytest.mark.parametrize("size", [300, 3_000])
def test_a_write_that_the_disk_refuses_is_known_by_its_message(tmp_path: Path, size: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        with pytest.raises(RuntimeError) as raised:
            torch.save({"weights": torch.zeros(10_000)}, tmp_path / "state.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert is_failed_write(raised.value), (
        f"{VERSION}: torch.save says {str(raised.value)!r} where the disk refuses its bytes; add these words to"
        " models.upstream_torch.is_failed_write"
    )


def test_muon_orthogonalizes_by_the_function_that_it_is_given() -> None:
    calls = []

    def zeros(gradient: torch.Tensor, coefficients: Any, steps: int, epsilon: float) -> torch.Tensor:
        calls.append((gradient.shape, len(coefficients), steps, epsilon))
        return torch.zeros_like(gradient)

    weight = nn.Parameter(torch.ones(3, 2))
    weight.grad = torch.ones(3, 2)
    optimizer = torch.optim.Muon([weight], lr=0.1, weight_decay=0.0)
    with muon_orthogonalised_by(zeros):
        optimizer.step()
    assert calls == [((3, 2), 3, 5, 1e-7)], f"{VERSION}: Muon's step has changed; see `models.mini.newton_schulz`"
    assert torch.equal(weight, torch.ones(3, 2))
    optimizer.step()
    assert len(calls) == 1
    assert not torch.equal(weight, torch.ones(3, 2))
