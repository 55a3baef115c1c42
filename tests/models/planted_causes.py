"""Two Llamas with weights set by hand: noise hurts one only because it reads it, the other only because words move.

Both are of one layer with one head, and copy the number that the head attends to. `copies_the_last_number` attends to
the nearest number before the answer, so a number in the noise misleads it, wherever the noise has moved the rest.
`counts_positions` attends to the token at a fixed distance before the answer, so noise of any kind misleads it, read or
not.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.loading.load_model import LoadedModel, load
from noise.problems.problem import NoisyProblem, Problem

NAMES, THINGS = "Ann Bob Cem Dora Eve Finn".split(), "pens caps eggs nuts".split()
WORDS = [*"[UNK] [END] Question Answer : . ? has How many do I see".split(), *NAMES, *THINGS]
NUMBERS = [str(number) for number in range(2, 60)]
#: How many tokens before the colon that the answer follows the number of a clean question stands.
DISTANCE = 10
_HEAD = 64
_CONSTANT, _NUMBER, _WORD = 0, 1, 2  # features of every token, of numbers, and of the others
_IDENTITY, _COPIED = 3, 3 + len(WORDS) + len(NUMBERS)  # where a token is written, and where the copied number is


def problem(index: int) -> Problem:
    name, thing, number = NAMES[index % 6], THINGS[index % 4], 2 + index * 7 % 28
    question = f"{name} has {number} {thing}. How many {thing} has {name}?"
    return Problem(f"planted-{index}", question, f"{number}\n#### {number}")


def noisy_problem(index: int) -> NoisyProblem:
    clean = problem(index)
    other, thing = NAMES[(index + 1) % 6], THINGS[(index + 1) % 4]
    sentence = f"{other} has {32 + index * 5 % 27} {thing}. "
    start = clean.question.index("How")
    question = clean.question[:start] + sentence + clean.question[start:]
    return NoisyProblem(clean, "inf", question, ((start, start + len(sentence)),), 0)


def copies_the_last_number() -> LoadedModel:
    return _loaded(distance=0, only_numbers=True)


def counts_positions() -> LoadedModel:
    return _loaded(distance=DISTANCE, only_numbers=False)


def _loaded(distance: int, only_numbers: bool) -> LoadedModel:
    vocabulary = [*WORDS, *NUMBERS]
    tokenizer = Tokenizer(models.WordLevel({word: id for id, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="[END]", unk_token="[UNK]", pad_token="[END]")
    base = load("llama", "cpu", "float32")
    return replace(base, model=_model(len(vocabulary), distance, only_numbers), tokenizer=fast)


def _model(tokens: int, distance: int, only_numbers: bool) -> LlamaForCausalLM:
    width = 256
    config = LlamaConfig(
        vocab_size=tokens, hidden_size=width, intermediate_size=8, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=4, head_dim=_HEAD, max_position_embeddings=512, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0}, eos_token_id=1,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "norm" in name else 0.0)
        embedding, layer = model.model.embed_tokens.weight, model.model.layers[0].self_attn
        for id in range(tokens):
            embedding[id, [_CONSTANT, _NUMBER if id >= len(WORDS) else _WORD, _IDENTITY + id]] = 1.0
        frequencies = 10_000.0 ** (-torch.arange(_HEAD // 2) / (_HEAD / 2))
        # One slow rotation compares distances; several together pick out one.
        used = [16] if only_numbers else list(range(4, 16))
        for pair in used:
            angle = float(frequencies[pair]) * distance
            for half, part in ((0, math.cos(angle)), (_HEAD // 2, -math.sin(angle))):
                layer.q_proj.weight[pair + half, _CONSTANT] = 40.0 * part
            layer.k_proj.weight[pair, _NUMBER if only_numbers else _CONSTANT] = 40.0
        identities = torch.arange(len(NUMBERS))
        layer.v_proj.weight[identities, _IDENTITY + len(WORDS) + identities] = 1.0
        layer.o_proj.weight[_COPIED + identities, identities] = 1.0
        model.lm_head.weight[len(WORDS) + identities, _COPIED + identities] = 10.0
        model.lm_head.weight[1, _NUMBER] = 100.0  # after a number the text ends
    return model
