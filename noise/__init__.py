"""Maths word problems, and distractors to insert into them. Standard library only."""

from noise.inject import inject
from noise.parallel import inject_all
from noise.problems.noisy_files import generate_noisy_datasets
from noise.problems.problem import NoisyProblem, Problem, strip
from noise.problems.problem_sources import download_gsm8k, load_problems
from noise.registry import NOISES, PLACEBOS

__all__ = [
    "NOISES",
    "PLACEBOS",
    "NoisyProblem",
    "Problem",
    "download_gsm8k",
    "generate_noisy_datasets",
    "inject",
    "inject_all",
    "load_problems",
    "strip",
]
