"""The statistics keep their promises in simulated runs: intervals, the gate's false alarms, and the power named."""

from __future__ import annotations

import time
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from reports.gate.regression_gate import Gate, Loss
from reports.stats.comparisons import comparisons
from reports.stats.paired_tests import Array, Differences, p_value
from reports.stats.power import detectable, needed
from reports.stats.problem_scores import Scores
from reports.store.records import Cell
from tests.reports.calibration import ACCURACIES, KINDS, SIZES, Kind, answers, coverage
from tests.reports.record_factories import SETTINGS

pytestmark = pytest.mark.slow
CELLS = [
    Cell(model, noise, stage)
    for model in "ab"
    for noise in ("clean", "inf", "rcs", "sd")
    for stage in ("zero_shot", "sft")
]
GRIDS = 2_000


def edge(kind: Kind, n: int, p: float) -> bool:
    """Where differences are so few that an interval that is never too narrow must be too wide: of differences, with
    20 problems, and where fewer than five are right or fewer than five wrong."""
    return not kind.name.startswith("accuracy") and (n == SIZES[0] or n * min(p, 1 - p) < 5)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_interval_holds_the_truth_in_93_to_97_of_100_runs(kind: Kind) -> None:
    """Too wide it may be at the edges, too narrow nowhere."""
    found = {(n, p): coverage(kind, n, p) for n in SIZES for p in ACCURACIES}
    assert min(found.values()) >= 0.93, found
    assert not {place: share for place, share in found.items() if share > 0.97 and not edge(kind, *place)}


def score(cell: Cell, values: Array, draws: int = 1) -> Scores:
    ids = numpy.array([f"p{n:05}" for n in range(len(values))], dtype=object)
    many = numpy.full(len(values), draws)
    return Scores(cell, SETTINGS, ids, values, many, numpy.full(len(values), cell.noise, dtype="U16"))


def held(generator: numpy.random.Generator, n: int, lost: float, draws: int, gate: Gate) -> bool:
    """Whether any cell of a grid is red whose accuracies, all over the scale, fell by `lost` and in nothing else."""
    chances = generator.uniform(max(0.02, lost + 0.01), 0.98, size=len(CELLS))
    for cell, chance in zip(CELLS, chances, strict=True):
        right = answers(generator, n, [*[chance] * draws, *[chance - lost] * draws], alike=0.8)
        then, now = score(cell, right[:draws].mean(axis=0), draws), score(cell, right[draws:].mean(axis=0), draws)
        if Gate(gate.path, {cell: then}, gate.tolerance, gate.alpha).loss(now, len(CELLS)).failed:
            return True
    return False


@pytest.mark.parametrize(
    ("n", "draws", "tolerance"),
    [(20, 1, 0.0), (200, 1, 0.0), (1319, 1, 0.0), (200, 3, 0.0), (200, 1, 0.02), (1319, 1, 0.02)],
)
def test_the_gate_cries_wolf_in_at_most_6_of_100_grids(n: int, draws: int, tolerance: float) -> None:
    """Sixteen cells that lost nothing, or exactly what is tolerated."""
    generator = numpy.random.default_rng([n, draws, round(100 * tolerance)])
    gate = Gate(Path("ci.json"), {}, tolerance)
    alarms = sum(held(generator, n, tolerance, draws, gate) for _ in range(GRIDS))
    share = f"{100 * alarms / GRIDS:.2f} % of {GRIDS:,} grids"
    print(f"gate, n = {n:,}, draws {draws}, tolerance {100 * tolerance:g}: a false alarm in {share}")
    assert alarms / GRIDS <= 0.06


def tilted(differences: Differences, mean: float) -> tuple[Array, Array]:
    """Of the differences with one more of each sign: values, and chances in proportion to count × e^(tilt × value)."""
    values, counts = numpy.unique(numpy.append(differences.values, [-1.0, 1.0]), return_counts=True)

    def chances(tilt: float) -> Array:
        weights: Array = counts * numpy.exp(tilt * values)
        return weights / weights.sum()

    return values, chances(brentq(lambda tilt: float(chances(tilt) @ values) - mean, -50, 50))


PILOTS = [
    (kind.name, n, p)
    for kind in KINDS
    if kind.name.startswith(("degradation", "difference"))
    for n in SIZES
    for p in ACCURACIES
]


def pilot(name: str, n: int, p: float) -> Differences:
    (kind,) = [kind for kind in KINDS if kind.name == name]
    right = answers(numpy.random.default_rng([n, round(100 * p)]), n, kind.chances(p))
    if name == "degradation":
        return Differences(right[0] - right[1])
    if name == "degradation, 3 draws":
        return Differences(right[0] - right[1:].mean(axis=0))
    if name == "difference in differences":
        return Differences(right[0] - right[1] - right[2] + right[3], 2.0)
    return Differences(right[0] - right[2:5].mean(axis=0) - right[1] + right[5:].mean(axis=0), 2.0)


