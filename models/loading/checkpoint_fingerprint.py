"""The folder of a model's checkpoint, and the fingerprint of what is in it. No torch here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from models.hub.hub_cache import expected_checksum, has_checksum, source_of_cached_file
from models.hub.hub_download import fetch_checkpoint
from models.hub.hub_errors import HubError, PickledRepositoryError
from models.loading.adapter_base import ADAPTER_CONFIG, find_adapter_base, is_adapter
from models.loading.checkpoint_layout import IrregularFileError, check_regular_files, weight_files
from models.loading.load_errors import LoadError, PickledWeightsError
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.model_registry import ModelSpec

#: The files, besides weights and code, that decide what a model writes.
_FINGERPRINTED = {
    ADAPTER_CONFIG,
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
}
#: Files that take the place of the two, for the versions of transformers from theirs on: `tokenizer.4.0.0.json`.
_FOR_LATER_VERSIONS = re.compile(r"(config|tokenizer)\..+\.json")


def checkpoint_folder(spec: ModelSpec) -> Path:
    """Return the folder that holds the checkpoint. One on the hub is downloaded first, unless the cache has it.

    Raises `LoadError`.
    """
    if Path(spec.source).is_dir():
        folder = Path(spec.source) / spec.subfolder
    else:
        try:
            folder = fetch_checkpoint(spec)
        except HubError as error:
            kind = PickledWeightsError if isinstance(error, PickledRepositoryError) else LoadError
            raise kind(f"model {spec.name!r}: not a local folder; hub lookup failed: {error}") from error
    if not (folder / "config.json").is_file() and not is_adapter(folder):
        raise LoadError(f"model {spec.name!r}: {folder} has no config.json; expected a checkpoint folder")
    try:
        check_regular_files(folder)
    except IrregularFileError as error:
        raise LoadError(f"model {spec.name!r}: {error}") from None
    return folder


def fingerprint(folder: Path, trust: Trust = NO_TRUST) -> str:
    """Return the SHA-256 (hex) over names and bytes of the files that decide what the model writes.

    For an adapter those of its base are included.

    Raises `ValueError` for a file of the hub's cache that no longer matches its checksum.
    """
    digest = hashlib.sha256()
    if is_adapter(folder):
        base = replace(find_adapter_base(folder), trust=trust)
        digest.update(fingerprint(checkpoint_folder(base), trust).encode())
    others = [
        path
        for path in folder.iterdir()
        if path.suffix in (".py", ".model", ".tiktoken")
        or path.name in _FINGERPRINTED
        or _FOR_LATER_VERSIONS.fullmatch(path.name)
    ]
    for path in sorted({*weight_files(folder), *others}):  # weights may be in a sub-folder, as their index says
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(bytes.fromhex(_verified_sha256(path)))
    return digest.hexdigest()


def _verified_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file. Raises `ValueError` where the hub's cache expects another checksum."""
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    expected = expected_checksum(path)
    if expected is not None and expected != actual and (len(expected) == 64 or not has_checksum(path, expected)):
        raise ValueError(
            f"checksum mismatch for {path}; download it again:"
            f" python -m models download --check {source_of_cached_file(path)}"
        )
    return actual
