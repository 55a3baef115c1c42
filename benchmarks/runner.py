"""Run the cells of a plan. No pytest here; torch is imported only when a model is loaded."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmarks.engines.engine import AskedModel, Engine
from benchmarks.engines.local_engine import LOCAL
from benchmarks.error_remedies import user_message
from benchmarks.eval_set import EvalSet, eval_set
from benchmarks.evaluation import draw_questions
from benchmarks.paired_set_cells import PairedCells, read_paired_cells
from benchmarks.placebo_length import PlaceboLength, placebo_length
from benchmarks.plan import Plan
from benchmarks.questions_of_shard import empty_shard_reason, numbered_in_shard
from benchmarks.sft_set import SftSet, sft_set, tuned_checkpoint
from benchmarks.stages import find_stage
from benchmarks.stages.stage import NothingToMeasure
from models.model_registry import ModelSpec
from noise.placebo_names import is_placebo
from noise.problems.bad_lines import BadLine
from noise.problems.noisy_files import load_noisy_for
from noise.problems.problem import NoisyProblem, Problem
from noise.proposals import NoDistractorError
from reports.experiment import Experiment
from reports.progress_bars import no_progress_bar
from reports.store.records import Cell
from reports.store.results_folder import ResultsMismatch
from reports.store.stage_and_file_names import TUNED_SUFFIX

if TYPE_CHECKING:
    from models.loading.load_model import LoadedModel

T = TypeVar("T")


class ProblemsError(ValueError):
    """The problems to evaluate on or to tune on cannot be used; the message is one sentence."""


class ModelsError(ValueError):
    """Models cannot be loaded; the message is one sentence for each."""


class AlreadyFailed(Exception):
    """A cell cannot be run for the reason that an earlier one has reported."""


class TuningError(RuntimeError):
    """A model cannot be tuned, or its tuned checkpoint cannot be used; the message is one sentence."""


class Runner:
    """Runs the cells of `plan`, and records to `experiment`.

    `needs_tuning` says whether cells of tuned models will be run (default: whether the plan has the stage `sft`). If
    so, a file of problems without a training split is divided, and every cell asks the same half of it. `questions`,
    by dataset, are asked in place of those that the plan draws or reads; such a run has no shards. `engine` has the
    models and asks them.

    The models of one `ModelSpec`, base and tuned, are kept in memory until another one's are asked for, so run the
    cells model by model.
    """

    def __init__(
        self,
        plan: Plan,
        experiment: Experiment,
        needs_tuning: bool | None = None,
        questions: Mapping[str, list[NoisyProblem]] | None = None,
        engine: Engine = LOCAL,
    ) -> None:
        if questions and not plan.shard.is_whole:
            raise ValueError(f"expected a whole run of the questions that are given, got shard {plan.shard}")
        self.plan, self.experiment, self.engine = plan, experiment, engine
        self._given_questions = questions or {}
        self._questions: dict[tuple[str, tuple[str, ...], int], list[NoisyProblem]] = {}
        self._paired: dict[str, PairedCells] = {}
        self._unable: dict[str, str] = {}
        self.needs_tuning = "sft" in plan.stages if needs_tuning is None else needs_tuning
        self._differences: set[str] = set()
        self._spec: ModelSpec | None = None
        self._loaded: dict[Hashable, Any] = {}

    def run(self, cell: Cell) -> Mapping[str, Any]:
        """Return the records of a cell by problem id: those on disk, and the missing ones made now.

        The stage of the cell does the work. It calls back for the model (`model_of`), the problems (`questions`) and
        their source (`eval_set.source`).

        Raises `LoadError` for a model that cannot be loaded or tuned, `ProblemsError` for problems that cannot be used,
        `ResultsMismatch` where the results folder was made under other settings, `NothingToMeasure` where no problem
        suits the stage, `AlreadyFailed` for a model that could not be loaded or tuned before and for settings that
        differ as those of an earlier cell did, and what the stage raises.
        """
        if not self.plan.shard.is_whole and not self.sample(cell):  # before a model is loaded
            raise NothingToMeasure(empty_shard_reason(self.plan, cell, self.eval_set.problems))
        try:
            return find_stage(cell.stage).run(self, cell)
        except ResultsMismatch as error:
            if error.difference in self._differences:
                raise AlreadyFailed(str(error)) from error
            self._differences.add(error.difference)
            raise

    @cached_property
    def eval_set(self) -> EvalSet:
        """The problems that cells are evaluated on."""
        loaded = _as_problems_error(lambda: eval_set(self.plan, self.needs_tuning))
        self._note(loaded.bad_lines)
        return loaded

    @cached_property
    def sft_set(self) -> SftSet:
        """The problems that every model is tuned on."""
        loaded = _as_problems_error(lambda: sft_set(self.plan, self.eval_set))
        self._note(loaded.bad_lines)
        return loaded

    def _note(self, bad_lines: Iterable[BadLine]) -> None:
        """Keep for `run.json` which lines were left out."""
        noted = self.experiment.bad_lines
        noted += [line.reason for line in bad_lines if line.reason not in noted]

    def sample(self, cell: Cell) -> list[Problem]:
        """Return the problems of a cell before noise is added to them: those of the plan's shard."""
        return self.plan.sample(self.eval_set.problems, cell.stage)

    def questions(self, cell: Cell) -> list[NoisyProblem]:
        """Return the problems of a cell as its model is asked them; every model is asked the same text.

        Raises `ProblemsError`, and `NothingToMeasure` where only other shards have problems of the cell.
        """
        if cell.noise in self._given_questions:
            return self._given_questions[cell.noise]
        sample, draws = self.sample(cell), self.plan.draws(cell.stage)
        key = (cell.noise, tuple(problem.id for problem in sample), draws)
        if key not in self._questions:
            self._questions[key] = self._shard_questions(cell, sample, draws)
        return self._questions[key]

    def _shard_questions(self, cell: Cell, sample: list[Problem], draws: int) -> list[NoisyProblem]:
        if self.plan.shard.is_whole:
            return self._draw_or_read(cell.noise, sample, draws)
        try:
            if sample:
                return self._draw_or_read(cell.noise, sample, draws)
        except ProblemsError:  # what is wrong with every shard is no fault of this one
            self._draw_or_read(cell.noise, self.plan.whole_sample(self.eval_set.problems, cell.stage), draws)
        raise NothingToMeasure(empty_shard_reason(self.plan, cell, self.eval_set.problems))

    def mapped_questions(self, cell: Cell, count: int) -> dict[int, NoisyProblem]:
        """Return those of the first `count` questions of a cell that this shard asks, by their number, from 0, in the
        run that is not divided."""
        plan, questions = self.plan, self.questions(cell)
        if plan.shard.is_whole or not find_stage(cell.stage).divides_problems:
            return dict(enumerate(questions[:count]))

        def draw(problems: Sequence[Problem]) -> list[NoisyProblem]:
            try:
                return self._drawn_or_read(cell.noise, problems, plan.draws(cell.stage))
            except ProblemsError:  # none of them can carry such a sentence, as others can
                return []

        return numbered_in_shard(questions, plan.whole_sample(self.eval_set.problems, cell.stage), count, draw)

    def first_questions(self, cell: Cell, count: int) -> list[NoisyProblem]:
        """Return the first `count` problems of a cell's noise, whatever the number of problems a cell of this run."""
        if cell.noise in self._given_questions:
            return self._given_questions[cell.noise][:count]
        return self._draw_or_read(cell.noise, self.eval_set.problems[:count], 1)

    def read_noisy_files(self) -> list[str]:
        """Read the noisy problems of every dataset that comes from a file, and return what is left out of those cells.

        Raises `ProblemsError`.
        """
        plan, sentences = self.plan, dict[str, str]()
        for cell in [cell for stage in plan.stages for cell in plan.cells(stage, plan.models[0])]:
            is_of_file = cell.noise in plan.files.paired or plan.files.has_sentences(cell.noise)
            if is_of_file or plan.noisy_folder is not None:
                with suppress(NothingToMeasure):  # its case says so
                    self.questions(cell)
            if cell.noise in self._unable:
                sentences.setdefault(cell.noise, self._unable[cell.noise])
            if cell.noise in self._paired and cell.noise not in sentences:
                sentences[cell.noise] = self._paired[cell.noise].sentence(self.sample(cell), plan.draws(cell.stage))
        return list(sentences.values())

    def _paired_cells(self, dataset: str) -> PairedCells:
        """Return what the cells of a paired set ask, read once."""
        if dataset not in self._paired:
            self._paired[dataset] = read_paired_cells(dataset, self.plan.files, self.eval_set.all_problems)
            self.experiment.paired_sets[dataset] = self._paired[dataset].summary()
        return self._paired[dataset]

    def _draw_or_read(self, noise: str, sample: Sequence[Problem], draws: int) -> list[NoisyProblem]:
        """Return the questions that `sample` makes with a noise, and note how many can carry none."""
        questions = self._drawn_or_read(noise, sample, draws)
        asked = len(sample) * (1 if noise == "clean" else draws)
        if len(questions) < asked and noise not in self.plan.files.paired:
            left_out = f"{asked - len(questions):,} of {asked:,} questions can carry no such sentence"
            note = f"{noise}: {left_out}, and are left out"
            self._unable[noise] = note
            self.experiment.notes += [note] if note not in self.experiment.notes else []
        return questions

    def _drawn_or_read(self, noise: str, sample: Sequence[Problem], draws: int) -> list[NoisyProblem]:
        plan, folder = self.plan, self.plan.noisy_folder
        if noise in plan.files.paired:
            return _as_problems_error(lambda: self._paired_cells(noise).questions(sample, draws))
        if folder is not None and noise != "clean" and not plan.files.has_sentences(noise):
            return _as_problems_error(lambda: load_noisy_for(sample, plan.problems, noise, folder))
        length = self.placebo_length.count if is_placebo(noise) else None
        try:
            return draw_questions(noise, sample, plan.seed, draws, length, plan.placement)
        except NoDistractorError as error:
            raise ProblemsError(
                f"{noise}: expected questions that can carry such a sentence, got none: {error}; leave it out of"
                " --datasets"
            ) from error

    @cached_property
    def placebo_length(self) -> PlaceboLength:
        """What the lengths of placebos are counted in; `run.json` names it."""
        measured = placebo_length(self.plan)
        self.experiment.placebo_length = measured.unit
        return measured

    def check_models(self, cells: Iterable[Cell]) -> None:
        """Check that the models of these cells can be loaded and measured, as far as that shows without their weights.

        Raises `ModelsError` with a sentence for each model that cannot.
        """
        from models.loading.load_model import check_loadable

        plan, sentences = self.plan, list[str]()
        device = plan.device if self.engine.in_process else "cpu"  # others may have devices that this machine lacks
        stages: dict[ModelSpec, dict[str, None]] = {}
        for cell in cells:
            stages.setdefault(plan.spec_of(cell), {})[cell.stage] = None
        for spec, names in stages.items():
            try:
                check_loadable(spec, device, plan.dtype, plan.template)
                for name in names:
                    find_stage(name).check(plan, spec)
            except Exception as error:
                message = user_message(error)
                if message is None:
                    raise
                sentences.append(message)
        if sentences:
            raise ModelsError("\n".join(dict.fromkeys(sentences)))

    def asked_model(self, cell: Cell) -> AskedModel:
        """Return the model that a cell is about as the engine has it, to be asked through `engine`."""
        return self.engine.model(self, cell)

    def model_of(self, cell: Cell) -> LoadedModel:
        """Return the model that a cell is about, base or tuned, loaded in this process."""
        spec = self.plan.spec_of(cell)
        return self.tuned_model(spec) if self.plan.is_tuned(cell) else self.base_model(spec)

    def base_model(self, spec: ModelSpec) -> LoadedModel:
        """Return the base model, loaded once."""
        from models.loading.load_model import load

        plan = self.plan
        return self.cached(spec, "base", lambda: load(spec, plan.device, plan.dtype, plan.template, plan.device_map))

    def tuned_checkpoint(self, spec: ModelSpec) -> Path:
        """Return the folder of a model's tuned checkpoint, tuning it now unless it exists. The base is read from disk
        again; the one in memory is never touched."""
        folder, progress = self.experiment.results.folder, self.experiment.progress
        if not self.engine.in_process:
            folder, progress = folder.absolute(), no_progress_bar

        def tune() -> Path:
            self.experiment.results.lock.acquire(create=True)
            try:
                checkpoint = self.engine.run(tuned_checkpoint, folder, spec, self.plan, self.sft_set, progress)
            except (ValueError, OSError) as error:
                if user_message(error) is not None:
                    raise
                raise TuningError(str(error)) from error
            if not self.engine.in_process and not checkpoint.is_dir():
                raise TuningError(
                    f"model {spec.name!r} was tuned into {checkpoint} on another machine; expected a results folder on"
                    " a file system that all of them share"
                )
            return checkpoint

        return self.cached(spec, "checkpoint", tune)

    def tuned_spec(self, spec: ModelSpec) -> ModelSpec:
        """Return the tuned version of a model, tuning it now unless its checkpoint exists."""
        source = str(self.tuned_checkpoint(spec))
        return replace(spec, name=spec.name + TUNED_SUFFIX, source=source, subfolder="", revision=None)

    def tuned_model(self, spec: ModelSpec) -> LoadedModel:
        """Return the tuned version of a model, loaded from its checkpoint through the normal loader."""
        from models.loading.load_model import load

        plan = self.plan
        return self.cached(spec, "tuned", lambda: load(self.tuned_spec(spec), plan.device, plan.dtype, plan.template))

    def cached(self, spec: ModelSpec, key: str, factory: Callable[[], T]) -> T:
        """Return or raise what `factory` does, called once per key while the models of `spec` are kept.

        After an error each later call raises `AlreadyFailed`.
        """
        if self._spec != spec:
            self._spec, self._loaded = spec, {}
        if key not in self._loaded:
            try:
                self._loaded[key] = factory()
            except Exception as error:
                self._loaded[key] = error
                raise
        outcome: Any = self._loaded[key]
        if isinstance(outcome, Exception):
            raise AlreadyFailed(str(outcome)) from outcome
        result: T = outcome
        return result


def _as_problems_error(factory: Callable[[], T]) -> T:
    """Return what `factory` returns. Raises its `ValueError` and `OSError` as `ProblemsError`."""
    try:
        return factory()
    except (ValueError, OSError) as error:
        raise ProblemsError(str(error)) from error
