"""The models that have a name, and the source of each. No torch here: collecting the grid reads this file."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from models.loading.checkpoint_layout import (
    IrregularFileError,
    SeveralCheckpointsError,
    check_regular_files,
    find_checkpoint,
)
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.replicate_names import REPLICATE_SUFFIX, canonical_name, replicate_name, split_replicate

_CHECKPOINTS = Path(__file__).parent / "checkpoints"
#: The file next to weights that were trained here (a miniature's or a tuned model's) that says how.
TRAINING_LOG = "training.json"
#: The file next to a tuned model's weights with the keys of the problems that it and its base were tuned on.
TRAINED_ON = "trained_on.txt"
_MINIATURE = "miniatures of a million parameters, trained on synthetic text by one recipe"
#: What must be said as well where a miniature stands for its family alone.
SINGLE_SEED = "one training seed: a comparison of checkpoints, not yet of architectures"
#: The training seeds of the miniatures that are shipped.
INCLUDED_SEEDS = range(8)


class UnknownModelError(ValueError):
    """A model is not registered, a folder or a hub id, or a list of models is not usable."""


@dataclass(frozen=True)
class ModelSpec:
    """A model's name and source.

    `source` is a folder or a hub id (`org/name`); `subfolder` and `revision` are the hub's. `caveat` must be shown
    wherever the model's figures are.
    """

    name: str
    source: str
    subfolder: str = ""
    revision: str | None = None
    caveat: str = ""
    trust: Trust = NO_TRUST


#: The registered models, `diffllama:3` that of training seed 3. Any other is given as `NAME=SOURCE`, a folder or a hub
#: id.
MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        *(
            ModelSpec(replicate_name(family, seed), str(_CHECKPOINTS / family / str(seed)), caveat=_MINIATURE)
            for seed in INCLUDED_SEEDS
            for family in ("diffllama", "llama")
        ),
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
#: `org/name`, then optionally a revision (branch, tag or commit) and the folder of one checkpoint, as in the hub's own
#: paths: https://huggingface.co/docs/huggingface_hub/guides/hf_file_system. A folder needs a revision, so that a
#: misspelt path is not taken for an id.
_HUB_ID = re.compile(
    r"(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]+)(@(?P<revision>refs/pr/\d+|[\w.-]+)(?P<folder>(/[\w.+-]+)*)/?)?"
)
_HUB_FORM = "org/name, org/name@revision/folder"
_NAME = re.compile(rf"[\w.+-]+(?:{REPLICATE_SUFFIX})?")


def known_models() -> str:
    """Return the registered names in words, the replicates of a family together."""
    numbers: dict[str, list[int]] = {}
    for name in MODELS:
        family, number = split_replicate(name)
        numbers.setdefault(family, []).append(number)
    return ", ".join(f"{name} ({name}:0 to :{max(of)})" if len(of) > 1 else name for name, of in numbers.items())


def find_model(text: str) -> ModelSpec:
    """Return the model that `text` names: a registered name, `NAME=SOURCE`, a folder, or a hub id.

    A hub id is `org/name` or `org/name@revision/folder`, such as `org/name@v1/checkpoint-100`. A folder's last part and
    a repository's name become the model's name. Raises `UnknownModelError`, with the nearest name, for anything else.
    """
    name, equals, source = text.partition("=")
    if equals:
        if not _NAME.fullmatch(name):
            raise UnknownModelError(
                f"model {text!r}: expected a name of letters, digits and . _ + -, and for a replicate a number, as in"
                f" mine:3; got {name!r}"
            )
        return _spec_from_source(canonical_name(name), source, text)
    if canonical_name(text.rstrip("/")) in MODELS:  # a shell completes the folder of that name with a slash
        return MODELS[canonical_name(text.rstrip("/"))]
    if "/" in text or Path(text).is_dir():
        hub = _HUB_ID.fullmatch(text)
        name = (
            hub["id"].rpartition("/")[2] if hub and not Path(text).is_dir() else _name_of_folder(Path(text).resolve())
        )
        return _spec_from_source(name, text, text)
    near = difflib.get_close_matches(text, MODELS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    known = f"{known_models()}; or a folder, a hub id ({_HUB_FORM}), or NAME=SOURCE"
    raise UnknownModelError(f"unknown model {text!r}.{hint} Known: {known}.")


def _name_of_folder(folder: Path) -> str:
    """Return the last part of a path; `llama:3` for the folder `llama/3`, as `train-mini` writes them."""
    if re.fullmatch(REPLICATE_SUFFIX, f":{folder.name}"):
        return canonical_name(f"{folder.parent.name}:{folder.name}")
    return folder.name


def _spec_from_source(name: str, source: str, text: str) -> ModelSpec:
    """Return the model `name` from `source`; `text` is what was typed, for the error."""
    if canonical_name(source) in MODELS:
        return replace(MODELS[canonical_name(source)], name=name)
    folder = Path(source).expanduser()
    if source and folder.is_dir():
        try:
            folder = find_checkpoint(folder)
            check_regular_files(folder)
        except (IrregularFileError, SeveralCheckpointsError) as error:
            raise UnknownModelError(f"model {text!r}: {error}") from None
        return ModelSpec(name, str(folder), caveat=_caveat(folder))
    spec = parse_hub_id(source, name)
    if spec is not None:
        return spec
    raise UnknownModelError(
        f"model {text!r}: {source!r} is not a folder, a hub id ({_HUB_FORM}) or a registered model ({known_models()})"
    )


def parse_hub_id(hub_id: str, name: str | None = None) -> ModelSpec | None:
    """Return the model at `org/name@revision/folder` on the hub; None where that is not a hub id.

    It is called `name`, or after the repository.
    """
    match = _HUB_ID.fullmatch(hub_id)
    if match is None:
        return None
    repository, folder = match["id"], (match["folder"] or "").strip("/")
    return ModelSpec(name or repository.rpartition("/")[2], repository, folder, match["revision"])


def find_models(text: str, trust: Trust = NO_TRUST) -> list[ModelSpec]:
    """Return the models of a comma-separated list, in its order, each with `trust`. `diffllama:*` is every replicate.

    Raises `UnknownModelError` for an unknown model, an empty list, and two models of one name.
    """
    parts = [name for part in text.split(",") if part.strip() for name in _replicates(part.strip())]
    specs = [replace(_model_named(part), trust=trust) for part in parts]
    if not specs:
        raise UnknownModelError(f"no model in {text!r}. Known: {known_models()}.")
    names = {unicodedata.normalize("NFKC", spec.name).casefold() for spec in specs}
    if len(names) < len(specs):  # names become files, and some disks tell no capitals apart
        raise UnknownModelError(
            f"models {text!r}: expected a different name for each, whatever the case, as in first=PATH,second=PATH"
        )
    return specs


def find_replicates(family: str) -> list[str]:
    """Return the names of the registered replicates of a family; none where it is not registered."""
    return [name for name in MODELS if split_replicate(name)[0] == family]


def _replicates(text: str) -> list[str]:
    """Return the names that `text` stands for: those of `find_replicates` for `FAMILY:*`, else itself."""
    family = text.removesuffix(":*")
    if family == text:
        return [text]
    names = find_replicates(family)
    if not names:
        raise UnknownModelError(
            f"model {text!r}: no replicate of {family!r} is registered; name those of yours as {family}:0=PATH,"
            f"{family}:1=PATH. Known: {known_models()}."
        )
    return names


def _model_named(text: str) -> ModelSpec:
    """Return `find_model(text)`. Raises `UnknownModelError` for what the system takes for no path, too."""
    try:
        return find_model(text)
    except (OSError, RuntimeError) as error:  # the latter for a link to itself
        reason = getattr(error, "strerror", None) or error
        raise UnknownModelError(f"model {text[:60]}: {reason}") from None


def _caveat(folder: Path) -> str:
    """Return the caveat of a checkpoint that was trained here. A training log without one is a miniature's."""
    log = folder / TRAINING_LOG
    if not log.is_file():
        return ""
    try:
        return str(json.loads(log.read_bytes()).get("caveat", _MINIATURE))
    except (ValueError, AttributeError):
        return _MINIATURE


def trained_on(spec: ModelSpec) -> frozenset[str]:
    """Return the keys (`noise.Problem.dedup_keys`) of the problems that a model was tuned on; empty if not tuned here.

    Raises `ValueError` for a checkpoint whose log says that it was tuned, and whose list of keys is missing.
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
            f"model {spec.name!r} was tuned, but {folder} lacks {TRAINED_ON}, the list of problems it was tuned on;"
            " copy it there from the original checkpoint, so that the model is not tested on them"
        )
    return frozenset()
