"""Models: where they come from, and what is done with them. Importing this package does not import torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from models.registry import MODELS, ModelSpec, UnknownModelError, find_model, find_models
from models.tuning_options import Tuning

_LAZY = {
    "load": "loading",
    "LoadedModel": "loading",
    "LoadError": "loading",
    "generate": "generation",
    "differential_attention": "differential",
    "lambdas": "differential",
    "AttentionUnavailable": "subtraction",
    "Subtraction": "subtraction",
    "SUBTRACTIONS": "subtraction",
    "attention_allocation": "allocation",
    "Allocation": "allocation",
    "tune": "tuning",
    "TuningMismatch": "tuning_match",
    "TrainingDiverged": "tuning_trainer",
    "TuningNotApplied": "tuning_proof",
}

__all__ = ["MODELS", "ModelSpec", "UnknownModelError", "find_model", "find_models", "Tuning", *_LAZY]


def __getattr__(name: str) -> Any:
    """The names that need torch, imported when first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"models.{_LAZY[name]}"), name)
