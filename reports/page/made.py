"""How the figures came about, out of `run.json`: as rows of plain text for the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

Run = Mapping[str, Any]
Rows = list[tuple[str, str]]


def made(runs: Sequence[Run]) -> dict[str, Any] | None:
    """What the page's last section shows of the runs, oldest first; None where there are none.

    `runs` (newest first, each with `started`, `ended`, `status`, `command` and `made`), `options`, `versions` and
    `machine` of the newest as rows of name and value, `timings` over all runs, `settings` (fingerprint and JSON) of
    all, and the `warnings` of the newest. A fact that a run lacks is left out.
    """
    if not runs:
        return None
    newest = runs[-1]
    return {
        "runs": [_run(run) for run in reversed(runs)],
        "options": [(name, _text(value)) for name, value in newest.get("options", {}).items()],
        "versions": [("commit", newest.get("commit") or "unknown"), *_versions(newest)],
        "machine": [(name, _size(value) if name == "memory" else _text(value)) for name, value in _machine(newest)],
        "timings": _timings(runs),
        "settings": [(key, json.dumps(value, indent=2)) for key, value in _settings(runs).items()],
        "warnings": [str(warning) for warning in newest.get("warnings", [])],
    }


def run_words(runs: Sequence[Run], counts: Iterable[int]) -> str:
    """In one line: the models and problems of the newest run, how many a cell (`counts`, over all cells), the seed, and
    the precisions that answers were made in."""
    newest: Run = runs[-1] if runs else {}
    options, numbers = newest.get("options", {}), sorted(set(counts))
    said = []
    if options.get("models"):
        said.append(f"{', '.join(options['models'])} on {options.get('problems', 'problems without a name')}")
    if numbers:
        said.append(f"{numbers[0]:,}{f' to {numbers[-1]:,}' if len(numbers) > 1 else ''} problems a cell")
    if newest.get("seed") is not None:
        last = int(newest["seed"]) + int(options.get("noise_seeds", 1)) - 1
        said.append(f"seed {newest['seed']}" + (f" to {last}" if last != newest["seed"] else ""))
    said += sorted({str(one["precision"]) for one in _settings(runs).values() if one.get("precision")})
    return f"{', '.join(said)}." if said else ""


def _run(run: Run) -> dict[str, str]:
    cells = run.get("cells", [])
    return {
        **{name: str(run.get(name, "unknown"))[:16].replace("T", " ") for name in ("started", "ended", "status")},
        "command": _command(run.get("command", [])),
        "made": f"{sum(cell.get('made', 0) for cell in cells):,} in {len(cells)} cells",
    }


def _command(words: Sequence[str]) -> str:
    """As it was typed: pytest says of itself where it lies, and whoever types the line again does not want that."""
    if words and "pytest" in PurePath(words[0]).parts[-2:]:
        return shlex.join(["pytest", *words[1:]])
    return shlex.join(words)


def _timings(runs: Sequence[Run]) -> list[dict[str, str]]:
    """A row for each stage and model: what was made over all runs and how fast."""
    totals: dict[tuple[str, str], list[float]] = {}
    for cell in (cell for run in runs for cell in run.get("cells", [])):
        total = totals.setdefault((str(cell.get("stage")), str(cell.get("model"))), [0, 0])
        total[0] += cell.get("made", 0)
        total[1] += cell.get("seconds", 0)
    return [
        {
            "stage": stage,
            "model": model,
            "made": f"{count:,.0f}",
            "seconds": f"{seconds:,.1f}",
            "rate": f"{count / seconds:,.1f}" if seconds else "",
        }
        for (stage, model), (count, seconds) in totals.items()
        if count
    ]


def _settings(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    return {key: value for run in runs for key, value in run.get("settings", {}).items()}


def _versions(run: Run) -> Rows:
    return [(name, value or "not installed") for name, value in run.get("versions", {}).items()]


def _machine(run: Run) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in run.get("machine", {}).items() if value is not None)


def _size(memory: int) -> str:
    return f"{memory / 2**30:.1f} GiB"


def _text(value: Any) -> str:
    """A value of the options, in the words that it is asked for with where there are any."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
