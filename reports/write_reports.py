"""The registry of reports: what a run leaves in its results folder, each rebuilt from the records on disk.

A new report is one module and one entry in `REPORTS` (or, from outside, one call of `register_report`). It is then
written at the end of every run, has a command of `python -m reports`, and is set aside with the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reports.findings import Findings
from reports.gate.regression_gate import CHANGES_FILE
from reports.page import NAME as PAGE_FILE
from reports.page import write_page
from reports.plots.accuracy_plot import write_accuracy_plot
from reports.plots.attention_heatmap import has_heatmap_data, write_heatmap
from reports.plots.dose_plot import write_doses
from reports.plots.draw_attention_maps import draw_maps
from reports.plots.intervention_plot import write_intervention_plot
from reports.plots.plot_style import drawing
from reports.plots.retrieval_plot import write_retrieval
from reports.plots.seed_plot import write_seed_plot
from reports.stats.accuracies import write_accuracy_csv
from reports.stats.accuracies_over_seeds import replicate_rows
from reports.stats.attention_stats import rows_of_cells, write_attention_csv
from reports.stats.comparisons import write_comparisons_csv
from reports.stats.intervention_rows import write_interventions_csv
from reports.stats.retrieval_stats import retrieval_points
from reports.store.stage_and_file_names import MAPS_FOLDER
from reports.tables.score_tables import are_compared


@dataclass(frozen=True)
class Report:
    """One report over a whole results folder.

    `files` are the names of the files and folders that it may leave in the results folder. `write` writes those that
    there is something to make from, and yields the path of each once it is written. It may raise `ResultsFolderError`
    if a file cannot be written, and `ResultsDamaged` if a file it reads is damaged.
    """

    name: str
    files: tuple[str, ...]
    write: Callable[[Findings], Iterator[Path]]


def _write_accuracy(findings: Findings) -> Iterator[Path]:
    """Write the accuracies as a table and a figure, and the doses if a noise has several."""
    rows, folder = findings.accuracies, findings.results.folder
    if not rows:
        return
    write_accuracy_csv([*findings.cell_accuracies, *findings.family_accuracies], folder / "accuracy.csv")
    yield folder / "accuracy.csv"
    with drawing():
        seeds = replicate_rows(findings.cell_accuracies)
        write_accuracy_plot(rows, folder / "accuracy.png", findings.model_styles, seeds)
    yield folder / "accuracy.png"
    with drawing():
        has_doses = write_doses(rows, folder / "doses.png", findings.model_styles)
    if has_doses:
        yield folder / "doses.png"


def _write_comparisons(findings: Findings) -> Iterator[Path]:
    """Write the comparisons if any cells can be compared, and the figure of training seeds if there are several."""
    compared = [*findings.model_comparisons, *findings.family_comparisons]
    folder = findings.results.folder
    path = folder / "comparisons.csv"
    rows = [
        *(compared if are_compared(compared) else []),
        *findings.model_attention_comparisons,
        *findings.family_attention_comparisons,
    ]
    if rows:
        write_comparisons_csv(rows, path)
        yield path
    with drawing():
        has_seeds = write_seed_plot(findings.family_comparisons, findings.model_comparisons, folder / "seeds.png")
    if has_seeds:
        yield folder / "seeds.png"


def _write_attention(findings: Findings) -> Iterator[Path]:
    """Write the attention table and figures, and draw the attention maps; the maps are one path, their folder."""
    folder = findings.results.folder
    rows, points = rows_of_cells(findings.attention_cells), retrieval_points(findings.attention_cells)
    if rows:
        write_attention_csv(rows, folder / "attention.csv")
        yield folder / "attention.csv"
    if has_heatmap_data(rows):
        with drawing():
            write_heatmap(rows, folder / "attention_heat.png")
        yield folder / "attention_heat.png"
    if points:
        with drawing():
            write_retrieval(points, folder / "retrieval.png", findings.model_styles)
        yield folder / "retrieval.png"
    if draw_maps(folder, findings.progress):
        yield folder / MAPS_FOLDER


def _write_interventions(findings: Findings) -> Iterator[Path]:
    """Write what each cut changes as a table, and the parts of what noise costs as a figure, if a model has them."""
    rows, folder = findings.interventions, findings.results.folder
    if not rows:
        return
    write_interventions_csv(
        [*findings.model_interventions, *findings.family_interventions], folder / "interventions.csv"
    )
    yield folder / "interventions.csv"
    with drawing():
        has_parts = write_intervention_plot(rows, folder / "interventions.png")
    if has_parts:
        yield folder / "interventions.png"


def _write_page(findings: Findings) -> Iterator[Path]:
    """Write the page; it exists for every folder."""
    yield write_page(findings)


#: Every report, in the order in which they are written. The page is last.
REPORTS: dict[str, Report] = {
    "accuracy": Report("accuracy", ("accuracy.csv", "accuracy.png", "doses.png"), _write_accuracy),
    "comparisons": Report("comparisons", ("comparisons.csv", "seeds.png"), _write_comparisons),
    "attention": Report(
        "attention", ("attention.csv", "attention_heat.png", "retrieval.png", MAPS_FOLDER), _write_attention
    ),
    "interventions": Report("interventions", ("interventions.csv", "interventions.png"), _write_interventions),
    "page": Report("page", (PAGE_FILE,), _write_page),
}
#: Names in a results folder that belong to no report.
_RESERVED = ("predictions", "readings", "checkpoints", "set_aside", "run.json", CHANGES_FILE)


def register_report(report: Report) -> None:
    """Add a report before the page.

    Raises `ValueError` if its name is taken, or one of its files belongs to another report or to the records.
    """
    if report.name in REPORTS:
        raise ValueError(f"report {report.name!r}: the name is taken; registered are {', '.join(REPORTS)}")
    owners = dict.fromkeys(_RESERVED, "the results folder itself")
    owners |= {file: f"the report {other.name!r}" for other in REPORTS.values() for file in other.files}
    for file in report.files:
        if file in owners:
            raise ValueError(f"report {report.name!r}: the file {file!r} belongs to {owners[file]}")
    REPORTS[report.name] = report
    REPORTS["page"] = REPORTS.pop("page")


def report_files() -> list[str]:
    """Return the names of all files and folders that reports and the gate may leave in a results folder."""
    return [*(file for report in REPORTS.values() for file in report.files), CHANGES_FILE]
