"""A problem as the tokens of one text, each with its shares of the segments that attention is counted over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from noise.problems import NoisyProblem
from noise.segments import KINDS, segments

if TYPE_CHECKING:  # torch stays out of collection
    import torch

    from models.loading import LoadedModel

#: Key maths information, noise and other content of the prompt; the first token of all; the worked answer.
SEGMENTS = (*KINDS, "sink", "answer")


@dataclass(frozen=True)
class SegmentedText:
    """A prompt, with its worked answer where the answer looks, as a model reads it.

    `ids` and `tokens` (their text) are of the same length; `shares`, (length, segments) in the order of `SEGMENTS`,
    says how much of each token's text belongs to each segment and sums to 1; `queries`, (length,), marks who looks.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    shares: torch.Tensor
    queries: torch.Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def kinds(self) -> tuple[str, ...]:
        """For each token the segment that most of it belongs to."""
        return tuple(SEGMENTS[index] for index in self.shares.argmax(-1).tolist())


def segmented(loaded: LoadedModel, noisy: NoisyProblem, queries: str) -> SegmentedText:
    """`noisy` as `loaded` reads it.

    `queries`, of `benchmarks.grid.QUERIES`, says who looks: `answer` the tokens of the worked answer, which then
    follows the prompt; `last` the last token of the prompt, which predicts the first of the answer; `all` every token
    of the prompt. The frame of the prompt is other content, and so is a token of no text, as some tokenizers put
    between texts. Raises `ValueError` for a tokenizer that does not say where its tokens are, and for a text longer
    than the model's positions.
    """
    import torch

    from models.prompt import PROMPT, completion_for, prompt_for

    prompt, start = prompt_for(noisy.question), PROMPT.index("{question}")
    marks = [SEGMENTS.index("oc")] * len(prompt)
    for segment in segments(noisy):
        kind = SEGMENTS.index(segment.kind)
        marks[start + segment.start : start + segment.stop] = [kind] * (segment.stop - segment.start)
    ids, tokens, shares = _tokens(loaded, prompt, marks, special=True)
    shares[0] = torch.eye(len(SEGMENTS))[SEGMENTS.index("sink")]
    looking = [queries == "all"] * len(ids)
    looking[-1] |= queries == "last"
    if queries == "answer":
        completion = completion_for(noisy.problem.answer)
        more = _tokens(loaded, completion, [SEGMENTS.index("answer")] * len(completion), special=False)
        ids, tokens, shares = ids + more[0], tokens + more[1], torch.cat([shares, more[2]])
        looking += [True] * len(more[0])
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    if positions is not None and len(ids) > positions:
        raise ValueError(
            f"a text of {len(ids)} tokens does not fit into the {positions} positions of {loaded.spec.name!r}"
        )
    return SegmentedText(tuple(ids), tuple(tokens), shares, torch.tensor(looking))


def _tokens(
    loaded: LoadedModel, text: str, marks: Sequence[int], special: bool
) -> tuple[list[int], list[str], torch.Tensor]:
    """The ids and texts of the tokens of `text`, and the share of each one's characters that carry each mark."""
    import torch

    if not loaded.tokenizer.is_fast:
        raise ValueError(
            f"model {loaded.spec.name!r}: its tokenizer, {type(loaded.tokenizer).__name__}, does not say which"
            " characters a token covers; a fast tokenizer (tokenizer.json) was expected"
        )
    encoding = loaded.encode([text], add_special_tokens=special, return_offsets_mapping=True)
    ids = encoding["input_ids"][0]
    offsets = torch.tensor(encoding["offset_mapping"][0]).reshape(-1, 2)
    one_hot = torch.eye(len(SEGMENTS))[torch.tensor(marks, dtype=torch.long)]
    sums = torch.cat([torch.zeros(1, len(SEGMENTS)), one_hot.cumsum(0)])
    covered = sums[offsets[:, 1]] - sums[offsets[:, 0]]
    lengths = covered.sum(-1, keepdim=True)
    nothing = torch.eye(len(SEGMENTS))[SEGMENTS.index("oc")]
    shares = torch.where(lengths > 0, covered / lengths.clamp(min=1), nothing)
    names = loaded.tokenizer.convert_ids_to_tokens(ids)
    tokens = [text[a:b] if b > a else name for (a, b), name in zip(offsets.tolist(), names, strict=True)]
    return ids, tokens, shares
