"""The pattern that is returned is the pattern that is applied."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from models.attention.differential import differential_attention, is_differential, lambdas
from models.loading.load_model import load
from tests.models.attention_models import SHAPES, padded_batch, paper_lambda, random_model, rotated, softmax_of

pytestmark = pytest.mark.quick
FAMILIES = ("diffllama", "llama")


def eager(model: Any, **inputs: Any) -> Any:
    """Return the output of the model under transformers' explicit implementation."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        return model(**inputs)
    finally:
        model.set_attn_implementation(before)


@pytest.fixture(params=FAMILIES)
def shipped(request: pytest.FixtureRequest) -> Any:
    return load(request.param, device="cpu", dtype="float32").model


@torch.no_grad()
@pytest.mark.parametrize("source", [*SHAPES, "shipped"], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_logits_are_those_of_eager_to_the_bit(family: str, source: Any) -> None:
    """They equal those of `sdpa` to 1e-5, relative to the largest logit if over 1 (the shipped pair's is 22)."""
    model: Any = load(family, "cpu", "float32").model if source == "shipped" else random_model(family, source)
    batch = padded_batch()
    expected, fused = eager(model, **batch).logits, model(**batch).logits
    with differential_attention(model):
        output = model(**batch, output_attentions=True).logits
    assert torch.equal(output, expected)
    real = batch["attention_mask"].bool()
    assert (output - fused)[real].abs().max() <= 1e-5 * max(1.0, fused[real].abs().max())


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_pattern_has_half_as_many_heads_and_rows_that_sum_to_one_less_lambda(
    shape: tuple[int, int, int, int],
) -> None:
    model, batch = random_model("diffllama", shape), padded_batch()
    with differential_attention(model):
        attentions = model(**batch, output_attentions=True).attentions
    _, heads, _, layers = shape
    assert len(attentions) == layers
    for pattern, lambda_ in zip(attentions, lambdas(model), strict=True):
        assert pattern.shape == (3, heads // 2, 14, 14)
        sums = pattern.sum(-1).transpose(1, 2)[batch["attention_mask"].bool()]
        assert torch.allclose(sums, 1 - lambda_.expand_as(sums), atol=1e-5)
        assert pattern.min() < 0


@torch.no_grad()
@pytest.mark.parametrize("family", FAMILIES)
def test_the_pattern_of_an_ordinary_model_is_the_ordinary_one(family: str) -> None:
    model, batch = random_model(family, SHAPES[0]), padded_batch()
    ordinary = eager(model, **batch, output_attentions=True).attentions
    with differential_attention(model):
        output = model(**batch, output_attentions=True).attentions
    same = [torch.equal(eager_pattern, pattern) for eager_pattern, pattern in zip(ordinary, output, strict=True)]
    assert all(same) if family == "llama" else not any(same)


def attention_inputs_and_outputs(model: Any, **inputs: Any) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the input of each layer's attention and of its output projection: (batch, length, hidden)."""
    captured: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    hooks = []
    for layer in model.model.layers:
        attention = layer.self_attn
        hooks.append(
            attention.register_forward_pre_hook(
                lambda _, arguments, options: captured[0].append(options["hidden_states"]), with_kwargs=True
            )
        )
        hooks.append(attention.o_proj.register_forward_pre_hook(lambda _, arguments: captured[1].append(arguments[0])))
    try:
        model(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return captured


@torch.no_grad()
@pytest.mark.parametrize("source", [*SHAPES, "shipped"], ids=str)
def test_pattern_times_values_normalised_is_the_output_of_the_layer(source: Any) -> None:
    """The definition of a pattern: times V it gives the module's own output before the projection."""
    model: Any = load("diffllama", "cpu", "float32").model if source == "shipped" else random_model("diffllama", source)
    batch = padded_batch()
    with differential_attention(model):
        patterns = model(**batch, output_attentions=True).attentions
        entering, leaving = attention_inputs_and_outputs(model, **batch)
    real = batch["attention_mask"].bool()
    for layer, pattern, hidden, output in zip(model.model.layers, patterns, entering, leaving, strict=True):
        attention = layer.self_attn
        size, groups = attention.head_dim, attention.num_key_value_groups
        values = attention.v_proj(hidden).unflatten(-1, (-1, size)).transpose(1, 2)
        left, right = values.chunk(2, dim=1)  # a head of the pattern has a value of twice the size: half from each
        wide = torch.cat([left, right], dim=-1).repeat(1, 2, 1, 1).repeat_interleave(groups, dim=1)
        product = pattern @ wide[:, : pattern.shape[1]]
        variance = product.pow(2).mean(-1, keepdim=True)
        normalised = product * torch.rsqrt(variance + model.config.rms_norm_eps) * (1 - attention.lambda_init)
        assert torch.allclose(normalised.transpose(1, 2).flatten(2)[real], output[real], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_parts_make_up_the_difference(shape: tuple[int, int, int, int]) -> None:
    model, batch = random_model("diffllama", shape), padded_batch()
    parts = []
    for part in ("first", "second", "difference"):
        with differential_attention(model, part):  # type: ignore[arg-type]
            parts.append(model(**batch, output_attentions=True).attentions)
    for first, second, difference, lambda_ in zip(*parts, lambdas(model), strict=True):
        for softmax in (first, second):
            assert torch.allclose(softmax.sum(-1), torch.ones(()), atol=1e-5)
            assert softmax.min() >= 0
        assert torch.allclose(first - lambda_ * second, difference, atol=1e-6)


def projected(model: Any, ids: torch.Tensor, order: list[int] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rotated queries and keys of the first layer, (heads, length, size), computed from the weights.

    Keys are repeated for each query head. The input of the first layer needs no attention. `order` permutes the heads
    in the weights.
    """
    attention = model.model.layers[0].self_attn
    hidden = model.model.layers[0].input_layernorm(model.model.embed_tokens(ids))[0]
    heads, size = model.config.num_attention_heads, attention.head_dim
    query = attention.q_proj.weight.unflatten(0, (heads, size))
    key = attention.k_proj.weight.unflatten(0, (-1, size)).repeat_interleave(attention.num_key_value_groups, dim=0)
    if order is not None:
        query, key = query[order], key[order]
    queries, keys = (torch.einsum("td,hed->hte", hidden, weight) for weight in (query, key))
    return rotated(queries[None])[0], rotated(keys[None])[0]


def first_lambda(model: Any) -> float:
    attention = model.model.layers[0].self_attn
    return paper_lambda(attention.lambda_q1, attention.lambda_k1, attention.lambda_q2, attention.lambda_k2, layer=1)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ours_agrees_with_the_paper_computed_from_the_weights(shape: tuple[int, int, int, int]) -> None:
    """Theirs: eq. 1-3 of Ye et al., head by head, where transformers pairs h with h + H/2."""
    model, ids = random_model("diffllama", shape), padded_batch(rows=1)["input_ids"]
    with differential_attention(model):
        ours = model(ids, output_attentions=True).attentions[0][0]
    queries, keys = projected(model, ids)
    half = len(queries) // 2
    for head in range(half):
        first, second = (softmax_of(queries[one], keys[one]) for one in (head, head + half))
        assert torch.allclose(ours[head], first - first_lambda(model) * second, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ours_agrees_with_the_authors_layout_of_permuted_weights(shape: tuple[int, int, int, int]) -> None:
    """The authors' code has a pair in adjacent heads: it computes all of them at once, splits the heads into (H/2, 2)
    and subtracts along the last. With the same weights in that order it gives the same patterns."""
    model, ids = random_model("diffllama", shape), padded_batch(rows=1)["input_ids"]
    with differential_attention(model):
        ours = model(ids, output_attentions=True).attentions[0][0]
    half = model.config.num_attention_heads // 2
    queries, keys = projected(model, ids, order=[number for head in range(half) for number in (head, head + half)])
    scores = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
    future = torch.full_like(scores[0], float("-inf")).triu(1)
    weights = (scores + future).softmax(-1).unflatten(0, (half, 2))
    assert torch.allclose(ours, weights[:, 0] - first_lambda(model) * weights[:, 1], atol=1e-5)


@torch.no_grad()
def test_the_lambda_of_each_layer_is_that_of_the_paper() -> None:
    for model in (random_model("diffllama", SHAPES[1]), load("diffllama", "cpu", "float32").model):
        layers: Any = [layer.self_attn for layer in model.model.layers]
        theirs = [
            paper_lambda(layer.lambda_q1, layer.lambda_k1, layer.lambda_q2, layer.lambda_k2, number)
            for number, layer in enumerate(layers, start=1)
        ]
        assert lambdas(model).tolist() == pytest.approx(theirs, abs=1e-6)


@torch.no_grad()
def test_the_pattern_does_not_depend_on_padding() -> None:
    model = random_model("diffllama", SHAPES[1])
    batch = padded_batch(rows=2)
    alone = batch["input_ids"][1:, 3:]
    with differential_attention(model):
        together = model(**batch, output_attentions=True).attentions
        single = model(alone, output_attentions=True).attentions
    for padded, plain in zip(together, single, strict=True):
        assert torch.allclose(padded[1, :, 3:, 3:], plain[0], atol=1e-5)
        assert not padded[1, :, 3:, :3].any()


@torch.no_grad()
def test_a_step_with_a_cache_gives_the_last_row() -> None:
    model: Any = random_model("diffllama", SHAPES[1])
    ids = padded_batch(rows=1)["input_ids"]
    with differential_attention(model):
        whole = model(ids, output_attentions=True).attentions
        cache = model(ids[:, :-1], use_cache=True).past_key_values
        step = model(ids[:, -1:], past_key_values=cache, output_attentions=True).attentions
    for full, last in zip(whole, step, strict=True):
        assert torch.allclose(full[:, :, -1:], last, atol=1e-5)


@torch.no_grad()
def test_in_bfloat16_it_is_still_eager_to_the_bit_and_rows_sum_within_its_precision() -> None:
    model, batch = random_model("diffllama", SHAPES[0]).to(torch.bfloat16), padded_batch()
    expected = eager(model, **batch).logits
    with differential_attention(model):
        output = model(**batch, output_attentions=True)
    assert torch.equal(output.logits, expected)
    for pattern, lambda_ in zip(output.attentions, lambdas(model), strict=True):
        sums = pattern.float().sum(-1).transpose(1, 2)[batch["attention_mask"].bool()]
        assert torch.allclose(sums, 1 - lambda_.expand_as(sums), atol=1e-2)


def test_generation_inside_is_generation_with_eager(shipped: Any) -> None:
    batch = padded_batch(length=20)
    del batch["position_ids"]
    options = {"max_new_tokens": 8, "do_sample": False}
    shipped.set_attn_implementation("eager")
    expected = shipped.generate(**batch, **options)
    with differential_attention(shipped):
        assert torch.equal(shipped.generate(**batch, **options), expected)


def test_the_implementation_is_restored_on_exit_also_after_an_error_and_contexts_nest() -> None:
    model = random_model("diffllama", SHAPES[0])
    with pytest.raises(ZeroDivisionError), differential_attention(model):
        raise ZeroDivisionError
    assert model.config._attn_implementation == "sdpa"
    with differential_attention(model):
        outside = model.config._attn_implementation
        with differential_attention(model, "second"):
            assert model.config._attn_implementation != outside
        assert model.config._attn_implementation == outside
    assert model.config._attn_implementation == "sdpa"


@torch.no_grad()
def test_another_architecture_returns_its_ordinary_pattern() -> None:
    model: Any = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=32, n_layer=2, n_head=4, n_positions=32)).eval()
    ids = padded_batch(rows=1)["input_ids"]
    expected = eager(model, input_ids=ids, output_attentions=True)
    with differential_attention(model):
        output = model(input_ids=ids, output_attentions=True)
    assert torch.equal(output.logits, expected.logits)
    assert all(
        torch.equal(eager_pattern, pattern)
        for eager_pattern, pattern in zip(output.attentions, expected.attentions, strict=True)
    )


def test_a_misspelt_part_is_refused() -> None:
    observed = differential_attention(random_model("llama", SHAPES[0]), "frist")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="part 'frist': expected 'difference', 'first', 'second'"), observed:
        pass


def test_only_a_differential_model_has_lambdas() -> None:
    differential, ordinary = (random_model(family, SHAPES[1]) for family in FAMILIES)
    assert is_differential(differential)
    assert lambdas(differential).shape == (3,)
    assert not is_differential(ordinary)
    assert lambdas(ordinary).shape == (0,)
