"""The comparisons in plain English, two sentences a noise: what it costs each model, and whether one loses more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reports.stats.comparisons import ALPHA, Comparison
from reports.stats.problem_scores import ACCURACY, LIKELIHOOD
from reports.store.tuning_logs import SUFFIX
from reports.tables.text_wrap import wrapped

#: Of each measure its name, its unit, how many of it are one, and the digits shown.
MEASURES = {
    ACCURACY: ("accuracy", "points", 100.0, 1),
    LIKELIHOOD: ("likelihood of the worked answer", "nats a token", 1.0, 3),
}

_QUESTION, _COST, _MEAN = "difference_in_differences", "degradation", "mean_"


def verdicts(rows: Sequence[Comparison], width: int = 80) -> list[str]:
    """The lines for the terminal: `sentences`, wrapped."""
    lines: list[str] = []
    for heading, of_noises in sentences(rows):
        lines += wrapped(heading, width)
        for noise, said in of_noises:
            for number, sentence in enumerate(said):
                head = "    " if number else f"  {noise}: "
                lines += wrapped(sentence, width, head, "    ")
        lines.append("")
    return lines


def sentences(rows: Sequence[Comparison]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """For each stage and measure a heading, and for all noises together and each alone what there is to say.

    Tuned models are compared with each other, so they have a heading of their own; a model that is compared with nobody
    has a sentence a noise.
    """
    found = []
    for stage, measure, tuned in dict.fromkeys((row.stage, row.measure, _tuned(row)) for row in rows):
        some = [row for row in rows if (row.stage, row.measure, _tuned(row)) == (stage, measure, tuned)]
        contrast = _QUESTION if any(row.contrast == _QUESTION and row.estimate is not None for row in some) else _COST
        means = [
            replace(row, contrast=row.contrast.removeprefix(_MEAN), noise=_mean_of(row.noise))
            for row in some
            if row.contrast.startswith(_MEAN)
        ]
        say = _noises if contrast == _QUESTION else _alone
        said = [*say(means), *say(some)]
        if said:
            where = f", {stage}," if stage != measure else ""
            who = ", tuned models" if tuned else ""
            count = sum(row.contrast == contrast and row.p is not None for row in rows if row.stage == stage)
            apart = ", means over noises apart" if means else ""
            surely = f"95 % intervals{f'; p adjusted over {count} comparisons{apart}' if count > 1 else ''}"
            found.append((f"what noise costs{where} in {MEASURES[measure][0]}{who} ({surely})", said))
    return found


def _mean_of(name: str) -> str:
    """What stands for a noise in the sentences about a mean over several."""
    return f"{name} noises" if name.startswith("all ") else f"mean of {name.replace('+', ', ')}"


def _tuned(row: Comparison) -> bool:
    return row.model.endswith(SUFFIX)


def _noises(rows: Sequence[Comparison]) -> Iterator[tuple[str, list[str]]]:
    compared = [row for row in rows if row.contrast == _QUESTION and row.estimate is not None]
    for noise in dict.fromkeys(row.noise for row in compared):
        pairs = [row for row in compared if row.noise == noise]
        names = dict.fromkeys(name for row in pairs for name in (row.model, row.against))
        lost = [r for r in rows if r.contrast == _COST and r.noise == noise and r.model in names]
        yield noise, [*([_costs(lost)] if lost else []), *map(_compared, pairs)]


def _alone(rows: Sequence[Comparison]) -> Iterator[tuple[str, list[str]]]:
    lost = [row for row in rows if row.contrast == _COST and row.estimate is not None]
    for noise in dict.fromkeys(row.noise for row in lost):
        yield noise, [_cost(row) for row in lost if row.noise == noise]


def _cost(row: Comparison) -> str:
    assert row.estimate is not None
    _, unit, *_ = MEASURES[row.measure]
    verb, size = "loses" if row.estimate >= 0 else "gains", figure(row.measure, abs(row.estimate))
    around = _interval(row, turned=row.estimate < 0)
    if _sure(row):
        return f"{row.model} {verb} {size} {unit} {around}, {_p(row)}, {row.clusters:,} problems."
    return f"No evidence that {row.model} {verb} any: {size} {unit} {around}, {_p(row)}; {_could_have(row, size)}."


def _costs(rows: Sequence[Comparison]) -> str:
    """`llama loses 57.0 points [49.5, 63.4] and diffllama 25.5 [18.8, 31.7].`"""
    parts = []
    for number, row in enumerate(sorted(rows, key=lambda row: row.estimate or 0.0, reverse=True)):
        _, unit, *_ = MEASURES[row.measure]
        verb, words = ("loses ", f" {unit}") if number == 0 else ("", "")
        parts.append(f"{row.model} {verb}{figure(row.measure, row.estimate)}{words} {_interval(row)}")
    return f"{', '.join(parts[:-1])}{' and ' if len(parts) > 1 else ''}{parts[-1]}."


def _compared(row: Comparison) -> str:
    assert row.estimate is not None
    _, unit, *_ = MEASURES[row.measure]
    less, more = (row.model, row.against) if row.estimate >= 0 else (row.against, row.model)
    size, around = figure(row.measure, abs(row.estimate)), _interval(row, turned=row.estimate < 0)
    if _sure(row):
        return f"{less} loses {size} {unit} less than {more} {around}, {_p(row)}, {row.clusters:,} problems."
    claim = f"No evidence that {more} loses more than {less}"
    return f"{claim}: {size} {unit} {around}, {_p(row)}; {_could_have(row, size)}."


def _sure(row: Comparison) -> bool:
    return row.p_adjusted is not None and row.p_adjusted <= ALPHA


def _could_have(row: Comparison, size: str) -> str:
    _, unit, *_ = MEASURES[row.measure]
    seen = "no difference" if row.detectable is None else f"{figure(row.measure, row.detectable)} {unit}"
    settled = "" if row.needed is None or not row.estimate else f", and {row.needed:,} problems would settle {size}"
    return f"{row.clusters:,} problems could have shown {seen}{settled}"


def figure(measure: str, value: float | None) -> str:
    """A value of a measure as it is shown."""
    _, _, scale, digits = MEASURES[measure]
    return "?" if value is None else f"{round(scale * value, digits) + 0.0:.{digits}f}"  # and no −0.0


def _interval(row: Comparison, turned: bool = False) -> str:
    if row.low is None or row.high is None:
        return "[no interval]"
    low, high = (-row.high, -row.low) if turned else (row.low, row.high)
    return f"[{figure(row.measure, low)}, {figure(row.measure, high)}]"


def _p(row: Comparison) -> str:
    """The p value that the verdict goes by."""
    if row.p_adjusted is None:
        return "nothing to test"
    return "p < 0.001" if row.p_adjusted < 0.001 else f"p = {row.p_adjusted:.3f}"
