"""A Llama rebuilt as a DiffLlama computes what the Llama computes with λ = 0, and a known formula with another λ."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AttentionInterface, AttentionMaskInterface, LlamaConfig, LlamaForCausalLM
from transformers.masking_utils import eager_mask
from transformers.models.llama.modeling_llama import eager_attention_forward, repeat_kv

from models.attention.allocation import attention_allocation
from models.attention.cut_attention import cut_attention
from models.attention.differential import ShownPattern, differential_attention, lambdas
from models.llama_as_diffllama import differentiated, second_heads
from tests.models.attention_models import padded_batch, random_model

pytestmark = pytest.mark.quick
#: (heads, key-value heads): ungrouped and grouped queries, one group, one head.
HEADS = [(4, 4), (4, 2), (6, 2), (4, 1), (1, 1)]
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}


def random_llama(heads: tuple[int, int] = (4, 2), spread: float = 0.4, **settings: Any) -> LlamaForCausalLM:
    """A Llama with widely spread weights, biases and norms."""
    number, groups = heads
    config: dict[str, Any] = {"hidden_size": 8 * number, "intermediate_size": 32, "num_hidden_layers": 3}
    config |= {"num_attention_heads": number, "num_key_value_heads": groups, "vocab_size": 40}
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**{**config, "max_position_embeddings": 64, **settings}))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "proj" in name:
                parameter.copy_(spread * torch.randn_like(parameter))
            elif "norm" in name:
                parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
    return model.eval()


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    """The logits of all real tokens of a padded batch."""
    batch = padded_batch()
    return model(**batch).logits[batch["attention_mask"].bool()]


@torch.no_grad()
def patterns(model: Any, part: ShownPattern = "difference") -> list[torch.Tensor]:
    """The pattern of each layer, (real queries, heads, key)."""
    batch = padded_batch()
    with differential_attention(model, part):
        shown = model(**batch, output_attentions=True).attentions
    return [pattern.transpose(1, 2)[batch["attention_mask"].bool()] for pattern in shown]


@pytest.mark.parametrize("heads", HEADS, ids=str)
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="plain"),
        pytest.param({"tie_word_embeddings": True}, id="tied"),
        pytest.param({"attention_bias": True}, id="biases"),
        pytest.param({"rope_parameters": LLAMA3_ROPE}, id="llama3 rope"),
        pytest.param({"head_dim": 12}, id="wide heads"),
        pytest.param({"attention_dropout": 0.1}, id="trained with dropout"),
        pytest.param({"rms_norm_eps": 1e-2}, id="large eps"),
    ],
)
def test_with_lambda_0_the_logits_are_those_of_the_llama(heads: tuple[int, int], settings: dict[str, Any]) -> None:
    llama = random_llama(heads, **settings)
    twin = differentiated(llama)
    assert (logits(twin) - logits(llama)).abs().max() <= 1e-5
    assert twin.config.tie_word_embeddings == llama.config.tie_word_embeddings
    tied = twin.get_input_embeddings().weight is twin.get_output_embeddings().weight
    assert tied == bool(settings.get("tie_word_embeddings"))


@pytest.mark.parametrize("spread", [1e-6, 1e-3, 5.0])
def test_the_constant_fits_small_and_large_values(spread: float) -> None:
    """Large weights also make attention sharp, where rounding counts for more."""
    llama = random_llama(spread=spread)
    difference = (logits(differentiated(llama)) - logits(llama)).abs().max()
    assert difference <= (1e-5 if spread < 1 else 1e-3)


def test_the_llama_and_the_global_generator_are_left_as_they_were() -> None:
    llama = random_llama()
    before = {name: weight.clone() for name, weight in llama.state_dict().items()}
    state = torch.get_rng_state()
    differentiated(llama, 0.3)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in llama.state_dict().items())


@pytest.mark.parametrize("lambda_", [0.0, 0.2, 0.5, -0.7, 0.95])
def test_every_layer_has_the_lambda_that_was_asked_for(lambda_: float) -> None:
    twin = differentiated(random_llama(num_hidden_layers=12), lambda_)
    assert torch.allclose(lambdas(twin), torch.full((12,), lambda_), atol=1e-7, rtol=0)


@pytest.mark.parametrize("heads", HEADS, ids=str)
@pytest.mark.parametrize("lambda_", [0.0, 0.5])
def test_the_patterns_are_the_llamas_own(heads: tuple[int, int], lambda_: float) -> None:
    """A1 is the Llama's pattern, A2 that of another head, and the difference is theirs. With another λ only the first
    layer still reads what the Llama's reads."""
    llama = random_llama(heads)
    twin, other = differentiated(llama, lambda_), second_heads(*heads)
    layers = slice(None) if lambda_ == 0 else slice(1)
    expected = patterns(llama)[layers]
    shown: dict[ShownPattern, Any] = {
        "first": lambda pattern: pattern,
        "second": lambda pattern: pattern[:, other],
        "difference": lambda pattern: pattern - lambda_ * pattern[:, other],
    }
    for part, of_llama in shown.items():
        for pattern, ordinary in zip(patterns(twin, part)[layers], expected, strict=True):
            assert torch.allclose(pattern, of_llama(ordinary), atol=1e-5), part


