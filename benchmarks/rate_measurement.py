"""How fast a model is on this machine: it is asked a few problems of the plan by the code that a run asks them with."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.evaluation import evaluate
from benchmarks.model_rates import DecodingRates, ModelRates, ReadingRates, TuningRates, decoding_steps, fitted_line
from benchmarks.model_shape import shape_of, text_rates
from benchmarks.needles import NEEDLE
from benchmarks.plan import Plan
from benchmarks.run_cost import stage_cost
from benchmarks.run_work import missing_texts, row_of, settings_of_run, work_of
from benchmarks.runner import Runner
from benchmarks.shards import WHOLE
from benchmarks.stages.stage import NothingToMeasure
from models.decode.phase_timer import timed_phases
from models.model_registry import ModelSpec
from noise.problems.problem import NoisyProblem, Problem
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.store.stage_and_file_names import ATTENTION, INTERVENE, SFT, ZERO_SHOT

if TYPE_CHECKING:  # torch stays out of `--rates FILE`
    from models.loading.load_model import LoadedModel

#: Seconds that timing all stages of all models should take, and those that a stage of a model gets at least. A model
#: that is slower is asked the fewest problems.
_SECONDS, _SECONDS_A_STAGE = 24.0, 3.0
#: Answers of this many tokens show what a step costs.
_SHORT = 8
#: The fewest texts whose length is measured, and the most, in batches.
_FEWEST_TEXTS, _MOST_BATCHES = 4, 2
#: The most problems that a stage which reads is timed with, and the sizes that are tried for the stage `intervene`.
_MOST_READ, _INTERVENED = 48, (64, 32, 16, 8, 4, 2)
#: Steps of a fine-tuning that are timed.
_STEPS = 3

Say = Callable[[str], object]


@dataclass(frozen=True)
class _Timed:
    """Seconds for answers with these lengths in tokens, of them `prefill` for reading `prompt_tokens` of prompts."""

    seconds: float
    prefill: float
    prompt_tokens: int
    lengths: tuple[int, ...]


def measure_rates(plan: Plan, spec: ModelSpec, families: int = 1, say: Say = lambda line: None) -> ModelRates:
    """Return how fast `spec`, one of `families` that are timed, is in the stages of `plan`. What is written goes to a
    folder that is removed.

    `say` is told what is timed. Raises what `Runner.run` raises.
    """
    import_module("models.answer_likelihood")  # torch and what else takes seconds is no part of what is timed
    with tempfile.TemporaryDirectory() as folder:
        return _Measurement(plan, spec, Path(folder), say, _SECONDS / families).rates()


class _Measurement:
    """One model that is timed; each cell gets an empty results folder in `folder`."""

    def __init__(self, plan: Plan, spec: ModelSpec, folder: Path, say: Say, seconds: float) -> None:
        # Of every shard the same problems are timed: its own may be few.
        self.plan, self.spec, self.folder, self.say = replace(plan, shard=WHOLE), spec, folder, say
        self.seconds = max(_SECONDS_A_STAGE, seconds / len(plan.stages))  # for each
        self._folders = 0
        self.runner = Runner(self.plan, self._empty_experiment())

    def rates(self) -> ModelRates:
        """Return the rates of the model."""
        plan, spec = self.plan, self.spec
        self.say(f"{spec.name}: loading")
        start = time.perf_counter()
        loaded = self.runner.base_model(spec)
        load = time.perf_counter() - start
        pool = self._pool()
        self.say(f"{spec.name}: answers")
        rates = ModelRates(
            model=spec.name,
            device=str(loaded.device),
            dtype=loaded.precision,
            batch=plan.fixed_batch_size,
            prompt=plan.template.name,
            shape=shape_of(loaded),
            text=text_rates(loaded, pool),
            load=load,
            decoding=self._decoding(loaded, pool),
            reading={},
        )
        stages = [stage for stage in plan.stages if plan.has_cases(stage) and plan.goes_through(stage, spec)]
        for stage in stages:
            if stage in (ZERO_SHOT, SFT):
                continue
            self.say(f"{spec.name}: {stage}")
            cells = [cell for cell in plan.cells(stage, spec) if not plan.is_tuned(cell)][-1:]  # of the last noise
            cells += [Cell(spec.name, NEEDLE, stage)] if stage == ATTENTION else []
            for cell in cells:
                with suppress(NothingToMeasure):  # its case is skipped in a run too
                    rates = self._with_cell(rates, cell)
        if SFT in plan.stages:
            self.say(f"{spec.name}: {_STEPS} steps of fine-tuning")
            rates = replace(rates, tuning=self._tuning())
        return rates

    def _empty_experiment(self) -> Experiment:
        self._folders += 1
        return Experiment(Results(self.folder / str(self._folders)), progress=no_progress_bar)

    def _pool(self) -> list[NoisyProblem]:
        """Return different problems, each with one dataset of the plan in turn: their answers are of all kinds."""
        stage = ZERO_SHOT if ZERO_SHOT in self.plan.stages else self.plan.stages[0]
        of_cells = [self.runner.questions(cell) for cell in self.plan.cells(stage, self.spec)]
        most = _MOST_BATCHES * self.plan.fixed_batch_size
        shortest = min(map(len, of_cells))
        pool: dict[str, NoisyProblem] = {}
        for number, index in enumerate(range(0, shortest, max(1, shortest // most))):
            noisy = of_cells[number % len(of_cells)][index]
            pool.setdefault(noisy.problem.id, noisy)
        return list(pool.values())[:most]

    def _answered(self, loaded: LoadedModel, problems: Sequence[NoisyProblem], limit: int) -> _Timed:
        source, prompts = self.runner.eval_set.source, loaded.prompts([noisy.question for noisy in problems])
        tokens = sum(map(len, loaded.encode(prompts)["input_ids"]))
        experiment, cell = self._empty_experiment(), Cell(self.spec.name, "timed", ZERO_SHOT)
        with timed_phases() as phases:
            start = time.perf_counter()
            records = evaluate(experiment, loaded, cell, problems, source, self.plan.fixed_batch_size, limit)
            seconds = time.perf_counter() - start
        lengths = tuple(max(1, records[noisy.problem.id].tokens) for noisy in problems)
        return _Timed(seconds, phases["prefill"], tokens, lengths)

    def _decoding(self, loaded: LoadedModel, pool: Sequence[NoisyProblem]) -> DecodingRates:
        """Time short answers to one problem and to many, which shows what a step and a row in it cost, and whole
        answers, which shows how long they are, and makes the rates add up to what these took."""
        batch, limit = self.plan.fixed_batch_size, self.plan.max_new_tokens
        short = min(_SHORT, limit)
        self._answered(loaded, pool[:1], short)  # the first answer of a process takes longer
        single = self._answered(loaded, pool[:1], short)
        prompt_token = single.prefill / single.prompt_tokens
        most = int(self.seconds / (single.seconds / 2 + prompt_token * single.prompt_tokens))
        several = self._answered(loaded, pool[: max(2, min(batch, most))], short)
        rows = len(several.lengths)
        of_single, of_several = ((timed.seconds - timed.prefill) / max(timed.lengths) for timed in (single, several))
        step, row = fitted_line([(1, of_single), (rows, of_several)])
        whole, texts = self._answered(loaded, pool[:_FEWEST_TEXTS], limit), len(pool)
        while len(whole.lengths) < texts:
            # Not at once: how long the texts are is not known, and the limit may be many times as much.
            seconds = whole.seconds / len(whole.lengths)
            texts = min(len(pool), 4 * len(whole.lengths), int(self.seconds / seconds))
            if texts > len(whole.lengths):
                whole = self._answered(loaded, pool[:texts], limit)
        steps = decoding_steps(whole.lengths, len(whole.lengths), batch)
        scale = (whole.seconds - whole.prefill) / (step * steps + row * sum(whole.lengths))
        read = max(several, whole, key=lambda timed: timed.prompt_tokens)
        return DecodingRates(read.prefill / read.prompt_tokens, step * scale, row * scale, whole.lengths, limit)

    def _run(self, cell: Cell, problems: int) -> float:
        """Return the seconds that a cell takes with its first problems."""
        self.runner.experiment = self._empty_experiment()
        self.runner.plan = self._smaller(problems)
        if cell.noise != NEEDLE:
            self.runner.questions(cell)  # which a run draws once for all models
        start = time.perf_counter()
        self.runner.run(cell)
        return time.perf_counter() - start

    def _smaller(self, problems: int) -> Plan:
        return replace(self.plan, max_samples=problems, attention_samples=problems, noise_seeds=1)

    def _with_cell(self, rates: ModelRates, cell: Cell) -> ModelRates:
        if cell.stage == INTERVENE:
            return replace(rates, intervene=self._intervene(rates, cell))
        return replace(rates, reading={**rates.reading, row_of(cell): self._reading(rates, cell)})

    def _reading(self, rates: ModelRates, cell: Cell) -> ReadingRates:
        """Time a cell with few problems and with more."""
        available = len(self.plan.sample(self.runner.eval_set.problems, cell.stage))
        self._run(cell, 1)  # the first one of a process takes longer
        each = rates.decoding.prompt_token * self._tokens(rates, cell, available) / available
        many = min(available, max(2, min(_MOST_READ, int(self.seconds / 2 / each))))
        few = max(1, many // 3)
        return ReadingRates(*fitted_line([(self._tokens(rates, cell, n), self._run(cell, n)) for n in (few, many)]))

    def _tokens(self, rates: ModelRates, cell: Cell, problems: int) -> int:
        """Return the tokens of the prompts and worked answers of a cell with its first problems."""
        texts = missing_texts(Runner(self._smaller(problems), self._empty_experiment(), self.runner.needs_tuning), cell)
        questions = sum(len(noisy.question) for noisy in texts)
        answers = sum(len(noisy.problem.answer) for noisy in texts)
        return rates.text.prompt_tokens(questions, len(texts)) + rates.text.answer_tokens(answers)

    def _intervene(self, rates: ModelRates, cell: Cell) -> float:
        """Return how many times as long a cell takes as its answers and likelihoods would without interventions."""
        settings = settings_of_run(self.plan)
        unscaled = replace(rates, intervene=1.0)
        for problems in _INTERVENED:
            plan = replace(self._smaller(problems), stages=(INTERVENE,), datasets=(cell.noise,))
            scratch = Runner(plan, self._empty_experiment(), needs_tuning=self.runner.needs_tuning)
            (work,) = (work for work in work_of(scratch, self.spec, rates.shape) if work.stage == INTERVENE)
            expected = stage_cost(work, unscaled, settings).seconds or 0.0
            if expected <= self.seconds or problems == _INTERVENED[-1]:
                break
        if expected <= self.seconds / 2:
            self._run(cell, 1)  # the first intervention of a process takes longer
        return self._run(cell, problems) / expected if expected else 1.0

    def _tuning(self) -> TuningRates:
        """Time the first steps of a fine-tuning on problems from all over the set, and the rest of it."""
        from models.sft.fine_tuning import tune

        plan, problems = self.plan, self.runner.sft_set.problems
        wanted = _STEPS * plan.tuning.batch
        chosen: list[Problem] = list(problems[:: max(1, len(problems) // wanted)][:wanted])
        ends = list[float]()
        tuning = replace(plan.tuning, epochs=1, accumulation=1)
        start = time.perf_counter()
        tune(
            self.spec,
            chosen,
            self.folder / "tuned",
            tuning,
            plan.device,
            plan.dtype,
            None,
            lambda done, total, loss: ends.append(time.perf_counter()),
            plan.template,
        )
        seconds = time.perf_counter() - start
        step = (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else 0.0
        return TuningRates(max(0.0, seconds - step * len(ends)), step, plan.tuning.batch)
