"""Allocations without a matrix are those of the matrix."""

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
    """Tokens that straddle segments: shares that sum to 1, (batch, length, segments)."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(*batch["input_ids"].shape, SEGMENTS, generator=generator) ** 4
    return shares / shares.sum(-1, keepdim=True)


@torch.no_grad()
def explicit(model: Any, batch: dict[str, torch.Tensor], segments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Signed masses and absolute shares from the whole pattern: (layers, batch, heads, query, segments)."""
    with differential_attention(model):
        pattern = torch.stack(model(**batch, output_attentions=True).attentions)
    real = segments * batch["attention_mask"][..., None]
    masses = pattern.abs() @ real[None, :, None]
    return pattern @ real[None, :, None], masses / pattern.abs().sum(-1, keepdim=True)


def at_positions(values: torch.Tensor, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of `values` that `positions` names, and which of them are real."""
    layers, _, heads, _, segments = values.shape
    index = positions.clamp(min=0)[None, :, None, :, None].expand(layers, -1, heads, -1, segments)
    return values.gather(3, index), (positions >= 0)[None, :, None, :, None]


def ask(model: Any, batch: dict[str, torch.Tensor], segments: torch.Tensor, **options: Any) -> Any:
    return attention_allocation(model, batch["input_ids"], segments, attention_mask=batch["attention_mask"], **options)


@pytest.mark.parametrize("chosen", ["all", "some"])
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_allocation_is_that_of_the_explicit_pattern(
    family: str, shape: tuple[int, int, int, int], padded: bool, absolute: bool, chosen: str
) -> None:
    model, batch = random_model(family, shape), padded_batch(rows=3 if padded else 1)
    segments = segments_of(batch)
    queries = None
    if chosen == "some":
        queries = torch.rand(batch["input_ids"].shape, generator=torch.Generator().manual_seed(1)) > 0.5
    found = ask(model, batch, segments, queries=queries, absolute=absolute)
    signed, shares = explicit(model, batch, segments)
    expected, real = at_positions(signed, found.positions)
    assert ((found.signed - expected) * real).abs().max() <= 1e-5
    if absolute:
        expected, real = at_positions(shares, found.positions)
        assert ((found.absolute - expected) * real).abs().max() <= 1e-5
    else:
        assert found.absolute is None


@pytest.mark.parametrize("family", FAMILIES)
def test_an_allocation_of_the_shipped_pair_is_that_of_the_explicit_pattern(family: str) -> None:
    """The figures that are reported: means over the queries. A single query of a deep layer can differ by a little more
    than 1e-5, as the fused and the explicit attention of the layers below it round differently."""
    loaded = load(family, device="cpu", dtype="float32")
    model: Any = loaded.model
    texts = [prompt_for(problem.question) + completion_for(problem.answer) for problem in mini.problems("test")[:16]]
    batch = dict(loaded.encode(texts, return_tensors="pt", padding=True))
    batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    segments = segments_of(batch)
    found = ask(model, batch, segments)
    signed, shares = explicit(model, batch, segments)
    for ours, theirs in ((found.signed, signed), (found.absolute, shares)):
        expected, real = at_positions(theirs, found.positions)
        assert (found.mean(ours) - found.mean(expected * real)).abs().max() <= 1e-5
        assert ((ours - expected) * real)[0].abs().max() <= 1e-6  # no layer below the first


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(1, 3), length=st.integers(8, 20), family=st.sampled_from(FAMILIES))
def test_masses_sum_to_one_or_to_one_less_lambda(seed: int, rows: int, length: int, family: str) -> None:
    model, batch = random_model(family, SHAPES[1]), padded_batch(seed, rows, length)
    found = ask(model, batch, segments_of(batch, seed))
    real = found.positions >= 0
    sums = found.signed.sum(-1).transpose(2, 3)[:, real]
    lambda_ = lambdas(model) if family == "diffllama" else torch.zeros(3)
    assert torch.allclose(sums, (1 - lambda_)[:, None, None].expand_as(sums), atol=1e-5)
    for shares in (found.absolute.sum(-1).transpose(2, 3)[:, real], found.tokens.sum(-1)[real]):
        assert torch.allclose(shares, torch.ones(()), atol=1e-5)


def test_token_shares_count_what_a_query_can_see() -> None:
    """Of the query at place t among the real tokens: the mean of the shares of the t + 1 tokens up to it."""
    batch = padded_batch()
    segments = segments_of(batch)
    found = ask(random_model("llama", SHAPES[0]), batch, segments)
    for row, mask in enumerate(batch["attention_mask"].bool()):
        seen = torch.arange(1, int(mask.sum()) + 1)[:, None]
        assert torch.allclose(found.tokens[row, : len(seen)], segments[row, mask].cumsum(0) / seen, atol=1e-6)


def test_a_mean_takes_the_marked_queries_and_no_padding() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    queries = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    queries[0, [0, 5, 13]] = queries[1, [2, 7]] = queries[2, 9] = True  # row 1 has its padding at 0 to 2
    found = ask(model, batch, segments, queries=queries)
    assert found.positions.tolist() == [[0, 5, 13], [7, -1, -1], [9, -1, -1]]
    signed, _ = explicit(model, batch, segments)
    means = found.mean(found.signed)
    assert means.shape == (2, 3, 2, SEGMENTS)
    assert torch.allclose(means[:, 0], signed[:, 0][:, :, [0, 5, 13]].mean(2), atol=1e-5)
    assert torch.allclose(means[:, 1], signed[:, 1, :, 7], atol=1e-5)
    assert torch.allclose(found.mean(found.tokens)[2], found.tokens[2, 0])


def test_layers_and_heads_can_be_chosen() -> None:
    model, batch = random_model("diffllama", SHAPES[1]), padded_batch()
    segments = segments_of(batch)
    whole = ask(model, batch, segments)
    part = ask(model, batch, segments, layers=[2, 0], heads=[1])
    assert (part.layers, part.heads) == ((2, 0), (1,))
    assert torch.allclose(part.signed, whole.signed[[2, 0]][:, :, [1]], atol=1e-6)
    assert torch.allclose(part.absolute, whole.absolute[[2, 0]][:, :, [1]], atol=1e-6)


@pytest.mark.parametrize("heads", [[3, 2, 1, 0], [0, 0, 1, 2], [3, 1]])
def test_heads_come_in_the_order_in_which_they_were_asked_for(heads: list[int]) -> None:
    """Without padding all of them ride along in the layer's own call, in the layer's own order."""
    model, batch = random_model("llama", SHAPES[0]), padded_batch(rows=1)
    segments = segments_of(batch)
    signed, _ = explicit(model, batch, segments)
    assert (ask(model, batch, segments, heads=heads).signed - signed[:, :, heads]).abs().max() <= 1e-5


def test_blocks_of_queries_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    whole = ask(model, batch, segments)
    monkeypatch.setattr(segment_mass, "_BLOCK", 3 * 4 * 14 * 4)  # four queries a block
    blocks = ask(model, batch, segments)
    assert torch.allclose(whole.signed, blocks.signed, atol=1e-6)
    assert torch.allclose(whole.absolute, blocks.absolute, atol=1e-6)


def test_a_row_gives_the_same_alone_and_in_a_batch() -> None:
    model, batch = random_model("diffllama", SHAPES[1]), padded_batch()
    segments = segments_of(batch)
    together = ask(model, batch, segments)
    alone = attention_allocation(model, batch["input_ids"][2:, 6:], segments[2:, 6:])
    assert torch.allclose(together.mean(together.signed)[:, 2], alone.mean(alone.signed)[:, 0], atol=1e-5)
    assert torch.allclose(together.mean(together.absolute)[:, 2], alone.mean(alone.absolute)[:, 0], atol=1e-5)


def test_the_model_is_left_as_it_was() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    before = model.config._attn_implementation
    ask(model, batch, segments_of(batch))
    assert model.config._attn_implementation == before
    batch["input_ids"][0, 0] = 40  # beyond the vocabulary: the forward pass fails half-way
    with pytest.raises(IndexError):
        ask(model, batch, segments_of(batch))
    assert model.config._attn_implementation == before


def test_half_precision_is_measured_in_single() -> None:
    model, batch = random_model("diffllama", SHAPES[0]), padded_batch()
    segments = segments_of(batch)
    single = ask(model, batch, segments)
    half = ask(model.to(torch.bfloat16), batch, segments)
    assert half.signed.dtype == torch.float32
    assert torch.allclose(half.mean(half.absolute), single.mean(single.absolute), atol=3e-2)


def small(model_class: Any, config_class: Any, **options: Any) -> Any:
    """A random model of another architecture, with grouped queries."""
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
def test_another_architecture_can_be_asked_also_one_with_a_sliding_window(window: int | None) -> None:
    model, batch = small(MistralForCausalLM, MistralConfig, sliding_window=window), padded_batch()
    segments = segments_of(batch)
    found = ask(model, batch, segments)
    signed, _ = explicit(model, batch, segments)
    expected, real = at_positions(signed, found.positions)
    assert ((found.signed - expected) * real).abs().max() <= 1e-5
    assert torch.allclose(found.tokens.sum(-1)[found.positions >= 0], torch.ones(()), atol=1e-5)


def test_layers_that_see_different_keys_are_refused_together_and_taken_apart() -> None:
    """The share of the tokens is the same for all layers, so all of them have to see the same tokens."""
    options = {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}
    model, batch = small(Qwen2ForCausalLM, Qwen2Config, **options), padded_batch()
    segments = segments_of(batch)
    with pytest.raises(AttentionUnavailable, match="the layers see different keys"):
        ask(model, batch, segments)
    assert model.config._attn_implementation == "sdpa"
    whole, windowed = (ask(model, batch, segments, layers=[layer]).tokens for layer in (0, 1))
    assert (whole - windowed).abs().max() > 0.01


@pytest.mark.parametrize("queries", [None, "some"])
def test_an_architecture_whose_scores_are_more_than_products_gives_its_own_patterns(queries: str | None) -> None:
    """Gemma caps its scores. Row by row, without the padding, its own weights are what is asked for."""
    model, batch = small(Gemma2ForCausalLM, Gemma2Config, head_dim=8, attn_logit_softcapping=0.5), padded_batch()
    segments, mask = segments_of(batch), batch["attention_mask"]
    looking = None if queries is None else mask.bool() & (torch.arange(14) % 3 == 0)
    found = ask(model, batch, segments, queries=looking)
    assert model.config._attn_implementation == "eager"
    for row in range(3):
        real = mask[row].bool()
        patterns = model(input_ids=batch["input_ids"][row : row + 1, real], output_attentions=True).attentions
        wanted = real if looking is None else looking[row]
        queried = (real.cumsum(0) - 1)[wanted]
        at = (found.positions[row] >= 0) & (mask[row, found.positions[row].clamp(min=0)] > 0)
        for layer, pattern in enumerate(patterns):
            expected = pattern[0][:, queried] @ segments[row, real]
            assert torch.allclose(found.signed[layer, row][:, at], expected, atol=1e-5)
        assert torch.allclose(found.tokens[row][at].sum(-1), torch.ones(()), atol=1e-5)


def test_own_patterns_of_layers_that_see_different_keys_are_taken_apart_too() -> None:
    model = small(Gemma2ForCausalLM, Gemma2Config, head_dim=8, sliding_window=8)
    batch = padded_batch()
    with pytest.raises(AttentionUnavailable, match="the layers see different keys"):
        ask(model, batch, segments_of(batch))
    windowed, whole = (ask(model, batch, segments_of(batch), layers=[layer]) for layer in (0, 1))
    last = (whole.positions == 13).nonzero()
    row, query = last[0].tolist()
    assert (whole.tokens[row, query] - windowed.tokens[row, query]).abs().max() > 0.01
    assert torch.allclose(windowed.tokens[row, query], segments_of(batch)[row, -8:].mean(0), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"heads": [2]}, "head 2: the model has heads 0 to 1"),
        ({"layers": [9]}, "layer 9: the model has layers 0 to 1"),
        ({"layers": []}, "layers: expected at least one, found none"),
        ({"queries": torch.zeros(3, 14, dtype=torch.bool)}, "at least one real token in each row, found none in row 0"),
        ({"queries": torch.ones(3, 13, dtype=torch.bool)}, r"queries: expected the shape \(3, 14\)"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], said: str) -> None:
    batch = padded_batch()
    with pytest.raises(ValueError, match=said):
        ask(random_model("diffllama", SHAPES[0]), batch, segments_of(batch), **options)


def test_segments_of_another_length_are_refused() -> None:
    batch = padded_batch()
    with pytest.raises(ValueError, match=r"segments: expected the shape \(3, 14, 5\) of input_ids, found \(3, 13, 5\)"):
        ask(random_model("diffllama", SHAPES[0]), batch, segments_of(batch)[:, 1:])
