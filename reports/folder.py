"""Every report over the whole folder, rebuilt from what is on disk."""

from __future__ import annotations

from pathlib import Path

from reports.accuracy import CellAccuracy, accuracies, write_csv
from reports.accuracy_plot import write_plot
from reports.attention import MeasuredCell, measured_cells, rows_of, write_attention_csv
from reports.attention_heat import has_heat, write_heat
from reports.attention_maps import FOLDER, draw_maps
from reports.comparisons import TESTED, Comparison, comparisons, write_comparisons_csv
from reports.retrieval import retrieval_points
from reports.retrieval_plot import write_retrieval
from reports.scores import LIKELIHOOD, all_scores
from reports.store import Results


def write_accuracy(results: Results) -> tuple[list[CellAccuracy], list[Path]]:
    """Writes `accuracy.csv` and `accuracy.png`; the rows and the files written, both empty where nothing is on disk.

    Raises `ResultsFolderError` when a file cannot be written, and `ResultsDamaged` when a prediction is.
    """
    rows = accuracies(results)
    if not rows:
        return [], []
    files = [results.folder / "accuracy.csv", results.folder / "accuracy.png"]
    write_csv(rows, files[0])
    write_plot(rows, files[1])
    return rows, files


def write_comparisons(results: Results) -> tuple[list[Comparison], list[Path]]:
    """Writes `comparisons.csv` where cells can be compared; the rows, and the file if it was written.

    Raises `ResultsFolderError` when it cannot be written, and `ResultsDamaged` when a record is.
    """
    rows = comparisons(all_scores(results))
    path = results.folder / "comparisons.csv"
    if not any(row.contrast in TESTED or row.contrast == LIKELIHOOD for row in rows):
        return rows, []
    write_comparisons_csv(rows, path)
    return rows, [path]


def write_attention(results: Results) -> tuple[list[MeasuredCell], list[Path]]:
    """Writes what there is of `attention.csv`, `attention_heat.png` and `retrieval.png`, and draws the maps; the cells,
    and what was written, the maps as their folder.

    Raises `ResultsFolderError` when a file cannot be written, and `ResultsDamaged` when a reading or a map is.
    """
    folder, files = results.folder, []
    cells = measured_cells(results)
    rows, points = rows_of(cells), retrieval_points(cells)
    if rows:
        files.append(folder / "attention.csv")
        write_attention_csv(rows, files[-1])
    if has_heat(rows):
        files.append(folder / "attention_heat.png")
        write_heat(rows, files[-1])
    if points:
        files.append(folder / "retrieval.png")
        write_retrieval(points, files[-1])
    if draw_maps(folder):
        files.append(folder / FOLDER)
    return cells, files
