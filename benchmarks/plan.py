"""The grid of an experiment: model × noise × stage, and how many problems a cell takes. No torch here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.decode.batch_size_option import BatchSize, rows_of
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.model_registry import ModelSpec, address, find_models
from models.prompt import PLAIN, Template
from models.sft.sft_options import SUFFIX, Tuning
from noise.problems.jsonl import unknown
from noise.problems.problem import Problem
from noise.problems.problem_sources import is_file_source, split_source
from noise.registry import NOISES, find_noise
from reports.store.records import Cell

#: Every stage there is, in the order in which one model goes through them.
STAGES = ("zero_shot", "sft", "attention", "likelihood")
#: What can be asked about: how many answers are right, and how likely the worked ones are held to be.
MEASURES = ("accuracy", "likelihood")
#: Every dataset a cell can be about: the clean problems, and each noise.
DATASETS = ("clean", *NOISES)
#: Problems a cell, by the size that was asked for; −1 is all there are.
SIZES = {"quick": 20, "default": 200, "medium": 100, "full": -1}
#: The same for the stage `attention`.
ATTENTION_SIZES = {"quick": 20, "default": 100, "medium": 50, "full": 200}
#: Problems to fine-tune on and passes over them; of the first, unless `--sft-samples` says so, as many as there are.
SFT_SIZES = {"quick": (50, 1), "default": (500, 2), "medium": (500, 2), "full": (500, 2)}
#: How accelerate lays a model over several cards and the memory beside them.
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
#: Who looks: the tokens of the worked answer, the last token of the prompt, or all of the prompt.
QUERIES = ("answer", "last", "all")
#: What a needle is put at several depths of (`benchmarks.needles`): one case a model, beside the grid's own.
NEEDLE = "needle"


class GridError(ValueError):
    """Something was asked of the grid that it does not have."""


@dataclass(frozen=True)
class Looking:
    """What the stage `attention` measures: from where, and in which layers and heads (numbers from 0; None for all)."""

    queries: str = QUERIES[0]
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse queries that there are not: `GridError`."""
        if self.queries not in QUERIES:
            raise GridError(unknown("queries", self.queries, QUERIES))

    def __str__(self) -> str:
        """In words, as it stands in the key of a reading."""
        layers, heads = ("all" if some is None else ",".join(map(str, some)) for some in (self.layers, self.heads))
        return f"queries {self.queries}; layers {layers}; heads {heads}"


