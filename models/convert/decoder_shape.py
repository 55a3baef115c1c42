"""The numbers that describe a decoder, whatever layout its checkpoint has. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAMBDAS = ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2")
#: The affine norm behind the subtraction, which transformers does not have. A conversion folds it into `o_proj`.
SUBLN = "self_attn.subln.weight"
HEAD = "lm_head.weight"


@dataclass(frozen=True)
class DecoderShape:
    """The shape of a Llama, or of one with differential attention.

    `heads` and `kv_heads` count the heads of size `head_dim` that queries and keys are projected to, so a differential
    head counts twice. `tied` says that the output layer is the embedding. `rms_norm_eps` is that of all norms but the
    one behind the subtraction, which has `subln_eps`. `positions` is the longest text, in tokens.
    """

    layers: int
    vocabulary: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    differential: bool
    tied: bool
    rope_theta: float
    rms_norm_eps: float
    subln_eps: float
    positions: int

    @property
    def queries_per_key(self) -> int:
        """The number of query heads that share a key head."""
        return self.heads // self.kv_heads

    def layer_tensors(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape (out, in) of each tensor of a layer, by its name in transformers; of `SUBLN` by that."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        shapes: dict[str, tuple[int, ...]] = {
            "input_layernorm.weight": (self.hidden,),
            "self_attn.q_proj.weight": (queries, self.hidden),
            "self_attn.k_proj.weight": (keys, self.hidden),
            "self_attn.v_proj.weight": (keys, self.hidden),
            "self_attn.o_proj.weight": (self.hidden, queries),
            "post_attention_layernorm.weight": (self.hidden,),
            "mlp.gate_proj.weight": (self.intermediate, self.hidden),
            "mlp.up_proj.weight": (self.intermediate, self.hidden),
            "mlp.down_proj.weight": (self.hidden, self.intermediate),
        }
        if self.differential:
            shapes |= {f"self_attn.{name}": (self.head_dim,) for name in LAMBDAS}
            shapes[SUBLN] = (2 * self.head_dim,)
        return shapes

    def outer_tensors(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each tensor outside the layers, by its name in transformers."""
        embedding = (self.vocabulary, self.hidden)
        shapes: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": embedding,
            "model.norm.weight": (self.hidden,),
        }
        return shapes if self.tied else shapes | {HEAD: embedding}
