"""Load, run, measure and fine-tune language models. Importing this package does not import torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from models.model_registry import MODELS, ModelSpec, UnknownModelError, find_model, find_models
from models.sft.sft_options import Tuning

_LAZY = {
    "load": "loading.load_model",
    "LoadedModel": "loading.load_model",
    "LoadError": "loading.load_errors",
    "generate": "decode.generation",
    "differential_attention": "attention.differential",
    "lambdas": "attention.differential",
    "AttentionUnavailable": "attention.attention_errors",
    "Subtraction": "attention.subtraction",
    "SUBTRACTIONS": "attention.subtraction_registry",
    "attention_allocation": "attention.allocation",
    "Allocation": "attention.allocation",
    "cut_attention": "attention.cut_attention",
    "scaled_lambda": "attention.cut_attention",
    "tune": "sft.fine_tuning",
    "TuningMismatch": "sft.tuning_errors",
    "TrainingDiverged": "sft.tuning_errors",
    "TuningNotApplied": "sft.tuning_errors",
}

__all__ = ["MODELS", "ModelSpec", "UnknownModelError", "find_model", "find_models", "Tuning", *_LAZY]


def __getattr__(name: str) -> Any:
    """Import a name that needs torch when it is first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"models.{_LAZY[name]}"), name)
