"""The tables of docs/experiment.md, in Markdown, from the results of the experiment's steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.markdown_tables import (
    accuracy_text,
    figures_text,
    markdown_table,
    p_text,
    percent_text,
    rows_between_families,
)
from benchmarks.primary_contrast_tables import primary_tables
from benchmarks.seed_experiment_steps import INCLUDED, SUCCESSORS, VARIANTS
from reports.findings import Findings
from reports.stats.attention_comparisons import noise_lift
from reports.stats.factor_comparisons import FACTOR_CONTRASTS
from reports.stats.intervention_rows import PART, PART_DIFFERENCE, PARTS, TOTAL
from reports.stats.noise_doses import noise_order
from reports.stats.retained_accuracy import BETWEEN, MEAN_BETWEEN, MEAN_OVER_FILLER, OVER_FILLER
from reports.store.record_kinds import ACCURACY
from reports.store.replicates import display_name, split_replicate
from reports.store.results_folder import Results
from reports.tables.single_seed_table import single_seed_table

_DID, _MEAN_DID = "difference_in_differences", "mean_difference_in_differences"


def tables(out: Path) -> list[str]:
    """Return the lines of every table that `out` has results for. Raises `ResultsFolderError`, and `FileNotFoundError`
    where it has none."""
    folders = {path.name: Findings(Results(path)) for path in sorted(out.iterdir()) if (path / "predictions").is_dir()}
    lines: list[str] = []
    if "accuracy" in folders:
        lines += [
            *primary_tables(folders["accuracy"]),
            *_accuracies(folders["accuracy"]),
            *_contrasts(folders["accuracy"]),
        ]
        lines += _single_seeds(folders["accuracy"])
    likelihood = Findings(Results(out / "likelihood"))
    if likelihood.family_comparisons:
        lines += _likelihoods(likelihood)
    parts = Findings(Results(out / "parts"))
    if parts.family_interventions:
        lines += _parts(parts)
    attention = Findings(Results(out / "attention"))
    if attention.family_attention_comparisons:
        lines += _attention(attention)
    if "doses" in folders:
        lines += [*_accuracies(folders["doses"], "Mean accuracy by dose"), *_contrasts(folders["doses"])]
    if "factors" in folders:
        lines += _factors(folders["factors"])
    variants = {name: folders[name] for name in ("accuracy", *VARIANTS) if name in folders}
    if variants.keys() & VARIANTS.keys():
        lines += _variants("Sizes and shares", variants)
    if SUCCESSORS in folders:
        lines += _variants("Later architectures", {SUCCESSORS: folders[SUCCESSORS]})
    return lines


def _accuracies(findings: Findings, title: str = "Mean accuracy") -> list[str]:
    rows = findings.family_accuracies
    families = list(dict.fromkeys(row.model for row in rows))

    by_cell = {(row.model, row.noise): accuracy_text(row) for row in rows}
    cells = (
        (f"`{noise}`", *(by_cell.get((family, noise), "") for family in families))
        for noise in sorted({row.noise for row in rows}, key=noise_order)
    )
    return markdown_table(f"{title}, % [95 %], lowest to highest seed", ("", *map(display_name, families)), cells)


def _contrasts(findings: Findings) -> list[str]:
    """Return by how much less the first family loses, in points, and how much more it retains of what both solve."""
    names = {_DID: "difference in loss", _MEAN_DID: "difference in loss", BETWEEN: "difference retained"}
    names |= {MEAN_BETWEEN: "difference retained", OVER_FILLER: "difference retained, net of filler"}
    rows = rows_between_families(findings, list(names))
    values = (
        (names[row.contrast], f"`{row.noise}`", figures_text(row), p_text(row.p), p_text(row.p_adjusted))
        for row in rows
    )
    return markdown_table("By contrast", ("of", "noise", "points [95 %]", "p", "after Holm"), iter(values))


def _single_seeds(findings: Findings) -> list[str]:
    table = single_seed_table(findings.single_seed_claims)
    return markdown_table(table.title, table.columns, iter(table.rows))


def _likelihoods(findings: Findings) -> list[str]:
    rows = rows_between_families(findings, [_DID, _MEAN_DID])
    values = ((f"`{row.noise}`", figures_text(row), p_text(row.p), p_text(row.p_adjusted)) for row in rows)
    return markdown_table("Likelihood", ("noise", "nats a token [95 %]", "p", "after Holm"), iter(values))


def _parts(findings: Findings) -> list[str]:
    rows = [row for row in findings.family_interventions if row.measure == ACCURACY]
    kept = [row for row in rows if row.contrast in (PART, PART_DIFFERENCE)]
    owners = list(dict.fromkeys((row.model, row.against) for row in kept))

    def cells() -> Iterator[Sequence[str]]:
        for noise in sorted({row.noise for row in kept}, key=noise_order):
            for part in (TOTAL, *PARTS):
                of_part = {(row.model, row.against): row for row in kept if (row.noise, row.of) == (noise, part)}
                yield (
                    f"`{noise}`",
                    part,
                    *(figures_text(of_part[owner]) if owner in of_part else "" for owner in owners),
                )

    columns = [f"{display_name(a)} less than {display_name(b)}" if b else display_name(a) for a, b in owners]
    return markdown_table("Parts of what noise costs, points [95 %]", ("noise", "part", *columns), cells())


def _attention(findings: Findings) -> list[str]:
    """Return the mean lift of the noise in each family, the range of its seeds, and the difference with its test."""
    between = {row.noise: row for row in findings.family_attention_comparisons}
    lifts: dict[tuple[str, str], list[float]] = {}
    for cell in findings.attention_cells:
        if "ni" in cell.segments and cell.cell.noise in between:
            family = split_replicate(cell.cell.model)[0]
            lifts.setdefault((cell.cell.noise, family), []).append(float(noise_lift(cell).values.mean()))
    families = list(dict.fromkeys(family for _, family in lifts))

    def rows() -> Iterator[Sequence[str]]:
        for noise in sorted({noise for noise, _ in lifts}, key=noise_order):
            values = [lifts[noise, family] for family in families]
            means = (f"{sum(of) / len(of):.2f}, {min(of):.2f} to {max(of):.2f}" for of in values)
            row = between[noise]
            bounds = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
            yield f"`{noise}`", *means, f"{row.estimate:.3f}{bounds}", p_text(row.p_adjusted)

    return markdown_table("Lift of the noise", ("noise", *families, "difference [95 %]", "p after Holm"), rows())


def _factors(findings: Findings) -> list[str]:
    rows = rows_between_families(findings, list(FACTOR_CONTRASTS))
    values = (
        (
            f"`{row.noise}`",
            display_name(row.model),
            display_name(row.against),
            figures_text(row),
            p_text(row.p_adjusted),
        )
        for row in rows
    )
    return markdown_table("Factors of ic", ("factor", "of", "against", "points [95 %]", "p after Holm"), iter(values))


def _variants(title: str, variants: dict[str, Findings]) -> list[str]:
    """Return a row for each two families of each folder: figures of the first / the second."""

    def rows() -> Iterator[Sequence[str]]:
        for name, findings in variants.items():
            accuracies = {(row.model, row.noise): row for row in findings.family_accuracies}
            for row in rows_between_families(findings, [MEAN_OVER_FILLER]):
                both = (row.model, row.against)
                clean = (percent_text(accuracies[model, "clean"].accuracy) for model in both)
                cost = (
                    " / ".join(percent_text(accuracies[model, noise].degradation) for model in both)
                    if all((model, noise) in accuracies for model in both)
                    else ""
                    for noise in ("near", "inf", "rcs", "filler:inf")
                )
                label = {"accuracy": INCLUDED, SUCCESSORS: " / ".join(map(display_name, both))}.get(name, name)
                yield label, str(row.seeds), " / ".join(clean), *cost, figures_text(row), p_text(row.p)

    columns = ("pairs", "seeds", "clean", "near costs", "inf costs", "rcs costs", "filler:inf costs")
    return markdown_table(title, (*columns, "primary contrast [95 %]", "p"), rows())
