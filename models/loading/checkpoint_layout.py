"""Where in a folder the checkpoint is: in it, in a snapshot of the hub's cache, or in its only sub-folder with one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from models.loading.trust_remote_code import NO_TRUST, Trust

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


def weights_in(folder: Path) -> list[Path]:
    """The files of weights that a load reads, in safetensors if there are any, else pickled: one, or all the shards
    that an index names, be they there or not. Empty where there is none."""
    if (folder / "adapter_config.json").is_file():
        kinds = [("adapter_model.safetensors", ""), ("adapter_model.bin", "")]
    else:
        kinds = [(name, f"{name}.index.json") for name in ("model.safetensors", "pytorch_model.bin")]
    for one, index in kinds:
        if (folder / one).is_file():
            return [folder / one]
        if index and (folder / index).is_file():
            return _shards(folder / index)
    return []


def index_in(folder: Path) -> Path | None:
    """The index of the shards that a load reads, where there are shards."""
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return None
        if (folder / f"{name}.index.json").is_file():
            return folder / f"{name}.index.json"
    return None


def is_whole(folder: Path, trust: Trust = NO_TRUST) -> bool:
    """Whether all of a checkpoint is in `folder`: configuration, weights (every shard), a tokenizer, which an adapter
    may leave to its base, and of code that is trusted the files that the configuration names. Pickled weights that are
    not trusted are none."""
    if not _is_checkpoint(folder):
        return False
    weights = weights_in(folder)
    if not weights or not all(path.is_file() for path in weights):
        return False
    if not trust.pickles and any(PICKLES.fullmatch(path.name) for path in weights):
        return False
    adapter = (folder / "adapter_config.json").is_file()
    tokenizer = adapter or any(is_tokenizer(path.name) and path.is_file() for path in folder.iterdir())
    return tokenizer and (not trust.code or all((folder / name).is_file() for name in own_code(folder)))


def is_tokenizer(name: str) -> bool:
    """Whether a file of this name holds a tokenizer's tokens; its configuration alone does not."""
    return name in ("tokenizer.json", "vocab.json", "vocab.txt") or name.endswith((".model", ".tiktoken"))


def own_code(folder: Path) -> list[str]:
    """The Python files beside a checkpoint that its configuration and its tokenizer's name."""
    found = []
    for name in ("config.json", "tokenizer_config.json"):
        named = read_object(folder / name).get("auto_map")
        for value in named.values() if isinstance(named, dict) else ():
            classes = value if isinstance(value, list) else [value]
            found += [f"{one.partition('.')[0]}.py" for one in classes if isinstance(one, str) and "--" not in one]
    return sorted(set(found))


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none. Whoever loads a checkpoint says what is wrong with it."""
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _shards(index: Path) -> list[Path]:
    places = read_object(index).get("weight_map")
    return sorted({index.parent / str(name) for name in places.values()}) if isinstance(places, dict) else []


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
