"""`python -m reports COMMAND`: reports rebuilt from a results folder, without a model."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from reports.findings import Findings
from reports.merge_command import add_merge_command
from reports.path_arguments import folder_or_url, local_path
from reports.stats.accuracies_over_seeds import replicate_rows
from reports.stats.compare_runs import compare_runs
from reports.stats.comparisons import write_comparisons_csv
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, display_path, explaining_os_errors
from reports.store.merge_inputs import MergeRefused
from reports.store.remote_folder import fetched_folder, sync_folder
from reports.store.results_folder import Results
from reports.store.run_json import newest_caveat
from reports.store.url_errors import is_url
from reports.tables.accuracy_remarks import accuracy_remarks
from reports.tables.accuracy_table import accuracy_table, seed_table
from reports.tables.attention_narrative import attention_answer
from reports.tables.attention_table import table_of_cells
from reports.tables.compare_runs_table import compare_runs_table
from reports.tables.intervention_tables import intervention_tables
from reports.tables.narrative import narrative
from reports.tables.printable_text import printable
from reports.tables.score_tables import score_tables
from reports.tables.single_seed_table import single_seed_lines
from reports.tables.text_wrap import wrapped
from reports.write_reports import REPORTS

#: The arguments of commands that are results folders.
_FOLDERS = ("results", "first", "second")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit status is 0, or 1 after one sentence on standard error."""
    registering = argparse.ArgumentParser(add_help=False)
    _add_register_option(registering)
    registered, others = registering.parse_known_args(arguments)
    try:
        for module in registered.register:
            _import(module)
        parser = _parser()
        if not others:
            parser.print_help()
            return 2
        options = parser.parse_args(others)
        _fetch_folders(options)
        lines = [*options.command(options), *_unregistered(options)]
    except (ResultsFolderError, ResultsDamaged, MergeRefused, UnknownModuleError) as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    print(printable("\n".join(lines)))
    return 0


class UnknownModuleError(ValueError):
    """A module that should register stages or reports cannot be imported."""


def _add_register_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--register",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a module that registers stages or reports of your own, such as benchmarks.stages; may be repeated",
    )


