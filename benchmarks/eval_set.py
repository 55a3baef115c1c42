"""The problems that a run evaluates on: those of its source that none of its models was tuned on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.plan import Plan
from models.model_registry import trained_on
from models.prompt import PLAIN
from noise.problems.bad_lines import BadLine, bad_lines_key, without
from noise.problems.problem import Problem, normalised
from noise.problems.problem_sources import load_problems
from noise.problems.splits import not_shown, problems_to_measure_with
from reports.store.records import problem_of

#: What to do where there is nothing to fine-tune on.
SFT_REMEDY = "name others with --sft-problems, or leave the stage out with --skip-sft"


@dataclass(frozen=True)
class EvalSet:
    """What the cells of a run take their problems from, in order.

    `source` names where they are from, and is part of every record's key: a hash of the first problem there, whether it
    is asked or not, and of the `bad_lines` that were left out, tells two files of one name apart. `all_problems` is
    everything that the source has. `left_out` counts, by model, the problems that are not asked because a model of the
    run was tuned on them before, and `prompt_example_count` those that the prompt shows as examples.
    """

    problems: list[Problem]
    source: str
    all_problems: list[Problem]
    left_out: Mapping[str, int]
    prompt_example_count: int = 0
    bad_lines: tuple[BadLine, ...] = ()

    def left_out_message(self) -> str:
        """Return what was left out, as a sentence; empty if nothing was."""
        known = ", ".join(f"{count:,} that {model} was tuned on" for model, count in self.left_out.items())
        reasons = [f"{known} (or on one with the same worked answer)"] if known else []
        reasons += [f"{self.prompt_example_count:,} that the prompt shows"] if self.prompt_example_count else []
        return f"problems left out of {self.source.rpartition(' ')[0]}: {', '.join(reasons)}" if reasons else ""

    def too_few_message(self, asked_for: int) -> str:
        """Return how many problems there are, if fewer than `asked_for` a cell, as a sentence; else nothing."""
        if len(self.problems) >= asked_for:
            return ""
        left = "has" if len(self.problems) == len(self.all_problems) else "leaves"
        return f"problems: {len(self.problems):,} a cell; {self.source.rpartition(' ')[0]} {left} no more"

    def repeated_questions_message(self) -> str:
        """Return how many problems have the question of an earlier one, as a sentence; empty if none have."""
        repeated = len(self.problems) - len({normalised(problem.question) for problem in self.problems})
        source = self.source.rpartition(" ")[0]
        return (
            f"repeated questions in {source}: {repeated:,} of {len(self.problems):,} problems ask what an earlier one"
            " asks, and each of them counts"
            if repeated
            else ""
        )


def eval_set(plan: Plan, needs_tuning: bool) -> EvalSet:
    """Return the problems of a run; `needs_tuning` says whether it tunes models.

    If a model is tuned on one half of a file (`noise.problems.splits`), every stage of the run asks the other half,
    so that all of them ask the same problems. Problems that a model of the plan was tuned on earlier, as its checkpoint
    says, are left out, and so are those that the prompt shows. Raises `ValueError` where nothing is left, and what
    `load_problems` raises.
    """
    bad_lines: list[BadLine] = []
    all_problems = load_problems(plan.problems, bad_lines=bad_lines if plan.skip_bad_lines else None)
    first = f"{all_problems[0].id} {all_problems[0].question}".encode(errors="surrogatepass")
    is_divided = needs_tuning and plan.sft_problems is None
    kept = _evaluation_half(plan, all_problems) if is_divided else all_problems
    drawn_id = next((problem.id for problem in all_problems if problem_of(problem.id) != problem.id), None)
    if drawn_id is not None:
        raise ValueError(
            f"--problems {plan.problems}: expected ids that do not end in '(draw N)', which tells draws of a noise"
            f" apart, got {drawn_id!r}"
        )
    known = {spec.name: trained_on(spec) for spec in plan.models}
    left_out = {name: sum(not keys.isdisjoint(problem.dedup_keys) for problem in kept) for name, keys in known.items()}
    seen = frozenset[str]().union(*known.values())
    unseen = [problem for problem in kept if seen.isdisjoint(problem.dedup_keys)] if seen else kept
    problems = unseen if plan.template == PLAIN else not_shown(unseen, plan.template.shown)
    if unseen and not problems:
        raise ValueError(f"--problems {plan.problems}: the prompt shows all of them; name others")
    if kept and not unseen:
        model = max(left_out, key=left_out.__getitem__)
        raise ValueError(
            f"--problems {plan.problems}: {model!r} was tuned on all of them, and a model is not evaluated on what it"
            " is tuned on; name others"
        )
    counts = {name: count for name, count in left_out.items() if count}
    digest = hashlib.sha256(first + bad_lines_key(bad_lines)).hexdigest()[:8]
    source = f"{plan.source}{without(bad_lines)} {digest}"
    return EvalSet(problems, source, all_problems, counts, len(unseen) - len(problems), tuple(bad_lines))


def _evaluation_half(plan: Plan, all_problems: list[Problem]) -> list[Problem]:
    """Return the problems that are not tuned on. Raises `ValueError` for a test split without a training split."""
    try:
        return problems_to_measure_with(plan.problems, all_problems)
    except ValueError as error:
        raise ValueError(f"--problems: {error}; {SFT_REMEDY}") from None
