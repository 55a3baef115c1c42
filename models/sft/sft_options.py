"""All settings of a fine-tuning. No torch here: the command line reads it."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("lora", "full")
LOSSES = ("answer", "all")
#: Suffix of a tuned model's name: `diffllama+sft` is a model of its own.
SUFFIX = "+sft"
#: The layers that LoRA adapts, by the `model_type` of a configuration; for others see `models.loading.lora_adapters`.
LORA_TARGETS = dict.fromkeys(
    ("diffllama", "llama", "diff_v1", "diff_v2", "grouped_diff"),
    ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
)
#: Learning rate times hidden size. Adam's best rate falls with the width of a model (Yang et al., arXiv 2203.03466,
#: table 3); the constants were chosen on the miniatures, whose width is 128, and give 4e-4 and 8e-5 at 1,024.
RATE_TIMES_WIDTH = {"lora": 0.4, "full": 0.08}


@dataclass(frozen=True)
class Tuning:
    """Settings of a fine-tuning; everything else is the Trainer's default.

    `method` is `lora` (rank `rank`, alpha twice that; everything else frozen, a differential layer's λ too) or `full`
    (every weight, λ too). `epochs` counts passes over the problems, `batch` problems a forward pass, `accumulation`
    batches an optimizer step. `rate` is the peak learning rate of AdamW; None means `RATE_TIMES_WIDTH / hidden size`.
    The loss is over the tokens of the `answer`, or over `all` of the text.
    """

    method: str = "lora"
    epochs: int = 2
    batch: int = 8
    accumulation: int = 1
    rate: float | None = None
    rank: int = 16
    loss: str = "answer"
    seed: int = 0
