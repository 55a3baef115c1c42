"""User-facing errors, and the option that fixes each.

The packages below do not know the command line: their errors say what is wrong, and this table adds what to type.
"""

from __future__ import annotations

import re
from typing import Any

from benchmarks.plan_errors import option_of
from reports.tables.printable_text import printable

_OTHER_FOLDER = "Write to another folder (--results DIR), or set everything that is there aside (--fresh)."
_TRUST = "Only if you trust its author, add {option}."
#: The class of an exception, and the sentence about options that follows its message; empty if no option helps. Classes
#: are named, as importing some of them would import torch. A subclass without a line of its own has that of its base.
REMEDIES: dict[str, str] = {
    # benchmarks
    "PlanError": "",
    "ProblemsError": "",
    "TuningError": "",
    "EngineError": "",
    "AttentionScopeError": "See --attention-layers and --attention-heads.",
    # models: names and loading
    "UnknownModelError": "",
    "PromptError": "",
    "UnknownPromptError": "Choose one with --prompt.",
    "LoadError": "",
    "DeviceError": "Choose another --device.",
    "DtypeError": "Choose another --dtype.",
    "ChatTemplateError": "Drop --chat, or name a model made for chats.",
    "PickledWeightsError": _TRUST.format(option="--allow-pickles"),
    "RemoteCodeError": _TRUST.format(option="--trust-remote-code"),
    # models: attention
    "AttentionUnavailable": "",
    "LayersNotObserved": "Choose the layers with --attention-layers.",
    "UnequalVisibleKeys": "Choose the layers with --attention-layers.",
    # models: fine-tuning
    "TuningMismatch": _OTHER_FOLDER,
    "NoTuningProblems": "Name others with --sft-problems, or leave the stage out with --skip-sft.",
    "UnsupportedTuningDtype": "Choose --dtype float32 or bfloat16, or add --skip-sft.",
    "ExampleTooLong": "Name other problems with --sft-problems, or add --skip-sft.",
    "TuningOutOfMemory": "Lower --sft-batch-size and raise --sft-accumulation.",
    "TuningNotSaved": "Make room, and type the same again.",
    "TrainingDiverged": "Lower --sft-lr.",
    "TuningNotApplied": "",
    "TuningLostToRounding": "Add --dtype float32, or raise --sft-epochs or --sft-lr.",
    "AdapterUnsupportedError": "Add --sft-method full, or --skip-sft.",
    # noise
    "NoDistractorError": "Leave out the problem, or choose other noises with --datasets.",
    # reports
    "ResultsMismatch": _OTHER_FOLDER,
    "OtherTextsError": f"Use the same --seed and --problems. {_OTHER_FOLDER}",
    "ResultsDamaged": "",
    "ResultsFolderError": "",
    "ResultsInUse": "Write to another folder (--results DIR).",
    "BaselineError": "",
    "BaselineMissing": "Make it with --save-baseline {path}.",
    "BaselineUnreadable": "Name another, or delete it and recreate it with --save-baseline {path}.",
    "BaselineNotAFile": "Name a file.",
    "BaselineLacksCells": "Add what is missing, and that alone (-k): --save-baseline {path} in place of --baseline.",
    "BaselineDiffers": "Recreate it with --save-baseline {path}, or run as it was made.",
    "BaselineLarger": "Ask as many problems (--max-samples), or name another file with --save-baseline.",
}
#: Errors of what was asked for; the others are of models, disks and results.
_WRONG_USE = {
    *("PlanError", "ProblemsError", "AttentionScopeError", "UnknownModelError", "PromptError", "DeviceError"),
    *("DtypeError", "ChatTemplateError", "UntrustedError", "TuningMismatch", "NoTuningProblems"),
    *("UnsupportedTuningDtype", "ResultsMismatch", "ResultsInUse", "BaselineError"),
}
#: The options of the settings of a fine-tuning, as `training.json` names them.
_SFT_OPTIONS = {
    "method": "--sft-method",
    "samples": "--sft-samples",
    "source": "--sft-problems",
    "noise": "--sft-noise",
    "loss": "--sft-loss",
    "precision": "--dtype",
    "prompt": "--prompt and --chat",
    "seed": "--seed",
    "base": "--models",
}


def is_wrong_use(error: BaseException) -> bool:
    """Return whether a user-facing error is about what was asked for, and no regression or fault."""
    return any(kind.__name__ in _WRONG_USE for kind in type(error).__mro__)


def user_message(error: BaseException) -> str | None:
    """Return the message of a user-facing error with the option that fixes it; None for any other error, a bug."""
    for kind in type(error).__mro__:
        if kind.__name__ in REMEDIES:
            as_options = getattr(error, "as_options", None)
            message = str(error) if as_options is None else as_options()
            remedy = REMEDIES[kind.__name__].replace("{path}", str(getattr(error, "path", "FILE")))
            remedy = " ".join(filter(None, [_same_settings(getattr(error, "parameters", ())), remedy]))
            message = re.sub(r"\[Errno -?\d+\] ", "", message)  # the number that the system gives an error
            return printable(message if not remedy or remedy in message else f"{message.rstrip('.')}. {remedy}")
    return None


def _same_settings(parameters: Any) -> str:
    """Say which options a tuned checkpoint was made with otherwise."""
    options = dict.fromkeys(_SFT_OPTIONS.get(name) or option_of(f"tuning.{name}") for name in parameters)
    known = [option for option in options if not option.startswith("--tuning")]
    return f"Tune as before ({', '.join(known)})." if known else ""
