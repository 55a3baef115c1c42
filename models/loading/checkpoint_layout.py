"""Where the files of a checkpoint are: in the folder itself, a snapshot of the hub's cache, or the only sub-folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from models.loading.trust_remote_code import NO_TRUST, Trust

_CONFIG_FILES = ("config.json", "adapter_config.json")
#: The names of safetensors weights, whole or in shards, and of the shards' index.
WEIGHT_NAME = re.compile(r"(adapter_)?model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json")
#: The names of pickled weights, which are read only if `Trust` allows them.
PICKLE_NAME = re.compile(r"(adapter_model|pytorch_model(-\d+-of-\d+)?)\.bin|pytorch_model\.bin\.index\.json")


class SeveralCheckpointsError(ValueError):
    """A folder holds several checkpoints and none is chosen, or a hub cache has no main snapshot."""


def find_checkpoint(folder: Path) -> Path:
    """Return the folder of the checkpoint in `folder`.

    That is `folder` itself if it has a configuration. In the hub's cache of a repository (`models--org--name`) it is
    the snapshot that `main` names, or the only one. Otherwise it is the only sub-folder with a configuration. Without
    any, `folder` is returned, and loading it raises the error.

    Raises `SeveralCheckpointsError` where there is more than one to choose from.
    """
    if _has_config(folder):
        return folder
    if (folder / "snapshots").is_dir():
        return find_checkpoint(_snapshot(folder))
    checkpoints = sorted(path for path in folder.iterdir() if path.is_dir() and _has_config(path))
    if len(checkpoints) > 1:
        names = ", ".join(path.name for path in checkpoints[:5])
        raise SeveralCheckpointsError(f"{folder} holds {len(checkpoints)} checkpoints: {names}; name the folder of one")
    return checkpoints[0] if checkpoints else folder


class IrregularFileError(ValueError):
    """A folder holds a pipe or a device: reading one may never end."""


def check_regular_files(folder: Path) -> None:
    """Raise `IrregularFileError` if anything in `folder` is neither a file nor a folder, itself or by a link."""
    for path in sorted(folder.iterdir()):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise IrregularFileError(f"{path}: expected a regular file, got a pipe or a device; remove it")


def weight_files(folder: Path) -> list[Path]:
    """Return the weight files that a load reads: safetensors if there are any, else pickled ones.

    That is one file, or all the shards that an index names, whether they exist or not. Empty where there is neither.
    """
    if (folder / "adapter_config.json").is_file():
        names = [("adapter_model.safetensors", ""), ("adapter_model.bin", "")]
    else:
        names = [(name, f"{name}.index.json") for name in ("model.safetensors", "pytorch_model.bin")]
    for name, index in names:
        if (folder / name).is_file():
            return [folder / name]
        if index and (folder / index).is_file():
            return _shards(folder / index)
    return []


def shard_index(folder: Path) -> Path | None:
    """Return the index of the shards that a load reads; None where the weights are one file."""
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return None
        if (folder / f"{name}.index.json").is_file():
            return folder / f"{name}.index.json"
    return None


def has_whole_checkpoint(folder: Path, trust: Trust = NO_TRUST) -> bool:
    """Return whether `folder` holds a whole checkpoint: configuration, weights (every shard) and a tokenizer.

    An adapter may leave the tokenizer to its base. If code is trusted, the Python files that the configuration names
    must exist too. Pickled weights that are not trusted do not count.
    """
    if not _has_config(folder):
        return False
    weights = weight_files(folder)
    if not weights or not all(path.is_file() for path in weights):
        return False
    if not trust.pickles and any(PICKLE_NAME.fullmatch(path.name) for path in weights):
        return False
    adapter = (folder / "adapter_config.json").is_file()
    tokenizer = adapter or any(is_tokenizer_file(path.name) and path.is_file() for path in folder.iterdir())
    return tokenizer and (not trust.code or all((folder / name).is_file() for name in remote_code_files(folder)))


def is_tokenizer_file(name: str) -> bool:
    """Return whether a file of this name holds a tokenizer's tokens; its configuration alone does not."""
    return name in ("tokenizer.json", "vocab.json", "vocab.txt") or name.endswith((".model", ".tiktoken"))


def remote_code_files(folder: Path) -> list[str]:
    """Return the names of the checkpoint's own Python files that its model and tokenizer configurations refer to."""
    modules = set()
    for name in ("config.json", "tokenizer_config.json"):
        auto_map = read_json_object(folder / name).get("auto_map")
        for value in auto_map.values() if isinstance(auto_map, dict) else ():
            classes = value if isinstance(value, list) else [value]
            # `org/name--module.Class` is code of another repository.
            modules |= {path.partition(".")[0] for path in classes if isinstance(path, str) and "--" not in path}
    return sorted(f"{module}.py" for module in modules)


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty where there is none. `check_files` reports what is wrong with it."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _shards(index: Path) -> list[Path]:
    weight_map = read_json_object(index).get("weight_map")
    return sorted({index.parent / str(name) for name in weight_map.values()}) if isinstance(weight_map, dict) else []


def _has_config(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _CONFIG_FILES)


def _snapshot(cache: Path) -> Path:
    main, snapshots = cache / "refs" / "main", sorted(path for path in (cache / "snapshots").iterdir() if path.is_dir())
    if main.is_file():
        snapshot = cache / "snapshots" / main.read_text().strip()
        if snapshot.is_dir():
            return snapshot
    if len(snapshots) == 1:
        return snapshots[0]
    names = ", ".join(path.name[:12] for path in snapshots) or "none"
    raise SeveralCheckpointsError(f"{cache} is a hub cache without a main snapshot; it has: {names}")