def _import(module: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    try:
        import_module(module)
    except (ImportError, ValueError, TypeError) as error:  # the latter two for what is no name of a module
        raise UnknownModuleError(f"--register {module[:60]}: cannot import this module: {error}") from error
    finally:
        sys.path.remove(str(Path.cwd()))


def _fetch_folders(options: argparse.Namespace) -> None:
    """Put the local folder of each URL that stands for a results folder in its place, with what is newer there."""
    for name in _FOLDERS:
        folder = getattr(options, name, None)
        if is_url(folder):
            setattr(options, name, fetched_folder(str(folder)))
    if hasattr(options, "folders"):
        options.folders = [fetched_folder(folder) if isinstance(folder, str) else folder for folder in options.folders]


def _unregistered(options: argparse.Namespace) -> list[str]:
    """Return a line that names the stages whose readings were left out, if there are any."""
    folders = [getattr(options, name) for name in _FOLDERS if hasattr(options, name)]
    stages = sorted({stage for folder in folders for stage in Results(folder).unregistered_stages()})
    if not stages:
        return []
    named = ", ".join(map(repr, stages))
    line = f"left out: the readings of {named}, which no module registers here; name the module with --register MODULE"
    return wrapped(line, _width())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    _add_register_option(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    described = {
        "all": (_all, "write every report, and print the paths of their files"),
        "accuracy": (_accuracy, "write accuracy.csv and accuracy.png, and print the table"),
        "comparisons": (_comparisons, "write comparisons.csv, and print what noise costs each model"),
        "html": (_html, "write report.html, one page with everything, and print its path"),
        "attention": (_attention, "write attention.csv and the attention figures, and print the table"),
        "interventions": (_interventions, "write interventions.csv and interventions.png, and print what cuts change"),
    }
    written_by = {
        "accuracy",
        "comparisons",
        "attention",
        "interventions",
        "page",
    }  # the reports that these commands write
    for name, report in REPORTS.items():
        if name not in written_by:
            described[name] = (_registered, f"write {', '.join(report.files)}")
    for name, (command, help) in described.items():
        subparser = commands.add_parser(name, help=help, description=command.__doc__)
        subparser.set_defaults(command=command, report=name)
        subparser.add_argument(
            "results",
            nargs="?",
            type=folder_or_url,
            default=Path("results"),
            help="the results folder, or the URL of one (default: %(default)s)",
        )
    compare = commands.add_parser(
        "compare",
        help="what changed from one results folder to another, problem by problem",
        description=_compare.__doc__,
    )
    compare.set_defaults(command=_compare)
    compare.add_argument("first", type=folder_or_url, metavar="RUN_A", help="the results folder of the earlier run")
    compare.add_argument("second", type=folder_or_url, metavar="RUN_B", help="the results folder of the later run")
    compare.add_argument(
        "--csv", type=local_path, metavar="FILE", help="also write the rows, with the columns of comparisons.csv"
    )
    sync = commands.add_parser(
        "sync", help="bring a results folder and its copy at a URL in step", description=_sync.__doc__
    )
    sync.set_defaults(command=_sync)
    sync.add_argument("folder", type=local_path, metavar="FOLDER", help="the results folder on this machine")
    sync.add_argument("url", metavar="URL", help="the URL of the other, such as s3://bucket/folder")
    add_merge_command(commands)
    return parser


def _sync(options: argparse.Namespace) -> list[str]:
    """Fetch what is newer at a URL, and send what is newer here. Where both have records that the other lacks, neither
    is changed."""
    fetched, sent = sync_folder(options.url, options.folder)
    return [f"fetched {len(fetched):,} files and sent {len(sent):,}: {options.folder} and {options.url} are in step"]


def _all(options: argparse.Namespace) -> list[str]:
    """Write every report over all records in the folder, as the end of a run does, and print the paths of the files."""
    findings = _findings(options.results)
    if not findings.results.cells():
        raise ResultsFolderError(f"no records in {options.results}: expected the folder of a benchmark run")
    files = [path for name in REPORTS for path in _write(name, findings)]
    return _footer(options.results, (cell.model for cell in findings.results.cells()), files)


def _compare(options: argparse.Namespace) -> list[str]:
    """Compare the cells that two results folders share, over the problems that both asked in the same text. Cells that
    only one folder has are counted and named."""
    comparison = compare_runs(_results(options.first), _results(options.second))
    if not comparison.means:
        reasons = "; ".join(comparison.left_out) or "neither has any record with a score"
        raise ResultsFolderError(f"{options.first} and {options.second} have no problem of a cell in common: {reasons}")
    if options.csv is not None:
        write_comparisons_csv(comparison.rows, options.csv)
    lines = [f"change from {options.first} (first) to {options.second} (second)", ""]
    return [*lines, *compare_runs_table(comparison, _width())]


def _accuracy(options: argparse.Namespace) -> list[str]:
    """Write accuracy.csv and accuracy.png over all predictions in the folder, and print the table."""
    folder = options.results
    findings = _findings(folder)
    rows, files = findings.accuracies, _write("accuracy", findings)
    stages = sorted({cell.stage for cell in findings.results.cells()})
    if not rows and stages:
        raise ResultsFolderError(
            f"no accuracies in {folder}: it has the stages {', '.join(stages)} alone; see"
            f" `python -m reports comparisons {folder}` and `python -m reports attention {folder}`"
        )
    if not rows:
        raise ResultsFolderError(
            f"no predictions in {folder}: expected {folder}/predictions/<stage>/<model>/<noise>.jsonl"
        )
    remarks = [*accuracy_remarks(rows), *findings.seed_remarks]
    return [
        *accuracy_table(rows, _width()),
        *seed_table(replicate_rows(findings.cell_accuracies), _width()),
        *(line for remark in remarks for line in wrapped(remark, _width())),
        *_footer(folder, (row.model for row in rows), files),
    ]


def _comparisons(options: argparse.Namespace) -> list[str]:
    """Write comparisons.csv over all records in the folder, and print the likelihoods and what noise costs."""
    folder = options.results
    findings = _findings(folder)
    rows, files = findings.comparisons, _write("comparisons", findings)
    if not files:
        raise ResultsFolderError(
            f"nothing to compare in {folder}: expected a model's predictions for clean and a noise"
        )
    return [
        *score_tables(rows, _width(), findings.pairs_with_different_tokenization),
        *narrative(rows, _width()),
        *single_seed_lines(findings.single_seed_claims, _width()),
        *attention_answer(findings.attention_comparisons, _width(), verbose=True),
        *_footer(folder, (row.model for row in rows), files),
    ]


def _html(options: argparse.Namespace) -> list[str]:
    """Write report.html over all records in the folder: accuracies, what noise costs, attention, what every model
    wrote, and how the results were produced."""
    findings = _findings(options.results)
    if not findings.results.cells():
        raise ResultsFolderError(f"no records in {options.results}: expected the folder of a benchmark run")
    return [f"page: {display_path(path)}" for path in _write("page", findings)]


def _attention(options: argparse.Namespace) -> list[str]:
    """Write attention.csv, attention_heat.png and retrieval.png over all readings in the folder, draw the attention
    maps, and print the table. Files that there is nothing to make from are left out."""
    folder = options.results
    findings = _findings(folder)
    cells, files = findings.attention_cells, _write("attention", findings)
    if not files:
        raise ResultsFolderError(
            f"no readings in {folder}: expected {folder}/readings/attention/<model>/<noise>.jsonl with at least one"
            " reading that is not an error"
        )
    models = (measured.cell.model for measured in cells)
    return [*table_of_cells(cells, _width()), *_footer(folder, models, files)]


def _interventions(options: argparse.Namespace) -> list[str]:
    """Write interventions.csv and interventions.png over all records of the stage intervene in the folder, and print
    the parts of what noise costs, each condition, and what is wrong with wrong answers."""
    folder = options.results
    findings = _findings(folder)
    rows, files = findings.interventions, _write("interventions", findings)
    if not files:
        raise ResultsFolderError(
            f"no interventions in {folder}: expected {folder}/readings/intervene/<model>/<noise>.jsonl with at least"
            " one record that is not an error"
        )
    return [*intervention_tables(rows, _width()), *_footer(folder, (row.model for row in rows), files)]


def _registered(options: argparse.Namespace) -> list[str]:
    """Write this report over all records in the folder, and print the paths of its files."""
    findings = _findings(options.results)
    files = _write(options.report, findings)
    if not files:
        raise ResultsFolderError(f"no files written: {options.results} has no records for the report {options.report}")
    return _footer(options.results, (cell.model for cell in findings.results.cells()), files)


def _write(name: str, findings: Findings) -> list[Path]:
    return list(REPORTS[name].write(findings))


def _footer(folder: Path, models: Iterable[str], files: Iterable[Path]) -> list[str]:
    """Return the lines under a table of these models: the caveat that belongs to them, and the files written."""
    caveat = newest_caveat(folder / "run.json", models)
    lines = [*([f"note: {caveat}"] if caveat else []), f"files: {', '.join(map(display_path, files))}"]
    return [part for line in lines for part in wrapped(line, _width())]


def _findings(folder: Path) -> Findings:
    return Findings(_results(folder))


def _results(folder: Path) -> Results:
    with explaining_os_errors(folder, "read"):
        is_folder = folder.is_dir()
    if not is_folder:
        raise ResultsFolderError(f"no results folder at {folder}: expected the folder of a benchmark run")
    return Results(folder)


def _width() -> int:
    return shutil.get_terminal_size().columns


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or a file that is not in UTF-8 gets escapes
            stream.reconfigure(errors="backslashreplace")
    if hasattr(signal, "SIGPIPE"):  # end quietly when `head` has read enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
