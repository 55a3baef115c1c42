"""References to a model: its full source, and one that holds in files of another folder. No torch here."""

from __future__ import annotations

import os
from pathlib import Path

from models.model_registry import MODELS, ModelSpec, parse_hub_id


def full_source(spec: ModelSpec, commit: str | None = None) -> str:
    """Return where a model comes from, as `find_model` reads it: a folder, or `org/name@revision/folder` on the hub."""
    if Path(spec.source).is_dir():
        return f"{spec.source}/{spec.subfolder}".rstrip("/")
    revision = commit or spec.revision or ("main" if spec.subfolder else "")
    return "".join([spec.source, f"@{revision}" if revision else "", f"/{spec.subfolder}" if spec.subfolder else ""])


def name_or_source(spec: ModelSpec) -> str:
    """Return the registered name of the model that `spec` is, whatever `spec` calls it; else its full source."""
    for known in MODELS.values():
        if (spec.source, spec.subfolder, spec.revision) == (known.source, known.subfolder, known.revision):
            return known.name
    return full_source(spec)


def portable_reference(spec: ModelSpec, folder: Path) -> str:
    """Return a reference to `spec` for a file in `folder`: a registered name, a hub id, or a path relative to it."""
    if name_or_source(spec) in MODELS or not Path(spec.source).is_dir():
        return name_or_source(spec)
    # `..` follows the targets of links, so both ends are resolved.
    return os.path.relpath(os.path.realpath(spec.source), os.path.realpath(folder))


def resolve_reference(reference: str, folder: Path) -> ModelSpec | None:
    """Return the model of a `portable_reference`, whose path may also be relative to the current folder; else None."""
    if reference in MODELS:
        return MODELS[reference]
    for path in (folder / reference, Path(reference)):
        if path.is_dir():
            return ModelSpec(path.resolve().name, str(path))
    return parse_hub_id(reference)
