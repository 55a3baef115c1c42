"""What comparisons cannot tell, in plain English: nothing to lose, no problem in common, other problems."""

from __future__ import annotations

from collections.abc import Sequence

from reports.stats.comparison_rows import Comparison, has_few_right
from reports.stats.noise_doses import CLEAN
from reports.store.record_kinds import ACCURACY


def is_at_floor(row: Comparison) -> bool:
    """Return whether a row is a clean accuracy with so few right answers that losing all of them would show nothing."""
    return row.contrast == row.measure == ACCURACY and row.noise == CLEAN and has_few_right(row)


def floor_sentence(rows: Sequence[Comparison], has_likelihood: bool) -> str:
    """Return the sentence about models whose rows are at the floor. With `has_likelihood` it recommends none."""
    rights = [round((row.estimate or 0.0) * row.n) for row in rows]
    models = [f"{row.model} has {right:,} of {row.n:,}" for row, right in zip(rows, rights, strict=True)]
    enough = "losing all of them would show nothing" if any(rights) else "nothing can be lost"
    advice = "" if has_likelihood else "; --measure likelihood shows what noise changes all the same"
    return f"{' and '.join(models)} clean problems right: {enough}{advice}."


def without_shared_problems(rows: Sequence[Comparison]) -> list[tuple[str, list[str]]]:
    """Return an entry for the pairs of models that are not compared, as they share no problem in the same text."""
    noises: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.contrast == "difference_in_differences" and row.estimate is None:
            noises.setdefault((row.model, row.against), []).append(row.noise)
    pairs = [f"{model} and {against} on {', '.join(names)}" for (model, against), names in noises.items()]
    reason = "no problem was asked of both in the same text, and as often"
    return [("not compared", [f"{'; '.join(pairs)}: {reason}."])] if pairs else []


def over_other_problems(costs: Sequence[Comparison], pairs: Sequence[Comparison]) -> list[str]:
    """Return a sentence where losses and differences are not over the same problems, so that they do not add up."""
    seeds = {row.model: row.seeds for row in costs}
    if {*seeds.values(), *(row.seeds for row in pairs)} != {pairs[0].seeds}:
        each = ", ".join(f"{model} {count}" for model, count in seeds.items())
        return [f"Each loss is a mean over the model's own seeds ({each}): a difference is over those that both have."]
    over = {row.model: row.clusters for row in costs}
    if {*over.values(), *(row.clusters for row in pairs)} == {pairs[0].clusters}:
        return []
    each = ", ".join(f"{model}'s over {problems:,}" for model, problems in over.items())
    return [f"The losses are not over the same problems ({each}): a difference is over those that both models have."]
