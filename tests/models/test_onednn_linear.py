"""Linear layers in oneDNN compute what torch's default does, and only where that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from models.decode import onednn_linear
from models.decode.generation import answers
from models.decode.onednn_linear import MIN_MULTIPLICATIONS, onednn_matmul, padded_row_count
from models.loading.load_model import load
from models.upstream_torch import has_mkldnn_linear, has_own_forward, mkldnn_linear
from noise import mini

WIDE = 1024


class Packed(torch.Tensor):
    """Stands for quantised weights, a subclass of Tensor that claims to be float32."""


@pytest.fixture(autouse=True)
def _replaces_mkl(monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_mkldnn_linear():
        pytest.skip("this torch was built without oneDNN")
    monkeypatch.setattr(onednn_linear, "replaces_mkl", lambda: True)


@pytest.fixture
def onednn_shapes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the inputs that oneDNN was called with."""
    shapes: list[tuple[int, ...]] = []
    monkeypatch.setattr(onednn_linear, "mkldnn_linear", _recorded(shapes))
    return shapes


def _recorded(shapes: list[tuple[int, ...]]) -> Callable[..., torch.Tensor]:
    def recorded(inputs: torch.Tensor, *rest: Any) -> torch.Tensor:
        shapes.append(tuple(inputs.shape))
        return mkldnn_linear(inputs, *rest)

    return recorded


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDE, WIDE), nn.Linear(WIDE, WIDE, bias=False))


@pytest.mark.parametrize("shape", [(1, WIDE), (7, WIDE), (3, 5, WIDE)])
def test_outputs_are_the_same_up_to_rounding(model: Any, shape: tuple[int, ...]) -> None:
    inputs = torch.randn(*shape)
    with torch.inference_mode():
        for layer in model:
            output = mkldnn_linear(inputs, layer.weight, layer.bias)
            torch.testing.assert_close(output.double(), layer.double()(inputs.double()), atol=1e-5, rtol=1e-5)


def test_inputs_need_not_be_contiguous(model: Any) -> None:
    inputs = torch.randn(WIDE, 6).t()
    with torch.inference_mode():
        torch.testing.assert_close(
            mkldnn_linear(inputs, model[0].weight, model[0].bias), linear(inputs, model[0].weight, model[0].bias)
        )


def test_layers_are_restored_on_exit(model: Any, onednn_shapes: list[tuple[int, ...]]) -> None:
    inputs = torch.randn(4, WIDE)
    with torch.inference_mode():
        expected = model(inputs)
        with onednn_matmul(model):
            torch.testing.assert_close(model(inputs), expected)
        assert len(onednn_shapes) == 2
        assert torch.equal(model(inputs), expected)
    assert len(onednn_shapes) == 2
    assert not any(has_own_forward(layer) for layer in model)


@pytest.mark.parametrize("rows", [1, 3, 8, 9, 96, 100, 129, 1000])
def test_row_counts_are_padded_to_a_few(model: Any, onednn_shapes: list[tuple[int, ...]], rows: int) -> None:
    inputs = torch.randn(rows, 1, WIDE)
    with torch.inference_mode():
        expected = model(inputs)
        with onednn_matmul(model):
            torch.testing.assert_close(model(inputs), expected, atol=1e-5, rtol=1e-5)
    assert {shape[0] for shape in onednn_shapes} == {padded_row_count(rows)}
    assert rows <= padded_row_count(rows) < 2 * rows or rows == padded_row_count(rows) == 1
    assert len({padded_row_count(number) for number in range(1, 1025)}) == 4 + 8 + 14


def test_layers_are_restored_after_an_error(model: Any) -> None:
    def fails() -> None:
        with onednn_matmul(model):
            assert all(has_own_forward(layer) for layer in model)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert not any(has_own_forward(layer) for layer in model)


def test_small_products_stay_in_mkl(onednn_shapes: list[tuple[int, ...]]) -> None:
    small = nn.Linear(32, 32)
    with onednn_matmul(small), torch.inference_mode():
        small(torch.randn(MIN_MULTIPLICATIONS // 32 // 32 - 1, 32))
        assert onednn_shapes == []
        small(torch.randn(MIN_MULTIPLICATIONS // 32 // 32, 32))
    assert onednn_shapes == [(MIN_MULTIPLICATIONS // 32 // 32, 32)]


def test_gradients_are_recorded_as_usual(model: Any, onednn_shapes: list[tuple[int, ...]]) -> None:
    with onednn_matmul(model):
        model(torch.randn(4, WIDE)).sum().backward()
    assert onednn_shapes == []
    assert all(layer.weight.grad is not None for layer in model)


def test_other_precisions_and_layers_with_a_forward_of_their_own_are_left_alone(
    model: Any, onednn_shapes: list[tuple[int, ...]]
) -> None:
    own = model[0].forward
    model[0].forward = lambda inputs: own(inputs)
    half, packed = nn.Linear(WIDE, WIDE).bfloat16(), nn.Linear(WIDE, WIDE, bias=False)
    packed.weight = nn.Parameter(packed.weight.detach().as_subclass(Packed))
    inputs = torch.randn(4, WIDE)
    with onednn_matmul(nn.ModuleList([model, half, packed])), torch.inference_mode():
        model(inputs)
        half(inputs.bfloat16())
        packed(inputs)
        assert len(onednn_shapes) == 1, "the second layer of the model"
        with torch.autocast("cpu", torch.bfloat16):
            assert model(inputs).dtype == model(inputs.bfloat16()).dtype == torch.bfloat16
    assert len(onednn_shapes) == 1
    assert has_own_forward(model[0])


@pytest.mark.parametrize("mkl", [True, False])
def test_answers_are_decoded_with_onednn_in_place_of_mkl(
    monkeypatch: pytest.MonkeyPatch, onednn_shapes: list[tuple[int, ...]], mkl: bool
) -> None:
    """The build of torch decides, and no timing, so that a repeated run computes the same."""
    monkeypatch.undo()
    monkeypatch.setattr(onednn_linear, "mkldnn_linear", _recorded(onednn_shapes))
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: mkl)
    loaded = load("llama", "cpu", "float32")
    dict(answers(loaded, [problem.question for problem in mini.problems("test")[:20]], 8))
    assert bool(onednn_shapes) == mkl


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
