"""Phi-4-mini-flash in small: only odd layers attend, and each of them subtracts; the others are no attention.

The names and shapes are those of its code in vLLM (`vllm/model_executor/models/phi4flash.py`): one projection for
queries, keys and values, λ and the norm inside `inner_cross_attn`, no rotary positions. A causal convolution stands in
for the state-space layers, and nothing is cached. The layers that share keys and values have no counterpart.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from transformers import GenerationMixin, LlamaConfig, PreTrainedModel
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.llama.modeling_llama import eager_attention_forward


class Phi4FlashConfig(LlamaConfig):
    model_type = "phi4flash"

    def __post_init__(self, **options: Any) -> None:
        super().__post_init__(**options)
        kinds = ("conv", "full_attention")
        self.layer_types = [kinds[number % 2] for number in range(self.num_hidden_layers)]


class InnerCrossAttention(nn.Module):
    def __init__(self, size: int, layer_idx: int) -> None:
        super().__init__()
        for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"):
            self.register_parameter(name, nn.Parameter(torch.randn(size) * 0.1))
        self.subln = nn.RMSNorm(2 * size, eps=1e-5)
        self.lambda_init = 0.8 - 0.6 * math.exp(-0.3 * layer_idx)

    def subtract(self, output: torch.Tensor) -> torch.Tensor:
        products = (self.lambda_q1 @ self.lambda_k1, self.lambda_q2 @ self.lambda_k2)  # type: ignore[operator]
        weight = torch.exp(products[0]) - torch.exp(products[1]) + self.lambda_init
        normed: torch.Tensor = self.subln(output[:, :, 0::2] - weight * output[:, :, 1::2])
        return normed * (1 - self.lambda_init)


class SambaYAttention(nn.Module):
    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__()
        self.config, self.layer_idx, self.is_causal, self.num_key_value_groups = config, layer_idx, True, 1
        self.heads, self.keys, self.head_dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        self.Wqkv = nn.Linear(config.hidden_size, (self.heads + 2 * self.keys) * self.head_dim)
        self.out_proj = nn.Linear(self.heads * self.head_dim, config.hidden_size)
        self.inner_cross_attn = InnerCrossAttention(self.head_dim, layer_idx)

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: Any, padding: Any = None, **options: Any
    ) -> tuple[torch.Tensor, Any]:
        heads = self.Wqkv(hidden_states).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        query, key, value = heads.split([self.heads, self.keys, self.keys], dim=1)
        repeats = self.heads // self.keys
        key = key.unflatten(1, (-1, 2)).repeat_interleave(repeats, 1).flatten(1, 2)
        value = value.unflatten(1, (-1, 2)).transpose(2, 3).flatten(3).repeat_interleave(2 * repeats, 1)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        output, weights = attend(
            self, query, key, value, attention_mask, scaling=self.head_dim**-0.5, dropout=0.0, **options
        )
        return self.out_proj(self.inner_cross_attn.subtract(output).flatten(-2)), weights


class Convolution(nn.Module):
    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx = layer_idx
        self.conv1d = nn.Conv1d(config.hidden_size, config.hidden_size, 4, groups=config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, hidden_states: torch.Tensor, padding: Any = None, **options: Any) -> tuple[torch.Tensor, Any]:
        real = hidden_states if padding is None else hidden_states * padding[..., None]
        columns = nn.functional.pad(real.transpose(1, 2), (3, 0))
        return self.out_proj(nn.functional.silu(self.conv1d(columns)).transpose(1, 2)), None


class Phi4FlashLayer(nn.Module):
    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__()
        self.attn = (SambaYAttention if layer_idx % 2 else Convolution)(config, layer_idx)
        self.fc1 = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.input_layernorm, self.post_attention_layernorm = (nn.LayerNorm(config.hidden_size) for _ in range(2))

    def forward(self, hidden_states: torch.Tensor, **options: Any) -> tuple[torch.Tensor, Any]:
        mixed, weights = self.attn(self.input_layernorm(hidden_states), **options)
        hidden_states = hidden_states + mixed
        gate, up = self.fc1(self.post_attention_layernorm(hidden_states)).chunk(2, dim=-1)
        return hidden_states + self.fc2(nn.functional.silu(gate) * up), weights


class Phi4FlashPreTrainedModel(PreTrainedModel):
    config_class = Phi4FlashConfig
    base_model_prefix = "model"
    _supports_sdpa = _supports_attention_backend = True


class Phi4FlashModel(Phi4FlashPreTrainedModel):
    def __init__(self, config: Phi4FlashConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Phi4FlashLayer(config, number) for number in range(config.num_hidden_layers))
        self.final_layernorm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, attention_mask: Any = None, position_ids: Any = None, use_cache: Any = None,
        output_attentions: bool = False, **options: Any,
    ) -> BaseModelOutput:  # fmt: skip
        hidden = self.embed_tokens(input_ids)
        mask = create_causal_mask(
            config=self.config, inputs_embeds=hidden, attention_mask=attention_mask, past_key_values=None
        )
        attentions = []
        for layer in self.layers:
            hidden, weights = layer(hidden, attention_mask=mask, padding=attention_mask, **options)
            attentions += [] if weights is None else [weights]
        return BaseModelOutput(last_hidden_state=self.final_layernorm(hidden), attentions=tuple(attentions))  # type: ignore[arg-type]


class Phi4FlashForCausalLM(Phi4FlashPreTrainedModel, GenerationMixin):
    def __init__(self, config: Phi4FlashConfig) -> None:
        super().__init__(config)
        self.model = Phi4FlashModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(
        self, input_ids: torch.Tensor, logits_to_keep: Any = 0, labels: Any = None, **options: Any
    ) -> CausalLMOutput:
        output = self.model(input_ids, **options)
        hidden = output.last_hidden_state[:, -logits_to_keep:]
        return CausalLMOutput(logits=self.lm_head(hidden), attentions=output.attentions)

    def prepare_inputs_for_generation(self, input_ids: Any, attention_mask: Any = None, **_: Any) -> dict[str, Any]:
        return {"input_ids": input_ids, "attention_mask": attention_mask}  # the whole text at every step
