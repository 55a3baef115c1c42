"""Getting checkpoints from the hub into its cache: only what is needed, resumed, checked. No torch here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from models.hub.hub_cache import cache_folder, cached, has_checksum, point, repository_folder
from models.hub.hub_errors import HubError, again_for, explained
from models.loading.checkpoint_layout import PICKLES, WEIGHTS, is_tokenizer
from models.model_registry import ModelSpec, address

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Found = TypeVar("Found")
#: What a checkpoint may hold besides its weights, by ending: configuration, tokenizer, chat template.
_SMALL = (".json", ".model", ".txt", ".jinja", ".tiktoken")
#: What a training leaves beside a checkpoint and nobody needs to run it.
_NOT_NEEDED = ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json", "README.txt")
#: Free space, in bytes, that is left on a disk beside what is downloaded.
_MARGIN = 2**28
#: Pauses, in seconds, before the hub is asked again after a fault of its own or of the network.
_PAUSES = (1, 2)


@dataclass(frozen=True)
class Remote:
    """A file of a repository: its path there, its size in bytes, and its checksum (`hub_cache.has_checksum`)."""

    path: str
    size: int
    checksum: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def stored(self) -> bool:
        """Whether it lies in the hub's store, and not in git."""
        return len(self.checksum) == 64


@dataclass(frozen=True)
class Listing:
    """What a repository holds of one checkpoint: the commit, and the files that are needed, the weights last."""

    commit: str
    files: list[Remote]


def fetched(
    spec: ModelSpec,
    cache: Path | None = None,
    say: Callable[[str], object] = lambda text: None,
    again: bool = False,
) -> Path:
    """The folder of the checkpoint, downloaded first where it is not all here. A download that was interrupted goes on.

    With `again` the hub is asked also where all of it is here: a branch is followed, each file is read and compared
    with the hub's checksum, and one that differs is replaced. Pickled weights and Python files are only taken from whom
    the spec trusts. `say` is told what is about to be downloaded. Raises `HubError`, and leaves nothing that could be
    taken for a checkpoint.
    """
    here = cached(spec, cache)
    if here is not None and not again:
        return here
    if here is None and cached(replace(spec, trust=replace(spec.trust, pickles=True)), cache) is not None:
        raise HubError(
            f"{address(spec)} is here with pickled weights, which can run any code when they are read; where you trust"
            " their author, ask for them: --allow-pickles"
        )
    place = cache_folder(cache)
    with explained(spec, place):
        listing = _patiently(lambda: _listing(spec))
        missing = [file for file in listing.files if not (again and _is_right(spec, file, listing.commit, place))]
        if missing:
            size = _check_room(spec, missing, place)
            say(f"{spec.name}: {len(missing)} files, {size}, of {address(spec, listing.commit)}")
        for file in missing:  # the weights last: without them nothing is taken for a checkpoint
            _patiently(lambda file=file: _fetch(spec, file, listing.commit, place))  # type: ignore[misc]
        point(spec, listing.commit, place)
    folder = cached(spec, cache)
    if folder is None:
        raise HubError(
            f"{address(spec)}: its configuration or its index names files that the repository has not; there are"
            f" {', '.join(file.name for file in listing.files)}"
        )
    return folder


def _is_right(spec: ModelSpec, file: Remote, commit: str, place: Path) -> bool:
    """Whether a file is here and has the hub's bytes. One that has others is deleted."""
    path = repository_folder(spec, place) / "snapshots" / commit / file.path
    if not path.is_file():
        return False
    if has_checksum(path, file.checksum):
        return True
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    return False


