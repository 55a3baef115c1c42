"""The file of `--save-rates` and `--rates`: how fast models were, so that a cost is known without loading weights."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.model_rates import DecodingRates, ModelRates, ModelShape, ReadingRates, TextRates, TuningRates
from models.model_registry import ModelSpec
from models.replicate_names import split_replicate
from reports.store.atomic_io import explaining_os_errors, write_atomically

_FORMAT = 1


class RatesError(ValueError):
    """A file of rates cannot be read, or lacks a model; the message is one sentence."""


def write_rates(path: Path, rates: Mapping[str, ModelRates]) -> None:
    """Write rates by the name of a family. Raises `ResultsFolderError` where the file cannot be written."""
    content = {"format": _FORMAT, "models": {name: asdict(of_model) for name, of_model in rates.items()}}
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_rates(path: Path) -> dict[str, ModelRates]:
    """Return the rates of a file, by the name of a family. Raises `RatesError`, or `ResultsFolderError`."""
    with explaining_os_errors(path, "read"):
        text = path.read_bytes()
    try:
        content = json.loads(text)
        if content["format"] != _FORMAT:
            raise RatesError(f"{path}: expected rates in format {_FORMAT}, got format {content['format']!r:.40}")
        return {name: _rates(values) for name, values in content["models"].items()}
    except RatesError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise RatesError(f"{path}: expected a file of --save-rates, got something else ({reason:.120})") from error


def _rates(values: Mapping[str, Any]) -> ModelRates:
    decoding, tuning = values["decoding"], values["tuning"]
    rates = ModelRates(
        **{
            **values,
            "shape": ModelShape(**values["shape"]),
            "text": TextRates(**values["text"]),
            "decoding": DecodingRates(**{**decoding, "lengths": tuple(map(int, decoding["lengths"]))}),
            "reading": {stage: ReadingRates(**of_stage) for stage, of_stage in values["reading"].items()},
            "tuning": None if tuning is None else TuningRates(**tuning),
        }
    )
    if not rates.decoding.lengths or min(rates.decoding.lengths) < 1:
        raise ValueError("lengths: expected at least one, each from 1 up")
    return rates


def family_of(spec: ModelSpec) -> str:
    """Return what a model's rates are known by: the replicates of a family have one shape, so one of them is timed."""
    return split_replicate(spec.name)[0]


def rates_of(spec: ModelSpec, rates: Mapping[str, ModelRates], path: Path) -> ModelRates:
    """Return the rates of a model. Raises `RatesError` that names what is in the file."""
    family = family_of(spec)
    if family not in rates:
        near = difflib.get_close_matches(family, rates, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join(rates) or "no model"
        raise RatesError(f"{path}: no rates of {family!r}, expected one of {known}{hint}")
    return rates[family]
