"""Errors that are answers to the user, and the option that mends each.

The packages below know no command line: an error of theirs says what is wrong, and this table adds what to type.
"""

from __future__ import annotations

#: The name of an exception class, and the sentence about options that follows its message; empty where none would help.
#: By name, as importing some of these classes would import torch.
REMEDIES: dict[str, str] = {
    # benchmarks
    "PlanError": "",
    "ProblemsError": "",
    "TuningError": "",
    "AttentionScopeError": "See --attention-layers and --attention-heads.",
    # models
    "LoadError": "",
    "DeviceError": "(--device)",
    "DtypeError": "(--dtype)",
    "UnknownPromptError": "(--prompt)",
    "ChatTemplateError": "(--chat)",
    "PickledWeightsError": "(--allow-pickles)",
    "RemoteCodeError": "(--trust-remote-code)",
    "AdapterUnsupportedError": "(--sft-method full)",
    "AttentionUnavailable": "",
    "TrainingDiverged": "",
    "TuningNotApplied": "",
    "TuningMismatch": "",
    # reports
    "ResultsMismatch": "Write to another folder (--results DIR), or set everything that is there aside (--fresh).",
    "OtherTextsError": (
        "Use the same --seed and --problems, write to another folder (--results DIR), or set everything that is there"
        " aside (--fresh)."
    ),
    "ResultsDamaged": "",
    "ResultsFolderError": "",
    "BaselineError": "",
}


def answer_to(error: BaseException) -> str | None:
    """Return the sentence that answers `error`, with the option that mends it; None for an error that is a fault."""
    for kind in type(error).__mro__:
        if kind.__name__ in REMEDIES:
            as_options = getattr(error, "as_options", None)
            message = str(error) if as_options is None else as_options()
            remedy = REMEDIES[kind.__name__]
            return f"{message} {remedy}".strip() if remedy and remedy not in message else message
    return None
