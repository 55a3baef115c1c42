"""Which cases one xdist worker runs after each other: all of one model, so that no other worker loads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.stages import STAGES
from models.model_registry import ModelSpec
from reports.store.stage_and_file_names import INTERVENE, TUNED_SUFFIX, ZERO_SHOT

#: Files of weights, whose size says how long a model takes next to another.
_WEIGHTS = (".safetensors", ".bin")


@dataclass(frozen=True)
class CaseOfModel:
    """What an id such as `benchmarks/test_zero_shot.py::test_zero_shot[diffllama-inf-zero_shot]` says of its case."""

    spec: ModelSpec
    stage: str


class CaseNames:
    """Reads the model and the stage of a case from its id: only workers collect, and send nothing but ids."""

    def __init__(self, plan: Plan) -> None:
        self._planned = {
            _escaped(cell.id): CaseOfModel(plan.spec_of(cell), stage) for stage in STAGES for cell in plan.cells(stage)
        }
        names = {name: spec for spec in plan.models for name in (spec.name, spec.name + TUNED_SUFFIX)}
        self._specs = {_escaped(name): spec for name, spec in names.items()}
        longest_first = sorted(self._specs, key=len, reverse=True)
        stages = "|".join(map(re.escape, STAGES))
        # A test may have other parameters, in front or behind, and other datasets than the plan.
        self._pattern = re.compile(rf"(?:.*-)?({'|'.join(map(re.escape, longest_first))})-.+-({stages})(?:-.*)?")

    def read(self, case: str) -> CaseOfModel | None:
        """Return what the id `case` says; None for a case that has no cell of the plan's models."""
        parameters = case.partition("[")[2].removesuffix("]")
        if parameters in self._planned:
            return self._planned[parameters]
        match = self._pattern.fullmatch(parameters)
        return None if match is None else CaseOfModel(self._specs[match[1]], match[2])


def _escaped(name: str) -> str:
    """Return a name as pytest writes it into an id."""
    return name.encode("unicode_escape").decode("ascii")


def group_cases(cases: Sequence[str], plan: Plan, workers: int) -> dict[str, list[int]]:
    """Return the numbers of `cases`, a list of ids, in groups, each for one worker; the heaviest comes first.

    Two cases may have one id: those of files outside the project have no path in theirs.

    All cases of one model, tuned or not, are a group, in the order that they have. Where there are fewer models than
    `workers` and none is tuned, each model's cases are divided among as many workers as it can have; the stages
    `zero_shot` and `intervene` of a model stay together, as the second reads what the first has written. Cases without
    a cell are grouped by their file, and come last. Groups are named after their model or their file.
    """
    names = CaseNames(plan)
    by_model: dict[ModelSpec, list[int]] = {}
    by_file: dict[str, list[int]] = {}
    stage_of: dict[int, str] = {}
    for number, case in enumerate(cases):
        of_model = names.read(case)
        if of_model is None:
            path = case.partition("::")[0]  # none for a file outside the project
            by_file.setdefault(f"file {path}" if path else f"case {number}", []).append(number)
        else:
            by_model.setdefault(of_model.spec, []).append(number)
            stage_of[number] = of_model.stage
    sizes = _relative_sizes(by_model)
    parts = 1 if "sft" in plan.stages or not by_model else max(1, workers // len(by_model))
    weighed: list[tuple[float, str, list[int]]] = []
    for spec, of_spec in by_model.items():
        for order, part in enumerate(_divided(of_spec, stage_of, plan, parts), start=1):
            weight = sizes[spec] * sum(_passes(stage_of[number], plan) for number in part)
            weighed.append((weight, spec.name if order == 1 else f"{spec.name}, part {order}", part))
    weighed.sort(key=lambda group: -group[0])  # stable: equal ones stay in the order of the models
    return {name: part for _, name, part in weighed} | by_file


def _divided(cases: Sequence[int], stage_of: Mapping[int, str], plan: Plan, parts: int) -> list[list[int]]:
    """Return the cases of one model in at most `parts` parts of similar weight, none of them empty."""
    if parts == 1:
        return [list(cases)]
    tied = {ZERO_SHOT, INTERVENE} if INTERVENE in stage_of.values() else set()
    units: dict[object, list[int]] = {}
    for case in cases:
        units.setdefault("tied" if stage_of[case] in tied else case, []).append(case)

    def weight(unit: Iterable[int]) -> int:
        return sum(_passes(stage_of[case], plan) for case in unit)

    divided: list[list[int]] = [[] for _ in range(min(parts, len(units)))]
    for unit in sorted(units.values(), key=weight, reverse=True):
        min(divided, key=weight).extend(unit)
    return [sorted(part) for part in divided]


def _passes(stage: str, plan: Plan) -> int:
    """Return how often a case of a stage asks about each problem, roughly: once, or once under each condition."""
    return 2 + len(plan.interventions) if stage == INTERVENE else 1


def _relative_sizes(specs: Iterable[ModelSpec]) -> dict[ModelSpec, int]:
    """Return the bytes of each model's weights, or 1 for all where those of one are not in a folder."""
    sizes = {spec: _weight_bytes(Path(spec.source, spec.subfolder)) for spec in specs}
    return sizes if all(sizes.values()) else dict.fromkeys(sizes, 1)


def _weight_bytes(folder: Path) -> int:
    files = folder.glob("*") if folder.is_dir() else ()
    return sum(path.stat().st_size for path in files if path.suffix in _WEIGHTS and path.is_file())
