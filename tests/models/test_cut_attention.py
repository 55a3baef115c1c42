"""Edges of the attention are cut as asked, in A1, A2 or both, and nothing else changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel, StaticCache
from transformers.masking_utils import eager_mask

from models import AttentionUnavailable, attention_allocation, cut_attention, differential_attention, scaled_lambda
from models.attention.attention_edits import is_edited
from models.attention.edited_implementations import _last_mask
from models.attention.subtraction_registry import subtraction_of
from models.upstream_transformers import attention_set, current_attention, repeat_kv
from tests.models.attention_models import FAMILIES, SHAPES, padded_batch, random_model

MODELS = [(family, shape) for family in FAMILIES for shape in SHAPES]
EXPLICIT = "explicit_cut"


@pytest.fixture(params=MODELS, ids=lambda value: f"{value[0]}-{value[1][1]}-{value[1][2]}-{value[1][3]}")
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return random_model(*request.param)


@pytest.fixture
def diffllama() -> PreTrainedModel:
    return random_model("diffllama", SHAPES[1])


def random_cut(batch: dict[str, torch.Tensor], seed: int = 0, share: float = 0.3) -> torch.Tensor:
    """Return random edges, never one of a query to itself."""
    rows, length = batch["input_ids"].shape
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(rows, length, length, generator=generator) < share) & ~torch.eye(length, dtype=torch.bool)


def logits(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the logits of the tokens that are no padding, (tokens, vocabulary)."""
    with torch.inference_mode():
        return model(**batch).logits[batch["attention_mask"].bool()]


def explicit_attention(
    weights_of: Callable[[torch.nn.Module, torch.Tensor], torch.Tensor],
) -> Callable[..., tuple[torch.Tensor, None]]:
    """Return an attention function that forms the softmax of every head, and hands it to `weights_of` before use."""

    def attend(
        module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, scaling: float, **_: Any
    ) -> tuple[torch.Tensor, None]:
        groups = query.shape[1] // key.shape[1]
        scores = query @ repeat_kv(key, groups).transpose(2, 3) * scaling + (0 if mask is None else mask)
        output = weights_of(module, scores.softmax(-1)) @ repeat_kv(value, groups)
        return output.transpose(1, 2).contiguous(), None

    return attend


