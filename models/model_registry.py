"""Which models can be named, and where each comes from. No torch here: collecting the grid reads this file."""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from models.loading.checkpoint_layout import SeveralCheckpointsError, checkpoint_in
from models.loading.trust_remote_code import NO_TRUST, Trust

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
    trust: Trust = NO_TRUST


#: Every model that has a name of its own. Anything else is `NAME=SOURCE`, a folder or a hub id.
MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec("diffllama", str(_CHECKPOINTS / "diffllama"), caveat=_MINIATURE),
        ModelSpec("llama", str(_CHECKPOINTS / "llama"), caveat=_MINIATURE),
        # The commits that the study's own published code loads.
        ModelSpec(
            "diffllama-375m",
            "reyllama/DiffLlama-375M",
            subfolder="checkpoint-64434",
            revision="8960f22033190f1560537f4932fe649828ef53e2",
        ),
        ModelSpec(
            "llama-375m",
            "reyllama/Llama_375M",
            subfolder="checkpoint-64434",
            revision="416b70824d560b02245268c208ffd5388b4aa056",
        ),
    )
}
#: `org/name`, and behind it a revision (branch, tag or commit) and the folder of one checkpoint, as in the hub's own
#: paths: https://huggingface.co/docs/huggingface_hub/guides/hf_file_system. Without a revision there is no folder, so
#: that a misspelt path is no id.
_HUB_ID = re.compile(
    r"(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]+)(@(?P<revision>refs/pr/\d+|[\w.-]+)(?P<folder>(/[\w.+-]+)*)/?)?"
)
_HUB_FORM = "org/name, org/name@revision/folder"
_NAME = re.compile(r"[\w.+-]+")


def find_model(text: str) -> ModelSpec:
    """The model that `text` names: a name of `MODELS`, `NAME=SOURCE`, a folder, or a hub id, `org/name`, behind which
    a revision and a folder in the repository may stand, `org/name@v1/checkpoint-100`.

    A folder goes by its last part, a repository by its name. Raises `UnknownModelError`, with the nearest name, for
    anything else.
    """
    name, equals, source = text.partition("=")
    if equals:
        if not _NAME.fullmatch(name):
            raise UnknownModelError(f"--models {text!r}: a name is letters, digits and . _ + -, but got {name!r}")
        return _from_source(name, source, text)
    if text.rstrip("/") in MODELS:  # a shell completes the folder of that name with a stroke
        return MODELS[text.rstrip("/")]
    if "/" in text or Path(text).is_dir():
        hub = _HUB_ID.fullmatch(text)
        name = hub["id"] if hub and not Path(text).is_dir() else str(Path(text).resolve())
        return _from_source(name.rsplit("/")[-1], text, text)
    near = difflib.get_close_matches(text, MODELS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = f"{', '.join(MODELS)}; or a folder, a hub id ({_HUB_FORM}), or NAME=SOURCE"
    raise UnknownModelError(f"unknown model {text!r}.{hint} Known: {known}.")


def _from_source(name: str, source: str, text: str) -> ModelSpec:
    if source in MODELS:
        known = MODELS[source]
        return replace(known, name=name)
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        try:
            folder = checkpoint_in(folder)
        except SeveralCheckpointsError as error:
            raise UnknownModelError(f"model {text!r}: {error}") from None
        return ModelSpec(name, str(folder), caveat=_caveat_of(folder))
    hub = on_hub(name, source)
    if hub is not None:
        return hub
    raise UnknownModelError(
        f"model {text!r}: {source!r} is no folder, no hub id ({_HUB_FORM}) and no registered model"
        f" ({', '.join(MODELS)})"
    )


def on_hub(name: str, source: str) -> ModelSpec | None:
    """The model that an id of the hub names, `org/name@revision/folder`; None for what is no such id."""
    found = _HUB_ID.fullmatch(source)
    return found and ModelSpec(name, found["id"], (found["folder"] or "").strip("/"), found["revision"])


def find_models(text: str, trust: Trust = NO_TRUST) -> list[ModelSpec]:
    """The models of a comma-separated list, in its order, each trusted as `trust` says. Raises `UnknownModelError`,
    also for a name given twice."""
    specs = [replace(find_model(part.strip()), trust=trust) for part in text.split(",") if part.strip()]
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
    """The `noise.Problem.dedup_keys` of the problems that a model was tuned on; empty where it was not tuned here.

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


def address(spec: ModelSpec, commit: str | None = None) -> str:
    """Where a model comes from, as `--models` takes it: a folder, or `org/name@revision/folder` on the hub."""
    if Path(spec.source).is_dir():
        return f"{spec.source}/{spec.subfolder}".rstrip("/")
    revision = commit or spec.revision or ("main" if spec.subfolder else "")
    return "".join([spec.source, f"@{revision}" if revision else "", f"/{spec.subfolder}" if spec.subfolder else ""])


def known_as(spec: ModelSpec) -> str:
    """What to type for a model, whatever it is called in a run: its registered name, or else its address."""
    place = (spec.source, spec.subfolder, spec.revision)
    names = (known.name for known in MODELS.values() if place == (known.source, known.subfolder, known.revision))
    return next(names, address(spec))


def reference_of(spec: ModelSpec, folder: Path) -> str:
    """A name of `spec` for a file in `folder`: a registered name, a hub id, or a path relative to `folder`."""
    if known_as(spec) in MODELS or not Path(spec.source).is_dir():
        return known_as(spec)
    return os.path.relpath(os.path.realpath(spec.source), os.path.realpath(folder))  # `..` goes by what links point to


def spec_of_reference(reference: str, folder: Path) -> ModelSpec | None:
    """The inverse of `reference_of`; a path may also be from the current folder. None for what means nothing."""
    if reference in MODELS:
        return MODELS[reference]
    for path in (folder / reference, Path(reference)):
        if path.is_dir():
            return ModelSpec(path.resolve().name, str(path))
    hub = _HUB_ID.fullmatch(reference)
    return on_hub(hub["id"].rpartition("/")[2], reference) if hub else None
