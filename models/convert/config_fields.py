"""Read a configuration of another layout: each field is known, and a number of the right kind. No torch here."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.convert.conversion_errors import ConfigMissingError, ConversionError


@dataclass(frozen=True)
class ConfigFields:
    """The fields of the configuration in `path`. `prefix` is what their names begin with in errors."""

    path: Path
    fields: Mapping[str, Any]
    prefix: str = ""

    def count(self, name: str) -> int:
        """Return a positive integer. Raises `ConversionError`."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._error(name, "a positive integer")
        return value

    def number(self, name: str) -> float:
        """Return a positive finite number. Raises `ConversionError`."""
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self._error(name, "a positive number")
        return float(value)

    def expect(self, name: str, expected: object, why: str) -> None:
        """Check that a field that may be missing has the value `expected`. Raises `ConversionError`."""
        value = self.fields.get(name, expected)
        if value != expected or isinstance(value, bool) != isinstance(expected, bool):
            raise self._error(name, f"{json.dumps(expected)}, as {why}")

    def check_known(self, known: Collection[str]) -> None:
        """Check that no field is unknown: it could change what the model computes. Raises `ConversionError`."""
        unknown = sorted(set(self.fields) - set(known))
        if unknown:
            names = ", ".join(self.prefix + name for name in unknown[:3])
            raise ConversionError(
                f"{self.path}: unknown fields: {names}; the known fields are {', '.join(sorted(known))}"
            )

    def _value(self, name: str) -> Any:
        if name not in self.fields:
            raise ConversionError(f"{self.path} lacks {self.prefix}{name}")
        return self.fields[name]

    def _error(self, name: str, expected: str) -> ConversionError:
        value = f"{json.dumps(self.fields[name]):.60}"
        return ConversionError(f"{self.path}: expected {self.prefix}{name} to be {expected}, got {value}")


def read_config(weights: Path, config: Path | None) -> tuple[Path, dict[str, Any]]:
    """Return the path and the content of the configuration of `weights`.

    That is `config`, else the config.json beside the weights, else the one a folder above, where a repository keeps one
    for several checkpoints. Raises `ConfigMissingError` where there is none, `ConversionError` where
    it is no JSON object.
    """
    choices = [weights.parent / "config.json", weights.absolute().parent.parent / "config.json"]
    path = config or next((choice for choice in choices if choice.is_file()), None)
    if path is None or not path.is_file():
        if config is None:
            raise ConfigMissingError(f"no config.json in the folder of {weights} or in its parent")
        raise ConfigMissingError(f"{config}: no such configuration file")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ConversionError(f"{path}: not valid JSON ({error!s:.80})") from error
    if not isinstance(content, dict):
        raise ConversionError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return path, content
