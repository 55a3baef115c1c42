"""Motif-2.6B in small: neighbouring heads subtract, λ_init counts layers from −1, the norm has a scale, and the
activation is a polynomial of normalised powers (arXiv 2411.03884). The published names and shapes are those of Motif's
code in vLLM (`vllm/model_executor/models/motif.py`, v0.10.2)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb, eager_attention_forward


class MotifConfig(LlamaConfig):
    model_type = "motif"


class PolyNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(3) / 3), nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        powers = (x**3, x**2, x)
        normed = [power * torch.rsqrt(power.pow(2).mean(-1, keepdim=True) + 1e-6) for power in powers]
        total: torch.Tensor = sum(w * power for w, power in zip(self.weight, normed, strict=True))  # type: ignore[assignment]
        return total + self.bias


class MotifAttention(nn.Module):
    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__()
        self.config, self.layer_idx, self.is_causal = config, layer_idx, True
        self.num_heads, self.num_key_value_heads = config.num_attention_heads // 2, config.num_key_value_heads // 2
        self.n_rep = self.num_heads // self.num_key_value_heads
        self.head_dim, self.num_key_value_groups = config.hidden_size // config.num_attention_heads, 1
        size = config.hidden_size
        self.q_proj = nn.Linear(size, size, bias=False)
        self.k_proj = nn.Linear(size, size // self.n_rep, bias=False)
        self.v_proj = nn.Linear(size, size // self.n_rep, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)
        for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"):
            self.register_parameter(name, nn.Parameter(torch.randn(self.head_dim) * 0.1))
        self.subln = nn.RMSNorm(2 * self.head_dim, eps=config.rms_norm_eps)
        self.lambda_init = 0.8 - 0.6 * math.exp(-0.3 * (layer_idx - 1))

    def forward(
        self, hidden_states: Any, position_embeddings: Any, attention_mask: Any = None, past_key_values: Any = None,
        **options: Any,
    ) -> tuple[torch.Tensor, Any]:  # fmt: skip
        shape = hidden_states.shape[:-1]
        query, key = (
            projection(hidden_states).view(*shape, -1, self.head_dim).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj)
        )
        value = self.v_proj(hidden_states).view(*shape, -1, 2 * self.head_dim).transpose(1, 2)
        query, key = apply_rotary_pos_emb(query, key, *position_embeddings)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        key = key.unflatten(1, (-1, 2)).repeat_interleave(self.n_rep, 1).flatten(1, 2)
        value = value.repeat_interleave(2 * self.n_rep, 1)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        output, weights = attend(
            self, query, key, value, attention_mask, scaling=self.head_dim**-0.5, dropout=0.0, **options
        )
        products = (self.lambda_q1 @ self.lambda_k1, self.lambda_q2 @ self.lambda_k2)  # type: ignore[operator]
        weight = torch.exp(products[0]) - torch.exp(products[1]) + self.lambda_init
        difference = self.subln(output[:, :, 0::2] - weight * output[:, :, 1::2]) * (1 - self.lambda_init)
        return self.o_proj(difference.flatten(-2)), weights


class MotifModel(LlamaModel):
    _can_record_outputs = LlamaModel._can_record_outputs | {"attentions": MotifAttention}

    def __init__(self, config: MotifConfig) -> None:
        super().__init__(config)
        for number, layer in enumerate(self.layers):
            layer.self_attn, layer.mlp.act_fn = MotifAttention(config, number), PolyNorm()
        self.post_init()


class MotifForCausalLM(LlamaForCausalLM):
    config_class = MotifConfig

    def __init__(self, config: MotifConfig) -> None:
        super().__init__(config)
        self.model = MotifModel(config)
        self.post_init()
