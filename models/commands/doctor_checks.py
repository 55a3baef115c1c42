"""The checks of `python -m models doctor`. Each returns its result in words, or raises `CheckFailed`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from models.hub.hub_cache import cache_folder, cached_checkpoint
from models.model_reference import full_source, name_or_source
from models.model_registry import ModelSpec

PROJECT = Path(__file__).resolve().parents[2]
#: Free memory and disk space, in bytes, that a run with fine-tuning and its plots needs.
NEEDED_BYTES = 2**30
_OLDEST_PYTHON = (3, 11)
_CHECK_TRANSFORMERS = "is transformers installed as requirements.txt has it?"


class CheckFailed(RuntimeError):
    """A check failed: what is wrong, and its remedy."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy


def check_python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        oldest = ".".join(map(str, _OLDEST_PYTHON))
        raise CheckFailed(version, f"install Python {oldest} or newer: make bench PYTHON=python3.12")
    return version


def check_packages() -> str:
    """Check the packages of requirements.txt. Versions other than the pinned ones pass, but may change results."""
    missing, unpinned = [], []
    pins = re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    for name, pinned in pins:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if installed.partition("+")[0] != pinned:
            unpinned.append(f"{name} {installed} instead of {pinned}")
    if missing:
        raise CheckFailed(f"not installed: {', '.join(missing)}", "make install, or pip install -r requirements.txt")
    return f"all {len(pins)} of requirements.txt" + (f"; not as pinned: {', '.join(unpinned)}" if unpinned else "")


def check_device() -> str:
    import psutil
    import torch

    from models.loading.device_dtype import resolve_device, resolve_dtype

    device = resolve_device("auto")
    memory = psutil.virtual_memory().available
    if device.type == "cuda":
        memory = torch.cuda.mem_get_info()[0]
    if memory < NEEDED_BYTES:
        raise CheckFailed(f"{memory / 2**30:.1f} GiB free", "close other programs, or run pytest with --batch-size 8")
    return f"{device}, {memory / 2**30:.1f} GiB free, {str(resolve_dtype('auto', device)).removeprefix('torch.')}"


def check_disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < NEEDED_BYTES:
        detail = f"{free / 2**30:.1f} GiB free in {Path.cwd()}"
        raise CheckFailed(detail, "free disk space, or run pytest with --results DIR on another disk")
    return f"{free / 2**30:,.1f} GiB free"


def check_problems() -> str:
    from noise.mini import SPLITS, problems

    return ", ".join(f"mini:{split} {len(problems(split)):,}" for split in SPLITS)


def check_noise() -> str:
    """Run the command as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "noise", "--problems", "mini", "--out", folder]
        completed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    if completed.returncode:
        raise CheckFailed(
            completed.stderr.strip() or f"exit status {completed.returncode}", "python -m noise --problems mini"
        )
    return "; ".join(" ".join(Path(line).name.split()) for line in completed.stdout.splitlines())


def check_checkpoint(spec: ModelSpec) -> str:
    """Check that the checkpoint is on this machine, with its weights."""
    folder = Path(spec.source) / spec.subfolder if Path(spec.source).is_dir() else cached_checkpoint(spec)
    if folder is None:
        command = f"python -m models download {name_or_source(spec)}"
        raise CheckFailed(f"{full_source(spec)} is not in {cache_folder()}", command)
    weights = [path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin")]
    if not weights:
        raise CheckFailed(f"no weights in {folder}", "expected *.safetensors; copy or train the checkpoint again")
    size = sum(path.stat().st_size for path in weights)
    return f"{size / 2**20:,.1f} MiB of weights"


def check_generation(spec: ModelSpec) -> str:
    from models.decode.generation import generate
    from models.loading.load_model import load
    from noise.mini import problems

    (generation,) = generate(load(spec), [problems("test")[0].question], 64)
    if not generation.tokens:
        raise CheckFailed("the answer is empty", "the model ends every text at once; is it a causal language model?")
    return f"{generation.tokens} tokens, {generation.text.strip()[:40]!r}"


def check_attention(spec: ModelSpec) -> str:
    """Check that the rows of a differential pattern sum to 1 − λ, and that reading patterns changes no output."""
    import torch

    from models.attention.allocation import attention_allocation
    from models.attention.differential import differential_attention, layer_count, pair_counts_by_layer
    from models.loading.load_model import load
    from noise.mini import problems

    loaded = load(spec, dtype="float32")
    inputs = loaded.encode([problems("test")[0].question], return_tensors="pt").to(loaded.device)
    with torch.inference_mode():
        logits = loaded.model(**inputs).logits
        with differential_attention(loaded.model):
            observed = loaded.model(**inputs, output_attentions=True)
    if len(getattr(observed, "attentions", None) or ()) != layer_count(loaded.model):
        return "it does not return the pattern of every layer, so they are not checked"
    change = float((logits - observed.logits).abs().max() / logits.abs().max())
    if change > 1e-4:
        detail = f"reading patterns changes the logits by {change:.1g} of the largest one"
        raise CheckFailed(detail, _CHECK_TRANSFORMERS)
    layers = sorted(pair_counts_by_layer(loaded.model))
    if not layers:
        return f"ordinary; reading patterns changes nothing, within {change:.0e}"
    whole = torch.ones(*inputs["input_ids"].shape, 1, device=loaded.device)
    lambdas = attention_allocation(loaded.model, inputs["input_ids"], whole, layers=layers, absolute=False).lambdas
    assert lambdas is not None
    sums = torch.stack([observed.attentions[layer].sum(-1) for layer in layers])
    error = float((sums - 1 + lambdas).abs().max())
    if error > 1e-4:
        raise CheckFailed(f"row sums differ from 1 − λ by {error:.1g}", _CHECK_TRANSFORMERS)
    first, last = float(lambdas[0].mean()), float(lambdas[-1].mean())
    return f"differential, λ {first:.2f} to {last:.2f}; rows sum to 1 − λ, within {error:.0e}"
