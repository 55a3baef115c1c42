"""Check the files of a checkpoint before they are loaded, so that an error names the damaged file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate.utils.memory import should_reduce_batch_size
from safetensors import safe_open
from transformers import CONFIG_MAPPING, AutoConfig, GenerationConfig

from models.architectures import OWN_MODEL_TYPES
from models.loading.checkpoint_layout import PICKLE_NAME, is_tokenizer_file, shard_index, weight_files
from models.loading.load_errors import CheckpointDamaged, PickledWeightsError, RemoteCodeError, UntrustedError
from models.loading.trust_remote_code import NO_TRUST, Trust

#: The JSON files that a load reads.
_JSON_FILES = (
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


@contextmanager
def reading(*paths: Path) -> Iterator[None]:
    """Report any exception inside as `CheckpointDamaged` of `paths`, with the original message on one line.

    transformers and tokenizers raise exceptions of every type, bare `Exception` among them.
    """
    try:
        yield
    except (CheckpointDamaged, UntrustedError, MemoryError):
        raise
    except Exception as error:
        if should_reduce_batch_size(error):  # out of memory is no fault of the file
            raise
        message = " ".join(str(error).split()) or "no reason given"
        names = " and ".join(str(path) for path in paths)
        raise CheckpointDamaged(f"{names}: {type(error).__name__}: {message:.300}") from error


def check_files(folder: Path, trust: Trust = NO_TRUST) -> None:
    """Check every file of a checkpoint that a load reads, but for the tokenizer's content.

    Every JSON file is an object; transformers knows the configurations; all shards that the index names exist; every
    safetensors file has a whole header and all the bytes that the header announces; nothing needs more trust than
    `trust` gives. Raises `CheckpointDamaged` or `UntrustedError`.
    """
    for path in sorted(folder.glob("*.json")):
        if path.name in _JSON_FILES:
            content = _json_object(path)
            if path.name == "config.json":
                _refuse_name_of_ours(path, content)
            if path.name == "config.json" and not trust.code:
                _refuse_remote_code(path, content)
    index = shard_index(folder)
    if index is not None:
        _check_shards(index, _json_object(index))
    weights = weight_files(folder)
    if not weights:
        adapter = (folder / "adapter_config.json").is_file()
        raise CheckpointDamaged(
            f"{folder} has no weights; expected {'adapter_model' if adapter else 'model'}.safetensors in it"
        )
    pickles = [path for path in weights if PICKLE_NAME.fullmatch(path.name)]
    if pickles and not trust.pickles:
        raise PickledWeightsError(
            f"{folder} has only pickled weights ({pickles[0].name}), which can run any code when they are read;"
            " expected safetensors, or Trust(pickles=True) if you trust their author"
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
    """Check that the folder has a tokenizer, and that `tokenizer.json` is one if it exists.

    Raises `CheckpointDamaged`.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if path.exists():
        with reading(path):
            Tokenizer.from_file(str(path))
    elif not any(is_tokenizer_file(file.name) for file in folder.iterdir()):
        raise CheckpointDamaged(f"{folder} has no tokenizer; expected tokenizer.json next to the weights")


def _refuse_name_of_ours(path: Path, config: dict[str, object]) -> None:
    """Raise `CheckpointDamaged` where transformers would run our code in place of the checkpoint's own."""
    model_type = config.get("model_type")
    if config.get("auto_map") and model_type in OWN_MODEL_TYPES:
        raise CheckpointDamaged(
            f"{path}: the checkpoint brings code for {model_type!r}, which is also an architecture of this project,"
            " whose code would be run in its place; give model_type another name"
        )


def _refuse_remote_code(path: Path, config: dict[str, object]) -> None:
    model_type = config.get("model_type")
    if config.get("auto_map") and model_type not in CONFIG_MAPPING:
        raise RemoteCodeError(
            f"{path}: the architecture {model_type!r} is not part of transformers and needs Python code of the"
            " checkpoint's author; expected Trust(code=True) if you trust it"
        )
    for name in ("attn_implementation", "_attn_implementation"):
        kernel = config.get(name)
        if "/" in json.dumps(kernel):  # transformers fetches such a one from the hub
            raise RemoteCodeError(
                f"{path}: its {name} {kernel!r:.60} is code on the hub; expected Trust(code=True) if you trust it"
            )


def _json_object(path: Path) -> dict[str, object]:
    with reading(path):
        content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise CheckpointDamaged(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def _check_shards(path: Path, index: dict[str, object]) -> None:
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict):
        raise CheckpointDamaged(f"{path}: expected a weight_map that names a file for each weight, got none")
    names = {str(name) for name in weight_map.values()}
    outside = sorted(name for name in names if Path(name).is_absolute() or ".." in Path(name).parts)
    if outside:
        raise CheckpointDamaged(f"{path} names files outside its folder: {', '.join(outside[:3])}")
    missing = sorted(name for name in names if not (path.parent / name).is_file())
    if missing:
        raise CheckpointDamaged(f"{path} names {len(missing)} missing files: {', '.join(missing[:3])}")
