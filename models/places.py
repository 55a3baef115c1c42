"""Where in a folder the checkpoint is: in it, in a snapshot of the hub's cache, or in its only sub-folder with one."""

from __future__ import annotations

import json
import re
from pathlib import Path

_MARKS = ("config.json", "adapter_config.json")
#: The names under which a checkpoint's weights are looked for, whole or in shards, with the index of these.
WEIGHTS = re.compile(r"(adapter_)?model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json")
#: The same of pickled weights, which are read only where they are asked for.
PICKLES = re.compile(r"(adapter_model|pytorch_model(-\d+-of-\d+)?)\.bin|pytorch_model\.bin\.index\.json")


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


def is_whole(folder: Path, pickles: bool = False) -> bool:
    """Whether all of a checkpoint is in `folder`: configuration, weights (every shard; pickled ones if `pickles`), and
    a tokenizer, which an adapter may leave to its base."""
    kinds = [("model.safetensors", "model.safetensors.index.json"), ("adapter_model.safetensors", "")]
    if pickles:
        kinds += [("pytorch_model.bin", "pytorch_model.bin.index.json"), ("adapter_model.bin", "")]
    adapter = (folder / "adapter_config.json").is_file()
    tokenizer = adapter or any(path.is_file() for name in ("token*", "vocab*") for path in folder.glob(name))
    weights = any((folder / one).is_file() or (index and _all_shards(folder / index)) for one, index in kinds)
    return _is_checkpoint(folder) and tokenizer and weights


def _all_shards(index: Path) -> bool:
    try:
        names = set(json.loads(index.read_bytes())["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return all((index.parent / str(name)).is_file() for name in names)


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
