"""Which of two copies of a results folder has the newer version of a file. No store here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reports.store.json_content import parsed_json
from reports.store.stage_and_file_names import MAPS_FOLDER

#: `send` and `fetch` copy a file, `merge` is for the history of runs, and `either` for what is rebuilt from records.
Decision = Literal["same", "send", "fetch", "remove_there", "remove_here", "merge", "either", "conflict"]
RUN_JSON = "run.json"
#: Records, and what cannot be rebuilt without a model. All else in a results folder is made from these.
_RECORDS = ("predictions", "readings")
_NOT_REBUILT = (*_RECORDS, "attention_maps", "checkpoints", "set_aside")


@dataclass(frozen=True)
class Versions:
    """The SHA-256 of a file `here`, `there`, and when the two were last the same; None where it is not.

    `aside_here` says that this machine has set aside the version at the URL. `aside_there` says that the URL has set
    aside the version on this machine.
    """

    name: str
    here: str | None
    last: str | None
    there: str | None
    aside_here: bool = False
    aside_there: bool = False


def decide(versions: Versions, contents: Callable[[], tuple[bytes, bytes]]) -> Decision:
    """Return what brings the two copies of a file together.

    A file of records is never replaced by one that lacks a record, unless that was set aside. `contents` reads both
    versions, here and there, and is called only where their records must be compared.
    """
    here, last, there = versions.here, versions.last, versions.there
    if here == there:
        return "same"
    if here is None:
        # Maps are removed when others replace them; what else was removed here is fetched again.
        is_removed_map = last is not None and versions.name.startswith(f"{MAPS_FOLDER}/")
        return "remove_there" if there == last and (versions.aside_here or is_removed_map) else "fetch"
    if there is None:
        return "remove_here" if here == last and versions.aside_there else "send"
    if versions.aside_here or versions.aside_there:
        return "send" if versions.aside_here else "fetch"
    top_folder = versions.name.partition("/")[0]
    if versions.name == RUN_JSON or (top_folder in _RECORDS and versions.name.endswith(".jsonl")):
        entries_here, entries_there = (_entries(versions.name, content) for content in contents())
        if entries_there <= entries_here:
            return "send"
        if entries_here <= entries_there:
            return "fetch"
        return "merge" if versions.name == RUN_JSON else "conflict"
    if last in (here, there):
        return "fetch" if here == last else "send"
    return "conflict" if top_folder in _NOT_REBUILT else "either"


def _entries(name: str, content: bytes) -> frozenset[bytes | str]:
    """Return the whole lines of records, or the runs of `run.json`; none of a damaged one."""
    if name != RUN_JSON:
        return frozenset(content.split(b"\n")[:-1])
    try:
        return frozenset(json.dumps(run, sort_keys=True) for run in parsed_json(content)["runs"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
