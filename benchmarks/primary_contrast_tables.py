"""The tables of the experiment's primary contrast: each pair, their mean, and what the mean depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy

from benchmarks.markdown_tables import figures_text, markdown_table, p_text, percent_text, rows_between_families
from reports.findings import Findings
from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons_over_seeds import comparison_key, comparisons_over_seeds
from reports.stats.noise_doses import noise_order
from reports.stats.retained_accuracy import MEAN_OVER_FILLER, RETAINED
from reports.stats.seed_statistics import seed_interval, seed_p_value
from reports.store.replicates import display_name, split_replicate
from reports.tables.comparison_figures import figure

#: What noise costs DiffLlama less than Llama, net of a placebo, over all problems.
_OVER_PLACEBO = "difference_in_differences_over_placebo"


def primary_tables(findings: Findings) -> list[str]:
    """Return the tables: the contrast by pair; the mean without each pair, and over all problems; what is retained."""
    pairs, mean = _primary(findings)
    if mean is None:
        return []
    columns = ("pair", "points [95 %]", "p", "over seeds and problems")
    return [
        *markdown_table("Primary contrast", columns, _by_pair(pairs, mean)),
        *markdown_table("What the mean depends on", columns[:3], _robustness(findings, pairs)),
        *_retained(findings),
    ]


def _primary(findings: Findings) -> tuple[list[Comparison], Comparison | None]:
    """Return the primary contrast of each pair, and its mean."""
    for row in rows_between_families(findings, [MEAN_OVER_FILLER]):
        return [pair for pair in findings.model_comparisons if comparison_key(pair) == comparison_key(row)], row
    return [], None


def _seed(pair: Comparison) -> int:
    return split_replicate(pair.model)[1]


def _tests(mean: Comparison) -> str:
    return f"{p_text(mean.p)} (Student), {p_text(mean.p_sign_flips)} (sign flips)"


def _by_pair(pairs: Sequence[Comparison], mean: Comparison) -> Iterator[Sequence[str]]:
    for pair in pairs:
        yield f"seed {_seed(pair)}", figures_text(pair), p_text(pair.p), ""
    crossed = ""
    if mean.crossed_low is not None and mean.crossed_high is not None:
        crossed = f"[{figure(mean.measure, mean.crossed_low)}, {figure(mean.measure, mean.crossed_high)}]"
    yield f"**mean of {mean.seeds}**", f"**{figures_text(mean)}**", _tests(mean), crossed


def _robustness(findings: Findings, pairs: Sequence[Comparison]) -> Iterator[Sequence[str]]:
    for left_out in pairs:
        others = [pair for pair in pairs if pair is not left_out]
        for mean in comparisons_over_seeds(others):
            yield f"without seed {_seed(left_out)}", figures_text(mean), _tests(mean)
    by_seed: dict[int, list[float]] = {}
    for row in findings.model_comparisons:
        if row.contrast == _OVER_PLACEBO and ":" in row.noise and "filler:" in row.noise and row.estimate is not None:
            by_seed.setdefault(_seed(row), []).append(row.estimate)
    values = numpy.array([numpy.mean(estimates) for estimates in by_seed.values()])
    bounds = seed_interval(values) if len(values) > 1 else None
    if bounds is not None:
        low, high = (percent_text(bound) for bound in bounds)
        yield "over all problems", f"{percent_text(values.mean())} [{low}, {high}]", p_text(seed_p_value(values))


def _retained(findings: Findings) -> list[str]:
    """Return what each family retains of the problems that both solve without noise."""
    rows = [row for row in findings.family_comparisons if row.contrast == RETAINED]
    families = list(dict.fromkeys(row.model for row in rows))
    by_cell = {(row.model, row.noise): figures_text(row) for row in rows}
    noises = sorted({row.noise for row in rows}, key=noise_order)
    cells = ((f"`{noise}`", *(by_cell.get((family, noise), "") for family in families)) for noise in noises)
    return markdown_table("Retained of what both solve, % [95 %]", ("", *map(display_name, families)), cells)
