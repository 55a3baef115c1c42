"""The command line of the experiments: every option, and the plan that they make. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.attention_scope import QUERIES, AttentionScope
from benchmarks.choices import (
    choose_datasets,
    choose_measures,
    choose_models,
    choose_numbers,
    choose_sft_noise,
    known_datasets,
)
from benchmarks.gate_options import add_gate_options
from benchmarks.plan import ATTENTION_SIZES, DEVICE_MAPS, MEASURES, MINI_SFT_NOISE, SFT_SIZES, SIZES, Plan, stages_of
from benchmarks.plan_errors import PlanError, escaped
from benchmarks.stages import STAGES
from models.decode.batch_size_option import parse_batch_size
from models.loading.trust_remote_code import add_trust_options, trust_of
from models.model_registry import MODELS
from models.prompt import add_prompt_options, template_of
from models.sft.sft_options import LOSSES, METHODS, RATE_TIMES_WIDTH, Tuning
from noise.problems.noisy_files import existing_noisy_file
from noise.problems.problem_sources import SOURCES, is_file_source, split_source


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the grid, under one heading of their own."""
    group = parser.getgroup("differential attention under noise")
    add = group.addoption
    add(
        "--models",
        default="diffllama,llama",
        metavar="A,B",
        help=f"models: {', '.join(MODELS)}, a checkpoint folder, a hub id, or NAME=SOURCE (default: %(default)s)",
    )
    clean_and = "clean and noises; a number is the count of distractors, as in inf4 (default: %(default)s)"
    add("--datasets", default=",".join(known_datasets()), metavar="A,B", help=clean_and)
    add(
        "--problems",
        default="mini",
        metavar="SOURCE",
        help=f"source of the problems: {', '.join(SOURCES)}, with a split as in mini:new-names, or a .jsonl file in"
        " GSM8K's format (default: %(default)s)",
    )
    add(
        "--max-samples",
        type=int,
        metavar="N",
        help=f"problems per cell, −1 for all (default: {SIZES['default']}, or {SIZES['quick']} with --quick; for"
        f" attention {ATTENTION_SIZES['default']}, or {ATTENTION_SIZES['quick']} with --quick)",
    )
    add(
        "--quick",
        action="store_true",
        help="run only what is marked quick: the grid at a small size, and the fast tests",
    )
    add(
        "--mode",
        choices=("quick", "medium", "full"),
        help=f"a named size: {SIZES['quick']}, {SIZES['medium']} or all problems per cell; for attention"
        f" {ATTENTION_SIZES['quick']}, {ATTENTION_SIZES['medium']} or {ATTENTION_SIZES['full']}",
    )
    add(
        "--results",
        metavar="DIR",
        help="results folder, which resumes (default: results, or results-quick at the size quick, whose models are"
        " tuned less)",
    )
    add("--fresh", action="store_true", help="start over: first move the earlier records of the folder to set_aside/")
    add("--seed", type=int, metavar="N", help="seed of the noise (default: 0)")
    add(
        "--noise-seeds",
        type=int,
        default=1,
        metavar="K",
        help="draw each noise K times per problem, with --seed and the K − 1 seeds after it (default: %(default)s)",
    )
    add(
        "--batch-size",
        type=parse_batch_size,
        default=64,
        metavar="N",
        help="problems asked at once, or auto: the number that is fastest and fits into free memory (default:"
        " %(default)s)",
    )
    add(
        "--max-new-tokens",
        type=int,
        default=256,
        metavar="N",
        help="maximum length of an answer, in tokens (default: %(default)s)",
    )
    add("--device", default="auto", help="auto (CUDA, then MPS, then CPU) or a torch device (default: %(default)s)")
    add(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="precision; auto is bfloat16 where the device has it natively, float32 on a CPU (default: %(default)s)",
    )
    add(
        "--device-map",
        choices=DEVICE_MAPS,
        help="spread models that are too large for one card over all cards, as accelerate does",
    )
    add_trust_options(add)
    add_prompt_options(add)
    add(
        "--skip-data-gen",
        action="store_true",
        help="draw no noise: read the noisy files next to the file of --problems (`python -m noise` writes them)",
    )
    add(
        "--measure",
        default=MEASURES[0],
        metavar="A,B",
        help=f"what to measure: {', '.join(MEASURES)}; the likelihood of the worked answers is a stage of its own"
        " (default: %(default)s)",
    )
    add(
        "--attention-layers",
        metavar="N,M-K",
        help="layers to measure and to draw, counted from 0 (default: all are measured)",
    )
    add(
        "--attention-heads",
        metavar="N,M-K",
        help="heads to measure and to draw, counted from 0 (default: all are measured)",
    )
    add(
        "--attention-queries",
        default=QUERIES[0],
        choices=QUERIES,
        help="query tokens: those of the worked answer, the last one of the prompt, or all of the prompt"
        " (default: %(default)s)",
    )
    add(
        "--attention-maps",
        type=int,
        default=1,
        metavar="N",
        help="problems per cell whose patterns are drawn, 0 for none; of all heads, the one that attends most to the"
        " noise (default: %(default)s)",
    )
    add_tuning_options(add)
    add_gate_options(add)
    for stage in STAGES.values():
        if stage.skip_help:
            add("--" + stage.skip_option.replace("_", "-"), action="store_true", help=stage.skip_help)
    add("--slow", action="store_true", help="also run what is marked slow")
    add(
        "--gsm8k", type=Path, metavar="PATH", help="GSM8K's training split as .jsonl, for the tests that need real text"
    )


