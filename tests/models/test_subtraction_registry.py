"""A differential layer is recognised by its attributes, or refused: it never passes for another kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaAttention, apply_rotary_pos_emb, eager_attention_forward

from models.attention.allocation import attention_allocation
from models.attention.attention_errors import AttentionUnavailable
from models.attention.differential import differential_attention, is_differential, lambdas, pair_lambdas
from models.attention.subtraction import Subtraction, layer_lambda, neighbours
from models.attention.subtraction_registry import SUBTRACTIONS
from models.upstream_transformers import DiffLlamaAttention
from tests.models.attention_models import SHAPES, padded_batch, random_model

__all__ = ["eager_attention_forward"]  # expected in the module of the attention class


class NeighbourAttention(LlamaAttention):
    """Heads 2h and 2h + 1 are a pair, share their values, and have their own λ, the sigmoid of a parameter."""

    def __init__(self, config: LlamaConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        pairs = config.num_attention_heads // 2
        self.lambda_logit = nn.Parameter(torch.linspace(-1, 1, pairs))
        self.o_proj = nn.Linear(pairs * self.head_dim, config.hidden_size, bias=False)

    def forward(
        self, hidden_states: torch.Tensor, position_embeddings: Any, attention_mask: Any = None, **options: Any
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        options.pop("past_key_values", None)
        shape = (*hidden_states.shape[:-1], -1, self.head_dim)
        query, key, value = (
            layer(hidden_states).view(shape).transpose(1, 2) for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        output, weights = attend(self, query, key, value, attention_mask, scaling=self.scaling, **options)
        self.values = value  # for the test
        self.outputs = output[:, :, 0::2] - self.lambda_logit.sigmoid()[:, None] * output[:, :, 1::2]
        return self.o_proj(self.outputs.reshape(*hidden_states.shape[:-1], -1)), weights


NEIGHBOURS = Subtraction(
    fits=lambda layer: hasattr(layer, "lambda_logit"),
    weight=lambda layer: layer.lambda_logit.sigmoid(),  # type: ignore[operator, union-attr]
    pairs=neighbours,
)


@pytest.fixture
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=48,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=3,
        max_position_embeddings=64,
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config)
    for number, layer in enumerate(model.model.layers):
        layer.self_attn = NeighbourAttention(config, number)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "proj" in name:
                parameter.copy_(0.4 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def registered() -> Iterator[None]:
    SUBTRACTIONS.append(NEIGHBOURS)
    yield
    SUBTRACTIONS.remove(NEIGHBOURS)


def observed(model: LlamaForCausalLM, part: Any = "difference") -> tuple[torch.Tensor, ...]:
    with torch.inference_mode(), differential_attention(model, part):
        patterns: tuple[torch.Tensor, ...] = model(**padded_batch(), use_cache=False, output_attentions=True).attentions
        return patterns


def test_a_layer_with_an_unknown_lambda_is_refused(model: LlamaForCausalLM) -> None:
    with pytest.raises(
        AttentionUnavailable, match="NeighbourAttention has the parameters lambda_logit, and no Subtraction"
    ):
        observed(model)
    segments = torch.ones(*padded_batch()["input_ids"].shape, 1)
    with pytest.raises(AttentionUnavailable, match="append one to"):
        attention_allocation(model, padded_batch()["input_ids"], segments)


@pytest.mark.usefixtures("registered")
def test_the_pattern_of_a_registered_layer_is_the_one_it_applies(model: LlamaForCausalLM) -> None:
    """The pattern times the values is the output of the layer."""
    patterns = observed(model)
    weight = torch.linspace(-1, 1, 3).sigmoid()
    assert is_differential(model)
    assert torch.allclose(lambdas(model), weight.mean().expand(2))
    assert all(torch.allclose(layer_weight, weight) for layer_weight in pair_lambdas(model))
    real = padded_batch()["attention_mask"].bool()
    for pattern, layer in zip(patterns, model.model.layers, strict=True):
        assert pattern.shape[1] == 3
        sums = pattern.sum(-1).transpose(1, 2)[real]
        assert torch.allclose(sums, (1 - weight).expand_as(sums), atol=1e-5)
        applied = torch.einsum("bhqk,bhkd->bqhd", pattern, layer.self_attn.values)
        assert torch.allclose(applied[real], layer.self_attn.outputs[real], atol=1e-5)


@pytest.mark.usefixtures("registered")
def test_the_parts_of_a_registered_layer_make_up_the_difference(model: LlamaForCausalLM) -> None:
    weight = torch.linspace(-1, 1, 3).sigmoid()[:, None, None]
    parts = (observed(model, part) for part in ("first", "second", "difference"))
    for first, second, difference in zip(*parts, strict=True):
        assert torch.equal(first - weight * second, difference)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("heads", [None, [2, 0]])
def test_the_allocation_of_a_registered_layer_is_that_of_its_pattern(
    model: LlamaForCausalLM, heads: list[int] | None, absolute: bool
) -> None:
    batch = padded_batch()
    segments = torch.rand(*batch["input_ids"].shape, 3, generator=torch.Generator().manual_seed(1))
    mask = batch["attention_mask"]
    segments = segments / segments.sum(-1, keepdim=True) * mask[..., None]
    allocation = attention_allocation(
        model, batch["input_ids"], segments, attention_mask=mask, heads=heads, absolute=absolute
    )
    selected = [0, 1, 2] if heads is None else heads
    for layer, pattern in enumerate(observed(model)):
        for row in range(len(mask)):
            real = mask[row].bool()
            row_pattern = pattern[row, selected][:, real]
            queries = allocation.positions[row] >= 0
            expected = row_pattern @ segments[row]
            assert torch.allclose(
                allocation.signed[layer, row][:, queries][:, -len(real.nonzero()) :], expected, atol=1e-5
            )
            if absolute:
                assert allocation.absolute is not None
                shares = row_pattern.abs() @ segments[row] / row_pattern.abs().sum(-1, keepdim=True)
                row_shares = allocation.absolute[layer, row][:, queries][:, -len(real.nonzero()) :]
                assert torch.allclose(row_shares, shares, atol=1e-5)


def test_a_layer_that_no_subtraction_describes_is_refused_also_beside_those_that_are_known(
    model: LlamaForCausalLM,
) -> None:
    SUBTRACTIONS.append(replace(NEIGHBOURS, fits=lambda layer: hasattr(layer, "lambda_logit") and layer.layer_idx == 1))
    try:
        with pytest.raises(
            AttentionUnavailable, match="NeighbourAttention has the parameters lambda_logit, and no Sub"
        ):
            attention_allocation(model, padded_batch()["input_ids"], torch.ones(3, 14, 1))
    finally:
        SUBTRACTIONS.pop()


@pytest.mark.parametrize("heads", [None, [1]])
def test_a_lambda_of_shape_one_is_shared_by_all_pairs(model: LlamaForCausalLM, heads: list[int] | None) -> None:
    SUBTRACTIONS.append(replace(NEIGHBOURS, weight=lambda layer: torch.full((1,), 0.3)))
    try:
        allocation = attention_allocation(model, padded_batch()["input_ids"], torch.ones(3, 14, 1), heads=heads)
    finally:
        SUBTRACTIONS.pop()
    assert torch.allclose(allocation.signed, torch.full_like(allocation.signed, 0.7), atol=1e-5)


def test_the_last_subtraction_that_fits_a_layer_applies() -> None:
    """A model derived from DiffLlama may pair its heads differently."""
    derived = random_model("diffllama", SHAPES[0])
    before = observed(derived)  # type: ignore[arg-type]
    SUBTRACTIONS.append(Subtraction(lambda layer: isinstance(layer, DiffLlamaAttention), layer_lambda, neighbours))
    try:
        assert not torch.equal(observed(derived)[0], before[0])  # type: ignore[arg-type]
    finally:
        SUBTRACTIONS.pop()
