"""A Llama rebuilt as a DiffLlama with a λ of choice: a control whose effect is known.

With λ = 0 the DiffLlama computes what the Llama computes, so a comparison of the two must find nothing. With another λ
it computes (A1 − λ·A2)·V in place of A1·V, where A1 is the Llama's pattern and A2 the Llama's pattern of another head.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import DiffLlamaConfig, DiffLlamaForCausalLM, LlamaForCausalLM
from transformers.models.diffllama.modeling_diffllama import lambda_init_fn

#: How many times the bound of all values the constant is: its square leaves nothing of theirs in float32.
_MARGIN = 2.0**14
#: Added to both exponentials of λ, as neither can be 0. Its rounding is far below that of λ.
_BOTH_EXPONENTIALS = 2.0**-30
#: Settings of a Llama that a DiffLlama does not have. Dropout is refused by it, and off when a model is asked.
_LLAMA_ALONE = (
    "model_type",
    "architectures",
    "transformers_version",
    "pretraining_tp",
    "mlp_bias",
    "attention_dropout",
)


def differentiated(llama: LlamaForCausalLM, lambda_: float = 0.0) -> DiffLlamaForCausalLM:
    """Return the DiffLlama, in float32, whose layers apply A1 − λ·A2 with the Llama's own patterns and values.

    Pair h of a layer has the queries and keys of the Llama's head h as A1, and those of `second_heads` as A2. Half of
    the value heads are the Llama's. The others are a constant c, whatever the text. As the rows of A1 − λ·A2 sum to
    1 − λ, the norm behind a pair gets (1 − λ)·c in half of these dimensions and 0 in the others. c is so large that the
    norm divides by (1 − λ)·c / 2. The output projection undoes that, and the norm's factor 1 − λ_init.

    What is left is rounding. The values change the divisor by less than 2⁻²⁸, below what float32 holds. λ is right to
    1e-7, and the sum of a row to a few 1e-7, relative to 1 − λ. A row of which a cut leaves a part, without
    renormalising it, is scaled up to 1 − λ again: there alone the two models differ. In bfloat16 λ = 0 is not kept.

    Raises `ValueError` for a model that is no Llama, that has a bias in its MLP or quantised weights, or whose values
    are too large for a constant; and for a λ that is not between −1 and 1.
    """
    check_lambda(lambda_)
    _check(llama)
    weights: dict[str, torch.Tensor] = {}
    for name, weight in llama.state_dict().items():
        weights[name] = weight.detach().to("cpu", torch.float32)
    for layer in range(llama.config.num_hidden_layers):
        weights |= _attention_weights(llama, layer, lambda_, weights)
    with torch.random.fork_rng(devices=[]):  # the first values of its weights are drawn, and replaced
        model = DiffLlamaForCausalLM(_config(llama))
    model.load_state_dict(weights)
    model.generation_config = llama.generation_config
    return model.eval()


def check_lambda(lambda_: float) -> None:
    """Raise `ValueError` for a λ that is not between −1 and 1: with λ = 1 the constant would be gone."""
    if not -1.0 < lambda_ < 1.0:
        raise ValueError(f"lambda {lambda_:g}: expected a number between -1 and 1, both excluded")


def second_heads(heads: int, groups: int) -> list[int]:
    """Return the Llama's head that is A2 of each pair: the one before it of the next group of key-value heads.

    With one group it is the head before it, and with one head that head itself.
    """
    step = heads // groups if groups > 1 else 1
    return [(head - step) % heads for head in range(heads)]


def lambda_vectors(lambda_: float, layer: int, size: int) -> dict[str, torch.Tensor]:
    """Return λq1, λk1, λq2 and λk2, (size,), with exp(λq1·λk1) − exp(λq2·λk2) + λ_init = `lambda_`."""
    difference = lambda_ - lambda_init_fn(layer)
    vectors = {f"lambda_{name}": torch.zeros(size) for name in ("q1", "k1", "q2", "k2")}
    for number, value in ((1, max(difference, 0.0)), (2, max(-difference, 0.0))):
        vectors[f"lambda_q{number}"][0] = 1.0
        vectors[f"lambda_k{number}"][0] = math.log(value + _BOTH_EXPONENTIALS)
    return vectors


def _check(llama: LlamaForCausalLM) -> None:
    config: Any = llama.config
    if type(llama) is not LlamaForCausalLM:
        raise ValueError(f"expected a Llama (model_type 'llama'), got {type(llama).__name__} ({config.model_type!r})")
    if config.mlp_bias:
        raise ValueError("mlp_bias=True: expected a Llama without a bias in its MLP, as DiffLlama has none there")
    if getattr(config, "quantization_config", None) is not None:
        raise ValueError("quantization_config: expected a Llama with weights of 16 or 32 bits, got quantised ones")


def _config(llama: LlamaForCausalLM) -> DiffLlamaConfig:
    config: Any = llama.config
    settings: dict[str, Any] = config.to_dict()
    for name in _LLAMA_ALONE:
        settings.pop(name, None)
    settings |= {
        "num_attention_heads": 2 * config.num_attention_heads,
        "num_key_value_heads": 2 * config.num_key_value_heads,
        "attention_bias": True,
        "dtype": torch.float32,
    }
    return DiffLlamaConfig(**settings)


def _attention_weights(
    llama: LlamaForCausalLM, layer: int, lambda_: float, of_llama: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the weights of a layer's attention. Shapes: (heads, size, hidden), (heads, size) for a bias."""
    config: Any = llama.config
    heads, groups, hidden = config.num_attention_heads, config.num_key_value_heads, config.hidden_size
    size: int = config.head_dim
    prefix = f"model.layers.{layer}.self_attn."

    def of_heads(projection: str) -> tuple[torch.Tensor, torch.Tensor]:
        weight = of_llama[f"{prefix}{projection}_proj.weight"].reshape(-1, size, hidden)
        bias = of_llama.get(f"{prefix}{projection}_proj.bias", torch.zeros(len(weight) * size))
        return weight, bias.reshape(-1, size)

    weights: dict[str, torch.Tensor] = {}
    second = second_heads(heads, groups)
    second_groups = [(group - 1) % groups for group in range(groups)]
    for projection, order in (("q", second), ("k", second_groups)):
        for kind, tensor in zip(("weight", "bias"), of_heads(projection), strict=True):
            both = torch.cat([tensor, tensor[order]]).flatten(0, 1)
            weights[f"{prefix}{projection}_proj.{kind}"] = both.contiguous()

    weight, bias = of_heads("v")
    constant = _constant(weight, bias, of_llama[f"model.layers.{layer}.input_layernorm.weight"], lambda_)
    constants = torch.zeros_like(bias)
    # A quarter of the two halves, as a head's size is even: with λ = 0 the mean of the squares is a power of 4.
    constants[:, : size // 2] = constant
    weights[f"{prefix}v_proj.weight"] = torch.cat([weight, torch.zeros_like(weight)]).flatten(0, 1)
    weights[f"{prefix}v_proj.bias"] = torch.cat([bias, constants]).flatten()

    divided_by = (1 - lambda_) * constant / 2 / (1 - lambda_init_fn(layer))
    output = of_llama[f"{prefix}o_proj.weight"].reshape(hidden, heads, size) * divided_by
    weights[f"{prefix}o_proj.weight"] = torch.cat([output, torch.zeros_like(output)], dim=-1).flatten(1)
    weights[f"{prefix}o_proj.bias"] = of_llama.get(f"{prefix}o_proj.bias", torch.zeros(hidden))
    return weights | {prefix + name: vector for name, vector in lambda_vectors(lambda_, layer, size).items()}


def _constant(weight: torch.Tensor, bias: torch.Tensor, norm: torch.Tensor, lambda_: float) -> float:
    """Return c, a power of 2, so large that (1 − λ)·c is at least `_MARGIN` times any output of a pair of heads.

    The input of the projection comes from an RMS norm, so that it is `norm` times a vector of length √hidden at most.
    """
    lengths = (weight * norm).norm(dim=-1) * math.sqrt(len(norm))
    largest = max(1.0, float((lengths + bias.abs()).max()))
    constant = 2.0 ** math.ceil(math.log2(_MARGIN * largest * (1 + abs(lambda_)) / (1 - lambda_)))
    if constant > 2.0**60:
        raise ValueError(
            f"values of up to {largest:g}: expected smaller ones, so that float32 holds a constant's square"
        )
    return constant
