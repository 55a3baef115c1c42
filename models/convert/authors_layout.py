"""The layout of the differential transformer's authors.

They published attention modules (`Diff-Transformer/` in github.com/microsoft/unilm: `multihead_diffattn.py`,
`multihead_flashdiff_1.py` and `_2.py`, and `multihead_attention.py`, the baseline) and, as far as known, no checkpoint.
So the names inside attention are theirs, and those around it are a Llama's in transformers:

    model.embed_tokens.weight, model.norm.weight, lm_head.weight (without it, the embedding is the output layer)
    model.layers.N.input_layernorm.weight, .post_attention_layernorm.weight
    model.layers.N.mlp.gate_proj.weight, .up_proj.weight, .down_proj.weight: down(silu(gate(x)) · up(x))
    model.layers.N.self_attn.q_proj.weight, .k_proj.weight, .v_proj.weight, .out_proj.weight
    model.layers.N.self_attn.lambda_q1, .lambda_k1, .lambda_q2, .lambda_k2, .subln.weight (differential attention)

N counts from 0 and is the `depth` of the module. `config.json` has `rope_theta`, `rms_norm_eps` (of the norms outside
attention; `subln` has 1e-5) and `max_position_embeddings`. `num_heads` and `num_kv_heads` are the modules' arguments:
only the baseline needs `num_heads`. Other names and fields are refused. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.convert.config_fields import ConfigFields
from models.convert.conversion_errors import ConversionError
from models.convert.decoder_shape import HEAD, LAMBDAS, SUBLN, DecoderShape
from models.convert.source_layout import Layout, SourceTensors

_LAYERS = "model.layers."
_FIELDS = ("rope_theta", "rms_norm_eps", "max_position_embeddings", "num_heads", "num_kv_heads", "tie_word_embeddings")
#: What the authors' modules pass to the norm behind the subtraction.
_SUBLN_EPS = 1e-5


def _read_shape(tensors: SourceTensors, path: Path, content: Mapping[str, Any]) -> DecoderShape:
    fields = ConfigFields(path, content)
    fields.check_known(_FIELDS)
    layers = tensors.layer_count(_LAYERS)
    vocabulary, hidden = tensors.rows_and_columns("model.embed_tokens.weight")
    intermediate, _ = tensors.rows_and_columns(f"{_LAYERS}0.mlp.gate_proj.weight")
    keys, _ = tensors.rows_and_columns(f"{_LAYERS}0.self_attn.k_proj.weight")
    tied = HEAD not in tensors.shapes
    fields.expect("tie_word_embeddings", tied, f"the weights have {'no' if tied else 'an'} {HEAD}")
    heads, head_dim = _heads(tensors, fields, hidden)
    kv_heads = keys // head_dim
    if keys % head_dim or not kv_heads or heads % kv_heads or (tensors.differential and kv_heads % 2):
        raise ConversionError(f"{tensors.path}: {heads} query heads of {head_dim} do not share {keys} rows of k_proj")
    if "num_kv_heads" in fields.fields:
        fields.expect("num_kv_heads", kv_heads // (2 if tensors.differential else 1), "k_proj has")
    return DecoderShape(
        layers=layers,
        vocabulary=vocabulary,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        differential=tensors.differential,
        tied=tied,
        rope_theta=fields.number("rope_theta"),
        rms_norm_eps=fields.number("rms_norm_eps"),
        subln_eps=_SUBLN_EPS,
        positions=fields.count("max_position_embeddings"),
    )


def _heads(tensors: SourceTensors, fields: ConfigFields, hidden: int) -> tuple[int, int]:
    """Return the number of query heads and their size: of differential attention, the length of its λ vectors."""
    if not tensors.differential:
        heads = fields.count("num_heads")
        if hidden % (2 * heads):
            raise ConversionError(
                f"{fields.path}: num_heads = {heads} does not divide {hidden} into heads of even size"
            )
        return heads, hidden // heads
    size = tensors.shapes.get(f"{_LAYERS}0.self_attn.lambda_q1", ())
    if len(size) != 1 or not size[0] or size[0] % 2 or hidden % (2 * size[0]):
        raise ConversionError(
            f"{tensors.path}: expected {_LAYERS}0.self_attn.lambda_q1 to be a vector whose even length divides"
            f" half of {hidden}, got the shape {list(size)}"
        )
    fields.expect("num_heads", hidden // (2 * size[0]), "the λ vectors say (half of the baseline's heads)")
    return hidden // size[0], size[0]


AUTHORS = Layout(
    name="authors",
    outer_names={name: name for name in ("model.embed_tokens.weight", "model.norm.weight", HEAD)},
    layer_names={
        **{name: name for name in ("input_layernorm.weight", "post_attention_layernorm.weight", SUBLN)},
        **{f"self_attn.{name}_proj.weight": f"self_attn.{name}_proj.weight" for name in "qkv"},
        "self_attn.o_proj.weight": "self_attn.out_proj.weight",
        **{f"self_attn.{name}": f"self_attn.{name}" for name in LAMBDAS},
        **{f"mlp.{name}_proj.weight": f"mlp.{name}_proj.weight" for name in ("gate", "up", "down")},
    },
    layer_prefix=_LAYERS,
    read_shape=_read_shape,
)
