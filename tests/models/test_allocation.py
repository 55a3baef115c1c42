"""An allocation computed without a query × key matrix equals that of the matrix."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from models.attention import segment_mass
from models.attention.allocation import attention_allocation
from models.attention.differential import AttentionUnavailable, differential_attention, lambdas
from models.loading.load_model import load
from models.prompt import completion_for, prompt_for
from noise import mini
from tests.models.attention_models import SHAPES, padded_batch, random_model

pytestmark = pytest.mark.quick
FAMILIES = ("diffllama", "llama")
SEGMENTS = 5


def segments_of(batch: dict[str, torch.Tensor], seed: int = 0) -> torch.Tensor:
    """Return random shares that sum to 1, (batch, length, segments), as of tokens that straddle segments."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(*batch["input_ids"].shape, SEGMENTS, generator=generator) ** 4
    return shares / shares.sum(-1, keepdim=True)


@torch.no_grad()
def allocation_from_patterns(
    model: Any, batch: dict[str, torch.Tensor], segments: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return signed masses and absolute shares from the whole pattern, (layers, batch, heads, query, segments)."""
    with differential_attention(model):
        pattern = torch.stack(model(**batch, output_attentions=True).attentions)
    real = segments * batch["attention_mask"][..., None]
    absolute_masses = pattern.abs() @ real[None, :, None]
    return pattern @ real[None, :, None], absolute_masses / pattern.abs().sum(-1, keepdim=True)


def at_positions(values: torch.Tensor, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rows of `values` at `positions`, and which of them are real."""
    layers, _, heads, _, segments = values.shape
    index = positions.clamp(min=0)[None, :, None, :, None].expand(layers, -1, heads, -1, segments)
    return values.gather(3, index), (positions >= 0)[None, :, None, :, None]


def allocate(model: Any, batch: dict[str, torch.Tensor], segments: torch.Tensor, **options: Any) -> Any:
    return attention_allocation(model, batch["input_ids"], segments, attention_mask=batch["attention_mask"], **options)


@pytest.mark.parametrize("selected", ["all", "half"])
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_allocation_is_that_of_the_explicit_pattern(
    family: str, shape: tuple[int, int, int, int], padded: bool, absolute: bool, selected: str
) -> None:
    model, batch = random_model(family, shape), padded_batch(rows=3 if padded else 1)
    segments = segments_of(batch)
    queries = None
    if selected == "half":
        queries = torch.rand(batch["input_ids"].shape, generator=torch.Generator().manual_seed(1)) > 0.5
    allocation = allocate(model, batch, segments, queries=queries, absolute=absolute)
    signed, shares = allocation_from_patterns(model, batch, segments)
    expected, real = at_positions(signed, allocation.positions)
    assert ((allocation.signed - expected) * real).abs().max() <= 1e-5
    if absolute:
        expected, real = at_positions(shares, allocation.positions)
        assert ((allocation.absolute - expected) * real).abs().max() <= 1e-5
    else:
        assert allocation.absolute is None


@pytest.mark.parametrize("family", FAMILIES)
def test_an_allocation_of_the_shipped_pair_is_that_of_the_explicit_pattern(family: str) -> None:
    """Compare means over the queries, which are what is reported.

    A single query of a deep layer can differ by a little more than 1e-5: the fused and the explicit attention of the
    layers below it round differently.
    """
    loaded = load(family, device="cpu", dtype="float32")
    model: Any = loaded.model
    texts = [prompt_for(problem.question) + completion_for(problem.answer) for problem in mini.problems("test")[:16]]
    batch = dict(loaded.encode(texts, return_tensors="pt", padding=True))
    batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    segments = segments_of(batch)
    allocation = allocate(model, batch, segments)
    signed, shares = allocation_from_patterns(model, batch, segments)
    for ours, theirs in ((allocation.signed, signed), (allocation.absolute, shares)):
        expected, real = at_positions(theirs, allocation.positions)
        assert (allocation.mean(ours) - allocation.mean(expected * real)).abs().max() <= 1e-5
        assert ((ours - expected) * real)[0].abs().max() <= 1e-6  # no layer below the first


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(1, 3), length=st.integers(8, 20), family=st.sampled_from(FAMILIES))
def test_masses_sum_to_one_or_to_one_less_lambda(seed: int, rows: int, length: int, family: str) -> None:
    model, batch = random_model(family, SHAPES[1]), padded_batch(seed, rows, length)
    allocation = allocate(model, batch, segments_of(batch, seed))
    real = allocation.positions >= 0
    sums = allocation.signed.sum(-1).transpose(2, 3)[:, real]
    lambda_ = lambdas(model) if family == "diffllama" else torch.zeros(3)
    assert torch.allclose(sums, (1 - lambda_)[:, None, None].expand_as(sums), atol=1e-5)
    for shares in (allocation.absolute.sum(-1).transpose(2, 3)[:, real], allocation.tokens.sum(-1)[real]):
        assert torch.allclose(shares, torch.ones(()), atol=1e-5)


