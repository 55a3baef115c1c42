"""The tables of docs/experiment.md, in Markdown, from the results of the experiment's steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.seed_experiment_steps import INCLUDED, VARIANTS
from reports.findings import Findings
from reports.stats.accuracies import CellAccuracy
from reports.stats.comparison_rows import Comparison
from reports.stats.comparisons_over_seeds import comparison_key, comparisons_over_seeds
from reports.stats.factor_comparisons import FACTOR_CONTRASTS
from reports.stats.intervention_rows import PART, PART_DIFFERENCE, PARTS, TOTAL
from reports.stats.noise_doses import noise_order
from reports.stats.retained_accuracy import BETWEEN, MEAN_BETWEEN, MEAN_OVER_FILLER, OVER_FILLER
from reports.store.record_kinds import ACCURACY
from reports.store.replicates import display_name, split_replicate
from reports.store.results_folder import Results
from reports.tables.comparison_figures import figure, interval_text
from reports.tables.numbers_as_text import p_figure
from reports.tables.single_seed_table import single_seed_table

_DID, _MEAN_DID = "difference_in_differences", "mean_difference_in_differences"


def tables(out: Path) -> list[str]:
    """Return the lines of every table that `out` has results for. Raises `ResultsFolderError`, and `FileNotFoundError`
    where it has none."""
    folders = {path.name: Findings(Results(path)) for path in sorted(out.iterdir()) if (path / "predictions").is_dir()}
    lines: list[str] = []
    if "accuracy" in folders:
        lines += [*_primary(folders["accuracy"]), *_accuracies(folders["accuracy"]), *_contrasts(folders["accuracy"])]
        lines += _single_seeds(folders["accuracy"])
    likelihood = Findings(Results(out / "likelihood"))
    if likelihood.family_comparisons:
        lines += _likelihoods(likelihood)
    parts = Findings(Results(out / "parts"))
    if parts.family_interventions:
        lines += _parts(parts)
    if "doses" in folders:
        lines += [*_accuracies(folders["doses"], "Mean accuracy by dose"), *_contrasts(folders["doses"])]
    if "factors" in folders:
        lines += _factors(folders["factors"])
    variants = {name: folders[name] for name in ("accuracy", *VARIANTS) if name in folders}
    if len(variants) > 1:
        lines += _variants(variants)
    return lines


def _table(title: str, columns: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    lines = [f"{title}", "", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _figures(row: Comparison) -> str:
    return f"{figure(row.measure, row.estimate)} {interval_text(row)}"


def _accuracy(row: CellAccuracy) -> str:
    low, high, lowest, highest = map(_percent, (row.low, row.high, row.lowest, row.highest))
    return f"{_percent(row.accuracy)} [{low}, {high}], {lowest} to {highest}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _p(value: float | None) -> str:
    return "" if value is None else p_figure(value).removeprefix("p = ").removeprefix("p ")


def _between_families(findings: Findings, contrasts: Sequence[str]) -> list[Comparison]:
    rows = [row for row in findings.family_comparisons if row.contrast in contrasts]
    return sorted(rows, key=lambda row: (contrasts.index(row.contrast), noise_order(row.noise)))


def _primary(findings: Findings) -> list[str]:
    """Return the primary contrast: what each pair says of it, their mean, and the mean without seed 0."""

    def rows() -> Iterator[Sequence[str]]:
        for row in _between_families(findings, [MEAN_OVER_FILLER]):
            pairs = [pair for pair in findings.model_comparisons if comparison_key(pair) == comparison_key(row)]
            for pair in pairs:
                yield f"seed {split_replicate(pair.model)[1]}", _figures(pair), _p(pair.p), ""
            crossed = (
                ""
                if row.crossed_low is None or row.crossed_high is None
                else (f"[{figure(row.measure, row.crossed_low)}, {figure(row.measure, row.crossed_high)}]")
            )
            tests = f"{_p(row.p)} (Student), {_p(row.p_sign_flips)} (sign flips)"
            yield f"**mean of {row.seeds}**", f"**{_figures(row)}**", tests, crossed
            later = [pair for pair in pairs if split_replicate(pair.model)[1]]
            for mean in comparisons_over_seeds(later):
                tests = f"{_p(mean.p)} (Student), {_p(mean.p_sign_flips)} (sign flips)"
                yield "without seed 0", _figures(mean), tests, ""

    return _table("Primary contrast", ("pair", "points [95 %]", "p", "over seeds and problems"), rows())


def _accuracies(findings: Findings, title: str = "Mean accuracy") -> list[str]:
    rows = findings.family_accuracies
    families = list(dict.fromkeys(row.model for row in rows))

    by_cell = {(row.model, row.noise): _accuracy(row) for row in rows}
    cells = (
        (f"`{noise}`", *(by_cell.get((family, noise), "") for family in families))
        for noise in sorted({row.noise for row in rows}, key=noise_order)
    )
    return _table(f"{title}, % [95 %], lowest to highest seed", ("", *map(display_name, families)), cells)


def _contrasts(findings: Findings) -> list[str]:
    """Return by how much less the first family loses, in points, and how much more it retains of what both solve."""
    names = {_DID: "difference in loss", _MEAN_DID: "difference in loss", BETWEEN: "difference retained"}
    names |= {MEAN_BETWEEN: "difference retained", OVER_FILLER: "difference retained, net of filler"}
    rows = _between_families(findings, list(names))
    values = ((names[row.contrast], f"`{row.noise}`", _figures(row), _p(row.p), _p(row.p_adjusted)) for row in rows)
    return _table("By contrast", ("of", "noise", "points [95 %]", "p", "after Holm"), iter(values))


def _single_seeds(findings: Findings) -> list[str]:
    table = single_seed_table(findings.single_seed_claims)
    return _table(table.title, table.columns, iter(table.rows))


def _likelihoods(findings: Findings) -> list[str]:
    rows = _between_families(findings, [_DID, _MEAN_DID])
    values = ((f"`{row.noise}`", _figures(row), _p(row.p), _p(row.p_adjusted)) for row in rows)
    return _table("Likelihood", ("noise", "nats a token [95 %]", "p", "after Holm"), iter(values))


def _parts(findings: Findings) -> list[str]:
    rows = [row for row in findings.family_interventions if row.measure == ACCURACY]
    kept = [row for row in rows if row.contrast in (PART, PART_DIFFERENCE)]
    owners = list(dict.fromkeys((row.model, row.against) for row in kept))

    def cells() -> Iterator[Sequence[str]]:
        for noise in sorted({row.noise for row in kept}, key=noise_order):
            for part in (TOTAL, *PARTS):
                of_part = {(row.model, row.against): row for row in kept if (row.noise, row.of) == (noise, part)}
                yield f"`{noise}`", part, *(_figures(of_part[owner]) if owner in of_part else "" for owner in owners)

    columns = [f"{display_name(a)} less than {display_name(b)}" if b else display_name(a) for a, b in owners]
    return _table("Parts of what noise costs, points [95 %]", ("noise", "part", *columns), cells())


def _factors(findings: Findings) -> list[str]:
    rows = _between_families(findings, list(FACTOR_CONTRASTS))
    values = (
        (f"`{row.noise}`", display_name(row.model), display_name(row.against), _figures(row), _p(row.p_adjusted))
        for row in rows
    )
    return _table("Factors of ic", ("factor", "of", "against", "points [95 %]", "p after Holm"), iter(values))


def _variants(variants: dict[str, Findings]) -> list[str]:
    def rows() -> Iterator[Sequence[str]]:
        for name, findings in variants.items():
            accuracies = {(row.model, row.noise): row for row in findings.family_accuracies}
            for row in _between_families(findings, [MEAN_OVER_FILLER]):
                both = (row.model, row.against)
                clean = (_percent(accuracies[model, "clean"].accuracy) for model in both)
                cost = (
                    " / ".join(_percent(accuracies[model, noise].degradation) for model in both)
                    if all((model, noise) in accuracies for model in both)
                    else ""
                    for noise in ("near", "inf", "rcs", "filler:inf")
                )
                label = INCLUDED if name == "accuracy" else name
                yield label, str(row.seeds), " / ".join(clean), *cost, _figures(row), _p(row.p)

    columns = ("pairs", "seeds", "clean", "near costs", "inf costs", "rcs costs", "filler:inf costs")
    return _table("Sizes and shares", (*columns, "primary contrast [95 %]", "p"), rows())
