"""Canaries for what decoding takes from `models.upstream_transformers` and from the caches of transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache
from transformers.models.diffllama import modeling_diffllama

from models.decode.slot_cache import SlotCache
from models.upstream_torch import RepeatableTensor
from models.upstream_transformers import (
    caches_every_column,
    current_attention,
    uses_attention_interface,
    uses_stock_generate,
)

VERSION = f"transformers {transformers.__version__}"
SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
}


def small(name: str, **kwargs: Any) -> Any:
    config = getattr(transformers, f"{name}Config")(**SIZES, **kwargs)
    with torch.random.fork_rng():
        return AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture(params=["DiffLlama", "Llama"])
def model(request: pytest.FixtureRequest) -> Any:
    return small(request.param)


def test_the_families_look_attention_up_by_name(model: Any) -> None:
    assert uses_attention_interface(model), (
        f"{VERSION}: the module of {type(model).__name__} has no ALL_ATTENTION_FUNCTIONS, by which"
        " models.upstream_transformers.uses_attention_interface tells what decode_attention can speed up"
    )


def test_the_implementation_s_name_is_in_the_configuration(model: Any) -> None:
    for name in ("eager", "sdpa"):
        model.set_attn_implementation(name)
        assert current_attention(model) == name, (
            f"{VERSION}: set_attn_implementation no longer writes config._attn_implementation, which"
            " models.upstream_transformers.current_attention reads"
        )


def test_the_families_use_the_stock_generate(model: Any) -> None:
    assert uses_stock_generate(model), (
        f"{VERSION}: {type(model).__name__} overrides generate or prepare_inputs_for_generation, or comes from another"
        " package: models.upstream_transformers.uses_stock_generate sends it to the slower generate"
    )

    class Own(type(model)):  # type: ignore[misc]
        def prepare_inputs_for_generation(self, *args: Any, **kwargs: Any) -> Any:
            return super().prepare_inputs_for_generation(*args, **kwargs)

    Own.__module__ = type(model).__module__
    assert not uses_stock_generate(Own(model.config))


def test_the_kind_of_cache_is_known_from_the_configuration(model: Any) -> None:
    assert caches_every_column(model), (
        f"{VERSION}: DynamicCache(config=…).layers of {type(model).__name__} are not DynamicLayer, by which"
        " models.upstream_transformers.caches_every_column knows full attention"
    )
    assert not caches_every_column(small("Mistral", sliding_window=8)), (
        f"{VERSION}: DynamicCache(config=…) has the same layers for a sliding window, so that"
        " models.upstream_transformers.caches_every_column cannot tell it from full attention"
    )


def test_a_cache_layer_needs_what_slot_cache_has() -> None:
    missing = set(CacheLayerMixin.__abstractmethods__) - set(vars(SlotCache))
    assert not missing, (
        f"{VERSION}: CacheLayerMixin asks for {sorted(missing)}, which models.decode.slot_cache.SlotCache does not have"
    )


def test_a_filled_cache_gives_out_its_keys_and_values(model: Any) -> None:
    cache: Any = DynamicCache(config=model.config)
    model(input_ids=torch.arange(6).view(2, 3), past_key_values=cache)
    shapes = {tuple(states.shape[:3]) for layer in cache.layers for states in (layer.keys, layer.values)}
    assert shapes == {(2, 4, 3)}, (
        f"{VERSION}: the layers of a DynamicCache hold keys and values of shape {shapes}, where"
        " models.decode.prefill expects (rows, heads, columns, size)"
    )


def test_diffllama_repeats_its_values_along_the_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `RepeatableTensor` saves is the copy of `value.repeat(1, 2, 1, 1)`."""
    repeats: list[tuple[int, ...]] = []

    def repeat(self: torch.Tensor, *sizes: int) -> torch.Tensor:
        repeats.append(sizes)
        return self.as_subclass(torch.Tensor).repeat(*sizes)

    monkeypatch.setattr(RepeatableTensor, "repeat", repeat)
    layer = small("DiffLlama").model.layers[0].self_attn
    slots: Any = SlotCache(torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8), 2, RepeatableTensor)
    hidden = torch.randn(1, 1, 32)
    rope = modeling_diffllama.DiffLlamaRotaryEmbedding(layer.config)
    with torch.inference_mode():
        layer(hidden, rope(hidden, torch.tensor([[2]])), None, past_key_values=Cache(layers=[slots]))
    assert repeats == [(1, 2, 1, 1)] * 2, (
        f"{VERSION}: DiffLlamaAttention no longer calls repeat(1, 2, 1, 1) on each half of its cached values (it called"
        f" {repeats}): models.upstream_torch.RepeatableTensor saves no copy any more"
    )
