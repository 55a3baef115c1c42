"""The files of one checkpoint in a repository of the hub: only what is needed to run it. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.hub.hub_errors import HubError, PickledRepositoryError
from models.loading.checkpoint_layout import PICKLE_NAME, WEIGHT_NAME, is_tokenizer_file
from models.model_reference import full_source
from models.model_registry import ModelSpec

if TYPE_CHECKING:
    from huggingface_hub import HfApi

#: What a checkpoint may hold besides its weights, by suffix: configuration, tokenizer, chat template.
_SMALL_FILES = (".json", ".model", ".txt", ".jinja", ".tiktoken")
#: Files that a training leaves next to a checkpoint and that running it does not need.
_NOT_NEEDED = ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json", "README.txt")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository: its path there, its size in bytes, and its checksum (`hub_cache.has_checksum`)."""

    path: str
    size: int
    checksum: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def in_store(self) -> bool:
        """Whether the file is in the hub's store for large files, not in git."""
        return len(self.checksum) == 64


@dataclass(frozen=True)
class CheckpointListing:
    """The commit of a checkpoint, and the files that are needed, the weights last."""

    commit: str
    files: list[RemoteFile]


def list_checkpoint(spec: ModelSpec) -> CheckpointListing:
    """Ask the hub for the files of a checkpoint.

    Pickled weights and Python files are listed only if `spec.trust` allows them. Raises `HubError` where configuration,
    tokenizer or weights are missing, and `PickledRepositoryError` where the only weights are pickles that are not
    trusted.
    """
    from huggingface_hub import HfApi

    api: HfApi = HfApi()
    info = api.model_info(spec.source, revision=spec.revision, files_metadata=True)
    repository = [
        RemoteFile(file.rfilename, file.size or 0, str(file.lfs.sha256 if file.lfs else file.blob_id))
        for file in info.siblings or []
    ]
    files = [file for file in repository if file.folder == spec.subfolder]
    names = {file.name for file in files}
    if not names & {"config.json", "adapter_config.json"}:
        folders = sorted({file.folder for file in repository if file.name == "config.json"} - {""})
        hint = f"checkpoints are in {', '.join(folders[:5])}" if folders else "no folder of it has one either"
        raise HubError(f"{full_source(spec)} has no checkpoint (no config.json); {hint}")
    if "adapter_config.json" not in names and not any(map(is_tokenizer_file, names)):
        raise HubError(f"{full_source(spec)} has no tokenizer; expected tokenizer.json")
    weights = _safetensors(files)
    pickles = [file for file in files if PICKLE_NAME.fullmatch(file.name)]
    if pickles and not weights and not spec.trust.pickles:
        raise PickledRepositoryError(
            f"{full_source(spec)} has only pickled weights ({pickles[0].name}), which can run any code when they are"
            " read; expected safetensors, or Trust(pickles=True) if you trust their author"
        )
    if not weights and not pickles:
        raise HubError(f"{full_source(spec)} has no weights; expected *.safetensors")
    suffixes = (*_SMALL_FILES, ".py") if spec.trust.code else _SMALL_FILES
    small = [
        file
        for file in files
        if file.name.endswith(suffixes) and not file.name.endswith(".index.json") and file.name not in _NOT_NEEDED
    ]
    return CheckpointListing(str(info.sha), [*small, *(weights or pickles)])


def _safetensors(files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Return the safetensors weights among the files of a checkpoint, with the index of shards."""
    weights = [file for file in files if WEIGHT_NAME.fullmatch(file.name)]
    if any(file.name.endswith(".index.json") for file in weights):  # which may give its shards any names
        others = [file for file in files if file.name.endswith(".safetensors") and "consolidated" not in file.name]
        weights += [file for file in others if file not in weights]
    return weights
