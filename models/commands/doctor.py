"""`python -m models doctor`: check that everything a benchmark needs is installed and works, one line per check."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from models.commands.doctor_checks import (
    CheckFailed,
    check_attention,
    check_checkpoint,
    check_device,
    check_disk,
    check_generation,
    check_noise,
    check_packages,
    check_problems,
    check_python,
)
from models.commands.option_hints import option_for
from models.commands.terminal_text import for_terminal
from models.model_registry import MODELS, ModelSpec


@dataclass(frozen=True)
class Check:
    """A check's name, whether it passed, its result in words, and the remedy if it failed."""

    name: str
    passed: bool
    detail: str
    remedy: str = ""

    def __str__(self) -> str:
        mark, remedy = ("✓", "") if self.passed else ("✗", f"\n    {self.remedy}")
        return f"{mark} {self.name}: {self.detail}{remedy}"


def run_checks(quick: bool, specs: Sequence[ModelSpec]) -> Iterator[Check]:
    """Yield each check as it is done. `quick` skips those that load one of `specs`."""
    yield run_check("Python", check_python)
    yield run_check("packages", check_packages)
    yield run_check("memory and device", check_device)
    yield run_check("disk", check_disk)
    yield run_check("problems", check_problems)
    yield run_check("noise", check_noise)
    for spec in specs:
        checkpoint = run_check(f"checkpoint {spec.name}", partial(check_checkpoint, spec))
        yield checkpoint
        if checkpoint.passed and not quick:
            yield run_check(f"generation {spec.name}", partial(check_generation, spec))
            yield run_check(f"attention {spec.name}", partial(check_attention, spec))


def run_check(name: str, check: Callable[[], str]) -> Check:
    """Return the outcome of one check. Any exception is a failure."""
    try:
        return Check(name, True, check())
    except CheckFailed as failure:
        return Check(name, False, str(failure), failure.remedy)
    except Exception as error:
        message = (str(error).strip() or "no reason given").splitlines()[0]
        option = option_for(error)
        remedy = f"see the message, and {option}" if option else "see the message; `make install` repairs packages"
        return Check(name, False, f"{type(error).__name__}: {message}", remedy)


def doctor(quick: bool, specs: Sequence[ModelSpec] | None = None) -> int:
    """Print each check as it is done. Return 0 if all passed, else 1."""
    importlib.invalidate_caches()
    failed = 0
    for check in run_checks(quick, specs or [MODELS["diffllama"], MODELS["llama"]]):
        print(for_terminal(str(check)), flush=True)
        failed += not check.passed
    print(f"{failed} failed" if failed else "all checks passed")
    return min(failed, 1)