def test_a2_is_the_pattern_of_a_head_that_reads_other_keys() -> None:
    assert second_heads(4, 4) == [3, 0, 1, 2]
    assert second_heads(4, 2) == [2, 3, 0, 1]
    assert second_heads(4, 1) == [3, 0, 1, 2]
    assert second_heads(1, 1) == [0]


@pytest.mark.parametrize("heads", HEADS, ids=str)
@pytest.mark.parametrize("lambda_", [0.3, 0.9, -0.5])
def test_with_another_lambda_it_is_the_llama_with_the_difference_as_its_pattern(
    heads: tuple[int, int], lambda_: float
) -> None:
    other = second_heads(*heads)

    def subtracting(module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **options: Any) -> Any:
        _, weights = eager_attention_forward(module, query, key, value, mask, scaling)
        difference = weights - lambda_ * weights[:, other]
        output = difference @ repeat_kv(value, module.num_key_value_groups)
        return output.transpose(1, 2).contiguous(), difference

    AttentionInterface.register("subtracting", subtracting)
    AttentionMaskInterface.register("subtracting", eager_mask)
    llama = random_llama(heads)
    twin, ordinary = differentiated(llama, lambda_), logits(llama)
    llama.set_attn_implementation("subtracting")
    assert (logits(twin) - logits(llama)).abs().max() <= 1e-5
    assert (logits(twin) - ordinary).abs().max() > 1e-2


def test_the_allocation_is_that_of_the_llama() -> None:
    llama, batch = random_llama(), padded_batch()
    segments = torch.nn.functional.one_hot(torch.arange(14) // 5, 3).float().expand(3, 14, 3)
    arguments = (batch["input_ids"], segments, None, batch["attention_mask"])
    expected, actual = (attention_allocation(model, *arguments) for model in (llama, differentiated(llama)))
    assert actual.signed.shape == expected.signed.shape
    real = (expected.positions >= 0)[None, :, None, :, None].expand_as(expected.signed)
    assert (actual.signed - expected.signed)[real].abs().max() <= 1e-5


def test_a_renormalised_cut_does_to_it_what_it_does_to_the_llama_and_another_cut_does_not() -> None:
    """The norm divides by what a row sums to."""
    llama = random_llama()
    twin, cut = differentiated(llama), torch.zeros(3, 14, 14, dtype=torch.bool)
    cut[:, 11:, 8:10] = True
    uncut = logits(llama)
    for renormalise in (True, False):
        with cut_attention(llama, cut, renormalise=renormalise):
            expected = logits(llama)
        with cut_attention(twin, cut, renormalise=renormalise):
            difference = (logits(twin) - expected).abs().max()
        assert (expected - uncut).abs().max() > 1e-2
        assert difference <= 1e-5 if renormalise else difference > 1e-3


@pytest.mark.parametrize("lambda_", [1.0, -1.0, 2.0, float("nan"), float("inf")])
def test_a_lambda_outside_of_its_range_is_refused(lambda_: float) -> None:
    with pytest.raises(ValueError, match="expected a number between -1 and 1"):
        differentiated(random_llama(), lambda_)


def test_what_is_no_llama_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a Llama .*, got DiffLlamaForCausalLM \('diffllama'\)"):
        differentiated(random_model("diffllama", (32, 4, 4, 1)))  # type: ignore[arg-type]


def test_a_bias_in_the_mlp_and_quantised_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="mlp_bias=True"):
        differentiated(random_llama(mlp_bias=True))
    quantised = random_llama()
    quantised.config.quantization_config = {"quant_method": "bitsandbytes"}
    with pytest.raises(ValueError, match="got quantised ones"):
        differentiated(quantised)


def test_values_too_large_for_a_constant_are_refused() -> None:
    llama = random_llama()
    llama.model.layers[1].self_attn.v_proj.weight.data.mul_(1e15)
    with pytest.raises(ValueError, match="expected smaller ones"):
        differentiated(llama)
