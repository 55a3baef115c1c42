"""`python -m reports COMMAND`: reports rebuilt from a results folder, without a model."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from reports.findings import Findings
from reports.page import write_page
from reports.stats.compare_runs import two_runs, two_runs_lines
from reports.stats.comparisons import write_comparisons_csv
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, shown
from reports.store.results_folder import Results
from reports.store.run_json import caveat_of
from reports.tables.accuracy_table import table
from reports.tables.attention_table import table_of
from reports.tables.likelihood_table import likelihood_table
from reports.tables.narrative import verdicts
from reports.tables.text_wrap import wrapped
from reports.write_reports import write_accuracy, write_attention, write_comparisons


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, or 1 after one sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        lines = options.command(options)
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
        "html": (_html, "write report.html, one page with everything, and say where it is"),
        "attention": (_attention, "write attention.csv and the attention pictures anew and print the table"),
    }
    for name, (command, help) in described.items():
        one = commands.add_parser(name, help=help, description=command.__doc__)
        one.set_defaults(command=command)
        one.add_argument(
            "results", nargs="?", type=Path, default=Path("results"), help="the results folder (default: %(default)s)"
        )
    words = "what changed from one results folder to another, problem by problem"
    two = commands.add_parser("compare", help=words, description=_compare.__doc__)
    two.set_defaults(command=_compare)
    two.add_argument("first", type=Path, metavar="RUN_A", help="the results folder to start from")
    two.add_argument("second", type=Path, metavar="RUN_B", help="the results folder that may be better or worse")
    two.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write the rows, with the columns of comparisons.csv"
    )
    return parser


def _compare(options: argparse.Namespace) -> list[str]:
    """Compares the cells that two results folders have, over the problems that both asked in the same text. What only
    one of them has is counted and named."""
    found = two_runs(_results(options.first), _results(options.second))
    if not found.means:
        reasons = "; ".join(found.left_out) or "neither has any record with a score"
        raise ResultsFolderError(f"{options.first} and {options.second} have no problem of a cell in common: {reasons}")
    if options.csv is not None:
        write_comparisons_csv(found.rows, options.csv)
    lines = [f"change from {options.first} (first) to {options.second} (second)", ""]
    return [*lines, *two_runs_lines(found, shutil.get_terminal_size().columns)]


def _accuracy(options: argparse.Namespace) -> list[str]:
    """Writes accuracy.csv and accuracy.png over all predictions in the folder, and prints the table."""
    folder = options.results
    findings = _findings(folder)
    rows, files = findings.accuracies, write_accuracy(findings)
    if not rows:
        raise ResultsFolderError(
            f"no predictions in {folder}: expected {folder}/predictions/<stage>/<model>/<noise>.jsonl"
        )
    return [*table(rows, shutil.get_terminal_size().columns), *_under(folder, (row.model for row in rows), files)]


def _comparisons(options: argparse.Namespace) -> list[str]:
    """Writes comparisons.csv over all records in the folder, and prints the likelihoods and what noise costs."""
    folder = options.results
    findings = _findings(folder)
    rows, files = findings.comparisons, write_comparisons(findings)
    if not files:
        raise ResultsFolderError(
            f"nothing to compare in {folder}: expected a model's predictions for clean and a noise"
        )
    width = shutil.get_terminal_size().columns
    return [
        *likelihood_table(rows, width, findings.other_tokens),
        *verdicts(rows, width),
        *_under(folder, (row.model for row in rows), files),
    ]


def _html(options: argparse.Namespace) -> list[str]:
    """Writes report.html over all records in the folder: accuracies, what noise costs, attention, what every model
    wrote, and how it was made."""
    findings = _findings(options.results)
    if not findings.results.cells():
        raise ResultsFolderError(f"no records in {options.results}: expected the folder that a run wrote")
    return [f"page: {shown(write_page(findings))}"]


def _attention(options: argparse.Namespace) -> list[str]:
    """Writes attention.csv, attention_heat.png and retrieval.png over all readings in the folder, draws the attention
    maps, and prints the table. What there is nothing to make from is left out."""
    folder = options.results
    findings = _findings(folder)
    cells, files = findings.measured, write_attention(findings)
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
    said = [*([f"note: {caveat}"] if caveat else []), f"files: {', '.join(map(shown, files))}"]
    width = shutil.get_terminal_size().columns
    return [part for line in said for part in wrapped(line, width)]


def _findings(folder: Path) -> Findings:
    return Findings(_results(folder))


def _results(folder: Path) -> Results:
    if not folder.is_dir():
        raise ResultsFolderError(f"no results folder at {folder}: expected the folder that a run wrote, see --results")
    return Results(folder)


if __name__ == "__main__":
    sys.exit(main())