@dataclass(frozen=True)
class Plan:
    """What one run will do: everything it takes from its options, checked, before anything is loaded.

    `max_samples` and `attention_samples` count problems a cell, −1 for all; the first ones of `problems` are taken.
    Each noise is drawn with `seed` and the seeds after it, `noise_seeds` in all; for attention with `seed` alone.
    `noisy_folder` is where noisy files are read from instead of noise being drawn (`--skip-data-gen`), None otherwise.
    `template` is what models are asked with. `attention_maps` counts the problems whose patterns are drawn.
    `sft_samples` counts problems to fine-tune on, −1 for all, the first ones of `sft_problems` or, where that is None,
    of the training split of `problems`; fewer will do unless `sft_exactly`. Each of them carries one of `sft_noise`.
    """

    models: tuple[ModelSpec, ...]
    datasets: tuple[str, ...]
    stages: tuple[str, ...]
    problems: str = "mini"
    max_samples: int = SIZES["default"]
    measures: tuple[str, ...] = MEASURES[:1]
    seed: int = 0
    noise_seeds: int = 1
    batch_size: BatchSize = 64
    max_new_tokens: int = 256
    device: str = "auto"
    dtype: str = "auto"
    device_map: str | None = None
    template: Template = PLAIN
    noisy_folder: Path | None = None
    attention_samples: int = ATTENTION_SIZES["default"]
    attention_maps: int = 1
    looking: Looking = Looking()
    tuning: Tuning = field(default_factory=Tuning)
    sft_samples: int = SFT_SIZES["default"][0]
    sft_exactly: bool = False
    sft_problems: str | None = None
    sft_noise: tuple[str, ...] = ("clean",)

    def __post_init__(self) -> None:
        """Refuse sizes that mean nothing: `GridError`."""
        self._check_tuning()
        if self.device_map is not None and self.device_map not in DEVICE_MAPS:
            raise GridError(f"--device-map: {unknown('way', self.device_map, DEVICE_MAPS)}")
        if self.device_map is not None and self.device != "auto":
            raise GridError(f"--device {self.device} and --device-map {self.device_map}: expected one of them at most")
        for samples in (self.max_samples, self.attention_samples):
            if samples != -1 and samples < 1:
                raise GridError(f"--max-samples {samples}: expected a number from 1 up, or -1 for all")
        if self.attention_maps < 0:
            raise GridError(f"--attention-maps {self.attention_maps}: expected a number from 0 up")
        if self.noise_seeds > 1 and self.noisy_folder is not None:
            raise GridError(
                f"--noise-seeds {self.noise_seeds} draws noise and --skip-data-gen draws none: the files hold one draw"
            )
        for option, value in (
            ("--noise-seeds", self.noise_seeds),
            ("--batch-size", self.rows),
            ("--max-new-tokens", self.max_new_tokens),
        ):
            if value < 1:
                raise GridError(f"{option} {value}: expected a number from 1 up")

    def cells(self, stage: str, *models: ModelSpec, datasets: Sequence[str] = ()) -> list[tuple[ModelSpec, Cell]]:
        """The cells of a stage, of all models or of `models`, model by model, in the order of the options; `datasets`
        takes the place of the plan's. Readings are taken of tuned models too, as `diffllama+sft`."""
        names = datasets or self.datasets
        found = []
        for spec in models or self.models:
            tuned = [spec.name + SUFFIX] if stage in STAGES[2:] and "sft" in self.stages else []
            found += [(spec, Cell(name, dataset, stage)) for name in (spec.name, *tuned) for dataset in names]
        return found

    def has_cases(self, stage: str) -> bool:
        """Whether a stage has cases: without accuracy, models may be tuned, but nothing is asked of them."""
        return stage in self.stages and ("accuracy" in self.measures or stage in STAGES[2:])

    def caveat(self, cells: Sequence[Cell]) -> str | None:
        """What must be said beside figures of `cells`, if anything."""
        used = {cell.model.removesuffix(SUFFIX) for cell in cells} | {cell.model for cell in cells}
        return "; ".join(sorted({spec.caveat for spec in self.models if spec.name in used} - {""})) or None

    def sample(self, problems: list[Problem], stage: str = "zero_shot") -> list[Problem]:
        """Those of `problems` that a cell of `stage` takes."""
        samples = self.attention_samples if stage == "attention" else self.max_samples
        return problems if samples < 0 else problems[:samples]

    def draws(self, stage: str) -> int:
        """How often a cell of `stage` draws the noise of each problem."""
        return 1 if stage == "attention" else self.noise_seeds

    def options(self) -> dict[str, object]:
        """The plan as plain values, for the record of a run."""
        models = {spec.name: _place(address(spec)) for spec in self.models}
        folder = None if self.noisy_folder is None else str(self.noisy_folder)
        facts = {**asdict(self), "models": models, "noisy_folder": folder, "looking": str(self.looking)}
        del facts["template"]  # its text is among the settings of each cell
        return {**facts, "prompt": self.template.name, "chat": self.template.chat}

    def _check_tuning(self) -> None:
        tuning = self.tuning
        if self.sft_samples != -1 and self.sft_samples < 1:
            raise GridError(f"--sft-samples {self.sft_samples}: expected a number from 1 up, or -1 for all")
        for option, value in (
            ("--sft-epochs", tuning.epochs),
            ("--sft-batch-size", tuning.batch),
            ("--sft-accumulation", tuning.accumulation),
            ("--sft-rank", tuning.rank),
        ):
            if value < 1:
                raise GridError(f"{option} {value}: expected a number from 1 up")
        if "sft" in self.stages and self.dtype == "float16":
            raise GridError(
                "--dtype float16: fine-tuning takes float32 or bfloat16, in which no loss is scaled, or --skip-sft"
            )
        if "sft" in self.stages and self.device_map is not None:
            raise GridError(
                f"--device-map {self.device_map}: fine-tuning takes one card; leave it out (--skip-sft), or the option"
            )
        if "sft" in self.stages and re.fullmatch(r"cuda:0*[1-9]\d*", self.device):
            raise GridError(
                f"--device {self.device}: fine-tuning takes the first card that is visible; set CUDA_VISIBLE_DEVICES="
                f"{self.device.partition(':')[2]} and give --device cuda, or --skip-sft"
            )
        if tuning.rate is not None and not 0 < tuning.rate < math.inf:
            raise GridError(f"--sft-lr {tuning.rate}: expected a number above 0")
        names = {spec.name for spec in self.models}
        taken = [name for name in names if name + SUFFIX in names]
        if taken and "sft" in self.stages:
            raise GridError(
                f"--models: {taken[0] + SUFFIX!r} is the name of the tuned {taken[0]!r}; give that model another name,"
                " or --skip-sft"
            )

    @property
    def rows(self) -> int:
        """Problems in one pass, where `auto` has nothing to time."""
        return rows_of(self.batch_size)

    @property
    def source(self) -> str:
        """A name of the problems that does not depend on where a file lies: `mini:test`, `train.jsonl`."""
        return Path(self.problems).name if is_file_source(self.problems) else ":".join(split_source(self.problems))

    def describe(self) -> str:
        """One line that says what will run."""
        models, datasets = ", ".join(spec.name for spec in self.models), ", ".join(self.datasets)
        size = "all problems" if self.max_samples < 0 else f"{self.max_samples} problems"
        if "attention" in self.stages and self.attention_samples != self.max_samples:
            fewer = "all" if self.attention_samples < 0 else self.attention_samples
            size += f" ({fewer} for attention)"
        count = "all" if self.sft_samples < 0 else self.sft_samples
        noises = "" if self.sft_noise == ("clean",) else f" with {'/'.join(self.sft_noise)}"
        tuning = {"sft": f"sft ({self.tuning.method}, {count} × {self.tuning.epochs}{noises})"}
        stages = ", ".join(tuning.get(stage, stage) for stage in self.stages) or "no stage (all skipped)"
        last = self.seed + self.noise_seeds - 1
        noise = f"seed {self.seed}" if last == self.seed else f"seeds {self.seed} to {last}"
        if self.noisy_folder is not None:
            noise = f"noise from the files in {self.noisy_folder}"
        return f"grid: {models} × {datasets} × {stages}; {size} a cell from {self.problems}, {noise}"