def test_token_shares_count_what_a_query_can_see() -> None:
    """For the query at position t of the real tokens: the mean of the shares of the t + 1 tokens up to it."""
    batch = padded_batch()
    segments = segments_of(batch)
    allocation = allocate(random_model("llama", SHAPES[0]), batch, segments)
    for row, mask in enumerate(batch["attention_mask"].bool()):
        seen = torch.arange(1, int(mask.sum()) + 1)[:, None]
        assert torch.allclose(allocation.tokens[row, : len(seen)], segments[row, mask].cumsum(0) / seen, atol=1e-6)


def test_a_mean_covers_the_marked_queries_and_no_padding() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    queries = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    queries[0, [0, 5, 13]] = queries[1, [2, 7]] = queries[2, 9] = True  # row 1 has its padding at 0 to 2
    allocation = allocate(model, batch, segments, queries=queries)
    assert allocation.positions.tolist() == [[0, 5, 13], [7, -1, -1], [9, -1, -1]]
    signed, _ = allocation_from_patterns(model, batch, segments)
    means = allocation.mean(allocation.signed)
    assert means.shape == (2, 3, 2, SEGMENTS)
    assert torch.allclose(means[:, 0], signed[:, 0][:, :, [0, 5, 13]].mean(2), atol=1e-5)
    assert torch.allclose(means[:, 1], signed[:, 1, :, 7], atol=1e-5)
    assert torch.allclose(allocation.mean(allocation.tokens)[2], allocation.tokens[2, 0])


def test_layers_and_heads_can_be_selected() -> None:
    model, batch = random_model("diffllama", SHAPES[1]), padded_batch()
    segments = segments_of(batch)
    whole = allocate(model, batch, segments)
    part = allocate(model, batch, segments, layers=[2, 0], heads=[1])
    assert (part.layers, part.heads) == ((2, 0), (1,))
    assert torch.allclose(part.signed, whole.signed[[2, 0]][:, :, [1]], atol=1e-6)
    assert torch.allclose(part.absolute, whole.absolute[[2, 0]][:, :, [1]], atol=1e-6)


@pytest.mark.parametrize("heads", [[3, 2, 1, 0], [0, 0, 1, 2], [3, 1]])
def test_heads_come_in_the_order_in_which_they_are_selected(heads: list[int]) -> None:
    """Without padding one call computes the masses of all heads, in the order of the layer."""
    model, batch = random_model("llama", SHAPES[0]), padded_batch(rows=1)
    segments = segments_of(batch)
    signed, _ = allocation_from_patterns(model, batch, segments)
    assert (allocate(model, batch, segments, heads=heads).signed - signed[:, :, heads]).abs().max() <= 1e-5


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    whole = allocate(model, batch, segments)
    monkeypatch.setattr(segment_mass, "_BLOCK_ELEMENTS", 3 * 4 * 14 * 4)  # four queries a block
    blocks = allocate(model, batch, segments)
    assert torch.allclose(whole.signed, blocks.signed, atol=1e-6)
    assert torch.allclose(whole.absolute, blocks.absolute, atol=1e-6)


def test_a_row_gives_the_same_alone_and_in_a_batch() -> None:
    model, batch = random_model("diffllama", SHAPES[1]), padded_batch()
    segments = segments_of(batch)
    together = allocate(model, batch, segments)
    alone = attention_allocation(model, batch["input_ids"][2:, 6:], segments[2:, 6:])
    assert torch.allclose(together.mean(together.signed)[:, 2], alone.mean(alone.signed)[:, 0], atol=1e-5)
    assert torch.allclose(together.mean(together.absolute)[:, 2], alone.mean(alone.absolute)[:, 0], atol=1e-5)


def test_the_implementation_of_the_model_is_restored() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    before = model.config._attn_implementation
    allocate(model, batch, segments_of(batch))
    assert model.config._attn_implementation == before
    batch["input_ids"][0, 0] = 40  # beyond the vocabulary: the forward pass fails half-way
    with pytest.raises(IndexError):
        allocate(model, batch, segments_of(batch))
    assert model.config._attn_implementation == before


def test_half_precision_is_measured_in_single() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    single = allocate(model, batch, segments)
    half = allocate(model.to(torch.bfloat16), batch, segments)
    assert half.signed.dtype == torch.float32
    assert torch.allclose(half.mean(half.absolute), single.mean(single.absolute), atol=3e-2)


