"""The layout of `guygrigsby/diff-mlx` on the hub, a pair of 162M parameters that was trained with MLX.

Its folders `diff` and `vanilla` each hold a `latest.safetensors`, and the repository one `config.json` for both. The
names begin with `model.` (older files have no prefix); `opt.` is the optimiser's state. Heads 2h and 2h + 1 are the two
of differential head h, the rotary embedding turns neighbouring dimensions, and the embedding is the output layer.
Source: `model.py`, `config.py` and `checkpoint.py` of github.com/guygrigsby/diff-mlx. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.convert.config_fields import ConfigFields
from models.convert.conversion_errors import ConversionError
from models.convert.decoder_shape import LAMBDAS, SUBLN, DecoderShape
from models.convert.source_layout import Layout, SourceTensors

_COUNTS = ("dim", "n_layers", "n_heads_vanilla", "qk_head_dim", "vocab_size", "mlp_intermediate", "block_size")
#: `amp_dtype` is the precision that the pair was trained in. Its weights are float32.
_FIELDS = (*_COUNTS, "rope_base", "rms_eps", "tie_embeddings", "amp_dtype")
_BLOCKS = "blocks."


def _read_shape(tensors: SourceTensors, path: Path, content: Mapping[str, Any]) -> DecoderShape:
    model = content.get("model")
    if not isinstance(model, dict):
        raise ConversionError(f'{path}: expected {{"model": {{…}}}} as diff-mlx writes it, got no object "model"')
    fields = ConfigFields(path, model, "model.")
    fields.check_known(_FIELDS)
    fields.expect("tie_embeddings", True, "diff-mlx always ties the output layer to the embedding")
    counts = {name: fields.count(name) for name in _COUNTS}
    heads, head_dim, hidden = counts["n_heads_vanilla"], counts["qk_head_dim"], counts["dim"]
    if heads * head_dim != hidden or heads % 2 or head_dim % 2:
        raise ConversionError(
            f"{path}: expected n_heads_vanilla × qk_head_dim = dim, the first two even, got {heads} × {head_dim} and"
            f" {hidden}"
        )
    layers = tensors.layer_count(_BLOCKS)
    if layers != counts["n_layers"]:
        raise ConversionError(f"{path} has n_layers = {counts['n_layers']}, but {tensors.path} has {layers} layers")
    return DecoderShape(
        layers=layers,
        vocabulary=counts["vocab_size"],
        hidden=hidden,
        intermediate=counts["mlp_intermediate"],
        heads=heads,
        kv_heads=heads,
        head_dim=head_dim,
        differential=tensors.differential,
        tied=True,
        rope_theta=fields.number("rope_base"),
        rms_norm_eps=fields.number("rms_eps"),
        subln_eps=fields.number("rms_eps"),
        positions=counts["block_size"],
    )


MLX = Layout(
    name="mlx",
    outer_names={"model.embed_tokens.weight": "tok_embed.weight", "model.norm.weight": "final_norm.scale"},
    layer_names={
        "input_layernorm.weight": "norm_attn.scale",
        "self_attn.q_proj.weight": "attn.q_proj.weight",
        "self_attn.k_proj.weight": "attn.k_proj.weight",
        "self_attn.v_proj.weight": "attn.v_proj.weight",
        "self_attn.o_proj.weight": "attn.o_proj.weight",
        **{f"self_attn.{name}": f"attn.{name}" for name in LAMBDAS},
        SUBLN: "attn.subln.scale",
        "post_attention_layernorm.weight": "norm_mlp.scale",
        "mlp.gate_proj.weight": "mlp.gate.weight",
        "mlp.up_proj.weight": "mlp.up.weight",
        "mlp.down_proj.weight": "mlp.down.weight",
    },
    layer_prefix=_BLOCKS,
    read_shape=_read_shape,
    optional_prefix="model.",
    left_out="opt.",
    tokenizer="tiktoken's cl100k_base",
)