def _fetch(spec: ModelSpec, file: Remote, commit: str, place: Path) -> None:
    """Put a file into its place in the cache, with the right bytes."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.utils import tqdm

    class Unseen(tqdm):
        """A small file is here before its bar could be read."""

        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **{**options, "disable": True})

    large = file.size > constants.MAX_HTTP_DOWNLOAD_SIZE  # such files are only given out in huggingface_hub's own way
    known = file.stored and not large and _resume(spec, file, commit, place)
    bar = tqdm if large else Unseen
    hf_hub_download(spec.source, file.path, revision=commit, cache_dir=place, tqdm_class=bar)
    if not known and not _is_right(spec, file, commit, place):
        raise HubError(_wrong(spec, file.name, place))


def _resume(spec: ModelSpec, file: Remote, commit: str, place: Path) -> bool:
    """Fetch the bytes that are still missing of a file of the store, and put it among the cache's blobs once it has the
    right checksum; `hf_hub_download` then finds it there. False where it was there already, and nothing was checked.

    `huggingface_hub` begins again from the first byte since its version 1.18, as two processes may write to one file
    where locks mean nothing (its issue 4228). Here the checksum would tell, before the file gets its name.
    """
    from filelock import FileLock
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    blob, part = _places(spec, file, place)
    lock = place / ".locks" / repository_folder(spec, place).name / f"{part.name}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        if blob.exists():
            return False
        with part.open("ab") as unfinished:
            url = hf_hub_url(spec.source, file.path, revision=commit)
            http_get(
                url,
                unfinished,
                resume_size=part.stat().st_size,
                headers=build_hf_headers(),
                expected_size=file.size,
                displayed_filename=file.name,
            )
        if not has_checksum(part, file.checksum):
            part.unlink()
            raise HubError(_wrong(spec, file.name, place))
        part.replace(blob)
    return True


def _places(spec: ModelSpec, file: Remote, place: Path) -> tuple[Path, Path]:
    """Where a file of the store is kept when it is whole, and where before."""
    blob = repository_folder(spec, place) / "blobs" / file.checksum
    return blob, blob.with_name(f"{blob.name}.resumable.incomplete")


def _wrong(spec: ModelSpec, name: str, place: Path) -> str:
    return (
        f"{address(spec)}: {name} did not arrive as the hub has it (another checksum), and was deleted; run it again:"
        f" {again_for(spec, place)}"
    )


def _listing(spec: ModelSpec) -> Listing:
    from huggingface_hub import HfApi

    api: HfApi = HfApi()
    info = api.model_info(spec.source, revision=spec.revision, files_metadata=True)
    everything = [
        Remote(file.rfilename, file.size or 0, str(file.lfs.sha256 if file.lfs else file.blob_id))
        for file in info.siblings or []
    ]
    own = [file for file in everything if file.path.rpartition("/")[0] == spec.subfolder]
    names = {file.name for file in own}
    if not names & {"config.json", "adapter_config.json"}:
        folders = sorted({file.path.rpartition("/")[0] for file in everything if file.name == "config.json"} - {""})
        there = f"it has checkpoints in {', '.join(folders[:5])}" if folders else "it has none in its folders either"
        raise HubError(f"{address(spec)}: there is no checkpoint there (no config.json); {there}")
    if "adapter_config.json" not in names and not any(map(is_tokenizer, names)):
        raise HubError(f"{address(spec)} has no tokenizer (tokenizer.json), and cannot be asked anything")
    weights = [file for file in own if WEIGHTS.fullmatch(file.name)]
    if any(file.name.endswith(".index.json") for file in weights):  # which may name its shards as it likes
        others = [file for file in own if file.name.endswith(".safetensors") and "consolidated" not in file.name]
        weights += [file for file in others if file not in weights]
    pickles = [file for file in own if PICKLES.fullmatch(file.name)]
    if pickles and not weights and not spec.trust.pickles:
        raise HubError(
            f"{address(spec)} has only pickled weights ({pickles[0].name}), and a pickle can run any code when it is"
            " read; where you trust its author, ask for them: --allow-pickles"
        )
    if not weights and not pickles:
        raise HubError(f"{address(spec)} has no weights; *.safetensors were expected there")
    wanted = (*_SMALL, ".py") if spec.trust.code else _SMALL
    small = [
        file
        for file in own
        if file.name.endswith(wanted) and not file.name.endswith(".index.json") and file.name not in _NOT_NEEDED
    ]
    return Listing(str(info.sha), [*small, *(weights or pickles)])


def _check_room(spec: ModelSpec, files: Sequence[Remote], place: Path) -> str:
    """The size of `files` in words. Refuses what would fill the disk, before a byte of it is asked for; what is here of
    it already counts."""
    existing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    parts = [path for file in files if file.stored for path in _places(spec, file, place) if path.exists()]
    size = sum(file.size for file in files)
    free, wanted = shutil.disk_usage(existing).free, size - sum(path.stat().st_size for path in parts)
    if free < wanted + _MARGIN:
        raise HubError(
            f"{address(spec)} has {_bytes(size)}, and {place} has room for {_bytes(max(0, free - _MARGIN))};"
            " free some, or keep it elsewhere: --cache DIR"
        )
    return _bytes(size)


def _patiently(ask: Callable[[], Found]) -> Found:
    """What `ask` gives, which is asked again after a fault of the server. After one of the line `huggingface_hub` goes
    on by itself."""
    from huggingface_hub.errors import HfHubHTTPError

    for pause in _PAUSES:
        try:
            return ask()
        except HfHubHTTPError as error:
            if error.response.status_code < 500:
                raise
            time.sleep(pause)
    return ask()


def _bytes(count: float) -> str:
    return f"{count / 2**20:,.1f} MiB" if count < 2**30 else f"{count / 2**30:,.2f} GiB"
