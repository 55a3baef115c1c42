"""How the figures were produced, from `run.json`, as rows of plain text for the page.

The file is not trusted: missing values, and values of another type than we write, are left out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

Run = Mapping[str, Any]
Rows = list[tuple[str, str]]


def relevant_runs(runs: Sequence[Run], settings: Collection[str]) -> list[dict[str, Any]]:
    """Return the runs that have a cell of one of these settings (hashes), with only those cells.

    Cells of other settings were set aside or refused.
    """
    relevant = []
    for run in runs:
        cells = [cell for cell in _list(run, "cells") if isinstance(cell, dict)]
        cells = [cell for cell in cells if str(cell.get("settings")) in settings]
        if cells:
            relevant.append({**run, "cells": cells})
    return relevant


def provenance(runs: Sequence[Run], settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the page's last section shows of the runs, given oldest first; None without a run.

    The keys are `runs` (newest first, each with `started`, `ended`, `status`, `command` and `records`), `options`,
    `versions` and `machine` of the newest run as rows of name and value, `timings` over all runs, `settings`
    (fingerprint and JSON), and the `warnings` of the newest run, None if warnings were not recorded.
    """
    if not runs:
        return None
    newest = runs[-1]
    warnings = newest.get("warnings")
    return {
        "runs": [_run(run) for run in reversed(runs)],
        "options": [(name, _text(value)) for name, value in _dict(newest, "options").items()],
        "versions": [("commit", _text(newest.get("commit") or "unknown")), *_versions(newest)],
        "machine": [(name, _size(name, value)) for name, value in _dict(newest, "machine").items() if value],
        "timings": _timings(runs),
        "settings": [(key, json.dumps(value, indent=2, default=str)) for key, value in settings.items()],
        "warnings": [_text(warning) for warning in warnings] if isinstance(warnings, list) else None,
    }


def run_description(
    models: Iterable[str], sources: Iterable[str], counts: Iterable[int], runs: Sequence[Run], precisions: Iterable[str]
) -> str:
    """Return one line: the models, the sources of the problems, their number per cell, the seeds, the precisions."""
    numbers = sorted(set(counts))
    source_names = " and ".join(sorted({source.rpartition(" ")[0] or source for source in sources if source}))
    parts = [", ".join(dict.fromkeys(models)) + (f" on {source_names}" if source_names else "")]
    if numbers:
        parts.append(f"{numbers[0]:,}{f' to {numbers[-1]:,}' if len(numbers) > 1 else ''} problems a cell")
    seeds = sorted({seed for run in runs for seed in _seeds(run)})
    if seeds:
        parts.append(f"seed {seeds[0]}" + (f" to {seeds[-1]}" if len(seeds) > 1 else ""))
    parts += sorted({precision for precision in precisions if precision})
    return f"{', '.join(filter(None, parts))}."


def caveats(runs: Sequence[Run]) -> list[str]:
    """Return the caveats of these runs, each once."""
    return list(dict.fromkeys(str(run["caveat"]) for run in runs if run.get("caveat")))


def _seeds(run: Run) -> set[int]:
    seed, draws = run.get("seed"), _dict(run, "options").get("noise_seeds", 1)
    if not isinstance(seed, int):
        return set()
    return {seed, seed + draws - 1} if isinstance(draws, int) else {seed}


def _run(run: Run) -> dict[str, str]:
    cells = _list(run, "cells")
    times = {name: _text(run.get(name, "unknown"))[:16].replace("T", " ") for name in ("started", "ended")}
    return {
        **times,
        "status": _text(run.get("status", "unknown")),
        "command": _command([str(word) for word in _list(run, "command")]),
        "records": f"{sum(_number(cell, 'made') for cell in cells):,.0f} in {len(cells)} cells",
    }


def _command(words: Sequence[str]) -> str:
    """Return the command as it was typed, with `pytest` in place of the path of its executable."""
    if words and "pytest" in PurePath(words[0]).parts[-2:]:
        return shlex.join(["pytest", *words[1:]])
    return shlex.join(words)


def _timings(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Return a row for each stage and model: the records produced over all runs, and how fast."""
    totals: dict[tuple[str, str], list[float]] = {}
    for cell in (cell for run in runs for cell in _list(run, "cells")):
        total = totals.setdefault((_text(cell.get("stage")), _text(cell.get("model"))), [0, 0])
        total[0] += _number(cell, "made")
        total[1] += _number(cell, "seconds")
    return [
        {
            "stage": stage,
            "model": model,
            "records": f"{count:,.0f}",
            "seconds": f"{seconds:,.1f}",
            "rate": f"{count / seconds:,.1f}" if seconds else "",
        }
        for (stage, model), (count, seconds) in totals.items()
        if count
    ]


def _versions(run: Run) -> Rows:
    return [(name, _text(value or "not installed")) for name, value in _dict(run, "versions").items()]


def _size(name: str, value: Any) -> str:
    return f"{value / 2**30:.1f} GiB" if name == "memory" and isinstance(value, int | float) else _text(value)


def _text(value: Any) -> str:
    """Return a value of the options as text; a list or mapping in the form of the command line."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def _list(facts: Run, name: str) -> list[Any]:
    value = facts.get(name)
    return value if isinstance(value, list) else []


def _dict(facts: Run, name: str) -> dict[str, Any]:
    value = facts.get(name)
    return value if isinstance(value, dict) else {}


def _number(facts: Run, name: str) -> float:
    value = facts.get(name) if isinstance(facts, dict) else None
    return value if isinstance(value, int | float) else 0
