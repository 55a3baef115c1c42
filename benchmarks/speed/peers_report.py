"""What the rows of `peers.csv` come to, in sentences and as a picture."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reports.plots.plot_style import COLOURS, drawing

#: Names of the harnesses, as in the rows.
OURS = "this harness"
LOOP = "one at a time"
LM_EVAL = "lm-evaluation-harness"
CONTINUOUS = "continuous batching"


def summary_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each case and harness, with minimum, median and maximum of the ratios."""
    for case in dict.fromkeys(row["case"] for row in rows):
        for harness in dict.fromkeys(row["way"] for row in rows if row["case"] == case):
            rounds = _rounds(rows, case, harness)
            rate = statistics.median(row["tokens a second"] for row in rounds)
            matching_answers, total = _matching_answers(rounds)
            line = f"{case}: {harness}: {rate:,.1f} answer tokens/s (median)"
            if harness != OURS:
                ratios = [row["ours is faster by"] for row in rounds]
                line += f"; this harness is {_spread(ratios)}× as fast; {matching_answers} of {total} answers the same"
            elif rounds[0]["fraction of the limit"] != "":
                line += f"; {_spread([row['fraction of the limit'] for row in rounds], 2)} of the limit"
            yield line


def _rounds(rows: Sequence[dict[str, Any]], case: str, harness: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["case"], row["way"]) == (case, harness)]


def _matching_answers(rounds: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return how many answers match ours, and how many there are."""
    return sum(row["same answers"] for row in rounds), sum(row["problems"] for row in rounds)


def _spread(values: Sequence[float], digits: int = 1) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{low:.{digits}f} / {middle:.{digits}f} / {high:.{digits}f}"


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw how many times as fast this harness is, a dot for each round, on a logarithmic axis."""
    with drawing():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import NullLocator

        others = [row for row in rows if row["way"] != OURS]
        cases_and_harnesses = list(dict.fromkeys((row["case"], row["way"]) for row in others))
        kinds = [LOOP, LM_EVAL, CONTINUOUS]
        figure = Figure(figsize=(9, 1.2 + 0.5 * len(cases_and_harnesses)), layout="constrained")
        axes = figure.subplots()
        for height, (case, harness) in enumerate(reversed(cases_and_harnesses)):
            ratios = [row["ours is faster by"] for row in _rounds(others, case, harness)]
            colour = COLOURS[next(number for number, kind in enumerate(kinds) if harness.startswith(kind))]
            axes.plot([min(ratios), max(ratios)], [height] * 2, color=colour, linewidth=2)
            axes.plot(ratios, [height] * len(ratios), "o", color=colour, markersize=5)
            median = f"{statistics.median(ratios):.1f}×"
            axes.annotate(median, (max(ratios), height), (6, 0), textcoords="offset points", va="center")
        axes.axvline(1, color="0.5", linewidth=1)
        right = 2 * max(row["ours is faster by"] for row in others)
        axes.set_xscale("log")
        axes.set_xlim(0.8, right)
        axes.set_xticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick < right])
        axes.xaxis.set_major_formatter(lambda value, position: f"{value:g}×")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(-0.6, len(cases_and_harnesses) - 0.4)
        labels = [_label(case, harness, others) for case, harness in reversed(cases_and_harnesses)]
        axes.set_yticks(range(len(cases_and_harnesses)), labels)
        figure.suptitle("How many times as fast this harness is: each round, and the median", fontsize="medium")
        FigureCanvasAgg(figure).print_png(str(path))


def _label(case: str, harness: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return the label of a harness, with the number of its answers that match ours, unless all do."""
    matching_answers, total = _matching_answers(_rounds(rows, case, harness))
    return f"{case}\n{harness}" + (
        "" if matching_answers == total else f" ({matching_answers} of {total} answers the same)"
    )
