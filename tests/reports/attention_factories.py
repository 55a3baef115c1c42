"""Made-up attention readings and maps for the tests of `reports`. Shapes and sums are valid, the rest is random."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy

from reports.plots.attention_maps import AttentionMap
from reports.store.records import AttentionReading, Cell
from tests.reports.record_factories import SETTINGS, question_of

SEGMENTS = ("kmi", "ni", "oc", "sink", "answer")
NEEDLE_SEGMENTS = ("needle", "ni", "question", "oc", "answer")
ATTENTION_CELL = Cell("diffllama", "inf", "attention")
CLEAN_ATTENTION_CELL = Cell("diffllama", "clean", "attention")
ATTENTION_SETTINGS = replace(SETTINGS, attention="queries answer; layers all; heads all")


def reading(id: str, **changed: Any) -> AttentionReading:
    """Return a reading of one layer with one head: the lift of KMI is 1, of NI 2, of OC 0.5."""
    values: dict[str, Any] = {
        "id": id,
        "question": question_of(id),
        "spans": ((10, 25),),
        "outcome": "measured",
        "queries": 9,
        "segments": SEGMENTS,
        "layers": (0,),
        "heads": (0,),
        "tokens": (0.25, 0.125, 0.25, 0.125, 0.25),
        "signed": (((0.25, 0.25, 0.125, 0.25, 0.125),),),
        "absolute": (((0.25, 0.25, 0.125, 0.25, 0.125),),),
        "lambdas": None,
        "error": None,
    }
    return AttentionReading(**(values | changed))


def failed_reading(id: str) -> AttentionReading:
    empty: dict[str, Any] = dict.fromkeys(("segments", "layers", "heads", "tokens", "signed", "absolute"), ())
    return reading(id, outcome="error", queries=0, error="Traceback:\nRuntimeError: no luck", **empty)


def readings(
    ids: Iterable[str],
    layers: int,
    heads: int,
    *,
    seed: int = 0,
    noisy: bool = True,
    lambdas: bool = False,
    segments: tuple[str, ...] = SEGMENTS,
) -> list[AttentionReading]:
    """Return random readings. Shares sum to 1, signed ones to 1 − λ; if not `noisy`, no token is NI."""
    generator = numpy.random.default_rng(seed)
    weights = numpy.array([3, 2 if noisy else 0, 6, 0.5, 4])
    by_layer = generator.uniform(0.2, 0.8, layers) if lambdas else None
    bias = generator.lognormal(0, 0.6, (layers, heads, len(SEGMENTS)))
    records = []
    for id in ids:
        tokens = weights * generator.uniform(0.5, 1.5, len(SEGMENTS))
        shares = tokens * bias * generator.lognormal(0, 0.2, bias.shape) * (1, 1, 1, 15, 1)
        absolute = shares / shares.sum(-1, keepdims=True)
        signed = absolute if by_layer is None else absolute * (1 - by_layer[:, None, None])
        records.append(
            reading(
                id,
                layers=tuple(range(layers)),
                heads=tuple(range(heads)),
                segments=segments,
                tokens=tuple((tokens / tokens.sum()).tolist()),
                signed=nested(signed),
                absolute=nested(absolute),
                lambdas=None if by_layer is None else tuple(by_layer.tolist()),
            )
        )
    return records


def nested(values: numpy.ndarray[Any, Any]) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(tuple(tuple(head) for head in layer) for layer in values.tolist())


WORDS = "Bob has 16 red eggs . He eats 3 of them at noon . How many eggs does Bob have left ? <n> Answer :".split()
DISTRACTOR = "In Quito , beach combers hold a yearly feast at 29 long tables .".split()
ANSWER = "16 - 3 = 13 <n> #### 13".split()


def attention_map(size: int, *, signed: bool = False, seed: int = 0, **changed: Any) -> AttentionMap:
    """Return a causal pattern over `size` tokens with a sink, a diagonal band, and some salient keys."""
    generator = numpy.random.default_rng(seed)
    front = size - len(DISTRACTOR) - len(ANSWER)
    words = [WORDS[number % len(WORDS)] for number in range(front)]
    split = max(1, front - 8)
    tokens = ["<s>", *words[1:split], *DISTRACTOR, *words[split:], *ANSWER][:size]
    plain = ["kmi" if word.isdigit() else "oc" for word in words]
    kinds = ["sink", *plain[1:split], *["ni"] * len(DISTRACTOR), *plain[split:], *["answer"] * len(ANSWER)][:size]
    lambda_ = 0.45 if signed else None
    pattern = _softmax(size, kinds, generator)
    if lambda_ is not None:
        pattern = pattern - lambda_ * _softmax(size, kinds, generator, band=0.4)
    values: dict[str, Any] = {
        "model": "diffllama" if signed else "llama",
        "noise": "inf",
        "stage": "attention",
        "number": 0,
        "id": "mini-00003",
        "layer": 3,
        "head": 1,
        "signed": signed,
        "tokens": tuple(
            f" {token}" if number and token != "<n>" else "\n" * (token == "<n>") or token
            for number, token in enumerate(tokens)
        ),
        "kinds": tuple(kinds),
        "pattern": pattern.astype(numpy.float32),
        "lambda_": lambda_,
    }
    return AttentionMap(**(values | changed))


def _softmax(
    size: int, kinds: list[str], generator: numpy.random.Generator, band: float = 1.0
) -> numpy.ndarray[Any, Any]:
    positions = numpy.arange(size)
    scores = generator.normal(0, 0.7, (size, size)) - band * 0.15 * numpy.abs(positions[:, None] - positions[None, :])
    scores[:, 0] += 6
    scores += numpy.where(numpy.array(kinds) == "kmi", 2.0, 0.0) + numpy.where(numpy.array(kinds) == "ni", 0.8, 0.0)
    scores[numpy.triu_indices(size, 1)] = -numpy.inf
    weights = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
