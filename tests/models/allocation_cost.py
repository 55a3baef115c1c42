"""What an allocation costs beside a plain forward pass and beside `output_attentions=True`.

`python -m tests.models.allocation_cost FAMILY LENGTH RUNS` prints the seconds of each run of each way as JSON, the ways
in turn in one process. With the name of a way behind it, it prints the bytes that this way held at its peak beyond what
was there before it: in a process of its own, as an allocator keeps what another way has freed.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from models.attention.allocation import attention_allocation
from models.attention.differential import differential_attention
from tests.models.attention_models import FAMILIES

#: Four layers of the shape that the configuration of `reyllama/DiffLlama-375M` gives, with random weights. Without the
#: output projection its vocabulary of 128,256 plays no part.
SHAPE = {
    "vocab_size": 1_000,
    "hidden_size": 1_024,
    "intermediate_size": 4_096,
    "num_hidden_layers": 4,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "max_position_embeddings": 8_192,
    "attn_implementation": "sdpa",
}


def memory_of(work: Callable[[], Any]) -> int:
    """Bytes by which the process's resident memory peaked above where it was, by Linux's own book-keeping."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def ways(family: str, length: int) -> dict[str, Callable[[], Any]]:
    """The ways over the same tokens."""
    config_class, model_class = FAMILIES[family]
    torch.manual_seed(0)
    model = model_class(config_class(**SHAPE)).eval()
    ids = torch.randint(0, 1_000, (1, length))
    segments = torch.rand(1, length, 5)
    segments /= segments.sum(-1, keepdim=True)

    @torch.inference_mode()
    def plain() -> None:
        model.model(ids, use_cache=False)

    def allocation() -> None:
        attention_allocation(model, ids, segments, absolute=False)

    def absolute() -> None:
        attention_allocation(model, ids, segments)

    @torch.inference_mode()
    def matrices() -> None:
        with differential_attention(model):
            model.model(ids, use_cache=False, output_attentions=True)

    return {"plain": plain, "allocation": allocation, "with absolute": absolute, "output_attentions": matrices}


def seconds_of(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main(family: str, length: str, runs: str, way: str = "") -> object:
    """What the module's docstring says is printed."""
    there = ways(family, int(length))
    if way:
        return memory_of(there[way])
    there["plain"]()
    taken: dict[str, list[float]] = {name: [] for name in there}
    for _ in range(int(runs)):
        for name, work in there.items():
            taken[name].append(seconds_of(work))
    return taken


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
