"""Whether everything that a benchmark needs is here and works: one line a check, with a remedy where it does not."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from models.hub.hub_cache import cache_folder, cached
from models.model_registry import MODELS, ModelSpec, address, known_as

PROJECT = Path(__file__).resolve().parents[2]
#: Free space, in bytes, that a run with fine-tuning and its pictures wants.
ROOM = 2**30
_OLDEST = (3, 11)
_REMEDY = "is transformers as in requirements.txt?"


class Unwell(RuntimeError):
    """A check that fails: what was found, and what to do about it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.remedy = remedy


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is well, what was found, and the remedy where it is not."""

    name: str
    well: bool
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        mark, then = ("✓", "") if self.well else ("✗", f"\n    {self.remedy}")
        return f"{mark} {self.name}: {self.found}{then}"


def examine(quick: bool, specs: Sequence[ModelSpec]) -> Iterator[Check]:
    """The checks, each when it has been made. `quick` leaves out those that load one of `specs`."""
    yield _made("Python", _python)
    yield _made("packages", _packages)
    yield _made("memory and device", _device)
    yield _made("disk", _disk)
    yield _made("problems", _problems)
    yield _made("noise", _noise)
    for spec in specs:
        here = _made(f"checkpoint {spec.name}", lambda spec=spec: _checkpoint(spec))  # type: ignore[misc]
        yield here
        if here.well and not quick:
            yield _made(f"generation {spec.name}", lambda spec=spec: _generation(spec))  # type: ignore[misc]
            yield _made(f"attention {spec.name}", lambda spec=spec: _attention(spec))  # type: ignore[misc]


def _made(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except Unwell as unwell:
        return Check(name, False, str(unwell), unwell.remedy)
    except Exception as error:  # whatever it stumbles over is what a doctor is there to find
        said = (str(error).strip() or "no reason given").splitlines()[0]
        return Check(name, False, f"{type(error).__name__}: {said}", "see the message; `make install` mends packages")


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST:
        raise Unwell(version, f"install Python {'.'.join(map(str, _OLDEST))} or newer: make bench PYTHON=python3.12")
    return version


def _packages() -> str:
    """Those of requirements.txt; another version than the pinned one works, but may give other figures."""
    missing, other = [], []
    pins = re.findall(r"^([\w.-]+)==(\S+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    for name, wanted in pins:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found.partition("+")[0] != wanted:
            other.append(f"{name} {found} instead of {wanted}")
    if missing:
        raise Unwell(f"not installed: {', '.join(missing)}", "make install, or pip install -r requirements.txt")
    return f"all {len(pins)} of requirements.txt" + (f"; not as pinned: {', '.join(other)}" if other else "")


def _device() -> str:
    import psutil
    import torch

    from models.loading.load_model import device_of, dtype_of

    device = device_of("auto")
    memory = psutil.virtual_memory().available
    if device.type == "cuda":
        memory = torch.cuda.mem_get_info()[0]
    if memory < ROOM:
        raise Unwell(f"{memory / 2**30:.1f} GiB free", "end other programs, or take --batch-size 8")
    return f"{device}, {memory / 2**30:.1f} GiB free, {str(dtype_of('auto', device)).removeprefix('torch.')}"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < ROOM:
        raise Unwell(f"{free / 2**30:.1f} GiB free in {Path.cwd()}", "free some, or write elsewhere: --results DIR")
    return f"{free / 2**30:,.1f} GiB free"


def _problems() -> str:
    from noise.mini import SPLITS, problems

    return ", ".join(f"mini:{split} {len(problems(split)):,}" for split in SPLITS)


def _noise() -> str:
    """Through the command, as somebody types it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "noise", "--problems", "mini", "--out", folder]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise Unwell(done.stderr.strip() or f"exit status {done.returncode}", "python -m noise --problems mini")
    return "; ".join(" ".join(Path(line).name.split()) for line in done.stdout.splitlines())


def _checkpoint(spec: ModelSpec) -> str:
    """Whether all of it is here."""
    folder = Path(spec.source) / spec.subfolder if Path(spec.source).is_dir() else cached(spec)
    if folder is None:
        raise Unwell(f"{address(spec)} is not in {cache_folder()}", f"python -m models download {known_as(spec)}")
    weights = [path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin")]
    if not weights:
        raise Unwell(f"no weights in {folder}", "expected *.safetensors there; copy or train the checkpoint again")
    size = sum(path.stat().st_size for path in weights)
    return f"{size / 2**20:,.1f} MiB of weights"


def _generation(spec: ModelSpec) -> str:
    from models.decode.generation import generate
    from models.loading.load_model import load
    from noise.mini import problems

    (written,) = generate(load(spec), [problems("test")[0].question], 64)
    if not written.tokens:
        raise Unwell("no token was written", "the checkpoint ends every text at once; is it a causal language model?")
    return f"{written.tokens} tokens, {written.text.strip()[:40]!r}"


def _attention(spec: ModelSpec) -> str:
    """The pattern of a differential model sums to 1 − λ in each row, and asking for it changes no output."""
    import torch

    from models.attention.differential import differential_attention, pair_lambdas
    from models.loading.load_model import load
    from noise.mini import problems

    loaded = load(spec, dtype="float32")
    inputs = loaded.encode([problems("test")[0].question], return_tensors="pt").to(loaded.device)
    with torch.inference_mode():
        plain = loaded.model(**inputs).logits
        with differential_attention(loaded.model):
            seen = loaded.model(**inputs, output_attentions=True)
    if not getattr(seen, "attentions", None):
        return "none that could be looked at: the stage attention will leave this model out"
    changed = float((plain - seen.logits).abs().max() / plain.abs().max())
    if changed > 1e-4:
        raise Unwell(f"asking for patterns changes what the model says by {changed:.1g} of its largest logit", _REMEDY)
    own = pair_lambdas(loaded.model)
    if not own:
        return f"ordinary; asking for it changes nothing, within {changed:.0e}"
    sums = (pattern.sum(-1) - 1 + weight[:, None] for pattern, weight in zip(seen.attentions, own, strict=True))
    apart = max(float(rest.abs().max()) for rest in sums)
    if apart > 1e-4:
        raise Unwell(f"rows are {apart:.1g} away from 1 − λ", _REMEDY)
    first, last = (float(own[place].mean()) for place in (0, -1))
    return f"differential, λ {first:.2f} to {last:.2f}; rows sum as they should, within {apart:.0e}"


def doctor(quick: bool, specs: Sequence[ModelSpec] | None = None) -> int:
    """Prints each check as it is made; 0 where all are well, else 1."""
    importlib.invalidate_caches()
    ill = 0
    for check in examine(quick, specs or [MODELS["diffllama"], MODELS["llama"]]):
        print(check, flush=True)
        ill += not check.well
    print(f"{ill} to mend" if ill else "all well")
    return min(ill, 1)
