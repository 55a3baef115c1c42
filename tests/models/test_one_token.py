"""Attention of one new token: the outputs of `sdpa`, with repeated values left where they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import DiffLlamaConfig, DiffLlamaForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import Cache, DynamicCache

from models import one_token
from models.decoding import _Seats
from models.one_token import NAME, Repeated, Values, one_token_attention

ROWS, READ = 3, 9
SHAPE: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
}


@pytest.fixture(params=["diffllama", "llama"])
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    config, kind = {
        "diffllama": (DiffLlamaConfig, DiffLlamaForCausalLM),
        "llama": (LlamaConfig, LlamaForCausalLM),
    }[request.param]
    return kind(config(**SHAPE)).eval()


def step(model: Any, kind: type[torch.Tensor], mask: torch.Tensor | None, new: int = 1) -> torch.Tensor:
    """The logits of `new` more tokens behind `READ` that were read, with a cache that gives out values of `kind`."""
    ids = torch.arange(ROWS * (READ + new)).view(ROWS, -1) % 64
    read = DynamicCache(config=model.config)
    model(input_ids=ids[:, :READ], past_key_values=read)
    room = [torch.zeros(ROWS, 8, READ + new + 2, 4) for _ in range(4)]
    seats: list[Any] = []
    for layer, keys, values in zip(read.layers, room[::2], room[1::2], strict=True):
        keys[:, :, :READ], values[:, :, :READ] = layer.keys, layer.values
        seats.append(_Seats(keys, values, READ, kind))
    logits: torch.Tensor = model(
        input_ids=ids[:, READ:],
        past_key_values=Cache(layers=seats),
        attention_mask=mask,
        position_ids=torch.arange(READ, READ + new).expand(ROWS, -1),
    ).logits
    return logits


@pytest.mark.parametrize("new", [1, 2])
@pytest.mark.parametrize("masked", [False, True])
@torch.inference_mode()
def test_the_logits_are_those_of_sdpa(model: Any, masked: bool, new: int) -> None:
    mask = torch.ones(ROWS, READ + new, dtype=torch.long)
    mask[1, :4] = mask[2, :1] = 0
    expected = step(model, torch.Tensor, mask if masked else None, new)
    with one_token_attention(model) as taken:
        assert taken
        found = step(model, Values, mask if masked else None, new)
        plain = step(model, torch.Tensor, mask if masked else None, new)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(plain, expected)
    if masked:  # or the mask would mean nothing
        assert not torch.allclose(expected, step(model, torch.Tensor, None, new), atol=1e-3)


@torch.inference_mode()
def test_a_mask_that_is_added_is_one_too(model: Any) -> None:
    query, key, value = torch.randn(2, 16, 1, 4), torch.randn(2, 8, 5, 4), torch.randn(2, 8, 5, 4)
    seen = torch.tensor([[True] * 5, [False, False, True, True, True]])[:, None, None]
    added = torch.zeros(2, 1, 1, 5).masked_fill(~seen, torch.finfo(torch.float32).min)
    by_choice, by_sum = (
        one_token._attend(model.model.layers[0].self_attn, query, key, value, mask)[0] for mask in (seen, added)
    )
    torch.testing.assert_close(by_choice, by_sum)


@torch.inference_mode()
def test_weights_are_made_once_a_layer_and_nothing_is_kept(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.Tensor] = []
    weights = one_token._weights
    monkeypatch.setattr(one_token, "_weights", lambda *given: made.append(weights(*given)) or made[-1])
    with one_token_attention(model):
        step(model, Values, None)
    assert len(made) == SHAPE["num_hidden_layers"]
    assert one_token._shared._kept is None


def test_values_are_repeated_without_a_copy_and_are_whole_for_anybody_else() -> None:
    plain = torch.arange(24.0).view(1, 2, 3, 4)
    repeated = plain.as_subclass(Values).repeat(1, 3, 1, 1)
    assert isinstance(repeated, Repeated)
    assert (repeated.times, repeated.plain.data_ptr()) == (3, plain.data_ptr())
    expected = plain.repeat(1, 3, 1, 1)
    assert repeated.shape == expected.shape
    assert torch.equal(repeated + 1, expected + 1)
    assert torch.equal(torch.cat([repeated, expected]), torch.cat([expected, expected]))
    assert torch.equal(repeated.repeat(1, 2, 1, 1), expected.repeat(1, 2, 1, 1))
    assert torch.equal(plain.as_subclass(Values).repeat(2, 1, 1, 1), plain.repeat(2, 1, 1, 1))


def test_another_implementation_is_left_to_itself(model: Any) -> None:
    model.set_attn_implementation("eager")
    with one_token_attention(model) as taken:
        assert not taken
        assert model.config._attn_implementation == "eager"


def test_its_own_implementation_is_back_after_a_failure(model: Any) -> None:
    def fails() -> None:
        with one_token_attention(model):
            assert model.config._attn_implementation == NAME
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert model.config._attn_implementation == "sdpa"
