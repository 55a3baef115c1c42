"""The plan of a run: model × noise × stage, and everything else that its options come to. No torch here."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.attention_scope import AttentionScope
from benchmarks.dataset_files import DatasetFiles
from benchmarks.engines.engine_options import EngineOptions
from benchmarks.intervention_conditions import DEFAULT_INTERVENTIONS
from benchmarks.plan_errors import (
    FROM_ONE,
    FROM_ONE_OR_ALL,
    FROM_ZERO,
    ONE_TO_1000,
    ONE_TO_4096,
    SEEDS,
    PlanError,
    check_range,
    escaped,
)
from benchmarks.shards import WHOLE, Shard
from benchmarks.stages import STAGES, find_stage
from models.decode.batch_size_option import BatchSize, fixed_batch_size
from models.loading.generation_settings import ignored_settings
from models.model_reference import full_source
from models.model_registry import SINGLE_SEED, ModelSpec
from models.prompt import PLAIN, Template
from models.replicate_names import replicates_text, split_replicate
from models.sft.sft_options import Tuning
from noise.placement import LAST, Placement
from noise.problems.problem import Problem
from noise.problems.problem_sources import is_file_source, split_source
from noise.problems.remote_files import source_name
from noise.unknown_name import unknown_name
from reports.store.records import Cell
from reports.store.stage_and_file_names import TUNED_SUFFIX

#: What can be asked about: how many answers are right, and the likelihood of the worked ones.
MEASURES = ("accuracy", "likelihood")
#: Problems per cell, by named size; −1 is all there are.
SIZES = {"quick": 20, "default": 200, "medium": 100, "full": -1}
#: The same for the stage `attention`.
ATTENTION_SIZES = {"quick": 20, "default": 100, "medium": 50, "full": 200}
#: Problems to fine-tune on and passes over them; unless `--sft-samples` says how many, as many of them as there are.
SFT_SIZES = {"quick": (50, 1), "default": (500, 2), "medium": (500, 2), "full": (500, 2)}
#: Noises to fine-tune with on the embedded problems, whose clean text leaves the embedded models nothing to learn.
MINI_SFT_NOISE = ("clean", "inf", "rcs", "sd")
#: How accelerate lays a model over several cards and the memory of the host.
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")


@dataclass(frozen=True)
class Plan:
    """What one run will do: everything it takes from its options, checked, before anything is loaded.

    `max_samples` and `attention_samples` count problems per cell, −1 for all; the first ones of `problems` are taken,
    and of those the part that `shard` has.
    Each noise is drawn with `seed` and the seeds after it, `noise_seeds` in all; for attention with `seed` alone.
    `placement` says where in a question its distractors go.
    `noisy_folder` is where noisy files are read from instead of noise being drawn (`--skip-data-gen`), None otherwise.
    Every replicate of a family goes through the stages that say so and through `replicated_stages`, and only the first
    through the others. `files` are those of datasets. `skip_bad_lines`: lines of problem files that are no problems are
    no errors. `engine` says where models are asked, and `template` what they are asked with. `attention_maps` counts
    the problems whose patterns are drawn, and `interventions` names what the stage `intervene` changes.
    `sft_samples` counts problems to fine-tune on, −1 for all, the first ones of `sft_problems` or, where that is None,
    of the training split of `problems`; fewer will do unless `sft_exactly`. Each of them carries one of `sft_noise`.
    """

    models: tuple[ModelSpec, ...]
    datasets: tuple[str, ...]
    stages: tuple[str, ...]
    problems: str = "mini"
    files: DatasetFiles = field(default_factory=DatasetFiles)
    skip_bad_lines: bool = False
    max_samples: int = SIZES["default"]
    measures: tuple[str, ...] = MEASURES[:1]
    seed: int = 0
    noise_seeds: int = 1
    placement: Placement = LAST
    batch_size: BatchSize = 64
    max_new_tokens: int = 256
    device: str = "auto"
    dtype: str = "auto"
    device_map: str | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
    template: Template = PLAIN
    noisy_folder: Path | None = None
    attention_samples: int = ATTENTION_SIZES["default"]
    attention_maps: int = 1
    attention_scope: AttentionScope = field(default_factory=AttentionScope)
    interventions: tuple[str, ...] = DEFAULT_INTERVENTIONS
    replicated_stages: tuple[str, ...] = ()
    tuning: Tuning = field(default_factory=Tuning)
    sft_samples: int = SFT_SIZES["default"][0]
    sft_exactly: bool = False
    sft_problems: str | None = None
    sft_noise: tuple[str, ...] = ("clean",)
    shard: Shard = WHOLE

    def __post_init__(self) -> None:
        """Raise `PlanError` for sizes that mean nothing and for parameters that exclude each other."""
        check_range("max_samples", self.max_samples, FROM_ONE_OR_ALL)
        check_range("attention_samples", self.attention_samples, FROM_ONE_OR_ALL)
        check_range("attention_maps", self.attention_maps, FROM_ZERO)
        check_range("noise_seeds", self.noise_seeds, ONE_TO_1000)
        check_range("seed", self.seed, SEEDS)
        check_range("batch_size", self.fixed_batch_size, FROM_ONE)
        check_range("max_new_tokens", self.max_new_tokens, FROM_ONE)
        if self.device_map is not None and self.device_map not in DEVICE_MAPS:
            raise PlanError(f"{{device_map:name}}: {escaped(unknown_name('way', self.device_map, DEVICE_MAPS))}")
        if self.device_map is not None and self.device != "auto":
            raise PlanError(
                "{device} and {device_map}: expected at most one of the two",
                device=self.device,
                device_map=self.device_map,
            )
        if self.engine.name == "ray" and ":" in self.device:
            raise PlanError(
                "{device}: an actor sees its own cards alone, and takes the first; expected a device without a number",
                device=self.device,
            )
        if self.noise_seeds > 1 and self.noisy_folder is not None:
            raise PlanError(
                "{noise_seeds} draws noise, and {noisy_folder:name} reads files, which hold a single draw",
                noise_seeds=self.noise_seeds,
            )
        self._check_tuning()

    def _check_tuning(self) -> None:
        tuning = self.tuning
        check_range("sft_samples", self.sft_samples, FROM_ONE_OR_ALL)
        ranges = {"epochs": ONE_TO_1000, "batch": FROM_ONE, "accumulation": FROM_ONE, "rank": ONE_TO_4096}
        for name, allowed in ranges.items():
            check_range(f"tuning.{name}", getattr(tuning, name), allowed)
        if tuning.rate is not None and not 0 < tuning.rate < math.inf:
            raise PlanError("{tuning.rate}: expected a number above 0", tuning_rate=tuning.rate)
        if "sft" not in self.stages:
            return
        if self.dtype == "float16":
            raise PlanError(
                "{dtype}: fine-tuning runs in float32 or bfloat16, where no loss is scaled; add {skip_sft:name} to do"
                " without",
                dtype=self.dtype,
            )
        if self.device_map is not None:
            raise PlanError(
                "{device_map}: fine-tuning runs on one card; drop {device_map:name} or add {skip_sft:name}",
                device_map=self.device_map,
            )
        if re.fullmatch(r"cuda:0*[1-9]\d*", self.device):
            raise PlanError(
                "{device}: fine-tuning runs on the first visible card; set CUDA_VISIBLE_DEVICES="
                f"{self.device.partition(':')[2]} with {{device:name}} cuda, or add {{skip_sft:name}}",
                device=self.device,
            )
        names = {spec.name for spec in self.models}
        clashing = [name for name in names if name + TUNED_SUFFIX in names]
        if clashing:
            tuned = clashing[0] + TUNED_SUFFIX
            raise PlanError(
                f"{{models:name}}: {tuned!r} is the name of the tuned {clashing[0]!r}; rename that model, or add"
                " {skip_sft:name}"
            )

    def cells(self, stage: str, *models: ModelSpec, datasets: Sequence[str] = ()) -> list[Cell]:
        """Return the cells of a stage, of all models or of `models`, model by model, in the order of the options.

        `datasets` takes the place of the plan's; a stage may have no cells of the clean problems. A stage that asks
        tuned models under a name of their own has cells of `diffllama+sft` behind those of `diffllama`.
        """
        definition = find_stage(stage)
        asked = [dataset for dataset in datasets or self.datasets if definition.asks_clean or dataset != "clean"]
        cells = []
        for spec in models or self.models:
            if not self.goes_through(stage, spec):
                continue
            also_tuned = definition.models == "both" and "sft" in self.stages and self.goes_through("sft", spec)
            names = (spec.name, spec.name + TUNED_SUFFIX) if also_tuned else (spec.name,)
            cells += [Cell(name, dataset, stage) for name in names for dataset in asked]
        return cells

    def goes_through(self, stage: str, spec: ModelSpec) -> bool:
        """Return whether a model of the plan goes through a stage: not every replicate of a family goes through all."""
        if find_stage(stage).runs_every_replicate or stage in self.replicated_stages:
            return True
        family, number = split_replicate(spec.name)
        replicates = [split_replicate(other.name) for other in self.models]
        return number == min(other for of, other in replicates if of == family)

    def spec_of(self, cell: Cell) -> ModelSpec:
        """Return the model that a cell is about, or the base of the tuned model that it is about."""
        specs = {spec.name: spec for spec in self.models}
        return specs.get(cell.model) or specs[cell.model.removesuffix(TUNED_SUFFIX)]

    def is_tuned(self, cell: Cell) -> bool:
        """Return whether a cell is about the tuned version of a model of the plan."""
        return find_stage(cell.stage).models == "tuned" or cell.model == self.spec_of(cell).name + TUNED_SUFFIX

    def has_cases(self, stage: str) -> bool:
        """Return whether a stage has cases; models may be tuned without being asked anything in the stage `sft`."""
        return stage in self.stages and find_stage(stage).has_cases(self)

    def caveat(self, cells: Sequence[Cell]) -> str | None:
        """Return what must be said next to figures of `cells`, if anything."""
        names = {cell.model.removesuffix(TUNED_SUFFIX) for cell in cells} | {cell.model for cell in cells}
        used = [spec for spec in self.models if spec.name in names]
        texts = {spec.caveat for spec in used} - {""}
        caveats = sorted(text for text in texts if not any(text != other and text in other for other in texts))
        single = {cell.stage for cell in cells} - {stage for stage in STAGES if self._has_seeds(stage, cells)}
        if caveats and single == {cell.stage for cell in cells}:
            caveats.append(SINGLE_SEED)
        elif caveats and single:
            caveats.append(f"{', '.join(stage for stage in STAGES if stage in single)}: one training seed")
        return "; ".join(caveats) or None

    def _has_seeds(self, stage: str, cells: Sequence[Cell]) -> bool:
        """Return whether each family that goes through a stage does so with several replicates."""
        models = {cell.model.removesuffix(TUNED_SUFFIX) for cell in cells if cell.stage == stage}
        families = [split_replicate(model)[0] for model in models]
        return all(families.count(family) > 1 for family in families)

    def sample(self, problems: list[Problem], stage: str = "zero_shot") -> list[Problem]:
        """Return those of `problems` that a cell of `stage` takes in this shard."""
        whole = self.whole_sample(problems, stage)
        if self.shard.is_whole:
            return whole
        if not find_stage(stage).divides_problems:
            return whole if self.shard.number == 1 else []
        return self.shard.part(whole)

    def whole_sample(self, problems: list[Problem], stage: str = "zero_shot") -> list[Problem]:
        """Return those of `problems` that a cell of `stage` takes in all shards together."""
        samples = find_stage(stage).samples(self)
        return problems if samples < 0 else problems[:samples]

    def draws(self, stage: str) -> int:
        """Return how often a cell of `stage` draws the noise of each problem."""
        return find_stage(stage).draws(self)

    def options(self) -> dict[str, object]:
        """Return the plan as plain values, for the record of a run."""
        models = {spec.name: _portable_address(full_source(spec)) for spec in self.models}
        folder = None if self.noisy_folder is None else str(self.noisy_folder)
        values = {**asdict(self), "models": models, "noisy_folder": folder}
        values["attention_scope"] = str(self.attention_scope)
        values["shard"] = None if self.shard.is_whole else str(self.shard)
        del values["template"]  # its text is among the settings of each cell
        return {**values, "prompt": self.template.name, "chat": self.template.chat}

    @property
    def fixed_batch_size(self) -> int:
        """Problems in one pass, where `auto` has nothing to time."""
        return fixed_batch_size(self.batch_size)

    @property
    def source(self) -> str:
        """A name of the problems that does not depend on where a file lies: `mini:test`, `train.jsonl`."""
        return source_name(self.problems) if is_file_source(self.problems) else ":".join(split_source(self.problems))

    def ignored_settings(self) -> list[str]:
        """Return one line for each model whose own generation settings would make its answers other than greedy."""
        settings_by_model = ((spec.name, ignored_settings(spec)) for spec in self.models)
        return [
            f"{name}: answers are greedy; settings ignored in generation_config.json:"
            f" {', '.join(f'{setting}={value!r:.40}' for setting, value in settings.items())}"
            for name, settings in settings_by_model
            if settings
        ]

    def describe(self) -> str:
        """Return one line that says what will run."""
        models, datasets = replicates_text([spec.name for spec in self.models]), ", ".join(self.datasets)
        at_most = "at most " * is_file_source(self.problems)  # a file is read later
        size = "all problems" if self.max_samples < 0 else f"{at_most}{self.max_samples} problems"
        if "attention" in self.stages and self.attention_samples != self.max_samples:
            fewer = "all" if self.attention_samples < 0 else self.attention_samples
            size += f" ({fewer} for attention)"
        if not self.shard.is_whole:
            size = f"shard {self.shard} of {size}"
        count = "all" if self.sft_samples < 0 else self.sft_samples
        noises = "" if self.sft_noise == ("clean",) else f" with {'/'.join(self.sft_noise)}"
        tuning = {"sft": f"sft ({self.tuning.method}, {count} × {self.tuning.epochs}{noises})"}
        stages = (
            ", ".join(tuning.get(stage, stage) for stage in self.stages)
            or "no stage (all are skipped; drop a --skip-… option)"
        )
        last = self.seed + self.noise_seeds - 1
        noise = f"seed {self.seed}" if last == self.seed else f"seeds {self.seed} to {last}"
        if self.placement.position != "last":
            noise += f", noise in {self.placement.position} position"
        if self.noisy_folder is not None:
            noise = f"noise from the files in {self.noisy_folder}"
        prompt = "" if self.template == PLAIN else f", prompt {self.template.name}"
        prompt += " as a chat" if self.template.chat else ""
        return f"grid: {models} × {datasets} × {stages}; {size} a cell from {self.problems}, {noise}{prompt}"


def stages_of(options: dict[str, object]) -> tuple[str, ...]:
    """Return the stages that a run with these options, by name, goes through."""
    kept = (stage for stage in STAGES.values() if not options.get(stage.skip_option) and not stage.skipped(options))
    return tuple(stage.name for stage in kept)


def _portable_address(source: str) -> str:
    """Return where a model comes from; what this project holds by its path in it, which is the same everywhere."""
    project = Path(__file__).resolve().parent.parent
    path = Path(source)
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else source
