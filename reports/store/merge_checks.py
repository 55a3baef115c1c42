"""What two results folders must have in common before they are merged, and what they must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reports.stages import base_stage
from reports.store.merge_inputs import CellLines, MergeInput, MergeRefused, options_of
from reports.store.record_codec import different_settings
from reports.store.records import Cell
from reports.store.stage_and_file_names import ZERO_SHOT

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
    _check_cells(inputs)
    _check_problems_and_weights(inputs)
    _check_records(inputs)
    reasons = list(_reasons_against_shards(inputs))
    if reasons and not partial:
        raise MergeRefused(f"{reasons[0]}, or add --partial")
    return [*reasons, *_uneven_cells(inputs)]


def _check_cells(inputs: Sequence[MergeInput]) -> None:
    """Each folder with a cell is compared with the first that has it, and that knows what is compared."""
    first: dict[Cell, MergeInput] = {}
    draws: dict[tuple[str, str, str], tuple[MergeInput, Cell, Any]] = {}
    for folder, cell, lines in _cells_of(inputs):
        other = first.setdefault(cell, folder)
        other_lines = other.cells[cell]
        for name, value, now in different_settings(other_lines.settings, lines.settings):
            raise MergeRefused(
                f"{cell.id} was made under different settings: {name} is {value} in {other.name} and {now} in"
                f" {folder.name}"
            )
        if len(lines.gradings | other_lines.gradings) > 1:
            raise MergeRefused(
                f"{cell.id} was graded by different versions of the code in {other.name} and {folder.name}; run the"
                " command of each again, which grades its texts anew and asks no model"
            )
        for name, fact_of in _DRAW_FACTS.items():
            fact = fact_of(folder.newest_run(cell), cell)
            if fact is None:
                continue
            asked = base_stage(cell.stage), cell.noise, name  # whatever the model: all are asked the same texts
            other, other_cell, known = draws.setdefault(asked, (folder, cell, fact))
            if known != fact:
                raise MergeRefused(
                    f"{cell.id} has noise that was drawn otherwise: {name} is {known} in {other.name} ({other_cell.id})"
                    f" and {fact} in {folder.name}"
                )


def _check_problems_and_weights(inputs: Sequence[MergeInput]) -> None:
    """A folder's tables are about one source of problems, and one model has one row."""
    sources: dict[str, MergeInput] = {}
    weights: dict[tuple[str, str], tuple[MergeInput, Cell]] = {}
    for folder, cell, lines in _cells_of(inputs):
        if lines.settings.problems:
            sources.setdefault(lines.settings.problems, folder)
        if len(sources) > 1:
            (source, other), (now, _) = sources.items()
            raise MergeRefused(
                f"{other.name} is about the problems of {source!r}, but {folder.name} is about those of {now!r}"
            )
        other, other_cell = weights.setdefault((cell.model, cell.stage), (folder, cell))
        known = other.cells[other_cell].settings.weights
        if known != lines.settings.weights:
            raise MergeRefused(
                f"{other_cell.id} in {other.name} and {cell.id} in {folder.name} were made with different weights:"
                f" {known!r} and {lines.settings.weights!r}; one model has one row"
            )


def _check_records(inputs: Sequence[MergeInput]) -> None:
    owners: dict[Cell, dict[str, MergeInput]] = {}
    for folder, cell, lines in _cells_of(inputs):
        known = owners.setdefault(cell, {})
        shared = min(known.keys() & lines.starts.keys(), default=None)
        if shared is not None:
            other = known[shared]
            count = len(other.cells[cell].starts.keys() & lines.starts.keys())
            raise MergeRefused(
                f"{cell.id}: {count:,} record{'s' * (count > 1)} of it are in both {other.name} and {folder.name}, as"
                f" {shared!r}; a merge never chooses between two"
            )
        known.update(dict.fromkeys(lines.starts, folder))


def _cells_of(inputs: Sequence[MergeInput]) -> Iterator[tuple[MergeInput, Cell, CellLines]]:
    for folder in inputs:
        for cell, lines in folder.cells.items():
            yield folder, cell, lines


def _noise_option(name: str) -> Callable[[Mapping[str, Any], Cell], Any]:
    return lambda run, cell: options_of(run).get(name) if cell.noise != "clean" else None


def _noise_source(run: Mapping[str, Any]) -> str:
    return "drawn" if options_of(run).get("noisy_folder") is None else "read from files"


#: What the noise of a cell depends on besides the problems, by name: from a run and the cell; None if it does not.
_DRAW_FACTS: dict[str, Callable[[Mapping[str, Any], Cell], Any]] = {
    "the seed": _noise_option("seed"),
    "where it is from": lambda run, cell: _noise_source(run) if run and cell.noise != "clean" else None,
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
    yield from _failed_before_a_cell(divided)
    yield from _different_sizes([folder for folder, _ in divided])
    yield from _different_samples(inputs)


def _failed_before_a_cell(divided: Sequence[tuple[MergeInput, list[tuple[int, int]]]]) -> Iterator[str]:
    """Yield a reason for each failed run that has left no record of a cell that another shard has."""
    every_cell = {cell for folder, _ in divided for cell in folder.cells}
    for folder, shards in divided:
        lacking = sorted(cell.id for cell in every_cell - folder.cells.keys())
        if lacking and folder.runs and folder.runs[-1].get("status") == "failed":
            yield (
                f"{folder.name}: the run of shard {_text(shards[-1])} failed, and has no record of {lacking[0]}: run"
                " the same command again"
            )


def _different_samples(inputs: Sequence[MergeInput]) -> Iterator[str]:
    """Yield at most one reason: the shards of one sample differ by one clean problem, the later ones being smaller."""
    by_cell: dict[Cell, list[tuple[tuple[int, int], int]]] = {}
    for folder, cell, lines in _cells_of(inputs):
        if (cell.noise, cell.stage) == ("clean", ZERO_SHOT) and len(folder.shards) == 1:
            by_cell.setdefault(cell, []).append((min(folder.shards), len(lines.starts)))
    for cell, parts in by_cell.items():
        sizes = [size for _, size in sorted(parts)]
        if sizes != sorted(sizes, reverse=True) or sizes[0] - sizes[-1] > 1:
            yield (
                f"{cell.id}: the shards have {', '.join(map(str, sizes))} problems, and are no parts of one sample: run"
                " them alike"
            )
            return


def _different_sizes(inputs: Sequence[MergeInput]) -> Iterator[str]:
    """Yield at most one reason: what is wrong with one cell is wrong with others."""
    sizes: dict[tuple[Cell, str], tuple[MergeInput, Any]] = {}
    for folder, cell, _ in _cells_of(inputs):
        options = options_of(folder.newest_run(cell))
        for name in _SIZES:
            other, known = sizes.setdefault((cell, name), (folder, options.get(name)))
            if known != options.get(name):
                yield (
                    f"{cell.id} is of another size: {name} is {known} in {other.name} and {options.get(name)} in"
                    f" {folder.name}: run them alike"
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