def add_tuning_options(add: Callable[..., None]) -> None:
    """Add the options of the stage `sft`."""
    samples, epochs = SFT_SIZES["default"]
    few, once = SFT_SIZES["quick"]
    add("--enable-sft", action="store_true", help="run the stage sft although --mode leaves it out")
    add(
        "--sft-method",
        default="lora",
        choices=METHODS,
        help="tune a LoRA adapter, or every weight (default: %(default)s)",
    )
    add(
        "--sft-samples",
        type=int,
        metavar="N",
        help=f"problems to tune on, −1 for all (default: up to {samples}, or {few} with --quick)",
    )
    add("--sft-epochs", type=int, metavar="N", help=f"epochs (default: {epochs}, or {once} with --quick)")
    add(
        "--sft-problems",
        metavar="SOURCE",
        help="source of the problems to tune on (default: the training split of --problems, or half of a file"
        " without one)",
    )
    add(
        "--sft-noise",
        metavar="A,B",
        help="noises to tune with, one a problem: none, or a list in which clean may stand (default: none, and"
        f" {','.join(MINI_SFT_NOISE)} on the embedded problems, which the embedded models know without noise)",
    )
    add("--sft-loss", default="answer", choices=LOSSES, help="tokens that the loss covers (default: %(default)s)")
    add("--sft-batch-size", type=int, default=8, metavar="N", help="problems per forward pass (default: %(default)s)")
    add(
        "--sft-accumulation", type=int, default=1, metavar="N", help="batches per optimizer step (default: %(default)s)"
    )
    add(
        "--sft-lr",
        type=float,
        metavar="X",
        help="peak learning rate (default, by the width of the model: "
        + ", ".join(f"{rate}/width for {method}" for method, rate in RATE_TIMES_WIDTH.items())
        + ")",
    )
    add("--sft-rank", type=int, default=16, metavar="N", help="rank of the LoRA adapter (default: %(default)s)")


def size_of(option: Any) -> str:
    """Return the size that was asked for, a key of `SIZES`."""
    return "quick" if option.quick else option.mode or "default"


