"""Attention mass on segments, softmax(QKᵀ)·C with C the (key × segment) indicator, from queries and keys.

Shapes: B rows of the batch, H heads, Q queries, K keys, D head size, S segments. A mask is bool, (B, 1, Q, K), True
where a query sees a key; None means causal.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

#: The largest block of explicit attention weights, in elements: 16 MiB of float32.
_BLOCK_ELEMENTS = 2**22


def segment_masses(
    query_BxHxQxD: torch.Tensor,
    key_BxHxKxD: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    segments_BxKxS: torch.Tensor,
) -> torch.Tensor:
    """Return softmax(QKᵀ)·C, (B, H, Q, S), without forming a matrix: C takes the place of V.

    C is padded with zeros to the head size, which the fused kernels require.
    """
    size = query_BxHxQxD.shape[-1]
    masses = []
    for columns in segments_BxKxS.split(size, dim=-1):
        width = columns.shape[-1]
        values = pad(columns, (0, size - width))[:, None].expand(-1, query_BxHxQxD.shape[1], -1, -1)
        output = scaled_dot_product_attention(
            query_BxHxQxD, key_BxHxKxD, values, mask, is_causal=mask is None, scale=scale
        )
        masses.append(output[..., :width])
    return torch.cat(masses, dim=-1)


def output_and_masses(
    attend: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    query_BxHxQxD: torch.Tensor,
    key_BxHxKxD: torch.Tensor,
    value_BxHxKxD: torch.Tensor,
    segments_BxKxS: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's output, (B, Q, H, D), and the masses, (B, H, Q, S), from one call of its attention.

    The segments are appended to V as columns. Zeros widen Q and K to the same size, which the fused kernels require.
    """
    size, segment_count = value_BxHxKxD.shape[-1], segments_BxKxS.shape[-1]
    added = segment_count + -segment_count % 8
    columns = pad(segments_BxKxS, (0, added - segment_count))[:, None].expand(-1, value_BxHxKxD.shape[1], -1, -1)
    widened = torch.cat([value_BxHxKxD, columns], dim=-1)
    both = attend(pad(query_BxHxQxD, (0, added)), pad(key_BxHxKxD, (0, added)), widened)
    masses = both[..., size : size + segment_count].transpose(1, 2).clone()  # a view would keep all of `both` alive
    return both[..., :size].contiguous(), masses


def signed_masses_and_absolute_shares(
    query_BxHxQxD: torch.Tensor,
    key_BxHxKxD: torch.Tensor,
    mask: torch.Tensor | None,
    scale: float,
    segments_BxKxS: torch.Tensor,
    lambda_: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the signed masses of A1 − λ·A2 and the shares of its absolute mass, both (B, H / 2, Q, S).

    The heads are those of all A1, then those of all A2. `lambda_` multiplies (batch, pairs, query, key). One block of
    queries is explicit at a time.
    """
    batch, heads, queries, _ = query_BxHxQxD.shape
    length = key_BxHxKxD.shape[2]
    step = max(1, _BLOCK_ELEMENTS // (batch * heads * length))
    signed, absolute_shares = [], []
    for start in range(0, queries, step):
        block = slice(start, min(start + step, queries))
        scores = query_BxHxQxD[:, :, block] @ key_BxHxKxD.transpose(2, 3) * scale
        if mask is None:
            rows = torch.arange(block.start, block.stop, device=scores.device)
            visible = torch.arange(length, device=scores.device) <= rows[:, None]
        else:
            visible = mask[:, :, block]
        lowest = torch.finfo(scores.dtype).min  # not −∞: a padded query sees no key, and must not become NaN
        first, second = scores.masked_fill_(~visible, lowest).softmax(-1).chunk(2, dim=1)
        pattern = first.sub_(second.mul_(lambda_[..., block, :] if lambda_.shape[-2] > 1 else lambda_))
        signed.append(pattern @ segments_BxKxS[:, None])
        masses = pattern.abs_() @ segments_BxKxS[:, None]
        absolute_shares.append(masses / pattern.sum(-1, keepdim=True))
    return torch.cat(signed, dim=2), torch.cat(absolute_shares, dim=2)


def select_queries(
    query_BxHxKxD: torch.Tensor, mask: torch.Tensor | None, positions_BxQ: torch.Tensor, length: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the queries at `positions_BxQ`, (B, H, Q, D), and which keys each may see, (B, 1, Q, K)."""
    rows = positions_BxQ.clamp(min=0)
    selected = query_BxHxKxD.gather(
        2, rows[:, None, :, None].expand(-1, query_BxHxKxD.shape[1], -1, query_BxHxKxD.shape[3])
    )
    if mask is None:
        visible = torch.arange(length, device=rows.device) <= rows[..., None]
        return selected, visible[:, None]
    mask = mask.expand(len(rows), -1, -1, -1)
    return selected, mask.gather(2, rows[:, None, :, None].expand(-1, 1, -1, length))


def hidden_masses(
    query_BxHxQxD: torch.Tensor,
    key_BxGxKxD: torch.Tensor,
    visible: torch.Tensor,
    scale: float,
    hidden: torch.Tensor,
) -> torch.Tensor:
    """Return the mass of softmax(QKᵀ) on the `hidden` keys, which may differ by query, (B, H, Q, 1) in float32.

    `visible` and `hidden` are bool and broadcast to (B, H, Q, K). One block of queries is explicit at a time.
    """
    batch, heads, queries, _ = query_BxHxQxD.shape
    length = key_BxGxKxD.shape[2]
    key_BxHxKxD = key_BxGxKxD.repeat_interleave(heads // key_BxGxKxD.shape[1], dim=1).float()
    step = max(1, _BLOCK_ELEMENTS // (batch * heads * length))
    masses = []
    for start in range(0, queries, step):
        block = slice(start, min(start + step, queries))
        scores = query_BxHxQxD[:, :, block].float() @ key_BxHxKxD.transpose(2, 3) * scale
        weights = scores.masked_fill_(~visible[:, :, block], torch.finfo(scores.dtype).min).softmax(-1)
        masses.append((weights * hidden[:, :, block]).sum(-1, keepdim=True))
    return torch.cat(masses, dim=2)
