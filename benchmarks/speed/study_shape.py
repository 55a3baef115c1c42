"""Models of the study's shape for timing: random weights, and answers as long as those of GSM8K.

A prompt's last token says how many tokens follow it. Token `t` is followed by the likeliest token that is `t - 1`
modulo `CLASSES`, and a token that is 0 modulo `CLASSES` by the end of text. So every way of decoding writes answers of
the same lengths. Among the tokens that keep to the length the choice is the model's own, which shows whether two ways
computed the same.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: The shape of the study's models. Source: the configurations published with their weights.
SHAPE: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
}
VOCABULARY = 128_256
#: Larger than the number of tokens of the longest answer, and a divisor of the vocabulary.
CLASSES = 501
END = VOCABULARY - 1
#: Lengths of prompt and answer of every 117th problem of GSM8K's training split (64 of 7,473; means 63.8 and 101.6),
#: counted in words, numbers of up to three digits and runs of signs, as a tokenizer like the study's pre-tokenizes.
LENGTHS = (
    (40, 45), (88, 121), (66, 186), (61, 76), (85, 197), (58, 62), (49, 73), (101, 164), (38, 40), (68, 86), (75, 158),
    (75, 106), (62, 68), (45, 112), (54, 116), (63, 74), (76, 71), (76, 56), (45, 73), (47, 104), (101, 109), (76, 104),
    (58, 87), (39, 41), (75, 89), (43, 43), (75, 54), (63, 117), (39, 105), (51, 102), (69, 88), (57, 49), (69, 68),
    (54, 93), (38, 60), (114, 76), (80, 72), (34, 43), (85, 105), (58, 133), (49, 72), (64, 113), (94, 171), (42, 112),
    (67, 79), (40, 167), (97, 161), (60, 106), (83, 126), (63, 166), (59, 95), (104, 140), (40, 73), (53, 108),
    (40, 76), (36, 69), (70, 109), (88, 285), (69, 124), (38, 48), (48, 96), (80, 68), (50, 38), (99, 272),
)  # fmt: skip


def questions(lengths: tuple[tuple[int, int], ...] = LENGTHS, seed: int = 0) -> list[str]:
    """Return a text for each of `lengths`, with the prompt's number of tokens, whose answer has the answer's."""
    rng = random.Random(seed)
    texts = []
    for prompt, answer in lengths:
        tokens = [rng.randrange(VOCABULARY - 1) for _ in range(prompt - 1)]
        last = rng.randrange(VOCABULARY // CLASSES - 1) * CLASSES + answer
        texts.append(" ".join(f"t{token}" for token in (*tokens, last)))
    return texts


def study_shape(family: str, precision: str, shape: dict[str, Any] | None = None) -> LoadedModel:
    """Return a model of `family` (`diffllama` or `llama`) with `shape` (default: the study's), on the CPU."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        DiffLlamaConfig,
        DiffLlamaForCausalLM,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    from models.loading.chat_template import render_prompt
    from models.loading.load_model import LoadedModel
    from models.model_registry import ModelSpec
    from models.prompt import Template

    words = Tokenizer(models.WordLevel({f"t{token}": token for token in range(VOCABULARY)}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"eos_token": f"t{END}", "pad_token": "t0"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, padding_side="left", **special)
    config_class, model_class = {
        "diffllama": (DiffLlamaConfig, DiffLlamaForCausalLM),
        "llama": (LlamaConfig, LlamaForCausalLM),
    }[family]
    ids = {"bos_token_id": None, "eos_token_id": END, "pad_token_id": 0}
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, precision))
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = model_class(config_class(vocab_size=VOCABULARY, **ids, **(shape or SHAPE))).eval()
    finally:
        torch.set_default_dtype(before)
    model.register_forward_hook(_count_down, with_kwargs=True)
    spec = ModelSpec(f"{family}, the study's shape", "random weights")
    return LoadedModel(model, tokenizer, spec, "random", render_prompt(Template("{question}"), tokenizer))


def _count_down(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    """Raise the logit of the likeliest allowed token above all others, in the last column of the logits."""
    import torch

    inputs = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
    left = inputs[:, -1] % CLASSES
    last = output.logits[:, -1]
    by_class = last.view(len(last), -1, CLASSES)
    rows = range(len(last))
    next_class = (left - 1) % CLASSES
    likeliest = by_class[rows, :, next_class].argmax(-1)
    chosen = (likeliest * CLASSES + next_class).where(left > 0, END)
    last[rows, chosen] = last.new_tensor(torch.finfo(last.dtype).max)  # masking all others would take long
    return output
