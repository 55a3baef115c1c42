"""The files of a checkpoint, read with an eye to which of them is to blame: damage is told by the file's name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import safe_open
from transformers import CONFIG_MAPPING, AutoConfig, GenerationConfig

from models.loading.checkpoint_layout import PICKLES, index_in, is_tokenizer, weights_in
from models.loading.trust_remote_code import NO_TRUST, Trust

#: The JSON files that a load reads.
_READ = (
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


class CheckpointDamaged(ValueError):
    """A file of a checkpoint does not hold what it should. The message names the file."""


class UntrustedError(ValueError):
    """A checkpoint wants to run code of its author when it is read. The message names the option that lets it."""


@contextmanager
def reading(*paths: Path) -> Iterator[None]:
    """Inside, whatever is raised is the fault of `paths`: `CheckpointDamaged`, with the first line of what was said.

    transformers and tokenizers raise of every kind, bare `Exception` among them.
    """
    try:
        yield
    except (CheckpointDamaged, UntrustedError):
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or "no reason given"
        names = " and ".join(str(path) for path in paths)
        raise CheckpointDamaged(f"{names}: {type(error).__name__}: {said:.300}") from error


def check_files(folder: Path, trust: Trust = NO_TRUST) -> None:
    """Every JSON file that a load reads is an object, the configurations are ones of models that transformers knows,
    all shards that the index names are there, every file of weights has a whole header and all the bytes that this
    tells of, and nothing of it wants more trust than it has. Raises `CheckpointDamaged`, `UntrustedError`."""
    for path in sorted(folder.glob("*.json")):
        if path.name in _READ:
            facts = _object(path)
            if path.name == "config.json" and not trust.code:
                _check_code(path, facts)
    index = index_in(folder)
    if index is not None:
        _check_shards(index, _object(index))
    weights = weights_in(folder)
    pickles = [path for path in weights if PICKLES.fullmatch(path.name)]
    if pickles and not trust.pickles:
        raise UntrustedError(
            f"{folder} has only pickled weights ({pickles[0].name}), and a pickle can run any code when it is read;"
            " where you trust its author, ask for them: --allow-pickles"
        )
    if (folder / "config.json").exists():
        with reading(folder / "config.json"):
            AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust.code)
    if (folder / "generation_config.json").exists():
        with reading(folder / "generation_config.json"):
            GenerationConfig.from_pretrained(folder, local_files_only=True)
    for path in weights:
        if path not in pickles:
            with reading(path), safe_open(str(path), framework="pt") as opened:
                opened.keys()


def check_tokenizer(folder: Path) -> None:
    """The folder has a tokenizer, and `tokenizer.json`, if it is there, is one. Raises `CheckpointDamaged`."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if path.exists():
        with reading(path):
            Tokenizer.from_file(str(path))
    elif not any(is_tokenizer(name.name) for name in folder.iterdir()):
        raise CheckpointDamaged(f"{folder} has no tokenizer; tokenizer.json was expected beside the weights")


def _check_code(path: Path, facts: dict[str, object]) -> None:
    kind = facts.get("model_type")
    if facts.get("auto_map") and kind not in CONFIG_MAPPING:
        raise UntrustedError(
            f"{path}: the architecture {kind!r} is not transformers' own, and comes with code of the checkpoint's"
            " author; where you trust it, ask for it: --trust-remote-code"
        )


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
