"""Two results folders compared: the same cells, problem by problem. What only one of them has is counted and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reports.stages import kind_of
from reports.stats.comparisons import ALPHA, Comparison, changes
from reports.stats.problem_scores import has_score, scores_on_disk, together
from reports.store.record_codec import settings_differences
from reports.store.records import Cell, Settings
from reports.store.results_folder import CellOnDisk, Results
from reports.tables.narrative import figure, measure_named
from reports.tables.text_wrap import wrapped

_IDS_SHOWN, _CELLS_SHOWN = 5, 8
_COLUMNS = ("first", "second", "change", "95 % interval", "p", "problems")


@dataclass(frozen=True)
class TwoRuns:
    """What two folders have in common, and what they have not.

    `rows` has a `change` for each cell that both have, second minus first. `left_out` says in words what could not be
    compared, and what was made otherwise.
    """

    rows: list[Comparison]
    means: dict[Cell, tuple[float, float]]
    left_out: list[str]


def two_runs(first: Results, second: Results) -> TwoRuns:
    """Compares the accuracies and likelihoods in two folders. Raises `ResultsDamaged`."""
    before, after = ({cell for cell in results.cells() if has_score(cell)} for results in (first, second))
    means, pairs, missing, made = {}, [], [], []
    for cell in sorted(before & after, key=str):
        old, new = first.load(cell), second.load(cell)
        if old is None or new is None:
            continue
        missing += _missing(old, new)
        same = [id for id in old.predictions if _text(old, id) == _text(new, id)]
        pair = scores_on_disk(first, old, same), scores_on_disk(second, new, same)
        (left, right), _ = together(pair, [(0, 1)])
        if len(left):
            means[cell] = float(left.mean()), float(right.mean())
            pairs.append(pair)
            made.append((cell, _otherwise(first.settings(old.settings_hash), second.settings(new.settings_hash))))
    lone = [
        f"only in the {where} run: {_some(sorted(cell.id for cell in cells), _CELLS_SHOWN)}"
        for where, cells in (("first", before - after), ("second", after - before))
        if cells
    ]
    said = _grouped((cell, words) for cell, words in made if words)
    return TwoRuns(changes(pairs), means, [*lone, *_grouped(missing), *said])


def two_runs_lines(found: TwoRuns, width: int = 80) -> list[str]:
    """The lines for the terminal: a table for each stage, what it comes to, and what was left out."""
    lines: list[str] = []
    for stage, measure in dict.fromkeys((row.stage, row.measure) for row in found.rows):
        rows = [row for row in found.rows if (row.stage, row.measure) == (stage, measure)]
        known = measure_named(measure)
        unit, scale, digits = known.unit, known.scale, known.digits
        names = [f"{row.model}-{row.noise}" for row in rows]
        indent = max(map(len, names))
        lines += [f"{stage}, {'accuracy %' if unit == 'points' else unit}"]
        lines.append(" " * indent + "".join(f"{name:>{_wide(name)}}" for name in _COLUMNS))
        for name, row in zip(names, rows, strict=True):
            cell = Cell(row.model, row.noise, row.stage)
            figures = [*found.means.get(cell, (None, None)), row.estimate]
            shown = ["-" if value is None else figure(measure, value) for value in figures]
            around = (row.low, row.high)
            interval = "-" if None in around else f"[{', '.join(figure(measure, bound) for bound in around)}]"
            texts = [*shown, interval, _p(row.p_adjusted), f"{row.clusters:,}"]
            columns = (f"{text:>{_wide(column)}}" for text, column in zip(texts, _COLUMNS, strict=True))
            lines.append(f"{name:<{indent}}" + "".join(columns))
        lines += ["", *wrapped(_verdict(rows, unit, scale, digits), width, then=""), ""]
    for said in found.left_out:
        lines += wrapped(said, width)
    return lines


def _verdict(rows: Sequence[Comparison], unit: str, scale: float, digits: int) -> str:
    """In words: which cells changed, and what the others could have shown."""
    sure = [row for row in rows if row.p_adjusted is not None and row.p_adjusted <= ALPHA]
    lower = [f"{row.model}-{row.noise}" for row in sure if (row.estimate or 0.0) < 0]
    higher = [f"{row.model}-{row.noise}" for row in sure if (row.estimate or 0.0) > 0]
    said = [f"{word}: {', '.join(names)}." for word, names in (("Lower", lower), ("Higher", higher)) if names]
    others = [row for row in rows if row not in sure]
    if others:
        seen = [f"{scale * row.detectable:.{digits}f}" for row in others if row.detectable is not None]
        least, most = min(seen, key=float, default=""), max(seen, key=float, default="")
        sizes = f"{least if least == most else f'{least} to {most}'} {unit}"
        could = f"which could have shown {sizes} in 80 % of runs" if seen else "with too few problems to show any"
        count = f"{len(others)} of {len(rows)} cells" if sure else "any cell"
        said.append(f"No evidence of a change in {count}, {could}.")
    family = f" p is adjusted over {len(rows)} cells." if len(rows) > 1 else ""
    return " ".join(said) + family


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _wide(column: str) -> int:
    return 16 if column == "95 % interval" else 9


def _text(found: CellOnDisk, id: str) -> str | None:
    """What an answer is to; None where there is none."""
    record = found.predictions.get(id)
    measure = kind_of(found.cell.stage).measure
    return None if measure is None or record is None or record.outcome == "error" else measure.text(record)


def _missing(old: CellOnDisk, new: CellOnDisk) -> list[tuple[Cell, str]]:
    """Which problems of a cell cannot be compared, in words."""
    ids = sorted(id for id in {*old.predictions, *new.predictions} if _text(old, id) != _text(new, id))
    sides = (
        ("only in the first run", [id for id in ids if _text(new, id) is None]),
        ("only in the second run", [id for id in ids if _text(old, id) is None]),
        ("of another text or number of tokens", [id for id in ids if None not in (_text(old, id), _text(new, id))]),
    )
    return [
        (old.cell, f"{len(some):,} question{'s' * (len(some) > 1)} {word}: {_some(some, _IDS_SHOWN)}")
        for word, some in sides
        if some
    ]


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _otherwise(before: Settings | None, after: Settings | None) -> str:
    """What besides the weights was otherwise, in words; or that the weights are the same."""
    if before is None or after is None:
        return "the settings of one run are not known, as their file is gone"
    known = settings_differences(replace(before, weights=""), replace(after, weights=""))
    weights = "the same weights" if before.weights == after.weights else ""
    return "; ".join(filter(None, [known, weights]))


def _grouped(said: Iterable[tuple[Cell, str]]) -> list[str]:
    """One line for all cells of which the same is said."""
    by_words: dict[str, list[str]] = {}
    for cell, words in said:
        by_words.setdefault(words, []).append(cell.id)
    return [
        f"{names[0] if len(names) == 1 else f'{len(names)} cells ({names[0]}, …)'}: {words}"
        for words, names in by_words.items()
    ]
