"""The models that `python -m benchmarks peers` times, and their questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.speed.study_shape import LENGTHS, questions, study_shape
from noise import inject, mini

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: The batch size of this harness for the study's shape.
STUDY_BATCH_SIZE = 96


@dataclass(frozen=True)
class Case:
    """A model and its questions. `batch_size` is ours; `loop`, `lm_eval` and `continuous` are the questions that each
    other harness gets in a round (0 for none). `tokens` are those of each prompt and its answer, where known before."""

    name: str
    load: Callable[[], LoadedModel]
    questions: Sequence[str]
    max_new_tokens: int
    batch_size: int
    loop: int
    lm_eval: int
    continuous: int
    tokens: Sequence[tuple[int, int]] = ()


def cases(shape: str) -> list[Case]:
    """Return the cases of `shipped`, the embedded pair, or of `study`, the study's shape in float32 and bfloat16."""
    if shape == "shipped":
        noisy = [inject(problem, "inf", 0).question for problem in mini.problems("test")[:400]]
        return [Case(name, _shipped(name), noisy, 256, 64, 100, 400, 64) for name in ("diffllama", "llama")]
    lengths = LENGTHS * 3
    return [
        Case(
            f"{family}, the study's shape, {precision}",
            _study(family, precision),
            questions(lengths),
            300,
            STUDY_BATCH_SIZE,
            3,
            64,
            0,
            lengths,
        )
        for family, precision in (("diffllama", "float32"), ("diffllama", "bfloat16"), ("llama", "float32"))
    ]


def _shipped(name: str) -> Callable[[], LoadedModel]:
    def load() -> LoadedModel:
        import models.loading.load_model

        return models.loading.load_model.load(name, "cpu", "float32")

    return load


def _study(family: str, precision: str) -> Callable[[], LoadedModel]:
    return lambda: study_shape(family, precision)
