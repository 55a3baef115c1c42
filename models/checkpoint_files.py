"""The files of a checkpoint, read with an eye to which of them is to blame: damage is told by the file's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open
from transformers import AutoConfig, GenerationConfig


class CheckpointDamaged(ValueError):
    """A file of a checkpoint does not hold what it should. The message names the file."""


@contextmanager
def reading(*paths: Path) -> Iterator[None]:
    """Inside, whatever is raised is the fault of `paths`: `CheckpointDamaged`, with the first line of what was said.

    transformers and tokenizers raise of every kind, bare `Exception` among them.
    """
    try:
        yield
    except CheckpointDamaged:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or "no reason given"
        names = " and ".join(str(path) for path in paths)
        raise CheckpointDamaged(f"{names}: {type(error).__name__}: {said:.300}") from error


def check_files(folder: Path) -> None:
    """Every JSON file of the folder is an object, the configurations are ones of models that transformers knows, every
    shard that an index names is there, and every file of weights has a whole header and all the bytes that this tells
    of. Raises `CheckpointDamaged`."""
    for path in sorted(folder.glob("*.json")):
        facts = _object(path)
        if path.name.endswith(".safetensors.index.json"):
            _check_shards(path, facts)
    for name, kind in (("config.json", AutoConfig), ("generation_config.json", GenerationConfig)):
        if (folder / name).exists():
            with reading(folder / name):
                kind.from_pretrained(folder, local_files_only=True)
    for path in sorted(folder.glob("*.safetensors")):
        with reading(path), safe_open(str(path), framework="pt") as weights:
            weights.keys()


def check_tokenizer(folder: Path) -> None:
    """The folder has a tokenizer, and `tokenizer.json`, if it is there, is one. Raises `CheckpointDamaged`."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if path.exists():
        with reading(path):
            Tokenizer.from_file(str(path))
    elif not any(folder.glob("*token*")) and not any(folder.glob("vocab*")):
        raise CheckpointDamaged(f"{folder} has no tokenizer; tokenizer.json was expected beside the weights")


def _object(path: Path) -> dict[str, object]:
    with reading(path):
        facts = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(facts, dict):
        raise CheckpointDamaged(f"{path}: expected a JSON object, found {type(facts).__name__}")
    return facts


def _check_shards(path: Path, facts: dict[str, object]) -> None:
    places = facts.get("weight_map")
    if not isinstance(places, dict):
        raise CheckpointDamaged(f"{path}: expected a weight_map that names a file for each weight, found none")
    missing = sorted({str(name) for name in places.values() if not (path.parent / str(name)).is_file()})
    if missing:
        raise CheckpointDamaged(f"{path} names {len(missing)} files that are not there: {', '.join(missing[:3])}")
