"""The command `python -m reports merge DIR… --out DIR`."""

from __future__ import annotations

import argparse
import shutil
from typing import Any

from reports.findings import Findings
from reports.path_arguments import folder_or_url, local_path
from reports.store.atomic_io import display_path
from reports.store.merge_folders import merge_folders
from reports.store.report_stamp import stamp
from reports.store.results_folder import Results
from reports.tables.text_wrap import wrapped
from reports.write_reports import REPORTS


def add_merge_command(commands: Any) -> None:
    """Add the command to those of the parser."""
    merge = commands.add_parser(
        "merge",
        help="put results folders together, such as those of the shards of a run",
        description=merge_command.__doc__,
    )
    merge.set_defaults(command=merge_command)
    merge.add_argument(
        "folders", nargs="+", type=folder_or_url, metavar="DIR", help="a results folder, or the URL of one"
    )
    merge.add_argument(
        "--out",
        type=local_path,
        required=True,
        metavar="DIR",
        help="the new folder, on this machine, which must not exist or be empty",
    )
    merge.add_argument(
        "--partial",
        action="store_true",
        help="merge although shards are missing, unfinished or of different sizes, and say so",
    )


def merge_command(options: argparse.Namespace) -> list[str]:
    """Merge results folders into a new one, and write its reports. Refused where two folders have the same record, a
    cell has different settings, or a shard of the run is missing; then nothing is written."""
    merged = merge_folders(options.folders, options.out, options.partial)
    results = Results(merged.folder)
    findings = Findings(results)
    files = [path for report in list(REPORTS.values()) for path in report.write(findings)]
    stamp(merged.folder, files)
    lines = [
        f"merged {len(options.folders)} folders into {display_path(merged.folder)}:"
        f" {merged.records:,} records of {merged.cells:,} cells",
        *(f"note: {note}" for note in merged.notes),
        f"files: {', '.join(map(display_path, files))}",
    ]
    return [part for line in lines for part in wrapped(line, shutil.get_terminal_size().columns)]