def plan_of(option: Any) -> Plan:
    """Return what a run with these options will do.

    Raises `PlanError`, `UnknownModelError`, `ValueError` or `FileNotFoundError` for what does not exist or means
    nothing, each with one sentence for the user.
    """
    options = vars(option)
    size = size_of(option)
    datasets = choose_datasets(options["datasets"])
    measures = choose_measures(options["measure"])
    _check_data(options, datasets)
    _check_sft(options)
    samples = options["max_samples"]
    sft_samples, sft_epochs = SFT_SIZES[size]
    return Plan(
        models=choose_models(options["models"], trust_of(option)),
        datasets=datasets,
        stages=stages_of({**options, "measures": measures}),
        measures=measures,
        problems=options["problems"],
        max_samples=SIZES[size] if samples is None else samples,
        attention_samples=ATTENTION_SIZES[size] if samples is None else samples,
        attention_maps=options["attention_maps"],
        attention_scope=AttentionScope(
            queries=options["attention_queries"],
            layers=choose_numbers("attention_layers", options["attention_layers"]),
            heads=choose_numbers("attention_heads", options["attention_heads"]),
        ),
        tuning=Tuning(
            method=options["sft_method"],
            epochs=sft_epochs if options["sft_epochs"] is None else options["sft_epochs"],
            batch=options["sft_batch_size"],
            accumulation=options["sft_accumulation"],
            rate=options["sft_lr"],
            rank=options["sft_rank"],
            loss=options["sft_loss"],
            seed=options["seed"] or 0,
        ),
        sft_samples=sft_samples if options["sft_samples"] is None else options["sft_samples"],
        sft_exactly=options["sft_samples"] is not None,
        sft_problems=options["sft_problems"],
        sft_noise=_sft_noise(options),
        seed=options["seed"] or 0,
        noise_seeds=options["noise_seeds"],
        batch_size=options["batch_size"],
        max_new_tokens=options["max_new_tokens"],
        device=options["device"],
        dtype=options["dtype"],
        device_map=options["device_map"],
        template=template_of(options["prompt"], options["chat"]),
        noisy_folder=Path(options["problems"]).parent if options["skip_data_gen"] else None,
    )


def _sft_noise(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the noises to tune with: those that were asked for, or else what suits the problems tuned on."""
    if options["sft_noise"] is not None:
        return choose_sft_noise(options["sft_noise"])
    source = options["sft_problems"] or options["problems"]
    embedded = not is_file_source(source) and split_source(source)[0] == "mini"
    return MINI_SFT_NOISE if embedded else ("clean",)


def _check_data(options: Mapping[str, Any], datasets: Sequence[str]) -> None:
    """Refuse a source of problems that does not exist, and noisy files that are missing."""
    source = options["problems"]
    _check_source("--problems", source)
    if not options["skip_data_gen"]:
        return
    if not is_file_source(source):
        raise PlanError(
            f"--skip-data-gen reads the noisy files next to the file of --problems, but that is {escaped(repr(source))}"
        )
    if options["seed"] is not None:
        raise PlanError(
            "--seed draws noise and --skip-data-gen draws none: the files carry the seed they were made with"
        )
    for name in datasets:
        if name != "clean":
            existing_noisy_file(source, name, Path(source).parent)


def _check_sft(options: Mapping[str, Any]) -> None:
    """Refuse options of the stage `sft` that contradict each other."""
    if options["skip_sft"] and options["enable_sft"]:
        raise PlanError("--skip-sft and --enable-sft: expected at most one of the two")
    sft_options = [name for name in ("samples", "epochs", "lr", "problems") if options[f"sft_{name}"] is not None]
    if sft_options and options["mode"] and not options["enable_sft"] and not options["skip_sft"]:
        raise PlanError(f"--sft-{sft_options[0]}: --mode leaves out the stage sft; add --enable-sft")
    if options["sft_problems"] is not None:
        _check_source("--sft-problems", options["sft_problems"])


def _check_source(option: str, source: str) -> None:
    """Raise `ValueError` or `FileNotFoundError` for a source of problems that does not exist."""
    if not is_file_source(source):
        try:
            split_source(source)
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from None
    elif not Path(source).is_file():
        raise FileNotFoundError(f"{option} {source}: no such file")
