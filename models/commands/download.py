"""`python -m models download`: download and verify checkpoints of the hub before they are needed. No torch here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.commands.option_hints import with_option
from models.commands.terminal_text import for_terminal
from models.hub.hub_cache import cache_folder, cached_checkpoint
from models.hub.hub_download import fetch_checkpoint
from models.hub.hub_errors import HubError
from models.loading.adapter_base import find_adapter_base, is_adapter
from models.model_registry import MODELS, ModelSpec

#: A shell's exit status of an interrupted program (128 + SIGINT).
INTERRUPTED = 130


def hub_models() -> list[ModelSpec]:
    """Return the registered models that are on the hub."""
    return [spec for spec in MODELS.values() if not Path(spec.source).is_dir()]


def download(specs: Sequence[ModelSpec], cache: Path | None = None, check: bool = False) -> int:
    """Download `specs`, and print a line for each. One that fails does not stop the others.

    The hub is not asked about a model that the cache has, unless `check` is set
    (`models.hub.hub_download.fetch_checkpoint`). Return the exit status: 0 if all are in the cache, 1 if one failed,
    130 if interrupted.
    """
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    failed = 0
    for spec in specs:
        try:
            for line in _download_with_base(spec, cache, check):
                print(for_terminal(line), flush=True)
        except HubError as error:
            print(f"python -m models download: {with_option(error)}", file=sys.stderr, flush=True)
            failed = 1
        except KeyboardInterrupt:
            message = f"interrupted; the part of {spec.name} that arrived is kept, and the same command continues"
            print(f"\n{message}", file=sys.stderr)
            return INTERRUPTED
    other_cache = cache is not None and cache_folder(cache).resolve() != cache_folder().resolve()
    if other_cache and not failed:
        print(f"to use them: HF_HUB_CACHE={os.path.relpath(cache_folder(cache))} pytest benchmarks --models …")
    return failed


def _download_with_base(spec: ModelSpec, cache: Path | None, check: bool) -> list[str]:
    """Download a model, and for an adapter also its base. Return a line for each."""
    cached = cached_checkpoint(spec, cache)
    if Path(spec.source).is_dir():
        folder, lines = Path(spec.source) / spec.subfolder, [f"{spec.name}: a folder, {spec.source}"]
    else:
        folder = fetch_checkpoint(spec, cache, lambda line: print(line, flush=True), check)
        state = "already downloaded" if cached == folder and not check else "verified"
        lines = [f"{spec.name}: {state}, {folder}"]
    if not is_adapter(folder):
        return lines
    try:
        base = replace(find_adapter_base(folder), trust=spec.trust)
    except ValueError as error:
        raise HubError(str(error)) from None
    return lines + _download_with_base(base, cache, check)
