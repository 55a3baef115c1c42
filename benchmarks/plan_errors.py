"""Errors for invalid plans, phrased as Python parameters or as command-line options."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from operator import index
from typing import Any

#: The option of each parameter of a plan whose option has another name.
OPTIONS = {
    "measures": "--measure",
    "attention_samples": "--max-samples",
    "tuning.epochs": "--sft-epochs",
    "tuning.batch": "--sft-batch-size",
    "tuning.accumulation": "--sft-accumulation",
    "tuning.rank": "--sft-rank",
    "tuning.rate": "--sft-lr",
    "template": "--prompt",
    "noisy_folder": "--skip-data-gen",
}


def option_of(parameter: str) -> str:
    """Return the option of a parameter: `--max-samples` for `max_samples`."""
    return OPTIONS.get(parameter, "--" + parameter.replace("_", "-"))


def escaped(text: str) -> str:
    """Return text that is no part of a template, for use in one."""
    return text.replace("{", "{{").replace("}", "}}")


class PlanError(ValueError):
    """An invalid plan.

    `template` is a sentence with parameters in braces: `{max_samples}` stands for the parameter and its value,
    `{max_samples:name}` for its name alone. As text the error speaks of Python's parameters (`max_samples=0: …`), and
    `as_options` of the command line (`--max-samples 0: …`).
    """

    def __init__(self, template: str, **values: object) -> None:
        self.template, self.values = template, values
        super().__init__(self.as_parameters())

    def as_parameters(self, names: Mapping[str, str] | None = None) -> str:
        """Return the sentence with Python's parameters, those in `names` under the names given there."""
        return self._filled(lambda name: (names or {}).get(name, name), "{0}={1!r}")

    def renamed(self, **names: str) -> PlanError:
        """Return the error with some parameters under the names that a caller in Python knows."""
        return PlanError(escaped(self.as_parameters(names)))

    def as_options(self) -> str:
        """Return the sentence with the options of the command line."""
        return self._filled(option_of, "{0} {1}")

    def _filled(self, name_of: Any, value_format: str) -> str:
        parts = []
        for text, parameter, spec, _ in string.Formatter().parse(self.template):
            parts.append(text)
            if parameter is not None:
                value = self.values.get(parameter.replace(".", "_"), None)
                shown = name_of(parameter)
                has_value = spec != "name" and parameter.replace(".", "_") in self.values
                parts.append(value_format.format(shown, value) if has_value else shown)
        return "".join(parts)


@dataclass(frozen=True)
class _Range:
    """The numbers that a parameter may be."""

    lowest: int
    all_allowed: bool = False
    highest: int | None = None

    def __contains__(self, number: int) -> bool:
        in_range = self.lowest <= number <= (_LARGEST if self.highest is None else self.highest)
        return in_range or (self.all_allowed and number == -1)

    def expected(self, number: int) -> str:
        """Return what is allowed, in words. The limit of what is else unlimited is named to who is beyond it."""
        highest = _LARGEST if self.highest is None and number > _LARGEST else self.highest
        end = "up" if highest is None else f"to {highest:,}"
        return f"expected a number from {self.lowest} {end}" + (", or -1 for all" if self.all_allowed else "")


_LARGEST = 10**9  # beyond any size that a run can have
FROM_ZERO, FROM_ONE, FROM_ONE_OR_ALL = _Range(0), _Range(1), _Range(1, all_allowed=True)
ONE_TO_1000, ONE_TO_4096, SEEDS = _Range(1, highest=1_000), _Range(1, highest=4_096), _Range(0, highest=2**32 - 1)


def check_range(parameter: str, value: int, allowed: _Range) -> None:
    """Raise `PlanError` for a value that is not allowed, or no whole number."""
    try:
        number = index(value)
    except TypeError:
        raise PlanError(
            f"{{{parameter}:name}}={escaped(repr(value)[:60])}: expected a whole number, got {type(value).__name__}"
        ) from None
    if number not in allowed:
        raise PlanError(f"{{{parameter}}}: {allowed.expected(number)}", **{parameter.replace(".", "_"): value})
