"""DIFF V2 in small: the names of its authors' code (microsoft/unilm, `multihead_flashdiffv2.py`) in Llama's stack."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb, eager_attention_forward


class AuthorsV2Config(LlamaConfig):
    model_type = "authors_diff_v2"


class MultiheadFlashDiffV2(nn.Module):
    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__()
        self.config, self.layer_idx, self.is_causal = config, layer_idx, True
        self.head_dim, pairs, keys = config.head_dim, config.num_attention_heads // 2, config.num_key_value_heads
        self.num_key_value_groups = 2 * pairs // keys
        self.q_proj = nn.Linear(config.hidden_size, 2 * pairs * self.head_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, keys * self.head_dim, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, keys * self.head_dim, bias=False)
        self.o_proj = nn.Linear(pairs * self.head_dim, config.hidden_size, bias=False)
        self.lambda_proj = nn.Linear(config.hidden_size, pairs, bias=False)

    def forward(
        self, hidden_states: Any, position_embeddings: Any, attention_mask: Any = None, past_key_values: Any = None,
        **options: Any,
    ) -> tuple[torch.Tensor, Any]:  # fmt: skip
        shape = hidden_states.shape[:-1]
        query, key, value = (
            projection(hidden_states).view(*shape, -1, self.head_dim).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        output, weights = attend(
            self, query, key, value, attention_mask, scaling=self.head_dim**-0.5, dropout=0.0, **options
        )
        weight = torch.sigmoid(self.lambda_proj(hidden_states))[..., None]
        return self.o_proj((output[:, :, 0::2] - weight * output[:, :, 1::2]).flatten(-2)), weights


class AuthorsV2Model(LlamaModel):
    _can_record_outputs = LlamaModel._can_record_outputs | {"attentions": MultiheadFlashDiffV2}

    def __init__(self, config: AuthorsV2Config) -> None:
        super().__init__(config)
        for number, layer in enumerate(self.layers):
            layer.self_attn = MultiheadFlashDiffV2(config, number)
        self.post_init()


class AuthorsV2ForCausalLM(LlamaForCausalLM):
    config_class = AuthorsV2Config

    def __init__(self, config: AuthorsV2Config) -> None:
        super().__init__(config)
        self.model = AuthorsV2Model(config)
        self.post_init()