@pytest.mark.parametrize(("name", "n", "p"), PILOTS)
def test_what_could_have_been_shown_is_shown_in_four_of_five_runs(name: str, n: int, p: float) -> None:
    some, alpha = pilot(name, n, p), 0.05 / 6
    mean = detectable(some, alpha)
    if mean is None:
        assert n == 20, "only of so few can no sign be significant"
        return
    upward = Differences(some.values * (-1 if some.mean < 0 else 1), some.bound)
    values, chances = tilted(upward, mean)
    generator = numpy.random.default_rng(0)
    runs = (Differences(generator.choice(values, size=n, p=chances), some.bound) for _ in range(2_000))
    shown = float(numpy.mean([(p_value(run) or 0.0) <= alpha for run in runs]))
    print(f"{name}, n = {n:,}, p = {p}: {100 * mean:.1f} points shown in {100 * shown:.1f} % of 2,000 runs")
    assert shown == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("p", ACCURACIES[1:])
def test_as_many_problems_as_would_settle_it_do_in_four_of_five_runs(p: float) -> None:
    some = pilot("difference in differences", 200, p)
    n = needed(some)
    assert n is not None
    upward = Differences(some.values * (-1 if some.mean < 0 else 1), some.bound)
    values, chances = tilted(upward, upward.mean)
    generator = numpy.random.default_rng(1)
    runs = (Differences(generator.choice(values, size=n, p=chances), 2.0) for _ in range(2_000))
    assert float(numpy.mean([(p_value(run) or 0.0) <= 0.05 for run in runs])) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("n", SIZES)
def test_a_loss_that_the_gate_names_turns_it_red_in_four_of_five_runs(n: int) -> None:
    generator = numpy.random.default_rng(n)
    right = answers(generator, n, [0.7, 0.7], alike=0.9)
    gate = Gate(Path("ci.json"), {CELLS[0]: score(CELLS[0], right[0])})
    loss = gate.loss(score(CELLS[0], right[1]), 8)
    named = loss.facts()["baseline_detectable"]
    assert isinstance(named, float)
    values, chances = tilted(Differences(loss.differences.values * (-1 if loss.differences.mean < 0 else 1)), named)
    lost = (generator.choice(values, size=n, p=chances) for _ in range(2_000))
    red = [Loss(gate, CELLS[0], loss.problems, (one + 1) / 2, (1 - one) / 2, 8).failed for one in lost]
    print(f"gate, n = {n:,}: a loss of {100 * named:.1f} points is red in {100 * numpy.mean(red):.1f} % of 2,000 runs")
    assert float(numpy.mean(red)) == pytest.approx(0.8, abs=0.03)


def test_measurements_have_the_power_named() -> None:
    generator = numpy.random.default_rng(2)
    some = Differences(generator.normal(0.1, 0.5, size=100), numpy.inf)
    mean = detectable(some)
    assert mean is not None
    spread = some.values.std(ddof=1)
    runs = (Differences(generator.normal(mean, spread, size=100), numpy.inf) for _ in range(4_000))
    assert float(numpy.mean([(p_value(run) or 1.0) <= 0.05 for run in runs])) == pytest.approx(0.8, abs=0.03)


def test_ten_thousand_problems_eight_noises_four_models_and_five_seeds_take_seconds() -> None:
    """1.64 million answers: under 10 s and 1 GB."""
    generator = numpy.random.default_rng(0)
    difficulty, cells = generator.normal(size=10_000), []
    for model in range(4):
        for noise in ("clean", *"abcdefgh"):
            draws = 1 if noise == "clean" else 5
            chances = norm.cdf(difficulty + 0.1 * model + (noise == "clean"))
            one = score(Cell(f"m{model}", noise, "zero_shot"), generator.binomial(draws, chances) / draws, draws)
            cells.append(replace(one, settings=replace(SETTINGS, weights=str(model))))
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = comparisons(cells)
    seconds = time.perf_counter() - started
    tracemalloc.start()  # which itself takes time
    comparisons(cells)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    count = sum(int(one.draws.sum()) for one in cells)
    print(f"{len(rows)} comparisons of {count:,} answers: {seconds:.1f} s, {peak:,.0f} MiB")
    assert len([row for row in rows if row.contrast == "difference_in_differences"]) == 6 * 8
    assert seconds < 10
    assert peak < 1024
