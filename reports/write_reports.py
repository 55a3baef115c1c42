"""Every report over the whole folder, rebuilt from what is on disk."""

from __future__ import annotations

from pathlib import Path

from reports.findings import Findings
from reports.plots.accuracy_plot import write_plot
from reports.plots.attention_heatmap import has_heat, write_heat
from reports.plots.attention_maps import FOLDER, draw_maps
from reports.plots.dose_plot import write_doses
from reports.plots.plot_style import drawing
from reports.plots.retrieval_plot import write_retrieval
from reports.stats.accuracies import write_csv
from reports.stats.attention_stats import rows_of, write_attention_csv
from reports.stats.comparisons import TESTED, write_comparisons_csv
from reports.stats.problem_scores import LIKELIHOOD
from reports.stats.retrieval_stats import retrieval_points


def write_accuracy(findings: Findings) -> list[Path]:
    """Writes `accuracy.csv`, `accuracy.png`, and `doses.png` where there is more than one dose; the files written, none
    where there are no predictions.

    Raises `ResultsFolderError` when a file cannot be written, and `ResultsDamaged` when a prediction is.
    """
    rows, folder = findings.accuracies, findings.results.folder
    if not rows:
        return []
    files = [folder / "accuracy.csv", folder / "accuracy.png"]
    write_csv(rows, files[0])
    with drawing():
        write_plot(rows, files[1], findings.looks)
        if write_doses(rows, folder / "doses.png", findings.looks):
            files.append(folder / "doses.png")
    return files


def write_comparisons(findings: Findings) -> list[Path]:
    """Writes `comparisons.csv` where cells can be compared; the file, if it was written.

    Raises `ResultsFolderError` when it cannot be written, and `ResultsDamaged` when a record is.
    """
    rows, path = findings.comparisons, findings.results.folder / "comparisons.csv"
    if not any(row.contrast in TESTED or row.contrast == LIKELIHOOD for row in rows):
        return []
    write_comparisons_csv(rows, path)
    return [path]


def write_attention(findings: Findings) -> list[Path]:
    """Writes what there is of `attention.csv`, `attention_heat.png` and `retrieval.png`, and draws the maps; what was
    written, the maps as their folder.

    Raises `ResultsFolderError` when a file cannot be written, and `ResultsDamaged` when a reading or a map is.
    """
    folder, files = findings.results.folder, []
    rows, points = rows_of(findings.measured), retrieval_points(findings.measured)
    if rows:
        files.append(folder / "attention.csv")
        write_attention_csv(rows, files[-1])
    if has_heat(rows):
        files.append(folder / "attention_heat.png")
        with drawing():
            write_heat(rows, files[-1])
    if points:
        files.append(folder / "retrieval.png")
        with drawing():
            write_retrieval(points, files[-1], findings.looks)
    if draw_maps(folder):
        files.append(folder / FOLDER)
    return files
