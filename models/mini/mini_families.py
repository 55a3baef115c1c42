"""The families of miniatures: an architecture each, with as many parameters as the miniature Llama."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from models.architectures import DiffV2Config, DiffV2ForCausalLM, GroupedDiffConfig, GroupedDiffForCausalLM
from models.mini.mini_recipe import Recipe


@dataclass(frozen=True)
class Family:
    """An architecture. It has `head_multiple` heads for each of the recipe's and `extra_heads` besides, `key_heads` key
    heads, None for as many as the recipe's heads, and `options` of its configuration."""

    config: Any
    model: Any
    head_multiple: int = 1
    extra_heads: int = 0
    key_heads: int | None = None
    options: tuple[tuple[str, int], ...] = ()


#: All families by name. `diffllama` and `llama` are included; what the others double or add they save in the MLP's
#: `intermediate_size`.
FAMILIES: dict[str, Family] = {
    "diffllama": Family(DiffLlamaConfig, DiffLlamaForCausalLM),
    "llama": Family(LlamaConfig, LlamaForCausalLM),
    "diffv2": Family(DiffV2Config, DiffV2ForCausalLM, head_multiple=2),
    "gda": Family(
        GroupedDiffConfig, GroupedDiffForCausalLM, extra_heads=1, key_heads=2, options=(("num_noise_heads", 1),)
    ),
}
#: The pair that is included, and trained unless others are asked for.
PAIR = ("diffllama", "llama")


def initial_model(family: str, recipe: Recipe, tokenizer: PreTrainedTokenizerFast, seed: int) -> PreTrainedModel:
    """Return the model that training begins with.

    A weight that Llama has too begins as Llama's of this seed; of one with another shape, the rows and columns that
    both have. Raises `ValueError` for a family that lacks a weight of Llama.
    """
    torch.manual_seed(seed)
    shared = _random_model("llama", recipe.intermediate, recipe, tokenizer)
    if family == "llama":
        return shared
    model = _random_model(family, matched_intermediate_size(family, recipe, tokenizer), recipe, tokenizer)
    own = dict(model.named_parameters())
    missing = [name for name, _ in shared.named_parameters() if name not in own]
    if missing:
        raise ValueError(f"{family} lacks weights of llama: {', '.join(missing)}")
    with torch.no_grad():
        for name, weight in shared.named_parameters():
            both = tuple(slice(min(sizes)) for sizes in zip(weight.shape, own[name].shape, strict=True))
            own[name][both] = weight[both]
    return model


def matched_intermediate_size(family: str, recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> int:
    """Return the MLP's `intermediate_size` with which a family has as many parameters as Llama, or nearly.

    A column more or less has `3 × hidden` parameters a layer.
    """
    with torch.device("meta"):
        counts = [
            _random_model(name, recipe.intermediate, recipe, tokenizer).num_parameters() for name in (family, "llama")
        ]
    return recipe.intermediate - round((counts[0] - counts[1]) / (3 * recipe.hidden * recipe.layers))


def _random_model(
    family: str, intermediate: int, recipe: Recipe, tokenizer: PreTrainedTokenizerFast
) -> PreTrainedModel:
    """Return a model with random weights. All families get the same sizes and, as defaults differ, `rms_norm_eps`."""
    kind = FAMILIES[family]
    # DiffLlama's and Llama's own default is the same size; the others have another number of heads.
    sizes = {} if kind.head_multiple == 1 and not kind.extra_heads else {"head_dim": recipe.hidden // recipe.heads}
    config = kind.config(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=kind.head_multiple * recipe.heads + kind.extra_heads,
        num_key_value_heads=kind.key_heads or recipe.heads,
        max_position_embeddings=recipe.positions,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **sizes,
        **dict(kind.options),
    )
    model: PreTrainedModel = kind.model(config)
    return model
