"""`python -m noise import LAYOUT FILE`: turn published noisy problems into a paired set and its clean problems."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noise.commands.command_errors import exit_status, printable
from noise.problems.problem_sources import load_problems
from noise.sets.import_published import import_set
from noise.sets.manifest import check_manifest, write_manifest
from noise.sets.published_layouts import LAYOUTS
from noise.sets.table_rows import sha256_of

_COMMAND = "python -m noise import"


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return its exit status. Misuse exits with 2."""
    options = _parser().parse_args(arguments)
    return exit_status(_COMMAND, lambda: _import(options))


def _import(options: argparse.Namespace) -> None:
    folder, path = Path(options.out), Path(options.file)
    check_manifest(folder, options.force)
    problems = load_problems(options.problems) if options.problems else []
    written = import_set(options.layout, path, folder, problems, options.force)
    entry: dict[str, Any] = {"layout": options.layout, "source": path.name, "source_sha256": sha256_of(path)}
    entries = {written.clean: {**entry, "problems": written.problems}}
    if written.noisy is not None:
        entries[written.noisy] = {**entry, "pairs": written.pairs, "refused": dict(written.refused)}
    write_manifest(folder, entries, options.force)
    print(printable(written.sentence()))
    print(f"{printable(str(written.clean))}  {written.problems:,} problems")
    if written.noisy is None:
        print("the file has no pairs; add noise to its problems with `python -m noise --problems`")
    else:
        print(f"{printable(str(written.noisy))}  {written.pairs:,} pairs")


def _parser() -> argparse.ArgumentParser:
    layouts = "\n".join(f"  {layout.name:12} {layout.wants}" for layout in LAYOUTS.values())
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="Turn the published noisy problems of others into a paired set (LAYOUT_noisy.jsonl) and its clean"
        " problems (LAYOUT.jsonl).",
        epilog=f"layouts:\n{layouts}\n\nexample:\n"
        "  python -m noise import gsm-plus gsmplus_testmini.jsonl --out sets\n"
        "  pytest benchmarks --problems sets/gsm-plus.jsonl --datasets clean,inf,plus=sets/gsm-plus_noisy.jsonl",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("layout", choices=tuple(LAYOUTS), metavar="LAYOUT", help=f"one of {', '.join(LAYOUTS)}")
    parser.add_argument("file", metavar="FILE", help="the published file")
    parser.add_argument("--problems", metavar="SOURCE", help="the problems that a list of triggers is added to")
    parser.add_argument("--out", default="data", metavar="DIR", help="output folder (default: data)")
    parser.add_argument(
        "--force", action="store_true", help="replace files of the output folder that are not what would be written"
    )
    return parser
