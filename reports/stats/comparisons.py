"""What noise costs each model, and whether it costs one more than another: the comparisons, and `comparisons.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations, groupby
from pathlib import Path

import numpy

from reports.stages import REPORTED_STAGES, stage_order
from reports.stats.noise_doses import CLEAN, by_dose
from reports.stats.noise_means import Means, averaged
from reports.stats.paired_tests import ALPHA, Differences, holm, interval, p_value
from reports.stats.power import detectable, needed
from reports.stats.problem_scores import ACCURACY, Array, Scores, other_tokens, together
from reports.stats.proportions import relative_drop, wilson_by_problem
from reports.store.atomic_io import write_atomically
from reports.store.records import Settings
from reports.store.tuning_logs import SUFFIX

#: The contrasts whose p values make a family, over all models and noises of a stage.
TESTED = (
    *("degradation", "mean_degradation", "model_difference"),
    *("difference_in_differences", "mean_difference_in_differences", "gain", "change"),
)


@dataclass(frozen=True)
class Comparison:
    """One contrast: its estimate, its 95 % interval, and what can be said of it. docs/statistics.md has the formulas.

    Estimates of the measure `accuracy` are fractions, of `likelihood` nats a token. `model` is compared with `against`,
    which is empty where a model is looked at alone; a positive difference in differences says that `against` loses more
    than `model`. `p_adjusted`
    is Holm's over all rows of one contrast, stage and measure. `detectable` is the smallest estimate that as many
    problems show in 80 % of runs and `needed` how many would show this one, at 5 % over the whole family. `n` counts
    predictions, `clusters` problems. None stands where there is nothing to divide by or to test.
    """

    stage: str
    measure: str
    contrast: str
    model: str
    against: str
    noise: str
    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    n: int
    clusters: int
    method: str
    detectable: float | None = None
    needed: int | None = None


def comparisons(scores: Iterable[Scores]) -> list[Comparison]:
    """All comparisons between these cells, in an order of their own; those that are not alike, or share no problem, are
    not compared."""
    by_stage: dict[tuple[str, str], list[Scores]] = {}
    for one in sorted(scores, key=lambda one: (one.cell.model, by_dose(one.cell.noise))):
        by_stage.setdefault((one.cell.stage, one.measure), []).append(one)
    rows: list[Comparison] = []
    for (stage, _), some in sorted(by_stage.items(), key=lambda item: stage_order(item[0][0])):
        reported = REPORTED_STAGES.get(stage)
        gain_over = None if reported is None else reported.gain_over
        untuned = [] if gain_over is None else by_stage.get((gain_over, ACCURACY), [])
        means = Means(_by_model(some))
        rows += _adjusted([*_alone(some, means), *_between(some, means), *_gains(some, untuned)])
    return rows


def changes(pairs: Iterable[tuple[Scores, Scores]]) -> list[Comparison]:
    """What each cell won from one run to another, over the problems that both asked in the same text."""
    by_stage: dict[tuple[str, str], list[tuple[Comparison, Differences | None]]] = {}
    for first, second in sorted(pairs, key=lambda pair: (pair[1].cell.model, by_dose(pair[1].cell.noise))):
        (before, after), draws = together([first, second], [(0, 1)])
        row = _row("change", second, "", after - before, draws)
        by_stage.setdefault((second.cell.stage, second.measure), []).append(row)
    return [row for rows in by_stage.values() for row in _adjusted(rows)]


def write_comparisons_csv(rows: Sequence[Comparison], path: Path) -> None:
    """Writes the rows, numbers to six significant digits and nothing where there is no value. Raises
    `ResultsFolderError`."""
    import pandas

    columns = [field.name for field in fields(Comparison)]
    table = pandas.DataFrame([asdict(row) for row in rows], columns=columns).astype({"needed": "Int64"})
    write_atomically(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode())


def _alone(scores: Sequence[Scores], means: Means) -> Iterator[tuple[Comparison, Differences | None]]:
    """What noise costs each model."""
    for model, of_model in _by_model(scores).items():
        yield from ((_of_cell(one), None) for one in of_model.values() if len(one.values))
        clean = of_model.get(CLEAN)
        noisy = [one for noise, one in of_model.items() if noise != CLEAN]
        for one in noisy:
            if clean is None or clean.settings != one.settings:
                continue
            (before, after), draws = together([clean, one])
            yield _row("degradation", one, "", before - after, draws)
            if one.measure == ACCURACY and len(before):
                yield _relative_drop(one, before, after, draws), None
        own = means.own(model)
        if own and own[0].measure == ACCURACY:
            values, draws = together(own)
            if len(draws):
                name = means.name(one.cell.noise for one in own)
                yield _macro(model, own[0], numpy.min(values, axis=0) == 1, name), None
        for same in means.of(model):
            if clean is not None and clean.settings == same[0].settings:
                mean = averaged(same, means.name(one.cell.noise for one in same))
                (before, after), draws = together([clean, mean])
                yield _row("mean_degradation", mean, "", before - after, draws)


def _between(scores: Sequence[Scores], means: Means) -> Iterator[tuple[Comparison, Differences]]:
    """Whether one model is better than another with each noise, and whether it loses less."""
    for (name, one), (other_name, other) in combinations(_by_model(scores).items(), 2):
        if name.endswith(SUFFIX) != other_name.endswith(SUFFIX):
            continue  # a tuned model beside an untuned one differs in more than the model
        if other_tokens([*one.values(), *other.values()]):
            continue
        for noise in [noise for noise in one if noise in other and one[noise].alike == other[noise].alike]:
            mine, theirs = one[noise], other[noise]
            (left, right), draws = together([mine, theirs], [(0, 1)])
            yield _row("model_difference", mine, other_name, left - right, draws)
            clean = [some[CLEAN] for some, noisy in ((one, mine), (other, theirs)) if _start(some) == noisy.settings]
            if noise == CLEAN or len(clean) < 2:
                continue
            yield _lost_more("difference_in_differences", [*clean, mine, theirs])
        cells = means.shared(name, other_name)
        alike = all(
            scores.settings == _start(some) for some, of in zip((one, other), cells, strict=True) for scores in of
        )
        if cells[0] and alike and one[CLEAN].alike == other[CLEAN].alike:
            noises = means.name(scores.cell.noise for scores in cells[0])
            four = [one[CLEAN], other[CLEAN], *(averaged(some, noises) for some in cells)]
            yield _lost_more("mean_difference_in_differences", four)


def _lost_more(contrast: str, four: Sequence[Scores]) -> tuple[Comparison, Differences]:
    """By how much the second model loses more than the first; `four` are both clean, then both noisy."""
    (my_clean, their_clean, my_noisy, their_noisy), draws = together(four, [(0, 1), (2, 3)])
    lost_more = (their_clean - their_noisy) - (my_clean - my_noisy)
    return _row(contrast, four[2], four[3].cell.model, lost_more, draws, bound=2.0)


def _start(of_model: Mapping[str, Scores]) -> Settings | None:
    """The settings of a model's clean cell: what a noisy one is compared under."""
    return of_model[CLEAN].settings if CLEAN in of_model else None


