"""The interventions of the stage `intervene`: what each changes in a model, or in what it reads. No torch here.

docs/attention.md says what they show, and what they do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from noise.unknown_name import unknown_name

#: Asked beside all others: the problem without noise and with it, both as they are.
REFERENCES = ("clean", "noisy")
DEFAULT_INTERVENTIONS = ("answer", "question", "everywhere", "moved", "displaced", "placebo")
_OTHERS = ("random", "zeroed", "first", "second", "layers", "heads", "lambda0", "lambda0.5", "lambda2")
#: What each does, in the order of the tables.
INTERVENTIONS = (*DEFAULT_INTERVENTIONS, *_OTHERS)
_LAMBDA = re.compile(r"lambda(\d{1,3}(?:\.\d{1,3})?)")
#: Those that only a differential model has.
_DIFFERENTIAL = ("first", "second")

#: Heads by layer; None for all heads.
Heads = Mapping[int, tuple[int, ...] | None]


@dataclass(frozen=True)
class Condition:
    """What is changed when a model is asked a problem.

    `clean`: the problem is asked without its noise. `hidden` tokens are not seen by others: those of the `noise`,
    as many of the question's `other` content before it, or as many of all its tokens there at `random`. `queries`
    says which later tokens do not see them: `every` one, those of the `answer`, with the last of the prompt, which
    predicts the first of it, or those of the `question`, which are all others. `positions`: those that the tokens
    have without the noise (`moved`) or with it (`displaced`), by default their own. In `layers` (all for None) the
    edges are cut in A1, in A2 or in both, and the other weights are renormalised or not. `second_factor` multiplies
    λ.
    """

    name: str
    clean: bool = False
    hidden: Literal["", "noise", "other", "random"] = ""
    queries: Literal["every", "answer", "question"] = "every"
    positions: Literal["", "moved", "displaced"] = ""
    part: Literal["both", "first", "second"] = "both"
    renormalise: bool = True
    heads: Heads | None = None
    second_factor: float = 1.0


_CONDITIONS = {
    condition.name: condition
    for condition in (
        Condition("clean", clean=True),
        Condition("noisy"),
        Condition("answer", hidden="noise", queries="answer"),
        Condition("question", hidden="noise", queries="question"),
        Condition("everywhere", hidden="noise"),
        Condition("moved", hidden="noise", positions="moved"),
        Condition("displaced", clean=True, positions="displaced"),
        Condition("placebo", hidden="other"),
        Condition("random", hidden="random"),
        Condition("zeroed", hidden="noise", renormalise=False),
        Condition("first", hidden="noise", part="first"),
        Condition("second", hidden="noise", part="second"),
    )
}


def listed_heads(heads: Heads | None) -> str:
    """Return chosen heads as text: "1.0,2.3" for head 0 of layer 1 and head 3 of layer 2; empty for all of a layer."""
    chosen = [(layer, head) for layer, of_layer in (heads or {}).items() for head in of_layer or ()]
    return ",".join(f"{layer}.{head}" for layer, head in sorted(chosen))


def is_intervention(name: str) -> bool:
    """Return whether `name` is an intervention; `lambda1.5` is one too."""
    return name in INTERVENTIONS or _LAMBDA.fullmatch(name) is not None


def conditions_of(
    names: Sequence[str], layers: Sequence[int], differential: bool, heads: Mapping[str, Heads]
) -> list[Condition]:
    """Return the conditions that a model is asked under, those of `REFERENCES` first.

    `layers` are the numbers of its layers that attend. `heads` are those of the intervention `heads`, by the names of
    its conditions. What only a differential model has is left out for another. Raises `ValueError`, with the nearest
    name, for an unknown one.
    """
    conditions = [_CONDITIONS[name] for name in REFERENCES]
    for name in dict.fromkeys(names):
        if not is_intervention(name):
            raise ValueError(unknown_name("intervention", name, INTERVENTIONS))
        factor = _LAMBDA.fullmatch(name)
        if (factor or name in _DIFFERENTIAL) and not differential:
            continue
        if factor:
            conditions += [
                Condition(name, second_factor=float(factor[1])),
                Condition(f"{name}_clean", clean=True, second_factor=float(factor[1])),
            ]
        elif name == "layers":
            conditions += [Condition(f"layer{layer}", hidden="noise", heads={layer: None}) for layer in layers]
        elif name == "heads":
            conditions += [Condition(name, hidden="noise", heads=of_layers) for name, of_layers in heads.items()]
        else:
            conditions.append(_CONDITIONS[name])
    return conditions
