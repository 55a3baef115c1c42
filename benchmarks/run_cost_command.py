"""What a run will cost before it is started: `python -m benchmarks plan`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.error_remedies import user_message
from benchmarks.model_rates import ModelRates
from benchmarks.options_for_argparse import add_grid_options
from benchmarks.plan import Plan
from benchmarks.plan_from_options import plan_of, results_folder, size_of
from benchmarks.rates_file import family_of, rates_of, read_rates, write_rates
from benchmarks.run_cost import StageCost, stage_cost
from benchmarks.run_cost_table import cost_table
from benchmarks.run_work import settings_of_run, work_of
from benchmarks.runner import Runner
from models.replicate_names import split_replicate
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.results_folder import Results
from reports.store.url_errors import is_url


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what a run will cost. Return the exit status 0, or exit with 2 and one sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks plan",
        description="What a run of `pytest benchmarks` with the same options will cost: cells, tokens, memory and time."
        " Each model is timed on a few of its problems, here and now, unless --rates has been measured before.",
        allow_abbrev=False,
    )
    parser.add_argument("--rates", type=Path, metavar="FILE", help="use the rates in FILE, and load no model")
    parser.add_argument("--save-rates", type=Path, metavar="FILE", help="write the rates that are measured to FILE")
    add_grid_options(parser)
    options = parser.parse_args(arguments)
    if options.rates is not None and options.save_rates is not None:
        parser.error("--rates and --save-rates: expected at most one of the two")
    try:
        for line in _lines(options):
            print(line)
    except Exception as error:
        message = user_message(error)
        if message is None and not isinstance(error, (ValueError, OSError)):
            raise
        parser.exit(2, f"{parser.prog}: error: {message or error}\n")
    return 0


def _lines(options: Any) -> list[str]:
    """Return what the command prints."""
    plan = plan_of(options)
    if options.results is None:
        options.results = "results-quick" if size_of(options) == "quick" else "results"
    if is_url(options.results):
        raise ValueError(
            "--results: expected a folder on this machine; `python -m reports sync FOLDER URL` fetches results at a URL"
        )
    if options.fresh:
        raise ValueError("--fresh: what is left to do is counted; name an empty folder with --results to count all")
    folder = results_folder(options.results, Path.cwd())
    if not any(plan.has_cases(stage) for stage in plan.stages):
        return [plan.describe(), "", "the options leave out every stage: nothing to do"]
    rates = _rates(plan, options)
    runner = Runner(plan, Experiment(Results(folder), progress=no_progress_bar))
    costs = _costs(runner, rates)
    lines = [plan.describe(), ""]
    if not costs:
        return [*lines, f"nothing is left to do: {options.results} has every record"]
    return [*lines, *cost_table(costs), "", *_notes(plan, rates, costs)]


def _rates(plan: Plan, options: Any) -> dict[str, ModelRates]:
    """Return the rates of each family of the plan, read or measured."""
    by_seed = sorted(plan.models, key=lambda spec: split_replicate(spec.name)[1], reverse=True)
    families = {family_of(spec): spec for spec in by_seed}  # the lowest seed goes through the most stages
    if options.rates is not None:
        stored = read_rates(options.rates)
        return {family: rates_of(spec, stored, options.rates) for family, spec in families.items()}
    from benchmarks.rate_measurement import measure_rates

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    measured = {}
    for spec in plan.models:
        if families[family_of(spec)] == spec:
            measured[family_of(spec)] = measure_rates(plan, spec, len(families), say)
    if options.save_rates is not None:
        write_rates(options.save_rates, measured)
    return measured


def _costs(runner: Runner, rates: dict[str, ModelRates]) -> list[StageCost]:
    settings = settings_of_run(runner.plan)
    return [
        stage_cost(work, rates[family_of(spec)], settings)
        for spec in runner.plan.models
        for work in work_of(runner, spec, rates[family_of(spec)].shape)
    ]


def _notes(plan: Plan, rates: dict[str, ModelRates], costs: Sequence[StageCost]) -> list[str]:
    """Return what must be known to read the table."""
    notes = [
        "time: of one process, one model after the other, without starting up and writing the reports",
        "memory: what a device needs at least: weights, keys and values or activations, scores, optimizer",
    ]
    for family, of_family in rates.items():
        decoding = of_family.decoding
        lengths = decoding.expected_lengths(plan.max_new_tokens)
        note = f"{family}: {of_family.dtype} on {of_family.device}, {len(lengths)} answers of"
        note += f" {sum(lengths) / len(lengths):.0f} tokens on average were timed"
        cut = sum(length >= decoding.limit for length in decoding.lengths)
        note += f", {cut} of them cut off at {decoding.limit}" if cut else ""
        if of_family.batch != plan.fixed_batch_size:
            note += f", in batches of {of_family.batch}"
        if of_family.prompt != plan.template.name:
            note += f", with the prompt {of_family.prompt}"
        if plan.dtype not in ("auto", of_family.dtype):
            note += f"; the run is in {plan.dtype}, so its time and memory are other ones"
        notes.append(note)
    unknown = sorted({cost.stage for cost in costs if cost.seconds is None})
    if unknown:
        notes.append(f"not estimated, and not in the total: {', '.join(unknown)} (not among the rates)")
    if plan.batch_size == "auto":
        notes.append(f"--batch-size auto counts as {plan.fixed_batch_size}")
    return notes
