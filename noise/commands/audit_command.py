"""`python -m noise audit FILE`: which lines of a paired set are certified, and how near its distractors are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from noise.commands.command_errors import exit_status, printable
from noise.sets.audit import CERTIFIED, NOT_CERTIFIED, NOT_USED, Audit, audit, write_audit_csv
from noise.sets.paired_sets import read_paired_set
from noise.sets.strength import strength_table

_COMMAND = "python -m noise audit"
#: How many kinds of reasons are named on the terminal.
_REASONS_SHOWN = 12


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return its exit status. Misuse exits with 2."""
    options = _parser().parse_args(arguments)
    return exit_status(_COMMAND, lambda: _audit(options), out_option="--csv")


def _audit(options: argparse.Namespace) -> None:
    paired = read_paired_set(options.file)
    audited = audit(paired)
    if options.csv is not None:
        write_audit_csv(audited, Path(options.csv), options.force)
    if options.json:
        print(json.dumps(audited.as_json(), indent=2, ensure_ascii=False))
        return
    print(printable(f"{audited.path.name}: {paired.counts()}"))
    for line in _lines(audited):
        print(printable(line))
    if options.csv is not None:
        print(f"{printable(options.csv)}  {len(audited.lines):,} lines")


def _lines(audited: Audit) -> list[str]:
    verdicts, total = audited.verdicts, len(audited.lines)
    lines = [f"{name}: {verdicts[name]:,} of {total:,}" for name in (CERTIFIED, NOT_CERTIFIED, NOT_USED)]
    reasons = list(audited.reasons.items())
    lines += [f"{count:>7,}  {reason}" for reason, count in reasons[:_REASONS_SHOWN]]
    others = sum(count for _, count in reasons[_REASONS_SHOWN:])
    lines += [f"{others:>7,}  another reason (--csv names each)"] if others else []
    distractors = verdicts[CERTIFIED] + verdicts[NOT_CERTIFIED]
    return [*lines, *strength_table([(audited.path.stem, distractors, dict(audited.shares))])]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_COMMAND,
        description="Say of each line of a paired set whether its distractors are certified not to change the answer,"
        " and why not; and which share of them is near to its problem.",
    )
    parser.add_argument(
        "file", metavar="FILE", help="JSON lines, or a JSON array, with the fields of docs/noisy-sets.md"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the counts and shares as JSON")
    form.add_argument("--csv", metavar="OUT", help="also write one record a line: verdict, reason, distractor, shares")
    parser.add_argument("--force", action="store_true", help="replace OUT where something else is there")
    return parser
