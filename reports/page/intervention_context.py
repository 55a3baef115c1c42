"""The page's part on interventions: sentences, the figure, and tables of parts, conditions and faults as plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reports.page.charts import svg
from reports.plots.intervention_plot import intervention_figure
from reports.stages import measure_named
from reports.stats.flip_prediction import NOISE_LIFT
from reports.stats.intervention_rows import COST, EFFECT, FAULT, FLIP, SHARE, InterventionRow
from reports.stats.parts_of_cost import decompositions, shown_differences
from reports.store.record_kinds import ACCURACY, LIKELIHOOD
from reports.tables.comparison_figures import figure, interval_text
from reports.tables.intervention_narrative import (
    LIMIT,
    difference_sentence,
    flip_summary,
    floor_sentences,
)
from reports.tables.intervention_tables import FAULTS_SHOWN, PART_NAMES, fault_text
from reports.tables.numbers_as_text import decimal, p_figure

#: What each condition cuts or changes. Those that end in a number, or in _clean, stand with the one that they vary.
CONDITIONS = {
    "clean": "the problem without the noise",
    "noisy": "with the noise, nothing cut",
    "answer": "no token of the answer can attend to the noise",
    "question": "no other later token can: of the question, and of the prompt around it",
    "everywhere": "no later token can at all",
    "moved": "everywhere, and later tokens have the positions that they have without the noise",
    "displaced": "the clean text, with the positions that the noise gives it",
    "placebo": "as everywhere, but as many tokens of the question's other content are hidden, where it has them",
    "random": "as everywhere, but as many of all its tokens before the noise are hidden, where it has them",
    "layer": "everywhere, in this layer alone",
    "heads_top": "everywhere, in the quarter of the heads with the most lift alone",
    "heads_random": "everywhere, in as many random heads alone",
    "first": "everywhere, in the first pattern of a differential head alone",
    "second": "everywhere, in its second pattern alone",
    "zeroed": "everywhere, and the other weights are not raised to sum to 1 again",
    "lambda": "with the noise, nothing cut, λ times this number; on the clean text if it ends in _clean",
}


def intervention_context(rows: Sequence[InterventionRow]) -> dict[str, Any] | None:
    """Return the values of the template's part on interventions; None if there are no interventions."""
    if not rows:
        return None
    picture = intervention_figure(rows)
    return {
        "sentences": [*floor_sentences(rows), *(difference_sentence(row, brief=True) for row in _of_reading(rows))],
        "limit": LIMIT,
        "picture": None if picture is None else svg(picture, _alternative(rows)),
        "part_columns": list(PART_NAMES.values()),
        "parts": _parts(rows),
        "conditions": _conditions(rows),
        "condition_words": _condition_words(rows),
        "faults": _faults(rows),
        "flips": _flips(rows),
        "flip_sentences": flip_summary(rows),
    }


def _of_reading(rows: Sequence[InterventionRow]) -> list[InterventionRow]:
    """Return by how much more reading the noise costs one model than another."""
    return [row for row in shown_differences(rows) if row.of == "reading"]


def _alternative(rows: Sequence[InterventionRow]) -> str:
    """Return the figure in words: the parts of each cost in accuracy, or in likelihood if it has no other."""
    shown = decompositions(rows, ACCURACY) or decompositions(rows, LIKELIHOOD)
    bars = [
        f"{of_cell.total.model}, {of_cell.total.noise}: "
        + ", ".join(
            f"{PART_NAMES[row.of]} {figure(row.measure, row.estimate)}" for row in (of_cell.total, *of_cell.parts)
        )
        for of_cell in shown
    ]
    return f"What noise costs each model, as a bar of its parts with intervals: {'; '.join(bars)}"


def _parts(rows: Sequence[InterventionRow]) -> list[dict[str, Any]]:
    """Return the parts of what noise costs: of each model, then by how much more one model loses than another."""
    table = [
        _row_of_parts(of_cell.total.model, (of_cell.total, *of_cell.parts), [""] * len(PART_NAMES))
        for measure in (ACCURACY, LIKELIHOOD)
        for of_cell in decompositions(rows, measure)
    ]
    pairs: dict[tuple[str, ...], dict[str, InterventionRow]] = {}
    for row in shown_differences(rows):
        pairs.setdefault((row.measure, row.noise, row.model, row.against), {})[row.of] = row
    for by_part in pairs.values():
        of_pair = [by_part[part] for part in PART_NAMES]
        p_values = ["" if row.p_adjusted is None else f", {p_figure(row.p_adjusted)}" for row in of_pair]
        table.append(_row_of_parts(f"{of_pair[0].against} − {of_pair[0].model}", of_pair, p_values))
    return table


