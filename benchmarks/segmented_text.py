"""Tokenize a problem, and say how much of each token belongs to each segment that attention is summed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from noise.problems.problem import NoisyProblem
from noise.text.question_segments import KINDS, Segment, segments

if TYPE_CHECKING:  # torch stays out of collection
    import torch

    from models.loading.load_model import LoadedModel


@dataclass(frozen=True)
class Parts:
    """How a text is cut into segments: `names` lists them, and `cut` returns those of a noisy question, without gaps.

    Besides those of `cut` there are always `oc` for the rest of the prompt, `sink` for the first token, and `answer`
    for the worked answer.
    """

    names: tuple[str, ...]
    cut: Callable[[NoisyProblem], Sequence[Segment]]


#: Key maths information, noise and other content of the prompt; the first token; the worked answer.
SEGMENTS = (*KINDS, "sink", "answer")
GRID_PARTS = Parts(SEGMENTS, segments)


@dataclass(frozen=True)
class SegmentedText:
    """A prompt as a model reads it, followed by its worked answer if the queries are those of the answer.

    `ids` and `tokens` (their texts) have the same length. `shares`, (length, segments) in the order of the parts'
    names, is the share of each token's text in each segment, and each row sums to 1. `queries`, (length,), is True for
    the tokens whose attention is measured.
    """

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    shares: torch.Tensor
    queries: torch.Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def kinds(self) -> tuple[str, ...]:
        """Return, for each token, the segment that most of it belongs to."""
        return tuple(self.names[index] for index in self.shares.argmax(-1).tolist())


def segmented(loaded: LoadedModel, noisy: NoisyProblem, queries: str, parts: Parts = GRID_PARTS) -> SegmentedText:
    """Return `noisy` as `loaded` reads it.

    `queries`, of `benchmarks.attention_scope.QUERIES`, says which tokens attend: `answer` the tokens of the worked
    answer, which then follows the prompt; `last` the last token of the prompt, which predicts the first of the answer;
    `all` every token of the prompt. Leading tokens without characters count as `oc`; trailing ones are dropped.
    Raises `ValueError` for a tokenizer that does not give the offsets of its
    tokens, for an answer that has no token, and for a text longer than the model's positions.
    """
    import torch

    (prompt,) = loaded.prompts([noisy.question])
    start = len(loaded.prompt.before)
    answer = loaded.prompt.completion(noisy.problem.answer) if queries == "answer" else ""
    segment_ids = [parts.names.index("oc")] * len(prompt) + [parts.names.index("answer")] * len(answer)
    for segment in parts.cut(noisy):
        length = segment.stop - segment.start
        segment_ids[start + segment.start : start + segment.stop] = [parts.names.index(segment.kind)] * length
    ids, offsets = tokens_and_offsets(loaded, prompt + answer)
    shares = _shares(offsets, segment_ids, len(parts.names), nothing=parts.names.index("oc"))
    shares[0] = torch.eye(len(parts.names))[parts.names.index("sink")]
    if queries == "answer":
        queried = shares[:, parts.names.index("answer")] > 0.5
    else:
        queried = torch.full((len(ids),), queries == "all")
        queried[-1] = True
    if not queried.any():
        raise ValueError(f"problem {noisy.problem.id!r}: its worked answer {noisy.problem.answer!r} has no token")
    positions = getattr(loaded.model.config, "max_position_embeddings", None)
    if positions is not None and len(ids) > positions:
        raise ValueError(
            f"a text of {len(ids)} tokens does not fit into the {positions} positions of {loaded.spec.name!r}"
        )
    names = loaded.tokenizer.convert_ids_to_tokens(ids)
    text = prompt + answer
    tokens = tuple(text[a:b] if b > a else name for (a, b), name in zip(offsets, names, strict=True))
    return SegmentedText(tuple(ids), tokens, shares, queried, parts.names)


def tokens_and_offsets(loaded: LoadedModel, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the token ids of `text`, and the half-open character range of each. Raises `ValueError` for a tokenizer
    that does not give these."""
    if not loaded.tokenizer.is_fast:
        raise ValueError(
            f"model {loaded.spec.name!r}: its tokenizer, {type(loaded.tokenizer).__name__}, does not give the"
            " characters of a token; expected a fast tokenizer (tokenizer.json)"
        )
    encoding = loaded.encode([text], return_offsets_mapping=True)
    ids, offsets = list(encoding["input_ids"][0]), [(int(a), int(b)) for a, b in encoding["offset_mapping"][0]]
    while len(ids) > 1 and offsets[-1][0] == offsets[-1][1]:  # an end of text that the tokenizer adds
        del ids[-1], offsets[-1]
    return ids, offsets


def _shares(
    offsets: Sequence[tuple[int, int]], segment_ids: Sequence[int], segments: int, nothing: int
) -> torch.Tensor:
    """Return the share of each token's characters in each segment; a token without characters is all `nothing`."""
    import torch

    one_hot = torch.eye(segments)[torch.tensor(segment_ids, dtype=torch.long)]
    sums = torch.cat([torch.zeros(1, segments), one_hot.cumsum(0)])
    edges = torch.tensor(offsets).reshape(-1, 2)
    covered = sums[edges[:, 1]] - sums[edges[:, 0]]
    lengths = covered.sum(-1, keepdim=True)
    return torch.where(lengths > 0, covered / lengths.clamp(min=1), torch.eye(segments)[nothing])
