"""Lists that a user types, read into the names and numbers they stand for. No torch here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from benchmarks.intervention_conditions import DEFAULT_INTERVENTIONS, INTERVENTIONS, is_intervention
from benchmarks.plan import MEASURES
from benchmarks.plan_errors import PlanError, escaped
from benchmarks.stages import STAGES
from models.loading.trust_remote_code import NO_TRUST, Trust
from models.model_registry import MODELS, ModelSpec, find_models, find_replicates
from models.replicate_names import replicate_name, replicates_text, split_replicate
from noise.registry import UnknownNoiseError, default_noises, find_noise
from noise.unknown_name import unknown_name


def known_datasets() -> tuple[str, ...]:
    """Return every dataset a cell can be about: the clean problems, and each noise."""
    return ("clean", *default_noises())


def choose_datasets(text: str | Sequence[str], parameter: str = "datasets") -> tuple[str, ...]:
    """Return the datasets of a list, comma-separated or not; `inf4` is the noise `inf` with four distractors, and
    `filler:inf` a placebo of it.

    A noise may be that of an installed package.

    Raises `PlanError`, about `parameter`, with the nearest name for an unknown one.
    """

    def is_noise(name: str) -> bool:
        try:
            find_noise(name)
        except UnknownNoiseError:
            return False
        except ValueError as error:
            raise PlanError(f"{{{parameter}:name}}: {escaped(str(error))}") from None
        return True

    return _chosen(parameter, "dataset", text, known_datasets(), is_noise)


def choose_measures(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return the measures of a list. Raises `PlanError` with the nearest name for an unknown one."""
    return _chosen("measures", "measure", text, MEASURES)


def choose_interventions(text: str | None) -> tuple[str, ...]:
    """Return the interventions of a list, the usual ones for None. Raises `PlanError` with the nearest name for an
    unknown one."""
    if text is None:
        return DEFAULT_INTERVENTIONS
    return _chosen("interventions", "intervention", text, INTERVENTIONS, is_intervention)


def choose_replicated_stages(text: str | None) -> tuple[str, ...]:
    """Return the stages of a list, `all` for each, none for None. Raises `PlanError` with the nearest name."""
    if text is None:
        return ()
    return _chosen("replicated_stages", "stage", tuple(STAGES) if text.strip() == "all" else text, tuple(STAGES))


def choose_sft_noise(text: str) -> tuple[str, ...]:
    """Return the noises to tune with, of `none` or a list of datasets, `clean` among them. Raises `PlanError`."""
    names = ["clean" if part.strip() == "none" else part for part in text.split(",")]
    return choose_datasets(names, parameter="sft_noise")


def choose_numbers(parameter: str, text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of a list such as `0,3` or `0-3`, sorted, each once; None for all. Raises `PlanError`."""
    if text is None or text == "all":
        return None
    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:-(\d{1,4}))?\s*", part)
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise PlanError(
                f"{{{parameter}:name}} {escaped(repr(text))}: expected numbers from 0 up, as in 0,3 or 0-3, or all;"
                f" got {escaped(repr(part))}"
            )
        numbers |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(numbers))


def choose_models(
    models: str | Sequence[str], trust: Trust = NO_TRUST, replicates: str | None = None
) -> tuple[ModelSpec, ...]:
    """Return the models of a list, comma-separated or not, each trusted as `trust` says.

    With `replicates`, a list of numbers such as `0-7` or `all`, they are these replicates of each, the first of every
    model before the second of any. Raises `UnknownModelError`, and `PlanError` for what is no list of names or numbers.
    """
    specs = find_models(models if isinstance(models, str) else ",".join(listed("models", models)), trust)
    if replicates is None:
        return tuple(specs)
    chosen = choose_numbers("replicates", replicates)
    by_family = {spec.name: _registered_replicates(spec) for spec in specs}
    numbers = sorted({number for known in by_family.values() for number in known}) if chosen is None else chosen
    for name, known in by_family.items():
        missing = [number for number in numbers if number not in known]
        if missing:
            raise PlanError(
                f"{{replicates:name}} {escaped(repr(replicates))}: {name} has no replicate {missing[0]}; available:"
                f" {replicates_text([replicate_name(name, number) for number in known])}"
            )
    return tuple(replace(known[number], trust=trust) for number in numbers for known in by_family.values())


def _registered_replicates(spec: ModelSpec) -> dict[int, ModelSpec]:
    """Return the replicates of a registered model by number. Raises `PlanError` for any other model."""
    if split_replicate(spec.name)[1]:
        raise PlanError(
            f"{{replicates:name}}: expected families in {{models:name}}, got the replicate {escaped(spec.name)};"
            " use one option or the other"
        )
    names = find_replicates(spec.name)
    if not names or replace(MODELS[names[0]], trust=spec.trust) != spec:
        raise PlanError(
            f"{{replicates:name}} works with registered families only, and {escaped(spec.name)} is none;"
            f" name those of yours in {{models:name}}, as {escaped(spec.name)}:0=PATH,{escaped(spec.name)}:1=PATH"
        )
    return {split_replicate(name)[1]: MODELS[name] for name in names}


def listed(parameter: str, names: str | Iterable[str]) -> list[str]:
    """Return the names of a list, comma-separated or not. Raises `PlanError`, about `parameter`, for anything else."""
    if isinstance(names, str):
        return names.split(",")
    parts = list(names) if isinstance(names, Iterable) else [names]
    wrong = [part for part in parts if not isinstance(part, str)]
    if wrong:
        raise PlanError(
            f"{{{parameter}:name}}={escaped(repr(names)[:60])}: expected a name, or a list of names,"
            f" got {type(wrong[0]).__name__}"
        )
    return parts


def _chosen(
    parameter: str,
    noun: str,
    text: str | Sequence[str],
    known: Sequence[str],
    is_valid_extra: Callable[[str], bool] = lambda name: False,
) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in listed(parameter, text) if part.strip()))
    for name in names:
        if name not in known and not is_valid_extra(name):
            raise PlanError(f"{{{parameter}:name}}: {escaped(unknown_name(noun, name, known))}")
    if not names:
        raise PlanError(f"{{{parameter}:name}} {escaped(repr(text))} names no {noun}. Known: {', '.join(known)}.")
    return names
