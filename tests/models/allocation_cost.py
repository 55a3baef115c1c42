"""What an allocation costs, compared with a plain forward pass and with `output_attentions=True`.

`python -m tests.models.allocation_cost FAMILY LENGTH RUNS` prints the seconds of each run of each way as JSON; the ways
run in turn in one process. With the name of a way as a fourth argument, it prints the bytes that this way holds at its
peak beyond what was in use before: in a process of its own, as an allocator keeps what another way has freed.
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
#: output projection the size of its vocabulary (128,256) does not matter.
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
    """Return the bytes by which the resident memory of the process peaked above its start, as Linux counts it."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def ways(family: str, length: int) -> dict[str, Callable[[], Any]]:
    """Return the ways to process the same tokens, by name."""
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
    def patterns() -> None:
        with differential_attention(model):
            model.model(ids, use_cache=False, output_attentions=True)

    return {"plain": plain, "allocation": allocation, "with absolute": absolute, "output_attentions": patterns}


def seconds_of(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main(family: str, length: str, runs: str, way: str = "") -> object:
    """Return what the module's docstring describes."""
    ways_by_name = ways(family, int(length))
    if way:
        return memory_of(ways_by_name[way])
    ways_by_name["plain"]()
    seconds: dict[str, list[float]] = {name: [] for name in ways_by_name}
    for _ in range(int(runs)):
        for name, work in ways_by_name.items():
            seconds[name].append(seconds_of(work))
    return seconds


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
