"""`python -m models inspect`: count the parameters of a model, and compare the configurations of two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from models.attention.differential import lambda_depends_on_text, lambdas
from models.loading.load_model import LoadedModel
from models.model_reference import full_source

#: The block of a parameter, by what its name contains; the first match counts.
_BLOCKS = (
    ("λ", ("lambda_",)),
    ("norms", ("norm", "ln_", ".ln")),
    ("attention", ("attn", "attention")),
    ("feed-forward", ("mlp", "feed_forward", "ffn", ".fc")),
)
#: The configuration values that matched models share, besides tokenizer and size.
_SHAPE = (
    *("hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "num_key_value_heads"),
    *("head_dim", "vocab_size", "max_position_embeddings", "tie_word_embeddings", "hidden_act"),
)
#: The largest difference between the parameter counts of matched models, as a share of the larger count.
SIZE_TOLERANCE = 0.01
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Layer:
    """A decoder layer: its number from 0, its parameter count, and its λ, which is None in an ordinary layer and
    `by token` where it depends on the text."""

    number: int
    parameters: int
    lambda_: float | str | None


@dataclass(frozen=True)
class Inspection:
    """The size, configuration and memory of a model.

    `parameters` counts each weight once, also where two layers share it; `trainable` those that training would change;
    `blocks` are the counts by block. `configuration` has None for values that the architecture does not have. `memory`
    is the size of the weights in bytes, by precision; `cache` that of one token's keys and values in float32.
    """

    name: str
    source: str
    fingerprint: str
    architecture: str
    parameters: int
    trainable: int
    blocks: dict[str, int]
    configuration: dict[str, Any]
    layers: tuple[Layer, ...]
    memory: dict[str, int]
    cache: int | None
    tokens: int
    special_tokens: dict[str, str | None]


@dataclass(frozen=True)
class Difference:
    """A property of two models: its name, both values as text, and whether they are alike."""

    property_name: str
    first: str
    second: str
    alike: bool


def inspect(loaded: LoadedModel) -> Inspection:
    """Return the inspection of a model in memory."""
    model, config = loaded.model, loaded.model.config
    blocks = Counter({"embedding": 0})
    embedding = {id(module.weight) for module in (model.get_input_embeddings(),) if module is not None}
    head = {id(module.weight) for module in (model.get_output_embeddings(),) if module is not None} - embedding
    for name, parameter in model.named_parameters():  # a shared one is named once
        blocks[_block(name, parameter, embedding, head)] += parameter.numel()
    total = sum(blocks.values())
    return Inspection(
        name=loaded.spec.name,
        source=full_source(loaded.spec),
        fingerprint=loaded.fingerprint,
        architecture=type(model).__name__,
        parameters=total,
        trainable=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        blocks={name: count for name, count in blocks.items() if count},
        configuration={name: getattr(config, name, None) for name in _SHAPE},
        layers=tuple(_layers(model)),
        memory={precision: total * size for precision, size in _BYTES.items()},
        cache=_cache_bytes(config),
        tokens=len(loaded.tokenizer),
        special_tokens={name: getattr(loaded.tokenizer, name) for name in ("bos_token", "eos_token", "pad_token")},
    )


def compare(first: LoadedModel, second: LoadedModel) -> list[Difference]:
    """Return the properties that two models are compared on.

    They are *matched* where all are alike: then a difference in what they do is due to attention, training or chance.
    """
    left, right = inspect(first), inspect(second)
    rows = [
        _difference(name, left.configuration[name], right.configuration[name])
        for name in _SHAPE
        if not left.configuration[name] is right.configuration[name] is None
    ]
    gap = abs(left.parameters - right.parameters) / max(left.parameters, right.parameters)
    rows.append(Difference("parameters", f"{left.parameters:,}", f"{right.parameters:,}", alike=gap <= SIZE_TOLERANCE))
    vocabularies = first.tokenizer.get_vocab(), second.tokenizer.get_vocab()
    shared = len(vocabularies[0].items() & vocabularies[1].items())
    left_tokens, right_tokens = (f"{len(vocabulary):,}, {shared:,} shared" for vocabulary in vocabularies)
    rows.append(Difference("vocabulary", left_tokens, right_tokens, alike=vocabularies[0] == vocabularies[1]))
    return rows + [
        _difference(name, left.special_tokens[name], right.special_tokens[name]) for name in left.special_tokens
    ]


def is_matched(differences: Sequence[Difference]) -> bool:
    """Return whether two models are alike in every property they were compared on."""
    return all(difference.alike for difference in differences)


def _difference(property_name: str, first: Any, second: Any) -> Difference:
    return Difference(property_name, value_text(first), value_text(second), first == second)


def value_text(value: Any) -> str:
    """Return a configuration value as text."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _block(name: str, parameter: nn.Parameter, embedding: set[int], head: set[int]) -> str:
    if id(parameter) in embedding:
        return "embedding"
    if id(parameter) in head:
        return "output head"
    return next((block for block, parts in _BLOCKS if any(part in name for part in parts)), "other")


def _layers(model: nn.Module) -> Iterator[Layer]:
    """Yield the decoder layers: the longest list of modules in the model."""
    stack: list[nn.Module] = []
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) > len(stack):
            stack = list(module)
    for number, layer in enumerate(stack):
        lambda_ = "by token" if lambda_depends_on_text(layer) else next(iter(lambdas(layer).tolist()), None)
        yield Layer(number, sum(parameter.numel() for parameter in layer.parameters()), lambda_)


def _cache_bytes(config: Any) -> int | None:
    """Return the bytes of one token's keys and values in float32; None where the configuration lacks the sizes."""
    layers, heads, hidden = (
        getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )
    if not layers or not heads or not hidden:
        return None
    key_value_heads = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or hidden // heads
    return int(2 * layers * key_value_heads * size * _BYTES["float32"])
