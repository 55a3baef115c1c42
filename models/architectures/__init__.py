"""Differential architectures that transformers lacks, written from the formulas of their papers.

Importing this module registers their configurations and models with transformers, so that `models.load` reads their
checkpoints. `models.attention.subtraction_registry` says how their layers subtract.
"""

from transformers import AutoConfig, AutoModelForCausalLM

from models.architectures.diff_v1 import DiffV1Config, DiffV1ForCausalLM
from models.architectures.diff_v2 import DiffV2Config, DiffV2ForCausalLM
from models.architectures.grouped_diff import GroupedDiffConfig, GroupedDiffForCausalLM

__all__ = [
    "OWN_MODEL_TYPES",
    "DiffV1Config",
    "DiffV1ForCausalLM",
    "DiffV2Config",
    "DiffV2ForCausalLM",
    "GroupedDiffConfig",
    "GroupedDiffForCausalLM",
]

_OWN = (
    (DiffV1Config, DiffV1ForCausalLM),
    (DiffV2Config, DiffV2ForCausalLM),
    (GroupedDiffConfig, GroupedDiffForCausalLM),
)
#: The `model_type` of each in a checkpoint's configuration.
OWN_MODEL_TYPES = tuple(_config.model_type for _config, _ in _OWN)
for _config, _model in _OWN:
    AutoConfig.register(_config.model_type, _config)
    AutoModelForCausalLM.register(_config, _model)
