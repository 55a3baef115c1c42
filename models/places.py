"""Where in a folder the checkpoint is: in it, in a snapshot of the hub's cache, or in its only sub-folder with one."""

from __future__ import annotations

from pathlib import Path

_MARKS = ("config.json", "adapter_config.json")


class SeveralCheckpointsError(ValueError):
    """A folder holds several checkpoints and none is named, or a cache that was left unfinished."""


def checkpoint_in(folder: Path) -> Path:
    """The folder of the checkpoint in `folder`: itself where it has a configuration; of the hub's cache of a repository
    (`models--org--name`) the snapshot that its `main` names, or its only one; or else the only sub-folder with a
    configuration. `folder` where there is none: whoever loads it says so.

    Raises `SeveralCheckpointsError` where there is more than one to choose from.
    """
    if _is_checkpoint(folder):
        return folder
    if (folder / "snapshots").is_dir():
        return checkpoint_in(_snapshot(folder))
    found = sorted(path for path in folder.iterdir() if path.is_dir() and _is_checkpoint(path))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:5])
        raise SeveralCheckpointsError(f"{folder} holds {len(found)} checkpoints: {names}; name the folder of one")
    return found[0] if found else folder


def _is_checkpoint(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _MARKS)


def _snapshot(cache: Path) -> Path:
    main, snapshots = cache / "refs" / "main", sorted(path for path in (cache / "snapshots").iterdir() if path.is_dir())
    if main.is_file():
        named = cache / "snapshots" / main.read_text().strip()
        if named.is_dir():
            return named
    if len(snapshots) == 1:
        return snapshots[0]
    names = ", ".join(path.name[:12] for path in snapshots) or "none"
    raise SeveralCheckpointsError(f"{cache} is a cache of the hub without a main snapshot; there are: {names}")
