"""Stage `sft`: each model is fine-tuned, and its tuned version answers what the model itself was asked."""

from __future__ import annotations

from benchmarks.stages.stage import Stage
from benchmarks.stages.zero_shot import run_zero_shot
from reports.stages import REPORTED_STAGES

SFT = Stage.from_reported(
    REPORTED_STAGES["sft"],
    own_test=True,
    run=run_zero_shot,
    models="tuned",
    # Without accuracy models are tuned for the other stages, and are asked nothing here.
    has_cases=lambda plan: "accuracy" in plan.measures,
    skipped=lambda options: bool(options["mode"]) and not options["enable_sft"],
    skip_help="leave out the stage sft, and with it the attention of tuned models",
)
