"""Names that several modules rely on: the stages, tuned models, and the files of a results folder.

`models` may not import this, and keeps the suffix and the log's name for itself (`models.sft.sft_options`,
`models.model_registry`); a test holds both sides together.
"""

from __future__ import annotations

#: The stages, as they stand in case ids and in the paths of records.
ZERO_SHOT, SFT, ATTENTION, LIKELIHOOD, INTERVENE = "zero_shot", "sft", "attention", "likelihood", "intervene"
#: What the name of a tuned model has behind that of its base, as in `diffllama+sft`.
TUNED_SUFFIX = "+sft"
#: The folder of tuned checkpoints in a results folder, and the log in each of them.
CHECKPOINTS_FOLDER = "checkpoints"
TRAINING_LOG = "training.json"
#: The folder of attention maps in a results folder.
MAPS_FOLDER = "attention_maps"