def small_model(model_class: Any, config_class: Any, **options: Any) -> Any:
    """Return a random model of another architecture, with grouped queries."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = config_class(vocab_size=40, num_key_value_heads=2, max_position_embeddings=64, **sizes, **options)
    model = model_class(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "proj" in name:
                parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("window", [None, 5])
def test_another_architecture_works_also_with_a_sliding_window(window: int | None) -> None:
    model, batch = small_model(MistralForCausalLM, MistralConfig, sliding_window=window), padded_batch()
    segments = segments_of(batch)
    allocation = allocate(model, batch, segments)
    signed, _ = allocation_from_patterns(model, batch, segments)
    expected, real = at_positions(signed, allocation.positions)
    assert ((allocation.signed - expected) * real).abs().max() <= 1e-5
    assert torch.allclose(allocation.tokens.sum(-1)[allocation.positions >= 0], torch.ones(()), atol=1e-5)


def test_layers_that_see_different_keys_are_refused_together_and_measured_separately() -> None:
    """All layers have one token share, so all of them must see the same tokens."""
    options = {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}
    model, batch = small_model(Qwen2ForCausalLM, Qwen2Config, **options), padded_batch()
    segments = segments_of(batch)
    with pytest.raises(AttentionUnavailable, match="the layers see different keys"):
        allocate(model, batch, segments)
    assert model.config._attn_implementation == "sdpa"
    whole, windowed = (allocate(model, batch, segments, layers=[layer]).tokens for layer in (0, 1))
    assert (whole - windowed).abs().max() > 0.01


@pytest.mark.parametrize("queries", [None, "every third"])
def test_an_architecture_with_modified_scores_is_measured_by_its_own_patterns(queries: str | None) -> None:
    """Gemma 2 caps its scores. The expected masses are those of its own weights, row by row, without the padding."""
    model, batch = small_model(Gemma2ForCausalLM, Gemma2Config, head_dim=8, attn_logit_softcapping=0.5), padded_batch()
    segments, mask = segments_of(batch), batch["attention_mask"]
    marked = None if queries is None else mask.bool() & (torch.arange(14) % 3 == 0)
    allocation = allocate(model, batch, segments, queries=marked)
    assert model.config._attn_implementation == "eager"
    for row in range(3):
        real = mask[row].bool()
        patterns = model(input_ids=batch["input_ids"][row : row + 1, real], output_attentions=True).attentions
        row_queries = real if marked is None else marked[row]
        queried = (real.cumsum(0) - 1)[row_queries]
        at = (allocation.positions[row] >= 0) & (mask[row, allocation.positions[row].clamp(min=0)] > 0)
        for layer, pattern in enumerate(patterns):
            expected = pattern[0][:, queried] @ segments[row, real]
            assert torch.allclose(allocation.signed[layer, row][:, at], expected, atol=1e-5)
        assert torch.allclose(allocation.tokens[row][at].sum(-1), torch.ones(()), atol=1e-5)


def test_own_patterns_of_layers_that_see_different_keys_are_measured_separately_too() -> None:
    model = small_model(Gemma2ForCausalLM, Gemma2Config, head_dim=8, sliding_window=8)
    batch = padded_batch()
    with pytest.raises(AttentionUnavailable, match="the layers see different keys"):
        allocate(model, batch, segments_of(batch))
    windowed, whole = (allocate(model, batch, segments_of(batch), layers=[layer]) for layer in (0, 1))
    last = (whole.positions == 13).nonzero()
    row, query = last[0].tolist()
    assert (whole.tokens[row, query] - windowed.tokens[row, query]).abs().max() > 0.01
    assert torch.allclose(windowed.tokens[row, query], segments_of(batch)[row, -8:].mean(0), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": [2]}, "head 2: the model has heads 0 to 1"),
        ({"layers": [9]}, "layer 9: the model has layers 0 to 1"),
        ({"layers": []}, "layers: expected at least one, got none"),
        ({"queries": torch.zeros(3, 14, dtype=torch.bool)}, "at least one real token in each row, got none in row 0"),
        ({"queries": torch.ones(3, 13, dtype=torch.bool)}, r"queries: expected the shape \(3, 14\)"),
    ],
)
def test_invalid_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    batch = padded_batch()
    with pytest.raises(ValueError, match=message):
        allocate(random_model("diffllama", SHAPES[0]), batch, segments_of(batch), **options)


def test_segments_of_another_length_are_refused() -> None:
    batch = padded_batch()
    with pytest.raises(ValueError, match=r"segments: expected the shape \(3, 14, 5\) of input_ids, got \(3, 13, 5\)"):
        allocate(random_model("diffllama", SHAPES[0]), batch, segments_of(batch)[:, 1:])
