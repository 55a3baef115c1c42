"""What a merge copies besides records: the attention maps and the tuned checkpoints of the folders."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.store.atomic_io import display_path, explaining_os_errors
from reports.store.json_content import parsed_json, regular_content
from reports.store.merge_inputs import MergeInput, MergeRefused
from reports.store.stage_and_file_names import CHECKPOINTS_FOLDER, MAPS_FOLDER, TRAINING_LOG

#: What is the same in the logs of two trainings that made the same checkpoint; times are not.
_SAME_IN_LOGS = ("settings", "weights", "files")


def attachments(inputs: Sequence[MergeInput]) -> dict[Path, Path]:
    """Return what to copy: files and folders, by their path in a results folder.

    Of a map or checkpoint that several folders have the first is taken. Raises `MergeRefused` if they differ, and
    `ResultsFolderError` if they cannot be read.
    """
    sources: dict[Path, tuple[MergeInput, Path]] = {}
    for folder in inputs:
        top = folder.results.folder
        with explaining_os_errors(top, "read"):
            maps, checkpoints = _maps(top), _checkpoints(top)
            for path in (*maps, *checkpoints):
                other, first = sources.setdefault(path.relative_to(top), (folder, path))
                if first != path and not (_is_same_file if path in maps else _is_same_checkpoint)(first, path):
                    raise MergeRefused(
                        f"{path.relative_to(top).as_posix()} is in both {other.name} and {folder.name}, with different"
                        " contents"
                    )
    return {relative: path for relative, (_, path) in sources.items()}


def copy_attachment(source: Path, target: Path) -> None:
    """Copy a file or folder with its times of change. Raises `ResultsFolderError`."""
    with explaining_os_errors(target, "write"):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            try:
                shutil.copytree(source, target)
            except shutil.Error as error:  # a list of (source, target, reason), one for each file
                raise OSError(f"{display_path(source)}: {error.args[0][0][2]}") from error
        else:
            shutil.copy2(source, target)


def _maps(top: Path) -> list[Path]:
    """Return the patterns; their pictures are drawn again."""
    return sorted((top / MAPS_FOLDER).glob("*/*.npz"))


def _checkpoints(top: Path) -> list[Path]:
    """Return the folders of finished trainings."""
    return sorted(path.parent for path in (top / CHECKPOINTS_FOLDER).glob(f"[!.]*/{TRAINING_LOG}"))


def _is_same_file(left: Path, right: Path) -> bool:
    return filecmp.cmp(left, right, shallow=False)


def _is_same_checkpoint(left: Path, right: Path) -> bool:
    return _log_facts(left) == _log_facts(right)


def _log_facts(checkpoint: Path) -> list[Any]:
    """Return what the log of a training says of its outcome; the log itself if it cannot be parsed."""
    content = regular_content(checkpoint / TRAINING_LOG)
    try:
        log = parsed_json(content)
        return [log.get(name) for name in _SAME_IN_LOGS]
    except (ValueError, AttributeError):
        return [content]
