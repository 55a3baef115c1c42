"""What two results folders must have in common before they are merged, and what they must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from reports.store.merge_inputs import MergeInput, MergeRefused, options_of
from reports.store.record_codec import different_settings
from reports.store.records import Cell

#: How many missing shards a sentence names.
_SHARDS_SHOWN = 5
#: What decides how many questions a cell asks, as options of a run.
_SIZES = ("max_samples", "attention_samples", "noise_seeds")


def check_mergeable(inputs: Sequence[MergeInput], partial: bool) -> list[str]:
    """Return notes about what the merged folder lacks, a sentence each.

    Raises `MergeRefused` for folders about other problems or weights, cells of other settings, gradings or noise draws,
    and records that two folders have. Unless `partial`, it does so too for shards that are missing, of another count,
    of another size, or not finished.
    """
    for left, right in combinations(inputs, 2):
        _check_problems_and_weights(left, right)
        for cell in left.cells.keys() & right.cells.keys():
            _check_cell(cell, left, right)
    reasons = list(_reasons_against_shards(inputs))
    if reasons and not partial:
        raise MergeRefused(f"{reasons[0]}, or add --partial")
    return [*reasons, *_uneven_cells(inputs)]


def _check_problems_and_weights(left: MergeInput, right: MergeInput) -> None:
    """A folder's tables are about one source of problems, and one model has one row."""
    for cell, lines in left.cells.items():
        for other, other_lines in right.cells.items():
            sources = lines.settings.problems, other_lines.settings.problems
            if all(sources) and sources[0] != sources[1]:
                raise MergeRefused(
                    f"{left.name} is about the problems of {sources[0]!r}, but {right.name} is about those of"
                    f" {sources[1]!r}"
                )
            is_same_model = (cell.model, cell.stage) == (other.model, other.stage)
            if cell != other and is_same_model and lines.settings.weights != other_lines.settings.weights:
                raise MergeRefused(
                    f"{cell.id} in {left.name} and {other.id} in {right.name} were made with different weights:"
                    f" {lines.settings.weights!r} and {other_lines.settings.weights!r}; one model has one row"
                )


def _check_cell(cell: Cell, left: MergeInput, right: MergeInput) -> None:
    lines, other_lines = left.cells[cell], right.cells[cell]
    for name, value, other_value in different_settings(lines.settings, other_lines.settings):
        raise MergeRefused(
            f"{cell.id} was made under different settings: {name} is {value} in {left.name} and {other_value} in"
            f" {right.name}"
        )
    if len(lines.gradings | other_lines.gradings) > 1:
        raise MergeRefused(
            f"{cell.id} was graded by different versions of the code in {left.name} and {right.name}; run the command"
            " of each again, which grades its texts anew and asks no model"
        )
    shared = sorted(lines.lines.keys() & other_lines.lines.keys())
    if shared:
        raise MergeRefused(
            f"{cell.id}: {len(shared):,} record{'s' * (len(shared) > 1)} of it are in both {left.name} and"
            f" {right.name}, as {shared[0]!r}; a merge never chooses between two"
        )
    for name, fact in _DRAW_FACTS.items():
        facts = fact(left.newest_run(cell), cell), fact(right.newest_run(cell), cell)
        if None not in facts and facts[0] != facts[1]:
            raise MergeRefused(
                f"{cell.id} has noise that was drawn otherwise: {name} is {facts[0]} in {left.name} and {facts[1]} in"
                f" {right.name}"
            )


def _noise_option(name: str) -> Callable[[Mapping[str, Any], Cell], Any]:
    return lambda run, cell: options_of(run).get(name) if cell.noise != "clean" else None


#: What the noise of a cell depends on besides the problems, by name: from a run and the cell; None if it does not.
_DRAW_FACTS: dict[str, Callable[[Mapping[str, Any], Cell], Any]] = {
    "the seed": _noise_option("seed"),
    "the position of the noise": _noise_option("placement"),
    "the measure of a placebo's length": lambda run, cell: run.get("placebo_length") if ":" in cell.noise else None,
    "the SHA-256 of its file": lambda run, cell: ((run.get("paired_sets") or {}).get(cell.noise) or {}).get("sha256"),
}


def _reasons_against_shards(inputs: Sequence[MergeInput]) -> Iterator[str]:
    """Yield, a sentence each, why the shards among `inputs` are not all of one run."""
    divided = [(folder, sorted(folder.shards)) for folder in inputs if folder.shards]
    named = {(number, count): folder for folder, shards in divided for number, count in shards}
    counts = sorted({count for _, count in named})
    if len(counts) > 1:
        first, other = (next(shard for shard in named if shard[1] == count) for count in counts[:2])
        yield (
            f"{named[first].name} has shard {_text(first)} and {named[other].name} has shard {_text(other)}: name the"
            " shards of one run"
        )
    for count in counts:
        missing = [number for number in range(1, count + 1) if (number, count) not in named]
        if missing:
            texts = ", ".join(_text((number, count)) for number in missing[:_SHARDS_SHOWN])
            more = f" and {len(missing) - _SHARDS_SHOWN:,} more" if len(missing) > _SHARDS_SHOWN else ""
            # A run that was killed has left no run.json, which would say which shard it was.
            unnamed = [folder.name for folder in inputs if not folder.runs]
            killed = f" ({unnamed[0]} has no run.json, as a run that was killed leaves it)" if unnamed else ""
            are = "are" if len(missing) > 1 else "is"
            yield f"shard {texts}{more} {are} missing{killed}: name {'their folders' if more else 'its folder'} too"
    for folder, shards in divided:
        unfinished = folder.unfinished_cell()
        if unfinished is not None:
            where = f" in {unfinished}" if unfinished else ""
            yield (
                f"{folder.name}: the run of shard {_text(shards[-1])} was interrupted{where}: finish it with the same"
                " command"
            )
    for (left, _), (right, _) in combinations(divided, 2):
        yield from _different_sizes(left, right)


def _different_sizes(left: MergeInput, right: MergeInput) -> Iterator[str]:
    for cell in sorted(left.cells.keys() & right.cells.keys(), key=str):
        options, other_options = options_of(left.newest_run(cell)), options_of(right.newest_run(cell))
        for name in _SIZES:
            values = options.get(name), other_options.get(name)
            if None not in values and values[0] != values[1]:
                yield (
                    f"{cell.id} is of another size: {name} is {values[0]} in {left.name} and {values[1]} in"
                    f" {right.name}: run them alike"
                )
                return


def _uneven_cells(inputs: Sequence[MergeInput]) -> Iterator[str]:
    """Yield a note where some shards have no record of a cell that others have."""
    divided = [folder for folder in inputs if folder.shards]
    shards = {shard for folder in divided for shard in folder.shards}
    for cell in sorted({cell for folder in divided for cell in folder.cells}, key=str):
        there = {shard for folder in divided if cell in folder.cells for shard in folder.shards}
        lacking = sorted(shards - there)
        if lacking:
            yield f"{cell.id}: no record in shard {', '.join(map(_text, lacking[:_SHARDS_SHOWN]))}"


def _text(shard: tuple[int, int]) -> str:
    return f"{shard[0]}/{shard[1]}"
