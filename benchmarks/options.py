"""The command line of the experiments: every option, and the plan that a run's options come to. No torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.grid import (
    ATTENTION_SIZES,
    DATASETS,
    QUERIES,
    SIZES,
    STAGES,
    GridError,
    Looking,
    Plan,
    choose_datasets,
    choose_models,
    choose_numbers,
)
from models.registry import MODELS
from noise.datasets import existing_noisy_file
from noise.sources import SOURCES, is_file_source, split_source


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the grid, under one heading of their own."""
    group = parser.getgroup("differential attention under noise")
    add = group.addoption
    add(
        "--models",
        default="diffllama,llama",
        metavar="A,B",
        help=f"models: {', '.join(MODELS)}, a checkpoint folder, a hub id, NAME=SOURCE (default: %(default)s)",
    )
    add("--datasets", default=",".join(DATASETS), metavar="A,B", help="clean and noises (default: %(default)s)")
    add(
        "--problems",
        default="mini",
        metavar="SOURCE",
        help=f"where problems come from: {', '.join(SOURCES)}, with a split as in mini:new-names, or a .jsonl path in"
        " GSM8K's form (default: %(default)s)",
    )
    add(
        "--max-samples",
        type=int,
        metavar="N",
        help=f"problems a cell, −1 for all (default: {SIZES['default']}, with --quick {SIZES['quick']}; for attention"
        f" {ATTENTION_SIZES['default']} and {ATTENTION_SIZES['quick']})",
    )
    add("--quick", action="store_true", help="only what is marked quick: the grid at small size, and the fast tests")
    add(
        "--mode",
        choices=("quick", "medium", "full"),
        help=f"a size by name: {SIZES['quick']}, {SIZES['medium']} or all problems a cell; for attention"
        f" {ATTENTION_SIZES['quick']}, {ATTENTION_SIZES['medium']} or {ATTENTION_SIZES['full']}",
    )
    add("--results", default="results", metavar="DIR", help="folder of results, which resumes (default: %(default)s)")
    add("--fresh", action="store_true", help="start over: set the folder's earlier predictions aside first")
    add("--seed", type=int, metavar="N", help="seed of the noise (default: 0)")
    add("--batch-size", type=int, default=64, metavar="N", help="problems asked at once (default: %(default)s)")
    add(
        "--max-new-tokens",
        type=int,
        default=256,
        metavar="N",
        help="limit of an answer, in tokens (default: %(default)s)",
    )
    add("--device", default="auto", help="auto (CUDA, then MPS, then CPU) or a torch device (default: %(default)s)")
    add(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="precision; auto is bfloat16 where native, float32 on a CPU (default: %(default)s)",
    )
    add(
        "--skip-data-gen",
        action="store_true",
        help="draw no noise: read the noisy files beside the file of --problems (`python -m noise` writes them)",
    )
    add("--skip-attention", action="store_true", help="leave out the stage attention")
    add("--attention-layers", metavar="N,M-K", help="layers to measure and to draw, from 0 (default: all are measured)")
    add("--attention-heads", metavar="N,M-K", help="heads to measure and to draw, from 0 (default: all are measured)")
    add(
        "--attention-queries",
        default=QUERIES[0],
        choices=QUERIES,
        help="who looks: the tokens of the worked answer, the last token of the prompt, or all of the prompt"
        " (default: %(default)s)",
    )
    add(
        "--attention-maps",
        type=int,
        default=1,
        metavar="N",
        help="problems a cell whose patterns are drawn, 0 for none; of all layers and heads, the one that looks most at"
        " the noise (default: %(default)s)",
    )
    add("--skip-zero-shot", action="store_true", help="leave out the stage zero_shot")
    add("--slow", action="store_true", help="also run what is marked slow, which is left out otherwise")
    add(
        "--gsm8k", type=Path, metavar="PATH", help="GSM8K's training split as .jsonl, for the tests that want real text"
    )


def plan_of(option: Any) -> Plan:
    """What a run with these options will do.

    Raises `GridError`, `UnknownModelError`, `ValueError` or `FileNotFoundError` for what does not exist or means
    nothing, each with one sentence for the user.
    """
    get = vars(option).__getitem__
    source = get("problems")
    if not is_file_source(source):
        split_source(source)
    elif not Path(source).is_file():
        raise FileNotFoundError(f"--problems {source}: there is no such file")
    if get("skip_data_gen") and not is_file_source(source):
        raise GridError(f"--skip-data-gen reads the noisy files beside the file of --problems, but that is {source!r}")
    if get("skip_data_gen") and get("seed") is not None:
        raise GridError(
            "--seed draws noise and --skip-data-gen draws none: the files carry the seed they were made with"
        )
    datasets = choose_datasets(get("datasets"))
    noisy_folder = Path(source).parent if get("skip_data_gen") else None
    if noisy_folder is not None:
        for name in datasets:
            if name != "clean":
                existing_noisy_file(source, name, noisy_folder)
    size = "quick" if get("quick") else get("mode") or "default"
    return Plan(
        models=choose_models(get("models")),
        datasets=datasets,
        stages=tuple(stage for stage in STAGES if not get(f"skip_{stage}")),
        problems=source,
        max_samples=SIZES[size] if get("max_samples") is None else get("max_samples"),
        attention_samples=ATTENTION_SIZES[size] if get("max_samples") is None else get("max_samples"),
        attention_maps=get("attention_maps"),
        looking=Looking(
            queries=get("attention_queries"),
            layers=choose_numbers("--attention-layers", get("attention_layers")),
            heads=choose_numbers("--attention-heads", get("attention_heads")),
        ),
        seed=get("seed") or 0,
        batch_size=get("batch_size"),
        max_new_tokens=get("max_new_tokens"),
        device=get("device"),
        dtype=get("dtype"),
        noisy_folder=noisy_folder,
    )
