"""Products by oneDNN are those of torch's own choice, and are taken where they are asked for alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from models.decode import onednn_linear
from models.decode.generation import answers
from models.decode.onednn_linear import LEAST, by_onednn, quick_products, rounded
from models.loading.load_model import load
from noise import mini

WIDE = 1024


class Packed(torch.Tensor):
    """Quantised weights are a kind of tensor that says it is float32."""


@pytest.fixture(autouse=True)
def _worth_while(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        pytest.skip("this torch was built without oneDNN")
    monkeypatch.setattr(onednn_linear, "worth_while", lambda: True)


@pytest.fixture
def asked_of_onednn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes that were given to oneDNN."""
    shapes = []

    def noted(inputs: torch.Tensor, *rest: Any) -> torch.Tensor:
        shapes.append(tuple(inputs.shape))
        return by_onednn(inputs, *rest)

    monkeypatch.setattr(onednn_linear, "by_onednn", noted)
    return shapes


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDE, WIDE), nn.Linear(WIDE, WIDE, bias=False))


@pytest.mark.parametrize("shape", [(1, WIDE), (7, WIDE), (3, 5, WIDE)])
def test_the_product_is_the_same_but_for_rounding(model: Any, shape: tuple[int, ...]) -> None:
    inputs = torch.randn(*shape)
    with torch.inference_mode():
        for layer in model:
            found = by_onednn(inputs, layer.weight, layer.bias)
            torch.testing.assert_close(found.double(), layer.double()(inputs.double()), atol=1e-5, rtol=1e-5)


def test_inputs_need_not_lie_in_order(model: Any) -> None:
    inputs = torch.randn(WIDE, 6).t()
    with torch.inference_mode():
        torch.testing.assert_close(
            by_onednn(inputs, model[0].weight, model[0].bias), linear(inputs, model[0].weight, model[0].bias)
        )


def test_layers_are_as_before_when_it_is_over(model: Any, asked_of_onednn: list[tuple[int, ...]]) -> None:
    inputs = torch.randn(4, WIDE)
    with torch.inference_mode():
        expected = model(inputs)
        with quick_products(model):
            torch.testing.assert_close(model(inputs), expected)
        assert len(asked_of_onednn) == 2
        assert torch.equal(model(inputs), expected)
    assert len(asked_of_onednn) == 2
    assert all("forward" not in layer.__dict__ for layer in model)


@pytest.mark.parametrize("rows", [1, 3, 8, 9, 96, 100, 129, 1000])
def test_products_of_all_sizes_are_made_as_products_of_few(
    model: Any, asked_of_onednn: list[tuple[int, ...]], rows: int
) -> None:
    inputs = torch.randn(rows, 1, WIDE)
    with torch.inference_mode():
        expected = model(inputs)
        with quick_products(model):
            torch.testing.assert_close(model(inputs), expected, atol=1e-5, rtol=1e-5)
    assert {shape[0] for shape in asked_of_onednn} == {rounded(rows)}
    assert rows <= rounded(rows) < 2 * rows or rows == rounded(rows) == 1
    assert len({rounded(number) for number in range(1, 1025)}) == 4 + 8 + 14


def test_layers_are_as_before_after_a_failure(model: Any) -> None:
    def fails() -> None:
        with quick_products(model):
            assert all("forward" in layer.__dict__ for layer in model)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert all("forward" not in layer.__dict__ for layer in model)


def test_small_products_stay_where_they_are(asked_of_onednn: list[tuple[int, ...]]) -> None:
    small = nn.Linear(32, 32)
    with quick_products(small), torch.inference_mode():
        small(torch.randn(LEAST // 32 // 32 - 1, 32))
        assert asked_of_onednn == []
        small(torch.randn(LEAST // 32 // 32, 32))
    assert asked_of_onednn == [(LEAST // 32 // 32, 32)]


def test_gradients_flow_as_ever(model: Any, asked_of_onednn: list[tuple[int, ...]]) -> None:
    with quick_products(model):
        model(torch.randn(4, WIDE)).sum().backward()
    assert asked_of_onednn == []
    assert all(layer.weight.grad is not None for layer in model)


def test_other_precisions_and_layers_with_a_forward_of_their_own_are_left_alone(
    model: Any, asked_of_onednn: list[tuple[int, ...]]
) -> None:
    own = model[0].forward
    model[0].forward = lambda inputs: own(inputs)
    half, packed = nn.Linear(WIDE, WIDE).bfloat16(), nn.Linear(WIDE, WIDE, bias=False)
    packed.weight = nn.Parameter(packed.weight.detach().as_subclass(Packed))
    inputs = torch.randn(4, WIDE)
    with quick_products(nn.ModuleList([model, half, packed])), torch.inference_mode():
        model(inputs)
        half(inputs.bfloat16())
        packed(inputs)
        assert len(asked_of_onednn) == 1, "the model's second layer's"
        with torch.autocast("cpu", torch.bfloat16):
            assert model(inputs).dtype == model(inputs.bfloat16()).dtype == torch.bfloat16
    assert len(asked_of_onednn) == 1
    assert "forward" in model[0].__dict__


@pytest.mark.parametrize("taken", [True, False])
def test_answers_are_asked_for_this_way_where_it_is_worth_while(
    monkeypatch: pytest.MonkeyPatch, asked_of_onednn: list[tuple[int, ...]], taken: bool
) -> None:
    monkeypatch.setattr(onednn_linear, "worth_while", lambda: taken)
    loaded = load("llama", "cpu", "float32")
    dict(answers(loaded, [problem.question for problem in mini.problems("test")[:20]], 8))
    assert bool(asked_of_onednn) == taken


def test_trying_out_leaves_the_random_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    onednn_linear.worth_while.cache_clear()
    before = torch.get_rng_state()
    onednn_linear.worth_while()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
