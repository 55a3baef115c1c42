"""Every report over the whole folder, rebuilt from what is on disk."""

from __future__ import annotations

from pathlib import Path

from reports.accuracy import CellAccuracy, accuracies, write_csv
from reports.accuracy_plot import write_plot
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
