"""What a model is made of, and whether two of them are matched: figures for `python -m models inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from models.attention.differential import lambdas
from models.loading.load_model import LoadedModel
from models.model_registry import address

#: What a parameter belongs to, by what its name contains; the first that fits counts.
_BLOCKS = (
    ("λ", ("lambda_",)),
    ("norms", ("norm", "ln_", ".ln")),
    ("attention", ("attn", "attention")),
    ("feed-forward", ("mlp", "feed_forward", "ffn", ".fc")),
)
#: What two models must have in common to be matched, besides tokenizer and size: the configuration's own names.
_SHAPE = (
    *("hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "num_key_value_heads"),
    *("head_dim", "vocab_size", "max_position_embeddings", "tie_word_embeddings", "hidden_act"),
)
#: How far the numbers of parameters of a matched pair may be apart, as a share of the larger.
CLOSE = 0.01
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Layer:
    """One block of the stack: its number from 0, its parameters, and its λ (None in an ordinary model)."""

    number: int
    parameters: int
    lambda_: float | None


@dataclass(frozen=True)
class Inspection:
    """What a model is made of.

    `parameters` counts each weight once, also where two layers share it; `trainable` those that training would change;
    `blocks` splits them up. `configuration` has the shape's figures, None where the architecture has no such thing.
    `memory` is what the weights take, in bytes, by precision, and `cache` what keys and values of one token take in
    float32.
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
    """One thing that two models are compared on, with both values as text, and whether they are alike in it."""

    what: str
    first: str
    second: str
    alike: bool


def inspect(loaded: LoadedModel) -> Inspection:
    """Everything that `Inspection` holds, out of the model in memory."""
    model, config = loaded.model, loaded.model.config
    blocks = Counter({"embedding": 0})
    embedding = {id(module.weight) for module in (model.get_input_embeddings(),) if module is not None}
    head = {id(module.weight) for module in (model.get_output_embeddings(),) if module is not None} - embedding
    for name, parameter in model.named_parameters():  # a shared one is named once
        blocks[_block(name, parameter, embedding, head)] += parameter.numel()
    total = sum(blocks.values())
    return Inspection(
        name=loaded.spec.name,
        source=address(loaded.spec),
        fingerprint=loaded.fingerprint,
        architecture=type(model).__name__,
        parameters=total,
        trainable=sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        blocks={name: count for name, count in blocks.items() if count},
        configuration={name: getattr(config, name, None) for name in _SHAPE},
        layers=tuple(_layers(model)),
        memory={precision: total * size for precision, size in _BYTES.items()},
        cache=_cache(config),
        tokens=len(loaded.tokenizer),
        special_tokens={name: getattr(loaded.tokenizer, name) for name in ("bos_token", "eos_token", "pad_token")},
    )


def differences(first: LoadedModel, second: LoadedModel) -> list[Difference]:
    """What the two are compared on. They are *matched* where all are alike: then a difference between what they do is
    one of attention, of training, or of chance."""
    one, other = inspect(first), inspect(second)
    found = [
        _difference(name, one.configuration[name], other.configuration[name])
        for name in _SHAPE
        if not one.configuration[name] is other.configuration[name] is None
    ]
    apart = abs(one.parameters - other.parameters) / max(one.parameters, other.parameters)
    size = Difference("parameters", f"{one.parameters:,}", f"{other.parameters:,}", apart <= CLOSE)
    vocabularies = first.tokenizer.get_vocab(), second.tokenizer.get_vocab()
    shared = len(vocabularies[0].items() & vocabularies[1].items())
    mine, theirs = (f"{len(vocabulary):,}, {shared:,} shared" for vocabulary in vocabularies)
    found += [size, Difference("vocabulary", mine, theirs, vocabularies[0] == vocabularies[1])]
    special = ((name, one.special_tokens[name], other.special_tokens[name]) for name in one.special_tokens)
    return [*found, *(_difference(*values) for values in special)]


def matched(found: list[Difference]) -> bool:
    """Whether the two are alike in everything they were compared on."""
    return all(difference.alike for difference in found)


def _difference(what: str, one: Any, other: Any) -> Difference:
    return Difference(what, value_text(one), value_text(other), one == other)


def value_text(value: Any) -> str:
    """A value of a configuration as it is shown."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _block(name: str, parameter: nn.Parameter, embedding: set[int], head: set[int]) -> str:
    if id(parameter) in embedding:
        return "embedding"
    if id(parameter) in head:
        return "output head"
    return next((block for block, marks in _BLOCKS if any(mark in name for mark in marks)), "other")


def _layers(model: nn.Module) -> Iterator[Layer]:
    """The longest list of modules in the model is its stack of layers."""
    stack: list[nn.Module] = []
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) > len(stack):
            stack = list(module)
    for number, layer in enumerate(stack):
        own = lambdas(layer).tolist()
        yield Layer(number, sum(parameter.numel() for parameter in layer.parameters()), own[0] if own else None)


def _cache(config: Any) -> int | None:
    """Bytes of the keys and values of one token, in float32; None where the configuration does not say."""
    layers, heads, hidden = (
        getattr(config, name, None) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
    )
    if not layers or not heads or not hidden:
        return None
    pairs = getattr(config, "num_key_value_heads", None) or heads
    size = getattr(config, "head_dim", None) or hidden // heads
    return int(2 * layers * pairs * size * _BYTES["float32"])
