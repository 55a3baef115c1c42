"""Which models can be named, and where each comes from. No torch here: collecting the grid reads this file."""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from models.places import SeveralCheckpointsError, checkpoint_in

_CHECKPOINTS = Path(__file__).parent / "checkpoints"
#: The file beside weights that were trained here, a miniature's or a tuned model's, that says how they were made.
TRAINING_LOG = "training.json"
#: The file beside a tuned model's weights with a mark of each problem it was tuned on, and its base before it.
TRAINED_ON = "trained_on.txt"
_MINIATURE = "two miniatures of one training seed: a comparison of checkpoints, not yet of architectures"


class UnknownModelError(ValueError):
    """A model was asked for that is neither registered nor a path nor a hub id."""


@dataclass(frozen=True)
class ModelSpec:
    """Where a model comes from.

    `source` is a folder or a hub id (`org/name`); `subfolder` and `revision` are the hub's. `caveat` is what must be
    said wherever the model's figures stand.
    """

    name: str
    source: str
    subfolder: str = ""
    revision: str | None = None
    caveat: str = ""


#: Every model that has a name of its own. Anything else is `NAME=SOURCE`, a folder or a hub id.
MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec("diffllama", str(_CHECKPOINTS / "diffllama"), caveat=_MINIATURE),
        ModelSpec("llama", str(_CHECKPOINTS / "llama"), caveat=_MINIATURE),
        ModelSpec("diffllama-375m", "reyllama/DiffLlama-375M", subfolder="checkpoint-64434"),
        ModelSpec("llama-375m", "reyllama/Llama_375M", subfolder="checkpoint-64434"),
    )
}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_NAME = re.compile(r"[\w.+-]+")


def find_model(text: str) -> ModelSpec:
    """The model that `text` names: a name of `MODELS`, `NAME=SOURCE`, a folder, or a hub id `org/name`.

    A folder or a hub id goes by its last part. Raises `UnknownModelError`, with the nearest name, for anything else.
    """
    name, equals, source = text.partition("=")
    if equals:
        if not _NAME.fullmatch(name):
            raise UnknownModelError(f"--models {text!r}: a name is letters, digits and . _ + -, but got {name!r}")
        return _from_source(name, source, text)
    if text.rstrip("/") in MODELS:  # a shell completes the folder of that name with a stroke
        return MODELS[text.rstrip("/")]
    if "/" in text or Path(text).is_dir():
        return _from_source(Path(text).resolve().name if Path(text).is_dir() else text.rsplit("/")[-1], text, text)
    near = difflib.get_close_matches(text, MODELS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = f"{', '.join(MODELS)}; or a folder, a hub id (org/name), or NAME=SOURCE"
    raise UnknownModelError(f"unknown model {text!r}.{hint} Known: {known}.")


def _from_source(name: str, source: str, text: str) -> ModelSpec:
    if source in MODELS:
        known = MODELS[source]
        return ModelSpec(name, known.source, known.subfolder, known.revision, known.caveat)
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        try:
            folder = checkpoint_in(folder)
        except SeveralCheckpointsError as error:
            raise UnknownModelError(f"model {text!r}: {error}") from None
        return ModelSpec(name, str(folder), caveat=_caveat_of(folder))
    if _HUB_ID.fullmatch(source):
        return ModelSpec(name, source)
    raise UnknownModelError(
        f"model {text!r}: {source!r} is no folder, no hub id (org/name) and no registered model ({', '.join(MODELS)})"
    )


def find_models(text: str) -> list[ModelSpec]:
    """The models of a comma-separated list, in its order. Raises `UnknownModelError`, also for a name given twice."""
    specs = [find_model(part.strip()) for part in text.split(",") if part.strip()]
    if not specs:
        raise UnknownModelError(f"--models {text!r} names no model. Known: {', '.join(MODELS)}")
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise UnknownModelError(f"--models {text!r}: each model needs a name of its own, as in first=PATH,second=PATH")
    return specs


def _caveat_of(folder: Path) -> str:
    """What must be said of a checkpoint trained here: its log says, and a log that does not is a miniature's."""
    log = folder / TRAINING_LOG
    if not log.is_file():
        return ""
    try:
        return str(json.loads(log.read_bytes()).get("caveat", _MINIATURE))
    except (ValueError, AttributeError):
        return _MINIATURE


def trained_on(spec: ModelSpec) -> frozenset[str]:
    """The marks (`noise.Problem.marks`) of the problems that a model was tuned on; empty where it was not tuned here.

    Raises `ValueError` for a checkpoint whose log says that it was, and whose marks are missing.
    """
    folder = Path(spec.source) / spec.subfolder
    try:
        return frozenset((folder / TRAINED_ON).read_text(encoding="utf-8").split())
    except (FileNotFoundError, NotADirectoryError):
        pass
    try:
        tuned = "samples" in json.loads((folder / TRAINING_LOG).read_bytes())["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    if tuned:
        raise ValueError(
            f"model {spec.name!r} was tuned, and {TRAINED_ON}, which says on what, is missing in {folder}; copy it"
            " there from the checkpoint, so that the model is not asked what it knows"
        )
    return frozenset()


def reference_of(spec: ModelSpec, folder: Path) -> str:
    """A name of `spec` for a file in `folder`: a registered name, a hub id, or a path relative to `folder`."""
    place = (spec.source, spec.subfolder, spec.revision)
    for known in MODELS.values():
        if place == (known.source, known.subfolder, known.revision):
            return known.name
    if not Path(spec.source).is_dir():
        return spec.source
    return os.path.relpath(os.path.realpath(spec.source), os.path.realpath(folder))  # `..` goes by what links point to


def spec_of_reference(reference: str, folder: Path) -> ModelSpec | None:
    """The inverse of `reference_of`; a path may also be from the current folder. None for what means nothing."""
    if reference in MODELS:
        return MODELS[reference]
    for path in (folder / reference, Path(reference)):
        if path.is_dir():
            return ModelSpec(path.resolve().name, str(path))
    return ModelSpec(reference.rpartition("/")[2], reference) if _HUB_ID.fullmatch(reference) else None
