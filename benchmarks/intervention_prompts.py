"""Prompts of the conditions of the stage `intervene`: their tokens, positions and cuts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.intervention_conditions import Condition
from benchmarks.segmented_text import tokens_and_offsets
from noise.problems.problem import NoisyProblem
from noise.text.question_segments import segments

if TYPE_CHECKING:  # torch stays out of collection
    import torch

    from models.decode.edited_prompt import EditedPrompt
    from models.loading.load_model import LoadedModel


@dataclass(frozen=True)
class NoisyTokens:
    """The prompt of a noisy problem in tokens.

    `ids` are those of the noisy prompt, and `noise` the numbers, from 0, of those that are mostly noise. `clean_ids`
    are those of the clean prompt, and `clean_positions` where they stand in the noisy one. `earlier` are the numbers of
    the question's tokens before the noise, and `other` of those that are other content: neither a number, nor what it
    counts, nor of the sentence that asks. `straddling` counts the tokens that noise and problem share, white space
    apart.
    """

    ids: tuple[int, ...]
    noise: tuple[int, ...]
    clean_ids: tuple[int, ...]
    clean_positions: tuple[int, ...]
    other: tuple[int, ...]
    earlier: tuple[int, ...]
    straddling: int

    @property
    def same_tokens(self) -> bool:
        """Whether the noisy prompt without its noise has the tokens of the clean prompt."""
        hidden = set(self.noise)
        return tuple(id for number, id in enumerate(self.ids) if number not in hidden) == self.clean_ids


def noisy_tokens(loaded: LoadedModel, noisy: NoisyProblem) -> NoisyTokens:
    """Return the tokens of a noisy problem. Raises what `benchmarks.segmented_text.tokens_and_offsets` raises, and
    `ValueError` for a problem whose noise has no token."""
    prompt, clean = loaded.prompts([noisy.question, noisy.problem.question])
    start = len(loaded.prompt.before)
    spans = [(start + begin, start + end) for begin, end in noisy.spans]
    kinds = ["oc"] * start + [kind for part in segments(noisy) for kind in [part.kind] * (part.stop - part.start)]
    kinds += [""] * (len(prompt) - len(kinds))
    ids, offsets = tokens_and_offsets(loaded, prompt)
    noise, straddling, other, earlier = list[int](), 0, list[int](), list[int]()
    for number, (begin, end) in enumerate(offsets):
        of_noise, of_problem = _characters(prompt, kinds, begin, end)
        straddling += bool(of_noise and of_problem)
        if of_noise > of_problem or (not of_noise + of_problem and kinds[begin:end].count("ni") * 2 > end - begin):
            noise.append(number)
        elif number and not noise and end > start:
            earlier.append(number)
            if kinds[begin:end].count("oc") * 2 > end - begin:
                other.append(number)
    if not noise:
        raise ValueError(f"problem {noisy.problem.id!r}: its noise has no token of its own")
    clean_ids, clean_offsets = tokens_and_offsets(loaded, clean)
    positions = [
        number + sum(offsets[token][0] < _noisy_offset(end, spans) for token in noise)
        for number, (_, end) in enumerate(clean_offsets)
    ]
    return NoisyTokens(
        ids=tuple(ids),
        noise=tuple(noise),
        clean_ids=tuple(clean_ids),
        clean_positions=tuple(positions),
        other=tuple(other),
        earlier=tuple(earlier),
        straddling=straddling,
    )


def _characters(text: str, kinds: Sequence[str], begin: int, end: int) -> tuple[int, int]:
    """Return how many characters of a range are noise and how many are not, white space apart."""
    real = [kinds[offset] for offset in range(begin, end) if not text[offset].isspace()]
    of_noise = real.count("ni")
    return of_noise, len(real) - of_noise


def _noisy_offset(end: int, spans: Sequence[tuple[int, int]]) -> int:
    """Return where the character before `end` of the clean prompt stands in the noisy one."""
    offset = end - 1
    for begin, stop in spans:
        if begin <= offset:
            offset += stop - begin
    return offset


def can_be_asked(tokens: NoisyTokens, condition: Condition) -> bool:
    """Return whether a problem has as many tokens as a condition hides."""
    return len(_hidden_pool(tokens, condition)) >= len(tokens.noise) or not condition.hidden


def _hidden_pool(tokens: NoisyTokens, condition: Condition) -> tuple[int, ...]:
    """Return the tokens of which a condition hides some."""
    return {"": (), "noise": tokens.noise, "other": tokens.other, "random": tokens.earlier}[condition.hidden]


def prompt_under(tokens: NoisyTokens, condition: Condition, seed: str) -> EditedPrompt:
    """Return the prompt of a problem under a condition that it can be asked under.

    A placebo hides as many tokens as the noise has, from the same queries, so that equally many edges are cut: tokens
    of the question before the noise, drawn with `seed`.
    """
    from models.decode.edited_prompt import EditedPrompt

    if condition.clean:
        positions = tokens.clean_positions if condition.positions == "displaced" else None
        return EditedPrompt(tokens.clean_ids, positions)
    hidden = _hidden_tokens(tokens, condition, seed)
    positions = _positions_without_noise(tokens) if condition.positions == "moved" else None
    return EditedPrompt(tokens.ids, positions, None if not hidden else _cut(tokens, hidden, condition))


def _hidden_tokens(tokens: NoisyTokens, condition: Condition, seed: str) -> tuple[int, ...]:
    """Return the tokens that a condition hides, in order, as many as the noise has."""
    pool = list(_hidden_pool(tokens, condition))
    random.Random(f"{seed} {condition.name}").shuffle(pool)
    return tuple(sorted(pool[: len(tokens.noise)]))


def _positions_without_noise(tokens: NoisyTokens) -> tuple[int, ...]:
    """Return the positions that tokens have without the noise; those of the noise have that of the one before it."""
    positions, position, hidden = [], -1, set(tokens.noise)
    for number in range(len(tokens.ids)):
        position += number not in hidden
        positions.append(max(position, 0))
    return tuple(positions)


def _cut(tokens: NoisyTokens, hidden: Sequence[int], condition: Condition) -> torch.Tensor:
    """Return which tokens of the prompt do not see which, bool, (query, key).

    Each hidden token stands for one of the noise: it is hidden from the queries behind that, other than the noise's.
    """
    import torch

    length = len(tokens.ids)
    queries = torch.ones(length, dtype=torch.bool)
    queries[list(tokens.noise)] = False
    if condition.queries == "answer":
        queries[:-1] = False
    elif condition.queries == "question":
        queries[-1] = False
    cut = torch.zeros(length, length, dtype=torch.bool)
    for token, of_noise in zip(hidden, tokens.noise, strict=True):
        cut[of_noise + 1 :, token] = queries[of_noise + 1 :]
    return cut
