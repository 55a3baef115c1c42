"""What a run will cost, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.run_cost import StageCost, total_cost

_COLUMNS = ("cells", "problems", "prompt tokens", "generated", "at most", "memory", "time")
_UNITS = ("B", "kB", "MB", "GB", "TB")


def cost_table(costs: Sequence[StageCost]) -> list[str]:
    """Return the lines of a table of model × stage, and of their totals."""
    rows = [("model", "stage", *_COLUMNS), *map(_row, costs), _row(total_cost(costs))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "-" * len(lines[0])
    shown = [
        line if new else " " * widths[0] + line[widths[0] :] for line, new in zip(lines, _is_new(rows), strict=True)
    ]
    return [shown[0], rule, *shown[1:-1], rule, shown[-1]]


def _is_new(rows: Sequence[Sequence[str]]) -> list[bool]:
    return [number == 0 or row[0] != rows[number - 1][0] for number, row in enumerate(rows)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    names = [text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True)]
    figures = [text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True)]
    return "  ".join([*names, *figures]).rstrip()


def _row(cost: StageCost) -> tuple[str, ...]:
    counts = (cost.cells, cost.problems, cost.prompt_tokens, cost.generated, cost.generated_at_most)
    texts = [f"{count:,}" if count else "–" for count in counts]
    time = "not estimated" if cost.seconds is None else time_text(cost.seconds)
    return (cost.model, cost.stage, *texts, bytes_text(cost.memory), time)


def time_text(seconds: float) -> str:
    """Return a time in the two units that say it best: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, part, size in (("d", "h", 86_400), ("h", "min", 3_600), ("min", "s", 60)):
        if whole >= size:
            large, rest = divmod(whole, size)
            small = rest // {"h": 3_600, "min": 60, "s": 1}[part]
            return f"{large} {unit} {small} {part}" if small else f"{large} {unit}"
    return f"{whole} s"


def bytes_text(count: int) -> str:
    """Return a number of bytes with a unit, to three digits at most."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if 0 < size < 99.95 and unit else f"{size:.0f} {_UNITS[unit]}"
