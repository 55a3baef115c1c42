"""Compare two results folders: the same cells, problem by problem. What only one of them has is counted and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reports.stages import kind_of
from reports.stats.comparisons import Comparison, changes
from reports.stats.problem_scores import aligned_values, has_score, stored_scores
from reports.store.record_codec import settings_differences
from reports.store.records import Cell, Settings
from reports.store.results_folder import Results, StoredCell

_MAX_IDS, _MAX_CELLS = 5, 8


@dataclass(frozen=True)
class RunComparison:
    """The comparison of two runs.

    `rows` has a `change` for each cell of both runs, second minus first, and `means` the two means of its measure.
    `left_out` are sentences about what could not be compared, and about settings that differ.
    """

    rows: list[Comparison]
    means: dict[Cell, tuple[float, float]]
    left_out: list[str]


def compare_runs(first: Results, second: Results) -> RunComparison:
    """Compare the scores in two folders over the problems asked in the same text. Raises `ResultsDamaged`."""
    first_cells, second_cells = ({cell for cell in results.cells() if has_score(cell)} for results in (first, second))
    means, pairs, missing, different_settings = {}, [], [], []
    for cell in sorted(first_cells & second_cells, key=str):
        old, new = first.load_cell(cell), second.load_cell(cell)
        if old is None or new is None:
            continue
        missing += _missing_questions(old, new)
        ids = [id for id in old.records if _text(old, id) == _text(new, id)]
        pair = stored_scores(first, old, ids), stored_scores(second, new, ids)
        (old_values, new_values), _ = aligned_values(pair)
        if len(old_values):
            means[cell] = float(old_values.mean()), float(new_values.mean())
            pairs.append(pair)
            differences = _differences(first.settings(old.settings_hash), second.settings(new.settings_hash))
            different_settings.append((cell, differences))
    in_one_run = [
        f"only in the {run} run: {_abbreviated(sorted(cell.id for cell in cells), _MAX_CELLS)}"
        for run, cells in (("first", first_cells - second_cells), ("second", second_cells - first_cells))
        if cells
    ]
    about_settings = _by_sentence((cell, sentence) for cell, sentence in different_settings if sentence)
    return RunComparison(changes(pairs), means, [*in_one_run, *_by_sentence(missing), *about_settings])


def _text(stored: StoredCell, id: str) -> str | None:
    """Return the text that a score is about; None if there is no score."""
    record = stored.records.get(id)
    measure = kind_of(stored.cell.stage).measure
    return None if measure is None or record is None or record.outcome == "error" else measure.text(record)


def _missing_questions(old: StoredCell, new: StoredCell) -> list[tuple[Cell, str]]:
    """Return sentences about the questions of a cell that cannot be compared."""
    ids = sorted(id for id in {*old.records, *new.records} if _text(old, id) != _text(new, id))
    reasons = (
        ("only in the first run", [id for id in ids if _text(new, id) is None]),
        ("only in the second run", [id for id in ids if _text(old, id) is None]),
        (
            "of another text, gold answer or number of tokens",
            [id for id in ids if None not in (_text(old, id), _text(new, id))],
        ),
    )
    return [
        (old.cell, f"{len(ids):,} question{'s' * (len(ids) > 1)} {reason}: {_abbreviated(ids, _MAX_IDS)}")
        for reason, ids in reasons
        if ids
    ]


def _abbreviated(names: Sequence[str], max_names: int) -> str:
    more = f" and {len(names) - max_names:,} more" if len(names) > max_names else ""
    return ", ".join(names[:max_names]) + more


def _differences(before: Settings, after: Settings) -> str:
    """Describe the differences in settings other than the weights, or that the weights are the same."""
    differences = settings_differences(replace(before, weights=""), replace(after, weights=""))
    weights = "the same weights" if before.weights == after.weights else ""
    return "; ".join(filter(None, [differences, weights]))


def _by_sentence(sentences: Iterable[tuple[Cell, str]]) -> list[str]:
    """Return one line per sentence, for all cells that it is about."""
    cell_ids: dict[str, list[str]] = {}
    for cell, sentence in sentences:
        cell_ids.setdefault(sentence, []).append(cell.id)
    return [
        f"{ids[0] if len(ids) == 1 else f'{len(ids)} cells ({ids[0]}, …)'}: {sentence}"
        for sentence, ids in cell_ids.items()
    ]