def _place(source: str) -> str:
    """Where a model comes from; what this project holds by its place in it, which is the same on every machine."""
    project = Path(__file__).resolve().parent.parent
    path = Path(source)
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else source


def choose_datasets(text: str | Sequence[str]) -> tuple[str, ...]:
    """The datasets of a list, comma-separated or not; `inf4` is the noise `inf` with four distractors. Raises
    `GridError`, with the nearest name, for an unknown one."""
    return _chosen("--datasets", "dataset", text, DATASETS, _is_dose)


def choose_measures(text: str | Sequence[str]) -> tuple[str, ...]:
    """The same of measures."""
    return _chosen("--measure", "measure", text, MEASURES)


def _is_dose(name: str) -> bool:
    """Whether a name is that of a noise with a number behind it. Raises `GridError` for a number that is too large."""
    if name.rstrip("0123456789") not in NOISES:
        return False
    try:
        find_noise(name)
    except ValueError as error:
        raise GridError(f"--datasets: {error}") from None
    return True


def _chosen(
    option: str,
    kind: str,
    text: str | Sequence[str],
    known: tuple[str, ...],
    other: Callable[[str], bool] = lambda name: False,
) -> tuple[str, ...]:
    parts = text.split(",") if isinstance(text, str) else text
    names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in names:
        if name not in known and not other(name):
            raise GridError(f"{option}: {unknown(kind, name, known)}")
    if not names:
        raise GridError(f"{option} {text!r} names no {kind}. Known: {', '.join(known)}.")
    return names


def choose_sft_noise(text: str) -> tuple[str, ...]:
    """The noises to tune with: `none`, or a list of datasets, `clean` among them. Raises `GridError`."""
    try:
        return choose_datasets(["clean" if part.strip() == "none" else part for part in text.split(",")])
    except GridError as error:
        raise GridError(str(error).replace("--datasets", "--sft-noise") + " Or none.") from None


def is_tuned(spec: ModelSpec, cell: Cell) -> bool:
    """Whether a cell of `spec` is about the model that comes of tuning it."""
    return cell.stage == "sft" or cell.model == spec.name + SUFFIX


def choose_numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """The numbers of a list such as `0,3` or `0-3`, sorted, each once; None for all. Raises `GridError`."""
    if text is None or text == "all":
        return None
    chosen: dict[int, None] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:-(\d{1,4}))?\s*", part)
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise GridError(f"{option} {text!r}: expected numbers from 0 up, as in 0,3 or 0-3, or all; got {part!r}")
        chosen |= dict.fromkeys(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(chosen))


def choose_models(models: str | Sequence[str], trust: Trust = NO_TRUST) -> tuple[ModelSpec, ...]:
    """The models of a comma-separated list, or of a list, each trusted as `trust` says. Raises `UnknownModelError`."""
    return tuple(find_models(models if isinstance(models, str) else ",".join(models), trust))
