"""Reorder the weights of one attention layer from the authors' order to that of transformers. The result is the same.

Both layouts that are converted compute attention as the authors' code does (https://arxiv.org/abs/2410.05258). Against
that, `DiffLlamaAttention` and `LlamaAttention` of transformers

- turn dimension i of a query or key with i + d/2, where the others turn 2i with 2i + 1 (both by the i-th frequency),
- subtract head h + H/2 from head h, where the others subtract head 2h + 1 from head 2h,
- take the value of differential head h from the value heads h and h + H/2, where the others have it in one piece of 2d,
- have no weight in the norm behind the subtraction, and its eps is that of the other norms.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from models.convert.conversion_errors import GroupedKeysError
from models.convert.decoder_shape import SUBLN, DecoderShape

#: Which keys differential heads meet if they share them, by the authors' file that a model was trained with.
GROUPED_KEYS = ("diffattn", "flashdiff")


def grouped_keys_of(shape: DecoderShape, grouped_keys: str | None) -> str | None:
    """Return how differential heads share keys; None where they do not, or where there are none.

    Raises `GroupedKeysError` where they do and `grouped_keys` does not say how.
    """
    if not shape.differential or shape.queries_per_key == 1:
        return None
    if grouped_keys not in GROUPED_KEYS:
        raise GroupedKeysError(
            f"{shape.queries_per_key} differential heads share each key, and the authors' files assign keys"
            f" differently: expected one of {', '.join(GROUPED_KEYS)} (multihead_diffattn.py or"
            f" multihead_flashdiff_*.py), got {grouped_keys!r}"
        )
    return grouped_keys


def reordered_attention(
    weights: Mapping[str, torch.Tensor], shape: DecoderShape, grouped_keys: str | None
) -> dict[str, torch.Tensor]:
    """Return the float32 tensors of a layer, by their names in transformers, in its order; all others unchanged.

    With `grouped_keys="diffattn"`, keys and values are repeated, so that each query head has its own: query head j
    meets key head j // r there, and then the two of a differential head can meet the same one, which transformers
    cannot express. In the flash files, differential head h meets the keys 2(h // r) and 2(h // r) + 1, as in
    transformers once all are reordered.
    """
    tensors = dict(weights)
    query, key, value, output = (f"self_attn.{name}_proj.weight" for name in "qkvo")
    if grouped_keys == "diffattn":
        tensors[key] = _repeated(tensors[key], shape.head_dim, shape.queries_per_key)
        tensors[value] = _repeated(tensors[value], 2 * shape.head_dim, shape.queries_per_key)
    for name in (query, key):
        tensors[name] = _half_rotary(tensors[name], shape.head_dim)
    if not shape.differential:
        return tensors
    for name in (query, key, value):
        tensors[name] = _signals_first(tensors[name], shape.head_dim)
    if shape.subln_eps != shape.rms_norm_eps:  # the norm of c·x with eps e is that of x with eps e/c²
        tensors[value] = tensors[value] * (shape.rms_norm_eps / shape.subln_eps) ** 0.5
    tensors[output] = tensors[output] * tensors.pop(SUBLN).repeat(shape.heads // 2)
    return tensors


def _half_rotary(rows: torch.Tensor, head_dim: int) -> torch.Tensor:
    """Put the even rows of each head before its odd ones. `rows`: (heads × head_dim, in)."""
    heads = rows.view(-1, head_dim, rows.shape[-1])
    return torch.cat([heads[:, 0::2], heads[:, 1::2]], dim=1).reshape(rows.shape)


def _signals_first(rows: torch.Tensor, head_dim: int) -> torch.Tensor:
    """Put the heads of even number before those of odd number. `rows`: (heads × head_dim, in)."""
    heads = rows.view(-1, head_dim, rows.shape[-1])
    return torch.cat([heads[0::2], heads[1::2]]).reshape(rows.shape)


def _repeated(rows: torch.Tensor, head_dim: int, times: int) -> torch.Tensor:
    """Repeat each head so many times in a row. `rows`: (heads × head_dim, in)."""
    heads = rows.view(-1, head_dim, rows.shape[-1])
    return heads.repeat_interleave(times, dim=0).reshape(-1, rows.shape[-1])
