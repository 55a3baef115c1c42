"""Maths word problems, and distractors to put into them. Standard library only."""

from noise.datasets import generate_noisy_datasets
from noise.inject import inject
from noise.many import inject_all
from noise.problems import NoisyProblem, Problem, strip
from noise.registry import NOISES
from noise.sources import download_gsm8k, load_problems

__all__ = [
    "NOISES",
    "NoisyProblem",
    "Problem",
    "download_gsm8k",
    "generate_noisy_datasets",
    "inject",
    "inject_all",
    "load_problems",
    "strip",
]
