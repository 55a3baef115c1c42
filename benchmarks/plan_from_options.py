"""The plan that the options of a run make. No torch here."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.attention_scope import AttentionScope
from benchmarks.choices import (
    choose_interventions,
    choose_measures,
    choose_models,
    choose_numbers,
    choose_replicated_stages,
    choose_sft_noise,
    known_datasets,
)
from benchmarks.dataset_file_choices import choose_dataset_files, register_noise_files
from benchmarks.engines.engine_options import engine_options_of
from benchmarks.plan import ATTENTION_SIZES, MINI_SFT_NOISE, SFT_SIZES, SIZES, Plan, stages_of
from benchmarks.plan_errors import PlanError, escaped
from benchmarks.shards import read_shard
from models.loading.trust_remote_code import trust_of
from models.prompt import template_of
from models.sft.sft_options import Tuning
from noise.placement import POSITIONS, Placement
from noise.problems.noisy_files import existing_noisy_file
from noise.problems.problem import Problem
from noise.problems.problem_sources import is_file_source, split_source
from noise.problems.remote_files import is_url, local_copy
from noise.problems.splits import problems_to_train_on
from noise.problems.text_files import check_regular_file
from reports.store.remote_folder import RemoteFolder
from reports.store.url_errors import RemoteFolderError


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
    noise_files = register_noise_files(options["noise_file"])
    datasets, files = choose_dataset_files(
        known_datasets() if options["datasets"] is None else options["datasets"],
        noise_files,
        options["certified_only"],
    )
    measures = choose_measures(options["measure"])
    _check_data(options, [name for name in datasets if name not in files.paired])
    _check_sft(options)
    samples = options["max_samples"]
    sft_samples, sft_epochs = SFT_SIZES[size]
    return Plan(
        models=choose_models(options["models"], trust_of(option), options["replicates"]),
        datasets=datasets,
        files=files,
        stages=stages_of({**options, "measures": measures}),
        measures=measures,
        problems=options["problems"],
        skip_bad_lines=options["skip_bad_lines"],
        max_samples=SIZES[size] if samples is None else samples,
        shard=read_shard(options["shard"]),
        attention_samples=ATTENTION_SIZES[size] if samples is None else samples,
        attention_maps=options["attention_maps"],
        attention_scope=AttentionScope(
            queries=options["attention_queries"],
            layers=choose_numbers("attention_layers", options["attention_layers"]),
            heads=choose_numbers("attention_heads", options["attention_heads"]),
        ),
        interventions=choose_interventions(options["interventions"]),
        replicated_stages=choose_replicated_stages(options["replicated_stages"]),
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
        placement=Placement(options["noise_position"], options["noise_language"] == "any"),
        batch_size=options["batch_size"],
        max_new_tokens=options["max_new_tokens"],
        device=options["device"],
        dtype=options["dtype"],
        device_map=options["device_map"],
        engine=engine_options_of(options),
        template=template_of(options["prompt"], options["chat"], lambda: _examples(options)),
        noisy_folder=Path(options["problems"]).parent if options["skip_data_gen"] else None,
    )


def remote_results(text: str) -> RemoteFolder | None:
    """Return the folder at a URL that `--results` names, if it names one. Raises `PlanError` for a bad URL."""
    try:
        return RemoteFolder(text) if is_url(text) else None
    except RemoteFolderError as error:
        raise PlanError(f"--results: {escaped(str(error))}") from None


def results_folder(text: str, current: Path) -> Path:
    """Return the folder that `--results` names, from the folder `current`. Raises `PlanError` if it can be none."""
    if not text.strip() or "\0" in text:
        raise PlanError(f"--results {escaped(repr(text))}: expected the name of a folder")
    folder = current / text
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise PlanError(f"--results {escaped(text)}: expected a folder, found a file")
    except FileNotFoundError:
        pass  # it is made with the first record
    except OSError as error:
        raise PlanError(f"--results {escaped(text[:60])}: {error.strerror}") from None
    return folder


def _sft_noise(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the noises to tune with: those that were asked for, or else what suits the problems tuned on."""
    if options["sft_noise"] is not None:
        return choose_sft_noise(options["sft_noise"])
    source = options["sft_problems"] or options["problems"]
    embedded = not is_file_source(source) and split_source(source)[0] == "mini"
    return MINI_SFT_NOISE if embedded else ("clean",)


def _examples(options: Mapping[str, Any]) -> list[Problem]:
    """Return the problems that a prompt may show: the training problems of the source that is asked."""
    try:
        return problems_to_train_on(options["problems"], bad_lines=[] if options["skip_bad_lines"] else None)
    except ValueError as error:
        raise PlanError(f"--prompt: {escaped(str(error))}") from None


def _check_data(options: Mapping[str, Any], datasets: Sequence[str]) -> None:
    """Refuse a source of problems that does not exist, and noisy files that are missing."""
    source = options["problems"]
    _check_source("--problems", source)
    if not options["skip_data_gen"]:
        return
    if not is_file_source(source):
        raise PlanError(
            "--skip-data-gen reads the noisy files next to the file of --problems, but that is"
            f" {escaped(repr(source))}. Write them next to a file of yours with"
            " `python -m noise --problems mine.jsonl --out .` and name it with"
            " --problems, or leave the option out: noise is then drawn as the run goes"
        )
    if options["seed"] is not None:
        raise PlanError(
            "--seed draws noise and --skip-data-gen draws none: the files carry the seed they were made with"
        )
    if options["noise_position"] != POSITIONS[0]:
        raise PlanError(
            "--noise-position is about noise that is drawn, and --skip-data-gen draws none: write the files with it"
        )
    if is_url(source):
        raise PlanError(
            "--skip-data-gen reads the noisy files next to the file of --problems, which must lie on this machine; copy"
            " them here, or leave the option out: noise is then drawn as the run goes"
        )
    folder = Path(source).parent
    for name in datasets:
        if name != "clean":
            try:
                existing_noisy_file(source, name, folder)
            except FileNotFoundError as error:
                raise PlanError(
                    f"--skip-data-gen: {escaped(str(error))}; write it with `python -m noise --problems"
                    f" {escaped(source)} --datasets {name} --out {escaped(str(folder))}`, or leave the option out:"
                    " noise is then drawn as the run goes"
                ) from None


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
    """Raise `ValueError` or `OSError` for a source of problems that does not exist."""
    if not is_file_source(source):
        try:
            split_source(source)
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from None
    else:
        try:
            with local_copy(source) as path:  # of a URL, all of it is fetched
                check_regular_file(path)
        except (ValueError, OSError) as error:
            raise type(error)(f"{option} {error}") from None