def _gains(tuned: Sequence[Scores], untuned: Sequence[Scores]) -> Iterator[tuple[Comparison, Differences]]:
    """What tuning won."""
    before = {(one.cell.model, one.cell.noise): one for one in untuned or tuned}
    for one in tuned:
        name = one.cell.model.removesuffix(SUFFIX)  # in the stage likelihood both are beside each other
        start = before.get((name, one.cell.noise))
        if start is not None and start is not one and start.alike == one.alike:
            (now, then), draws = together([one, start], [(0, 1)])
            yield _row("gain", one, start.cell.stage if untuned else name, now - then, draws)


def _row(
    contrast: str, scores: Scores, against: str, values: Array, draws: Array, bound: float = 1.0
) -> tuple[Comparison, Differences]:
    differences = Differences(values, bound if scores.measure == ACCURACY else numpy.inf)
    low, high = (interval(differences) if differences.n else None) or (None, None)
    pairs = differences.part == 1 and bound == 1.0  # of right or wrong
    test = "McNemar exact" if pairs else "sign flips" if differences.part else "Student"
    row = _figure(
        contrast,
        scores,
        scores.cell.noise,
        differences.mean if differences.n else None,
        low,
        high,
        draws,
        f"{'adjusted Wald' if differences.part else 'Student'}; {test}",
    )
    row = replace(row, against=against, p=p_value(differences))
    return row, differences


