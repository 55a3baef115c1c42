"""DiffLlama writes other texts under continuous batching than under `generate`; Llama does not.

    python diffllama_continuous_batching.py

Needs torch and transformers, and downloads nothing: tiny random models, float32, on the CPU, greedy. Prints

1. of how many prompts `generate_batch` writes the tokens of `generate`, and of how many the first token,
2. which values the first of a DiffLlama layer's two attention calls reads from the paged cache for earlier tokens,
3. the first figures again, where a layer's undivided values are written to the cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import transformers
from transformers import (
    ContinuousBatchingConfig,
    DiffLlamaConfig,
    DiffLlamaForCausalLM,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.generation.continuous_batching.cache_allocators.full_attention import FullAttentionCacheAllocator

CLASSES: dict[str, tuple[Any, Any]] = {
    "Llama": (LlamaConfig, LlamaForCausalLM),
    "DiffLlama": (DiffLlamaConfig, DiffLlamaForCausalLM),
}
LAYERS, HEADS, HEAD_SIZE, VOCABULARY = 2, 4, 8, 64
NEW_TOKENS = 12
#: Token numbers at random, of several lengths. Without 0, which stands for padding: `generate` would mask it.
PROMPTS = [
    torch.randint(1, VOCABULARY, (length,), generator=torch.Generator().manual_seed(length)).tolist()
    for length in range(5, 13)
]


def random_model(family: str, attention: str) -> Any:
    """Return a model whose weights are spread so widely that its next token depends on all tokens before it."""
    config_class, model_class = CLASSES[family]
    config = config_class(
        vocab_size=VOCABULARY,
        hidden_size=HEADS * HEAD_SIZE,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        initializer_range=0.4,
        attn_implementation=attention,
    )
    torch.manual_seed(0)
    return model_class(config).eval()


def answers_of_generate(model: Any, config: GenerationConfig) -> list[list[int]]:
    """Return the new tokens of each prompt, one prompt at a time: no padding."""
    with torch.inference_mode():
        return [
            model.generate(torch.tensor([prompt]), generation_config=config)[0, len(prompt) :].tolist()
            for prompt in PROMPTS
        ]


def answers_of_generate_batch(model: Any, config: GenerationConfig) -> list[list[int]]:
    # Without sizes the cache takes most of the memory.
    cache = ContinuousBatchingConfig(page_size=32, num_blocks=len(PROMPTS), max_batch_tokens=512)
    outputs = model.generate_batch(PROMPTS, config, cache, warmup=False)
    return [outputs[f"req_{number}"].generated_tokens for number in range(len(PROMPTS))]


def equal_answers(model: Any) -> tuple[int, int]:
    """Return the prompts that both ways answer alike: with the same tokens, and with the same first token."""
    # The end of text is no token of the vocabulary, so that every text has `NEW_TOKENS`.
    config = GenerationConfig(do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=VOCABULARY, pad_token_id=0)
    expected, written = answers_of_generate(model, config), answers_of_generate_batch(model, config)
    assert {len(tokens) for tokens in (*expected, *written)} == {NEW_TOKENS}
    pairs = list(zip(expected, written, strict=True))
    return sum(a == b for a, b in pairs), sum(a[0] == b[0] for a, b in pairs)


@contextmanager
def cache_update(replace: Callable[..., Any]) -> Iterator[None]:
    """Let `replace(update, call, key, value, layer, read, write)` stand for a paged cache's `update`.

    `call` is 0 or 1, as a layer of DiffLlama calls attention twice. Keys and values have the shape (token, head, size);
    `read` and `write` have the cache's slot of each token.
    """
    original, calls = FullAttentionCacheAllocator.update, Counter[int]()

    def update(self: Any, key: Any, value: Any, layer: int, read: Any, write: Any) -> Any:
        calls[layer] += 1
        return replace(original.__get__(self), (calls[layer] - 1) % 2, key, value, layer, read, write)

    FullAttentionCacheAllocator.update = update
    try:
        yield
    finally:
        FullAttentionCacheAllocator.update = original


def values_that_the_first_call_reads(model: Any) -> Counter[str]:
    """Count the earlier tokens that a layer's first call reads, by the call whose values it gets for them."""
    counts: Counter[str] = Counter()
    written: dict[tuple[int, int, int], torch.Tensor] = {}  # by call, layer and slot

    def record(update: Any, call: int, key: Any, value: Any, layer: int, read: Any, write: Any) -> Any:
        keys, values = update(key, value, layer, read, write)
        new = write.tolist()
        written.update({(call, layer, slot): row.clone() for slot, row in zip(new, value, strict=True)})
        for slot, row in zip(read.tolist(), values, strict=False):  # nothing is read where no token is earlier
            if call == 0 and slot not in new:
                equal = tuple(torch.equal(row, written[number, layer, slot]) for number in (0, 1))
                counts["tokens"] += 1
                counts["first"] += equal == (True, False)
                counts["second"] += equal == (False, True)
        return keys, values

    with cache_update(record):
        equal_answers(model)
    return counts


def equal_answers_with_undivided_values(model: Any) -> tuple[int, int]:
    """Return `equal_answers` where both calls write the layer's values as they were before they were divided."""
    undivided: dict[int, torch.Tensor] = {}

    def keep(layer: int, projection: Any, inputs: Any, output: torch.Tensor) -> None:
        undivided[layer] = output[0].unflatten(-1, (HEADS, HEAD_SIZE))

    def write_undivided(update: Any, call: int, key: Any, value: Any, layer: int, read: Any, write: Any) -> Any:
        keys, values = update(key, undivided[layer], layer, read, write)
        return keys, values.chunk(2, dim=1)[call].repeat(1, 2, 1)  # what the layer does with its values

    for number, layer in enumerate(model.model.layers):
        layer.self_attn.v_proj.register_forward_hook(partial(keep, number))
    with cache_update(write_undivided):
        return equal_answers(model)


def main() -> None:
    print(f"transformers {transformers.__version__}, torch {torch.__version__}\n")
    print(f"prompts (of {len(PROMPTS)}) where generate_batch matches generate: all {NEW_TOKENS} tokens, first token")
    for family in CLASSES:
        for attention in ("sdpa", "eager"):
            whole, first = equal_answers(random_model(family, attention))
            print(f"  {family:9}  {attention:5}  {whole}  {first}")
    counts = values_that_the_first_call_reads(random_model("DiffLlama", "sdpa"))
    print("earlier tokens that a layer's first call reads: whose values it gets")
    print(f"  the first call's   {counts['first']} of {counts['tokens']}")
    print(f"  the second call's  {counts['second']} of {counts['tokens']}")
    whole, first = equal_answers_with_undivided_values(random_model("DiffLlama", "sdpa"))
    print("the first counts again, with the unsplit values cached")
    print(f"  DiffLlama  sdpa   {whole}  {first}")


if __name__ == "__main__":
    main()
