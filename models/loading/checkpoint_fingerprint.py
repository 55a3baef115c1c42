"""From a spec to the folder of its checkpoint, and what tells that folder from any other. No torch here."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from models.hub.hub_cache import address_of, checksum_of, has_checksum
from models.hub.hub_download import fetched
from models.hub.hub_errors import HubError
from models.loading.adapter_base import ADAPTER_CONFIG, base_of, is_adapter
from models.loading.checkpoint_layout import weights_in
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.model_registry import ModelSpec


class LoadError(RuntimeError):
    """A model that is known by name could not be loaded. The message says what was missing and what to do."""


def checkpoint_folder(spec: ModelSpec) -> Path:
    """The folder that holds the checkpoint, downloaded first if `spec` names the hub and it is not there yet."""
    if Path(spec.source).is_dir():
        folder = Path(spec.source) / spec.subfolder
    else:
        try:
            folder = fetched(spec)
        except HubError as error:
            raise LoadError(f"model {spec.name!r} is no folder here, and on the hub: {error}") from error
    if not (folder / "config.json").is_file() and not is_adapter(folder):
        raise LoadError(f"model {spec.name!r}: {folder} has no config.json; a checkpoint folder was expected")
    return folder


def fingerprint(folder: Path, trust: Trust = NO_TRUST) -> str:
    """SHA-256 (hex) over names and bytes of the files that decide what the model says, for an adapter those of its base
    too. Read as a stream. Raises `ValueError` for a file of the hub's cache that has not the hub's bytes any more."""
    digest = hashlib.sha256()
    if is_adapter(folder):
        digest.update(fingerprint(checkpoint_folder(replace(base_of(folder), trust=trust)), trust).encode())
    weights = weights_in(folder)
    for path in sorted(folder.iterdir()):
        if path in weights or path.suffix in (".py", ".model", ".tiktoken") or path.name in _DECISIVE:
            digest.update(path.name.encode() + b"\0")
            digest.update(bytes.fromhex(_checked_sha256(path)))
    return digest.hexdigest()


def _checked_sha256(path: Path) -> str:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected = checksum_of(path)
    if expected is not None and expected != found and (len(expected) == 64 or not has_checksum(path, expected)):
        raise ValueError(
            f"{path} has not the bytes any more that it came with; fetch it again:"
            f" python -m models download --check {address_of(path)}"
        )
    return found


_DECISIVE = {
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
