"""`python -m reports COMMAND`: reports rebuilt from a results folder, without a model."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from reports.accuracy_table import table
from reports.attention_table import table_of
from reports.disk import ResultsDamaged, ResultsFolderError, shown
from reports.folder import write_accuracy, write_attention, write_comparisons
from reports.likelihood_table import likelihood_table
from reports.run_record import caveat_of
from reports.store import Results
from reports.verdicts import verdicts


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, or 1 after one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        lines = options.command(options.results)
    except (ResultsFolderError, ResultsDamaged) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    described = {
        "accuracy": (_accuracy, "write accuracy.csv and accuracy.png anew and print the table"),
        "comparisons": (_comparisons, "write comparisons.csv anew and print what noise costs each model"),
        "attention": (_attention, "write attention.csv and the attention pictures anew and print the table"),
    }
    for name, (command, help) in described.items():
        one = commands.add_parser(name, help=help, description=command.__doc__)
        one.set_defaults(command=command)
        one.add_argument(
            "results", nargs="?", type=Path, default=Path("results"), help="the results folder (default: %(default)s)"
        )
    return parser


def _accuracy(folder: Path) -> list[str]:
    """Writes accuracy.csv and accuracy.png over all predictions in the folder, and prints the table."""
    rows, files = write_accuracy(_results(folder))
    if not rows:
        raise ResultsFolderError(
            f"no predictions in {folder}: expected {folder}/predictions/<stage>/<model>/<noise>.jsonl"
        )
    return [*table(rows, shutil.get_terminal_size().columns), *_under(folder, (row.model for row in rows), files)]


def _comparisons(folder: Path) -> list[str]:
    """Writes comparisons.csv over all records in the folder, and prints the likelihoods and what noise costs."""
    rows, files = write_comparisons(_results(folder))
    if not files:
        raise ResultsFolderError(
            f"nothing to compare in {folder}: expected a model's predictions for clean and a noise"
        )
    width = shutil.get_terminal_size().columns
    return [*likelihood_table(rows, width), *verdicts(rows, width), *_under(folder, (row.model for row in rows), files)]


def _attention(folder: Path) -> list[str]:
    """Writes attention.csv, attention_heat.png and retrieval.png over all readings in the folder, draws the attention
    maps, and prints the table. What there is nothing to make from is left out."""
    cells, files = write_attention(_results(folder))
    if not files:
        raise ResultsFolderError(
            f"no readings in {folder}: expected {folder}/readings/attention/<model>/<noise>.jsonl with one that is no"
            f" error"
        )
    models = (measured.cell.model for measured in cells)
    return [*table_of(cells, shutil.get_terminal_size().columns), *_under(folder, models, files)]


def _under(folder: Path, models: Iterable[str], files: Iterable[Path]) -> list[str]:
    """The lines under a table of these models: what must be said beside it, and the files written."""
    caveat = caveat_of(folder / "run.json", models)
    return [*([f"note: {caveat}"] if caveat else []), f"files: {', '.join(map(shown, files))}"]


def _results(folder: Path) -> Results:
    if not folder.is_dir():
        raise ResultsFolderError(f"no results folder at {folder}: expected the folder that a run wrote, see --results")
    return Results(folder)


if __name__ == "__main__":
    sys.exit(main())
