"""The command line of the experiments: every option, and the plan that they make. No torch here."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.engines.engine_options import add_engine_options
from benchmarks.gate_options import AddOption, add_gate_options
from benchmarks.plan import ATTENTION_SIZES, DEVICE_MAPS, MEASURES, SIZES
from benchmarks.stage_options import add_attention_options, add_intervene_options, add_sft_options
from benchmarks.stages import STAGES
from models.decode.batch_size_option import parse_batch_size
from models.loading.trust_remote_code import add_trust_options
from models.model_registry import known_models
from models.prompt import add_prompt_options
from noise.placement import POSITIONS
from noise.problems.problem_sources import SOURCES

DEFAULT_MODELS, DEFAULT_DEVICE = "diffllama,llama", "auto"
_HEADING = "differential attention under noise"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the grid, under one heading of their own.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_addoption
    """
    add = parser.getgroup(_HEADING).addoption
    _add_grid_options(add)
    _add_noise_options(add)
    _add_model_options(add)
    add_engine_options(add)
    add_attention_options(add)
    add_intervene_options(add)
    add_sft_options(add)
    add_gate_options(add)
    add("--slow", action="store_true", help="also run what is marked slow")
    add(
        "--gsm8k", type=Path, metavar="PATH", help="GSM8K's training split as .jsonl, for the tests that need real text"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Refuse `--model FOLDER` and `-models FOLDER`: pytest would take FOLDER for tests and run its conftest.py.

    https://docs.pytest.org/en/stable/reference/reference.html#pytest.hookspec.pytest_load_initial_conftests
    """
    unknown = {word for word in parser.parse_known_and_unknown_args(args)[1] if word.startswith("--")}
    for option, value in pairwise(args):
        has_one_dash = len(option) > 2 and option[0] == "-" != option[1]
        lacks_dash = has_one_dash and not parser.parse_known_and_unknown_args([f"-{option}", "0"])[1]
        is_misspelt = lacks_dash or (option in unknown and not option.startswith("--skip-"))
        if not is_misspelt or value.startswith("-"):
            continue
        if Path(value.partition("::")[0]).parts[:1] not in [(name,) for name in early_config.getini("testpaths")]:
            raise pytest.UsageError(f"unknown option {option}, so {value} would be run as tests; see pytest --help")
    yield


def add_skip_options(parser: pytest.Parser) -> None:
    """Add the option of each stage that leaves it out. Stages may be added until the root conftest.py is imported."""
    for stage in STAGES.values():
        if stage.skip_help:
            name = "--" + stage.skip_option.replace("_", "-")
            parser.getgroup(_HEADING).addoption(name, action="store_true", help=stage.skip_help)


def _add_grid_options(add: AddOption) -> None:
    """Add the options of the grid: models, datasets, problems, size and results."""
    add(
        "--models",
        default=DEFAULT_MODELS,
        metavar="A,B",
        help=f"models: {known_models()}, a checkpoint folder, a hub id, or NAME=SOURCE; diffllama:* is every replicate,"
        " and NAME:0=SOURCE,NAME:1=SOURCE are replicates of yours (default: %(default)s)",
    )
    add(
        "--replicates",
        metavar="N-M",
        help="training seeds of registered models to evaluate: 0-7, 0,2 or all; families are compared over them"
        " (default: 0)",
    )
    add(
        "--replicated-stages",
        metavar="A,B",
        help="stages, or all, to run for every seed besides"
        f" {' and '.join(stage.name for stage in STAGES.values() if stage.runs_every_replicate)}; the rest run for the"
        " lowest seed only (default: none)",
    )
    clean_and = (
        "clean and noises; a number is the count of distractors, as in inf4; filler:inf and digits:inf are placebos of"
        " inf; NAME=FILE is a paired set of others, JSON lines with question, original_question and answer (default:"
        " clean, inf, rcs and sd)"
    )
    add("--datasets", metavar="A,B", help=clean_and)
    add(
        "--problems",
        default="mini",
        metavar="SOURCE",
        help=f"source of the problems: {', '.join(SOURCES)}, with a split as in mini:new-names, or a .jsonl file"
        " or URL (s3://…) in GSM8K's format (default: %(default)s)",
    )
    add(
        "--skip-bad-lines",
        action="store_true",
        help="leave out lines of problem files that are no problems, and name them (default: such a line is an error)",
    )
    add(
        "--max-samples",
        type=int,
        metavar="N",
        help=f"problems per cell, −1 for all (default: {SIZES['default']}, or {SIZES['quick']} with --quick; for"
        f" attention {ATTENTION_SIZES['default']}, or {ATTENTION_SIZES['quick']} with --quick)",
    )
    add(
        "--shard",
        metavar="I/N",
        help="run part I of N of each cell's problems, into a folder of its own; `python -m reports merge` puts the N"
        " folders together. In bfloat16 and float16 answers can depend on the problems that share a batch, and so on N"
        " (default: all of them)",
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
        "--measure",
        default=MEASURES[0],
        metavar="A,B",
        help=f"what to measure: {', '.join(MEASURES)}; the likelihood of the worked answers is a stage of its own"
        " (default: %(default)s)",
    )
    add(
        "--results",
        metavar="DIR",
        help="results folder, which resumes, or the URL of one (s3://…), to which results are copied as cells end"
        " (default: results, or results-quick at the size quick, whose models are tuned less)",
    )
    add("--fresh", action="store_true", help="start over: first move the earlier records of the folder to set_aside/")


def _add_noise_options(add: AddOption) -> None:
    """Add the options of how noise is drawn."""
    add("--seed", type=int, metavar="N", help="seed of the noise (default: 0)")
    add(
        "--noise-seeds",
        type=int,
        default=1,
        metavar="K",
        help="draw each noise K times per problem, with --seed and the K − 1 seeds after it (default: %(default)s)",
    )
    add(
        "--noise-position",
        default=POSITIONS[0],
        choices=POSITIONS,
        help="where distractors go: before the sentence that asks, before all, between, or at random (default:"
        " %(default)s)",
    )
    add(
        "--noise-language",
        default="english",
        choices=("english", "any"),
        help="any adds noise to questions in other languages than English too, for noise of your own (default:"
        " %(default)s)",
    )
    add(
        "--noise-file",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a noise of your own: a text file with one sentence a line, a dataset under NAME or the file's stem",
    )
    add(
        "--certified-only",
        action="store_true",
        help="of paired sets, ask only lines whose distractors are certified, as the dataset NAME+certified",
    )
    add(
        "--skip-data-gen",
        action="store_true",
        help="draw no noise: read the noisy files next to the file of --problems (`python -m noise` writes them)",
    )


def _add_model_options(add: AddOption) -> None:
    """Add the options of how models are loaded and asked."""
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
    add(
        "--device",
        default=DEFAULT_DEVICE,
        help="auto (CUDA, then MPS, then CPU) or a torch device (default: %(default)s)",
    )
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