def _adjusted(rows: Iterable[tuple[Comparison, Differences | None]]) -> list[Comparison]:
    """The rows with what depends on how many of a contrast there are."""
    done = []
    for contrast, of_contrast in groupby(sorted(rows, key=lambda row: row[0].contrast), lambda row: row[0].contrast):
        family = list(of_contrast)
        adjusted = holm([row.p for row, _ in family])
        alpha = ALPHA / max(1, sum(row.p is not None for row, _ in family))
        for (row, differences), p_adjusted in zip(family, adjusted, strict=True):
            if differences is not None and contrast in TESTED:
                smallest, wanted = detectable(differences, alpha), needed(differences, alpha)
                row = replace(row, p_adjusted=p_adjusted, detectable=smallest, needed=wanted)
            done.append(row)
    return done


def _by_model(scores: Sequence[Scores]) -> dict[str, dict[str, Scores]]:
    found: dict[str, dict[str, Scores]] = {}
    for one in scores:
        found.setdefault(one.cell.model, {})[one.cell.noise] = one
    return found


def _of_cell(scores: Scores) -> Comparison:
    """The measure itself."""
    low: float | None
    high: float | None
    if scores.measure == ACCURACY:
        estimate = float((scores.values * scores.draws).sum() / scores.draws.sum())
        low, high = wilson_by_problem(scores.values, scores.draws)
        return _figure(ACCURACY, scores, scores.cell.noise, estimate, low, high, scores.draws, "Wilson")
    values = Differences(scores.values, numpy.inf)
    low, high = interval(values) or (None, None)
    return _figure(scores.measure, scores, scores.cell.noise, values.mean, low, high, scores.draws, "Student")


def _relative_drop(scores: Scores, before: Array, after: Array, draws: Array) -> Comparison:
    """1 − noisy / clean accuracy (PDR of Li et al., GSM-Plus, arXiv 2402.19255)."""
    estimate, low, high = relative_drop(before, after) or (None, None, None)
    method = "log ratio" if estimate is not None else "ratio of no right answers"
    return _figure("relative_drop", scores, scores.cell.noise, estimate, low, high, draws, method)


def _macro(model: str, scores: Scores, right: Array, noises: str) -> Comparison:
    """The share of problems that are right with every noise and draw (macro accuracy of Shi et al., GSM-IC, arXiv
    2302.00093)."""
    ones = numpy.ones(len(right), dtype=int)
    low, high = wilson_by_problem(right.astype(float), ones)
    return _figure("macro_accuracy", scores, noises, float(right.mean()), low, high, ones, "Wilson")


def _figure(
    contrast: str,
    scores: Scores,
    noise: str,
    estimate: float | None,
    low: float | None,
    high: float | None,
    draws: Array,
    method: str,
) -> Comparison:
    """A row without a test."""
    return Comparison(
        stage=scores.cell.stage,
        measure=scores.measure,
        contrast=contrast,
        model=scores.cell.model,
        against="",
        noise=noise,
        estimate=estimate,
        low=low,
        high=high,
        p=None,
        p_adjusted=None,
        n=int(draws.sum()),
        clusters=len(draws),
        method=method,
    )
