"""Attention of one new token: the outputs of `sdpa`, without copies of repeated values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
import torch
from transformers import DiffLlamaConfig, DiffLlamaForCausalLM, LlamaConfig, LlamaForCausalLM
from transformers.cache_utils import Cache, DynamicCache
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import eager_attention_forward

from models.decode import decode_attention
from models.decode.decode_attention import DECODE_ATTENTION, decode_attention_forward, fast_decode_attention
from models.decode.slot_cache import SlotCache
from models.upstream_torch import RepeatableTensor, RepeatedTensor
from models.upstream_transformers import current_attention

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


def step_logits(model: Any, value_type: type[torch.Tensor], mask: torch.Tensor | None, new: int = 1) -> torch.Tensor:
    """Return the logits of `new` tokens after `READ` cached ones, with a cache that returns values of `value_type`."""
    ids = torch.arange(ROWS * (READ + new)).view(ROWS, -1) % 64
    cache = DynamicCache(config=model.config)
    model(input_ids=ids[:, :READ], past_key_values=cache)
    room = [torch.zeros(ROWS, 8, READ + new + 2, 4) for _ in range(4)]
    slot_caches: list[Any] = []
    for layer, keys, values in zip(cache.layers, room[::2], room[1::2], strict=True):
        keys[:, :, :READ], values[:, :, :READ] = layer.keys, layer.values
        slot_caches.append(SlotCache(keys, values, READ, value_type))
    logits: torch.Tensor = model(
        input_ids=ids[:, READ:],
        past_key_values=Cache(layers=slot_caches),
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
    expected = step_logits(model, torch.Tensor, mask if masked else None, new)
    with fast_decode_attention(model) as used:
        assert used
        logits = step_logits(model, RepeatableTensor, mask if masked else None, new)
        plain = step_logits(model, torch.Tensor, mask if masked else None, new)
    torch.testing.assert_close(logits, expected)
    torch.testing.assert_close(plain, expected)
    if masked:  # the mask changes something
        assert not torch.allclose(expected, step_logits(model, torch.Tensor, None, new), atol=1e-3)


SEEN = torch.tensor([[True] * 5, [False, False, True, True, True]])[:, None, None]
MASKS = {
    "none": None,
    "chosen": SEEN,
    "added": torch.zeros(2, 1, 1, 5).masked_fill(~SEEN, torch.finfo(torch.float32).min),
    "of each head": SEEN | (torch.arange(16) % 3 == 0)[:, None, None],
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("heads", [1, 2, 8, 16])
@torch.inference_mode()
def test_any_mask_and_any_heads_give_what_sdpa_gives(mask: str, heads: int) -> None:
    class Module(torch.nn.Module):
        num_key_value_groups, is_causal = 16 // heads, True

    query, key, value = torch.randn(2, 16, 1, 4), torch.randn(2, heads, 5, 4), torch.randn(2, heads, 5, 6)
    for more in ({}, {"scaling": 0.7}):
        expected, _ = sdpa_attention_forward(Module(), query, key, value, MASKS[mask], **more)
        output, _ = decode_attention_forward(
            Module(), query, key, value.as_subclass(RepeatableTensor), MASKS[mask], **more
        )
        assert type(output) is torch.Tensor
        torch.testing.assert_close(output, expected)


@torch.inference_mode()
def test_in_bfloat16_it_is_as_exact_as_eager() -> None:
    query, key, value = torch.randn(8, 16, 1, 64), torch.randn(8, 4, 300, 64), torch.randn(8, 4, 300, 64)
    module = SimpleNamespace(num_key_value_groups=4, is_causal=True, training=False)
    exact, _ = eager_attention_forward(module, query.double(), key.double(), value.double(), None, 0.125)  # type: ignore[arg-type]
    half = [states.bfloat16() for states in (query, key, value)]
    errors = [
        float((attend(module, *half, None, scaling=0.125)[0].double() - exact).abs().mean())  # type: ignore[arg-type]
        for attend in (decode_attention_forward, eager_attention_forward)
    ]
    assert errors[0] < 1.1 * errors[1]


@torch.inference_mode()
def test_weights_are_computed_once_a_layer_and_no_cache_is_kept_alive(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[torch.Tensor] = []
    real = decode_attention._attention_weights
    monkeypatch.setattr(
        decode_attention, "_attention_weights", lambda *args: computed.append(real(*args)) or computed[-1]
    )
    with fast_decode_attention(model):
        step_logits(model, RepeatableTensor, None)
    assert len(computed) == SHAPE["num_hidden_layers"]
    values = torch.randn(2, 8, 5, 4)
    key = values + 1
    key_ref = ref(key)
    decode_attention_forward(
        model, torch.randn(2, 16, 1, 4), key, values.as_subclass(RepeatableTensor).repeat(1, 1, 1, 1), None
    )
    del key
    assert key_ref() is None, "the weights wait for a second call, the keys do not"


def test_values_are_repeated_without_a_copy_until_torch_needs_one() -> None:
    plain = torch.arange(24.0).view(1, 2, 3, 4)
    repeated = plain.as_subclass(RepeatableTensor).repeat(1, 3, 1, 1)
    assert isinstance(repeated, RepeatedTensor)
    assert (repeated.times, repeated.plain.data_ptr()) == (3, plain.data_ptr())
    expected = plain.repeat(1, 3, 1, 1)
    assert repeated.shape == expected.shape
    assert torch.equal(repeated + 1, expected + 1)
    assert torch.equal(torch.cat([repeated, expected]), torch.cat([expected, expected]))
    assert torch.equal(repeated.repeat(1, 2, 1, 1), expected.repeat(1, 2, 1, 1))
    assert torch.equal(plain.as_subclass(RepeatableTensor).repeat(2, 1, 1, 1), plain.repeat(2, 1, 1, 1))


def test_another_implementation_is_left_alone(model: Any) -> None:
    model.set_attn_implementation("eager")
    with fast_decode_attention(model) as used:
        assert not used
        assert current_attention(model) == "eager"


def test_the_model_s_own_implementation_is_restored_after_an_error(model: Any) -> None:
    def fails() -> None:
        with fast_decode_attention(model):
            assert current_attention(model) == DECODE_ATTENTION
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert current_attention(model) == "sdpa"