def _row_of_parts(name: str, of_parts: Sequence[InterventionRow], suffixes: Sequence[str]) -> dict[str, Any]:
    total = of_parts[0]
    return {
        "noise": total.noise,
        "model": name,
        "unit": measure_named(total.measure).unit,
        "values": [f"{_with_interval(row)}{suffix}" for row, suffix in zip(of_parts, suffixes, strict=True)],
        "problems": f"{total.clusters:,}",
    }


def _flips(rows: Sequence[InterventionRow]) -> list[dict[str, str]]:
    """Return, for each model and noise, how well the lift of the noise and the cut's effect tell which answers flip."""
    cells: dict[tuple[str, str], dict[str, InterventionRow]] = {}
    for row in rows:
        if row.contrast == FLIP:
            cells.setdefault((row.noise, row.model), {})["lift" if row.of == NOISE_LIFT else "cut"] = row
    return [
        {
            "noise": noise,
            "model": model,
            "right": f"{next(iter(of_cell.values())).clusters:,}",
            "flipped": f"{next(iter(of_cell.values())).count:,}",
            "lift": _area(of_cell.get("lift")),
            "cut": _area(of_cell.get("cut")),
        }
        for (noise, model), of_cell in cells.items()
    ]


def _area(row: InterventionRow | None) -> str:
    if row is None:
        return "not measured"
    if row.estimate is None:
        return row.method
    bounds = [decimal(bound, 2) for bound in (row.low, row.high) if bound is not None]
    interval = f"[{', '.join(bounds)}]" if bounds else "[no interval]"
    p = "" if row.p_adjusted is None else f", {p_figure(row.p_adjusted)}"
    return f"{decimal(row.estimate, 2)} {interval}{p}"


def _conditions(rows: Sequence[InterventionRow]) -> list[dict[str, str]]:
    """Return a row for each condition of a model and noise: its scores, and what it changes."""
    by_condition: dict[tuple[str, str, str], dict[str, InterventionRow]] = {}
    for row in rows:
        if row.contrast in (ACCURACY, LIKELIHOOD, EFFECT, COST) and row.estimate is not None:
            kind = "level" if row.contrast == row.measure else "change"
            by_condition.setdefault((row.noise, row.model, row.of), {})[f"{row.measure} {kind}"] = row
    return [
        {
            "noise": noise,
            "model": model,
            "condition": condition,
            "problems": f"{next(iter(of_condition.values())).clusters:,}",
            "accuracy": _text(of_condition.get(f"{ACCURACY} level")),
            "change": _change(of_condition.get(f"{ACCURACY} change")),
            "p": _p(of_condition.get(f"{ACCURACY} change")),
            "likelihood": _text(of_condition.get(f"{LIKELIHOOD} level")),
            "likelihood_change": _change(of_condition.get(f"{LIKELIHOOD} change")),
            "likelihood_p": _p(of_condition.get(f"{LIKELIHOOD} change")),
        }
        for (noise, model, condition), of_condition in by_condition.items()
    ]


def _condition_words(rows: Sequence[InterventionRow]) -> list[tuple[str, str]]:
    """Return what each condition of the rows is, in the order of `CONDITIONS`; a condition of others has no words."""
    names = {re.sub(r"[\d.]+(_clean)?$", "", row.of) for row in rows if row.contrast in (ACCURACY, LIKELIHOOD)}
    return [(name, words) for name, words in CONDITIONS.items() if name in names]


def _faults(rows: Sequence[InterventionRow]) -> dict[str, Any] | None:
    """Return the share of wrong answers with each fault: a column for each fault, with the noise and without it."""
    faults = [row for row in rows if row.measure == SHARE and row.contrast == FAULT and row.of in FAULTS_SHOWN]
    if not faults:
        return None
    names = list(dict.fromkeys(row.fault for row in faults))
    by_key: dict[tuple[str, str, str], dict[str, InterventionRow]] = {}
    for row in faults:
        by_key.setdefault((row.noise, row.model, row.of), {})[row.fault] = row
    return {
        "names": [name.replace("_", " ") for name in names],
        "rows": [
            [
                *key,
                f"{next(iter(of_key.values())).n:,}",
                *(fault_text(of_key[name]) if name in of_key else "" for name in names),
            ]
            for key, of_key in by_key.items()
        ],
    }


def _with_interval(row: InterventionRow) -> str:
    return f"{figure(row.measure, row.estimate)} {interval_text(row)}"


def _text(row: InterventionRow | None) -> str:
    return "" if row is None else _with_interval(row)


def _change(row: InterventionRow | None) -> str:
    """Return what a condition adds; what it costs is taken off."""
    if row is None or row.estimate is None:
        return ""
    negated = row.contrast == COST
    return f"{figure(row.measure, -row.estimate if negated else row.estimate)} {interval_text(row, negated)}"


def _p(row: InterventionRow | None) -> str:
    return (
        "" if row is None or row.p_adjusted is None else p_figure(row.p_adjusted).removeprefix("p ").removeprefix("= ")
    )
