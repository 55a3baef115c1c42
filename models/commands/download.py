"""`python -m models download`: checkpoints of the hub, fetched and checked before they are needed. No torch here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.hub.hub_cache import cache_folder, cached
from models.hub.hub_download import fetched
from models.hub.hub_errors import HubError
from models.loading.adapter_base import base_of, is_adapter
from models.model_registry import MODELS, ModelSpec

#: What a shell says of a program that was interrupted (128 + SIGINT).
INTERRUPTED = 130


def hub_models() -> list[ModelSpec]:
    """The registered models that are kept on the hub."""
    return [spec for spec in MODELS.values() if not Path(spec.source).is_dir()]


def download(specs: Sequence[ModelSpec], cache: Path | None = None, again: bool = False) -> int:
    """Print a line for each of `specs` when it is here, all of it and with the hub's checksums; 0, or 1 where one could
    not be had (the others are, nevertheless), or 130 where it was interrupted.

    Nobody is asked about what is here already; with `again` the hub is (`models.hub.hub_download.fetched`).
    """
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    failed = 0
    for spec in specs:
        try:
            for one in _with_base(spec, cache, again):
                print(one, flush=True)
        except HubError as error:
            print(f"python -m models download: {error}", file=sys.stderr, flush=True)
            failed = 1
        except KeyboardInterrupt:
            said = f"interrupted; what has arrived of {spec.name} is kept, and the same command goes on"
            print(f"\n{said}", file=sys.stderr)
            return INTERRUPTED
    elsewhere = cache is not None and cache_folder(cache).resolve() != cache_folder().resolve()
    if elsewhere and not failed:
        print(f"to use them: HF_HUB_CACHE={os.path.relpath(cache_folder(cache))} pytest benchmarks --models …")
    return failed


def _with_base(spec: ModelSpec, cache: Path | None, again: bool) -> list[str]:
    """What is said of a model when it is here; of an adapter also what is said of its base."""
    here = cached(spec, cache)
    if Path(spec.source).is_dir():
        folder, said = Path(spec.source) / spec.subfolder, [f"{spec.name}: a folder, {spec.source}"]
    else:
        folder = fetched(spec, cache, lambda text: print(text, flush=True), again)
        how = "here already" if here == folder and not again else "checked"
        said = [f"{spec.name}: {how}, {folder}"]
    if not is_adapter(folder):
        return said
    try:
        base = replace(base_of(folder), trust=spec.trust)
    except ValueError as error:
        raise HubError(str(error)) from None
    return said + _with_base(base, cache, again)
