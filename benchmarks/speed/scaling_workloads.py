"""What `python -m benchmarks scaling` makes grow, and how one size of it is timed."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count as count_from_zero
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.evaluation import draw_questions, evaluate
from noise import inject_all, mini
from noise.problems.problem import Problem
from reports.experiment import Experiment
from reports.store.records import Cell, Outcome, Prediction, Settings
from reports.store.results_folder import Results

#: A small model of the study's architecture, for what the shipped pair cannot vary: layers and answer lengths.
SMALL = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4, "num_key_value_heads": 2}
NOISES = ("inf", "rcs", "sd")
#: Ends the name of what is measured with all processors.
ALL_PROCESSORS = ", all processors"
QUESTIONS = (10_000, 100_000, 1_000_000)


def _problems(count: int) -> float:
    """Seconds for `count` problems of one cell, from the question to the prediction on disk."""
    from models.loading.load_model import load

    loaded = load("llama", "cpu", "float32")
    problems = mini.problems("test")
    draws = max(1, count // len(problems))
    noisy_problems = draw_questions("inf", problems[: min(count, len(problems))], 0, draws=draws)
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(Results(Path(folder)))
        return _seconds(
            lambda: evaluate(experiment, loaded, Cell("llama", "inf", "zero_shot"), noisy_problems, "mini:test")
        )


def _tokens(count: int) -> float:
    """Seconds for answers of `count` tokens to 64 prompts of 64 tokens."""
    return _small_model(4, count)


def _layers(count: int) -> float:
    """Seconds of a model of `count` layers, for answers of 50 tokens to 64 prompts of 64 tokens."""
    return _small_model(count, 50)


def _small_model(layers: int, tokens: int) -> float:
    from benchmarks.speed.study_shape import questions, study_shape
    from models.decode.generation import answers

    shape = {**SMALL, "num_hidden_layers": layers, "max_position_embeddings": 2048, "tie_word_embeddings": True}
    loaded = study_shape("diffllama", "float32", shape)
    texts = questions(((64, tokens),) * 64)
    generations: list[Any] = []
    seconds = _seconds(lambda: generations.extend(answers(loaded, texts, 500)))
    assert all(generation.tokens == tokens for _, generation in generations)
    return seconds


def _cells(count: int) -> float:
    """Seconds for `count` cells of 50 problems, with all reports."""
    from benchmarks import run_comprehensive_evaluation

    doses = [f"inf{dose}" for dose in range(2, count + 2)]
    with tempfile.TemporaryDirectory() as folder:
        return _seconds(
            lambda: run_comprehensive_evaluation(
                models="llama", datasets=doses, max_samples_per_dataset=50, results=folder, device="cpu"
            )
        )


def _noise(name: str, processes: int = 1) -> Callable[[int], float]:
    def measure(count: int) -> float:
        """Seconds to add noise to `count` questions, none seen before and none kept."""
        noisy = inject_all(islice(endless_problems(), count), name, processes=processes)
        return _seconds(lambda: deque(noisy, maxlen=0))

    return measure


def endless_problems() -> Iterator[Problem]:
    """Yield problems without end. Each has its own id, so that its noise is drawn for it, and its own question, so that
    no cache holds it: white space at the end makes it another text and changes nothing else."""
    problems = mini.problems("test")
    for number in count_from_zero():
        space = f"{number:b}".translate({ord("0"): " ", ord("1"): "\t"})
        for index, problem in enumerate(problems):
            yield Problem(f"{number}-{index}", problem.question + space, problem.answer)


def _prediction(number: int, outcome: Outcome, noisy: bool) -> Prediction:
    """A prediction with `outcome`, about a question of ten words."""
    target = f"{2 * number}"
    answer = {"correct": target, "incorrect": f"{2 * number + 1}"}.get(outcome)
    steps = f"{number}+{number}={answer}"
    return Prediction(
        id=f"{number}",
        question=f"How many are {number} and {number}?",
        spans=((0, 3),) if noisy else (),
        gold=f"{number}+{number}={target}\n#### {target}",
        target=target,
        text=f" {steps}\n#### {answer}" if answer else " I cannot say.",
        answer=answer,
        outcome=outcome,
        tokens=20,
    )


def _report(count: int) -> float:
    """Seconds for all reports of `count` predictions in eight cells."""
    outcomes: tuple[Outcome, ...] = ("correct", "incorrect", "no_answer")
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        settings = Settings(
            weights="0" * 64,
            prompt="{question}",
            stop="end of text",
            max_new_tokens=256,
            precision="float32",
            generation="",
            problems="mini:test",
        )
        rng = random.Random(0)
        for model in ("diffllama", "llama"):
            for dataset in ("clean", *NOISES):
                predictions = (
                    _prediction(number, rng.choice(outcomes), noisy=dataset != "clean") for number in range(count // 8)
                )
                results.append(Cell(model, dataset, "zero_shot"), settings, predictions)
        experiment = Experiment(Results(Path(folder)))
        return _seconds(lambda: (experiment.write(), experiment.summary()))


#: What grows: its sizes, and the seconds at one of them.
WORKLOADS: dict[str, tuple[tuple[int, ...], Callable[[int], float]]] = {
    "problems": ((100, 1_000, 10_000), _problems),
    "tokens": ((50, 100, 200, 400), _tokens),
    "layers": ((2, 4, 8, 16), _layers),
    "cells": ((2, 4, 8, 16), _cells),
    **{f"noise {name}": (QUESTIONS, _noise(name)) for name in NOISES},
    **{f"noise {name}{ALL_PROCESSORS}": (QUESTIONS, _noise(name, os.cpu_count() or 1)) for name in NOISES},
    "report": ((1_000, 10_000, 100_000), _report),
}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
