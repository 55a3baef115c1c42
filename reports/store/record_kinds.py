"""The kinds of records: name, folder, JSON decoding and measure of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reports.store.atomic_io import ResultsDamaged
from reports.store.records import (
    INTERVENTION_OUTCOMES,
    OUTCOMES,
    READING_OUTCOMES,
    AttentionReading,
    Intervention,
    Likelihood,
    Prediction,
)

ACCURACY, LIKELIHOOD = "accuracy", "likelihood"


@dataclass(frozen=True)
class Measure:
    """The score that a record gives its problem, and how to display it.

    `score` maps a record without an error to a number. `text` maps it to what was asked: scores are compared only where
    their texts are equal. `binary` scores are 0 or 1, and their mean is a proportion. A value is displayed as
    `scale * value`, rounded to `digits` decimals, in `unit`.
    """

    name: str
    label: str
    unit: str
    score: Callable[[Any], float]
    text: Callable[[Any], str] = lambda record: str(record.asked)
    binary: bool = False
    scale: float = 1.0
    digits: int = 3


@dataclass(frozen=True)
class RecordKind:
    """How the records of a stage are stored.

    `type` is a frozen dataclass with the fields `id`, `question`, `spans`, `outcome` and `error`, and the property
    `asked`, the text that the record depends on. `noun` names one record in messages. `folder` is the top folder of the
    records in a results folder. `rounded` names the fields that keep six significant digits. `decode` converts values
    from JSON to those of `type`; it raises `ResultsDamaged`, beginning with its second argument, if they are invalid.
    `measure` is None if a record has no single score.
    """

    type: type[Any]
    noun: str
    folder: Literal["predictions", "readings"] = "readings"
    outcomes: tuple[str, ...] = READING_OUTCOMES
    rounded: tuple[str, ...] = ()
    decode: Callable[[dict[str, Any], str], Mapping[str, Any]] = lambda values, where: values
    measure: Measure | None = None


def _decode_reading(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Convert the lists of an attention reading to tuples, and check their shapes."""
    try:
        layers, heads, segments = (tuple(values[name]) for name in ("layers", "heads", "segments"))
        tokens = tuple(values["tokens"])
        by_layer = {"lambda_stds": None} | values  # earlier versions have no `lambda_stds`
        lambdas, stds = (
            None if by_layer[name] is None else tuple(by_layer[name]) for name in ("lambdas", "lambda_stds")
        )
        patterns = {
            name: tuple(tuple(tuple(head) for head in layer) for layer in values[name])
            for name in ("signed", "absolute")
        }
    except TypeError:
        raise ResultsDamaged(f"{where}: expected the numbers of a reading as nested lists") from None
    shapes_match = (
        len(tokens) == len(segments)
        and all(numbers is None or len(numbers) == len(layers) for numbers in (lambdas, stds))
        and all(len(pattern) == len(layers) for pattern in patterns.values())
        and all(len(layer) == len(heads) for pattern in patterns.values() for layer in pattern)
        and all(len(head) == len(segments) for pattern in patterns.values() for layer in pattern for head in layer)
    )
    if not shapes_match:
        shape = f"{len(layers)} layers × {len(heads)} heads × {len(segments)} segments"
        raise ResultsDamaged(f"{where}: expected numbers for {shape}, got another shape")
    return {
        **values,
        **patterns,
        "layers": layers,
        "heads": heads,
        "segments": segments,
        "tokens": tokens,
        "lambdas": lambdas,
        "lambda_stds": stds,
    }


def _decode_likelihood(values: dict[str, Any], where: str) -> dict[str, Any]:
    nats, tokens = values["nats"], values["tokens"]
    are_numbers = isinstance(nats, int | float) and isinstance(tokens, int)
    if not are_numbers or tokens < (values["outcome"] == "measured"):
        raise ResultsDamaged(f"{where}: expected numbers as nats and tokens, got {nats!r:.60} and {tokens!r:.60}")
    return values


def _decode_prediction(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Check that the outcome is the one that the answer and the target make, and convert the list of factors."""
    contradiction = contradiction_in(values["outcome"], values["answer"], values["target"])
    if contradiction:
        raise ResultsDamaged(f"{where}: {contradiction}")
    factors = values.get("factors", [])
    if not isinstance(factors, list) or len(factors) not in (0, len(values["spans"])):
        raise ResultsDamaged(f"{where}: expected factors as a list, one for each of the spans, got {factors!r:.60}")
    return values | {"factors": tuple(factors)}


def _decode_intervention(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Check that outcome, answer and target agree, and that the record has the id of its problem and condition."""
    contradiction = contradiction_in(values["outcome"], values["answer"], values["target"])
    if contradiction:
        raise ResultsDamaged(f"{where}: {contradiction}")
    expected = f"{values['problem']} {values['condition']}"
    if values["id"] != expected:
        raise ResultsDamaged(f"{where}: expected the id {expected!r}, got {values['id']!r:.60}")
    return values


def contradiction_in(outcome: str, answer: str | None, target: str) -> str:
    """Return in what way an answer contradicts its outcome; empty if it does not."""
    if outcome == "correct" and answer != target:
        return f"expected the answer {target!r} of a correct prediction, got {answer!r}"
    if outcome == "incorrect" and answer in (None, target):
        return f"expected another answer than {target!r} of a wrong prediction, got {answer!r}"
    return ""


PREDICTIONS = RecordKind(
    type=Prediction,
    noun="prediction",
    folder="predictions",
    outcomes=OUTCOMES,
    decode=_decode_prediction,
    measure=Measure(
        name=ACCURACY,
        label="accuracy",
        unit="points",
        score=lambda record: float(record.outcome == "correct"),
        # Verdicts are comparable only if the same code compared them with the same gold answer.
        text=lambda record: f"{record.asked}\n#### {record.target}\n{record.grading}",
        binary=True,
        scale=100.0,
        digits=1,
    ),
)
ATTENTION_READINGS = RecordKind(
    type=AttentionReading,
    noun="reading",
    rounded=("tokens", "signed", "absolute", "lambdas", "lambda_stds"),
    decode=_decode_reading,
)
LIKELIHOODS = RecordKind(
    type=Likelihood,
    noun="likelihood",
    rounded=("nats",),
    decode=_decode_likelihood,
    # Nats per token are comparable only over the same number of tokens, so that number is part of the text.
    measure=Measure(
        name=LIKELIHOOD,
        label="log-likelihood of the worked answer",
        unit="nats a token",
        score=lambda record: record.nats / record.tokens,
        text=lambda record: f"{record.tokens} {record.asked}",
    ),
)
INTERVENTIONS = RecordKind(
    type=Intervention,
    noun="intervention",
    outcomes=INTERVENTION_OUTCOMES,
    rounded=("nats",),
    decode=_decode_intervention,
)
