"""Differential architectures that transformers lacks, written from the formulas of their papers.

Importing this module registers their configurations and models with transformers, so that `models.load` reads their
checkpoints. `models.attention.subtraction_registry` says how their layers subtract.
"""

from transformers import AutoConfig, AutoModelForCausalLM

from models.architectures.diff_v1 import DiffV1Config, DiffV1ForCausalLM
from models.architectures.diff_v2 import DiffV2Config, DiffV2ForCausalLM
from models.architectures.grouped_diff import GroupedDiffConfig, GroupedDiffForCausalLM

__all__ = [
    "DiffV1Config",
    "DiffV1ForCausalLM",
    "DiffV2Config",
    "DiffV2ForCausalLM",
    "GroupedDiffConfig",
    "GroupedDiffForCausalLM",
]

for _config, _model in (
    (DiffV1Config, DiffV1ForCausalLM),
    (DiffV2Config, DiffV2ForCausalLM),
    (GroupedDiffConfig, GroupedDiffForCausalLM),
):
    AutoConfig.register(_config.model_type, _config)
    AutoModelForCausalLM.register(_config, _model)