def explicit_logits(
    model: PreTrainedModel,
    batch: dict[str, torch.Tensor],
    weights_of: Callable[[torch.nn.Module, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Return the logits with explicit patterns that `weights_of` has changed."""
    AttentionInterface.register(EXPLICIT, explicit_attention(weights_of))
    AttentionMaskInterface.register(EXPLICIT, eager_mask)
    with attention_set(model, EXPLICIT):
        return logits(model, batch)


def without_columns(
    cut: torch.Tensor, part: str, renormalise: bool, layers: Any = None, heads: Any = None
) -> Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]:
    """Return a function that removes the weights of `cut` from a pattern, (batch, heads, query, key)."""

    def weights_of(module: Any, weights: torch.Tensor) -> torch.Tensor:
        if layers is not None and module.layer_idx not in layers:
            return weights
        changed = torch.zeros(weights.shape[1], dtype=torch.bool)
        subtraction = subtraction_of(module)
        if subtraction is None:
            changed[list(range(len(changed)) if heads is None else heads)] = True
        else:
            for name, numbers in zip(("first", "second"), subtraction.pairs(module, len(changed)), strict=True):
                if part in (name, "both"):
                    of_part = torch.arange(len(changed))[numbers]
                    changed[of_part if heads is None else of_part[list(heads)]] = True
        kept = weights.masked_fill(cut[:, None] & changed[:, None, None], 0.0)
        return kept / kept.sum(-1, keepdim=True) if renormalise else kept

    return weights_of


def moved(batch: dict[str, torch.Tensor], noise: torch.Tensor) -> torch.Tensor:
    """Return the positions that tokens have where those of `noise` are not there."""
    kept = batch["attention_mask"].bool() & ~noise
    return (kept.cumsum(-1) - 1).clamp(min=0)


def hide(noise: torch.Tensor) -> torch.Tensor:
    """Return the edges from all other tokens to those of `noise`, (batch, query, key)."""
    return noise[:, None, :] & ~noise[:, :, None]


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_without_an_edge_every_bit_is_as_it_was(
    model: PreTrainedModel, implementation: str, dtype: torch.dtype
) -> None:
    model.to(dtype).set_attn_implementation(implementation)
    batch = padded_batch()
    before = logits(model, batch)
    with cut_attention(model, torch.zeros_like(random_cut(batch))):
        assert torch.equal(logits(model, batch), before)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("renormalise", [True, False])
def test_a_cut_removes_columns_of_the_explicit_pattern(
    model: PreTrainedModel, renormalise: bool, implementation: str
) -> None:
    batch = padded_batch()
    cut = random_cut(batch)
    expected = explicit_logits(model, batch, without_columns(cut, "both", renormalise))
    model.set_attn_implementation(implementation)
    with cut_attention(model, cut, renormalise=renormalise):
        torch.testing.assert_close(logits(model, batch), expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits(model, batch), expected, atol=1e-2), "the cut changed nothing"


@pytest.mark.parametrize("renormalise", [True, False])
@pytest.mark.parametrize("part", ["first", "second"])
def test_a_cut_in_one_pattern_leaves_the_other(diffllama: PreTrainedModel, part: Any, renormalise: bool) -> None:
    batch = padded_batch()
    cut = random_cut(batch)
    expected = explicit_logits(diffllama, batch, without_columns(cut, part, renormalise))
    with cut_attention(diffllama, cut, part, renormalise):
        torch.testing.assert_close(logits(diffllama, batch), expected, rtol=1e-4, atol=1e-4)
    with cut_attention(diffllama, cut, "both", renormalise):
        assert not torch.allclose(logits(diffllama, batch), expected, atol=1e-2)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(MODELS), st.integers(0, 99), st.sampled_from(["both", "first", "second"]), st.booleans(), st.data()
)
def test_chosen_layers_and_heads_alone_are_cut(
    family_and_shape: Any, seed: int, part: Any, renormalise: bool, data: st.DataObject
) -> None:
    family, shape = family_and_shape
    heads_of_a_layer = shape[1] // 2 if family == "diffllama" else shape[1]
    part = part if family == "diffllama" else "both"
    layers = data.draw(st.sets(st.integers(0, shape[3] - 1), min_size=1))
    heads = data.draw(st.sets(st.integers(0, heads_of_a_layer - 1), min_size=1))
    model, batch = random_model(family, shape, seed), padded_batch(seed)
    cut = random_cut(batch, seed)
    expected = explicit_logits(model, batch, without_columns(cut, part, renormalise, layers, heads))
    with cut_attention(model, cut, part, renormalise, sorted(layers), sorted(heads)):
        torch.testing.assert_close(logits(model, batch), expected, rtol=2e-4, atol=2e-4)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(MODELS), st.integers(0, 999), st.integers(1, 12), st.integers(1, 6))
def test_hidden_and_with_the_positions_moved_back_noise_is_not_there(
    family_and_shape: Any, seed: int, start: int, length: int
) -> None:
    model = random_model(*family_and_shape, seed)
    ids = padded_batch(seed, rows=1, length=20)["input_ids"]
    noise = torch.zeros_like(ids, dtype=torch.bool)
    noise[:, start : start + length] = True
    clean = {"input_ids": ids[~noise][None], "attention_mask": torch.ones_like(ids[~noise][None])}
    noisy = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    noisy["position_ids"] = moved(noisy, noise)
    with cut_attention(model, hide(noise)):
        without_noise = logits(model, noisy)[~noise[0]]
    torch.testing.assert_close(without_noise, logits(model, clean), rtol=0, atol=1e-5)


def test_without_lambda_a_differential_model_applies_its_first_pattern_alone(diffllama: PreTrainedModel) -> None:
    def first_alone(module: torch.nn.Module, weights: torch.Tensor) -> torch.Tensor:
        changed = weights.clone()
        changed[:, weights.shape[1] // 2 :] = 0
        return changed

    batch = padded_batch()
    expected = explicit_logits(diffllama, batch, first_alone)
    with scaled_lambda(diffllama, 0):
        torch.testing.assert_close(logits(diffllama, batch), expected, rtol=1e-5, atol=1e-5)


def test_factors_of_lambda_multiply_and_one_changes_nothing(diffllama: PreTrainedModel) -> None:
    batch = padded_batch()
    before = logits(diffllama, batch)
    with scaled_lambda(diffllama, 1):
        assert torch.equal(logits(diffllama, batch), before)
    with scaled_lambda(diffllama, 0.5), scaled_lambda(diffllama, 4):
        twice = logits(diffllama, batch)
    with scaled_lambda(diffllama, 2):
        torch.testing.assert_close(logits(diffllama, batch), twice, rtol=1e-5, atol=1e-5)


def test_nested_cuts_are_all_made(model: PreTrainedModel) -> None:
    batch = padded_batch()
    first, second = random_cut(batch, 1), random_cut(batch, 2)
    with cut_attention(model, first | second):
        both = logits(model, batch)
    with cut_attention(model, first), cut_attention(model, second):
        torch.testing.assert_close(logits(model, batch), both, rtol=1e-5, atol=1e-5)
    with cut_attention(model, first):
        with cut_attention(model, second):
            pass
        one = logits(model, batch)
    with cut_attention(model, first):
        assert torch.equal(logits(model, batch), one), "the inner cut outlived its context"


def test_the_model_is_itself_again_after_an_exception(model: PreTrainedModel) -> None:
    batch = padded_batch()
    before, implementation = logits(model, batch), current_attention(model)
    with pytest.raises(KeyboardInterrupt), cut_attention(model, random_cut(batch)):
        raise KeyboardInterrupt
    assert torch.equal(logits(model, batch), before)
    assert current_attention(model) == implementation
    assert not is_edited(model)


def test_generated_tokens_take_the_last_row_of_the_cut(model: PreTrainedModel) -> None:
    batch = padded_batch()
    cut = random_cut(batch)
    with torch.inference_mode(), cut_attention(model, cut):
        written = model.generate(
            **{name: batch[name] for name in ("input_ids", "attention_mask")},
            max_new_tokens=5, do_sample=False, eos_token_id=None, pad_token_id=0,
        )  # fmt: skip
    ids, mask = batch["input_ids"], batch["attention_mask"]
    for _ in range(5):  # the same without a cache, with a row of the cut for every token
        extra = ids.shape[1] - cut.shape[1]
        rows = torch.cat([cut, cut[:, -1:].expand(-1, extra, -1)], dim=1)
        whole = torch.nn.functional.pad(rows, (0, extra))
        with torch.inference_mode(), cut_attention(model, whole):
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            best = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits[:, -1].argmax(-1)
        ids, mask = torch.cat([ids, best[:, None]], dim=1), torch.nn.functional.pad(mask, (0, 1), value=1)
    assert torch.equal(written, ids)


def test_the_differential_pattern_shows_the_cut(diffllama: PreTrainedModel) -> None:
    batch = padded_batch(rows=1)
    cut = random_cut(batch)
    for outer_first in (True, False):
        contexts = [cut_attention(diffllama, cut), differential_attention(diffllama)]
        first, second = contexts if outer_first else reversed(contexts)
        with torch.inference_mode(), first, second:
            patterns = diffllama(**batch, output_attentions=True).attentions
        for pattern in patterns:
            assert (pattern[cut[:, None].expand_as(pattern)] == 0).all()
            assert pattern.abs().sum() > 1


def test_no_attention_is_allocated_to_what_is_hidden(model: PreTrainedModel) -> None:
    batch = padded_batch(rows=1)
    noise = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    noise[:, 4:8] = True
    segments = torch.stack([noise, ~noise], dim=-1).float()
    with cut_attention(model, hide(noise)):
        allocation = attention_allocation(model, batch["input_ids"], segments, queries=~noise)
    assert float(allocation.signed[..., 0].abs().max()) == 0
    assert float(allocation.tokens[..., 0].abs().max()) == 0


def test_what_a_cut_cannot_do_is_said(model: PreTrainedModel, diffllama: PreTrainedModel) -> None:
    batch = padded_batch()
    cut = random_cut(batch)
    with pytest.raises(ValueError, match="expected bool of shape"), cut_attention(model, cut.float()):
        pass
    with pytest.raises(ValueError, match="layer 9"), cut_attention(model, cut, layers=[9]):
        pass
    with pytest.raises(ValueError, match="expected one matrix for each of the 3 rows"), cut_attention(model, cut[:1]):
        logits(model, batch)
    everything = torch.ones_like(cut)
    with pytest.raises(ValueError, match="query 0 of row 0 would see no key"), cut_attention(model, everything):
        logits(model, batch)
    with pytest.raises(AttentionUnavailable, match="was changed inside"), cut_attention(model, cut):
        model.set_attn_implementation("eager")
    ordinary = random_model("llama", SHAPES[0])
    with pytest.raises(ValueError, match="ordinary attention"), cut_attention(ordinary, cut, "first"):
        pass
    with pytest.raises(ValueError, match="ordinary attention"), scaled_lambda(ordinary, 0):
        pass


def test_a_cache_of_a_fixed_size_is_refused(model: PreTrainedModel) -> None:
    batch = padded_batch(rows=1)
    cache = StaticCache(config=model.config, max_cache_len=32)
    with pytest.raises(AttentionUnavailable, match="a cache that grows"), torch.inference_mode():  # noqa: SIM117
        with cut_attention(model, random_cut(batch)):
            model(**batch, past_key_values=cache, use_cache=True)


def test_weights_set_to_zero_may_leave_nothing(model: PreTrainedModel) -> None:
    batch = padded_batch()
    everything = torch.ones_like(random_cut(batch))
    expected = explicit_logits(model, batch, without_columns(everything, "both", renormalise=False))
    with cut_attention(model, everything, renormalise=False):
        torch.testing.assert_close(logits(model, batch), expected, rtol=1e-5, atol=1e-5)


def test_models_in_two_threads_do_not_get_each_others_masks() -> None:
    def wrong(_: int) -> int:
        own = SimpleNamespace()
        return sum(_last_mask.of(lambda: own, own) is not own for _ in range(20_000))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as threads:
            assert sum(threads.map(wrong, range(2))) == 0
    finally:
        sys.setswitchinterval(before)
