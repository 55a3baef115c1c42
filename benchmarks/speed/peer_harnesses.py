"""Harnesses that answer questions: this one, the loop that people copy, lm-evaluation-harness, and transformers' own
continuous batching. All take the same model in memory, prompts, precision, end of text and token limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models.decode.batch_size_option import BatchSize

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: `answer(loaded, questions, max_new_tokens)` returns the text of each answer.
Answer = Callable[["LoadedModel", Sequence[str], int], list[str]]


def answer_here(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int, batch_size: BatchSize) -> list[str]:
    """Answer as a cell of the stage `zero_shot` does."""
    from models.decode.generation import answers

    generations = dict(answers(loaded, questions, max_new_tokens, batch_size))
    return [generations[index].text for index in range(len(questions))]


def answer_one_at_a_time(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int) -> list[str]:
    """Answer by the loop that people copy: one question at a time, eager attention, `generate`. The answers are cut
    where the stop rule ends them."""
    import torch
    from transformers import GenerationConfig

    from models.attention.differential import attention_implementation
    from models.prompt import PLAIN_PROMPT

    model: Any = loaded.model
    end_tokens = {model.generation_config.eos_token_id, loaded.tokenizer.eos_token_id} - {None}
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(end_tokens),
        pad_token_id=loaded.tokenizer.pad_token_id,
    )
    texts = []
    with torch.inference_mode(), attention_implementation(loaded.model, "eager"):
        for prompt in loaded.prompts(questions):
            inputs = loaded.encode([prompt], return_tensors="pt").to(loaded.device)
            tokens = model.generate(**inputs, generation_config=config)[0, inputs["input_ids"].shape[1] :]
            texts.append(PLAIN_PROMPT.stop.truncate(str(loaded.tokenizer.decode(tokens, skip_special_tokens=True))))
    return texts


def lm_evaluation_harness(batch_size: int) -> Answer:
    """Return a harness that answers by the backend `hf` of lm-evaluation-harness."""

    def answer(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int) -> list[str]:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        positions = loaded.model.config.max_position_embeddings
        backend: Any = HFLM(
            pretrained=loaded.model,
            tokenizer=loaded.tokenizer,
            backend="causal",
            batch_size=batch_size,
            max_length=positions,
        )
        kwargs = {"until": ["\nQuestion:"], "max_gen_toks": max_new_tokens, "do_sample": False, "temperature": 0.0}
        requests = [
            Instance("generate_until", {}, (prompt, dict(kwargs)), index)
            for index, prompt in enumerate(loaded.prompts(questions))
        ]
        return [str(text) for text in backend.generate_until(requests, disable_tqdm=True)]

    return answer


def hf_continuous_batching(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int) -> list[str]:
    """Answer by transformers' own continuous batching, with a cache of as many columns as these questions take."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    model: Any = loaded.model
    prompts = loaded.encode(loaded.prompts(questions))["input_ids"]
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=loaded.tokenizer.eos_token_id,
        pad_token_id=loaded.tokenizer.pad_token_id,
    )
    pages = sum(-(-(len(prompt) + max_new_tokens) // 32) for prompt in prompts)
    cache_config = ContinuousBatchingConfig(page_size=32, num_blocks=pages, max_batch_tokens=512)
    outputs = model.generate_batch(prompts, config, cache_config, warmup=False)
    tokens_by_prompt = [outputs[f"req_{index}"].generated_tokens for index in range(len(prompts))]
    return [str(loaded.tokenizer.decode(tokens, skip_special_tokens=True)) for tokens in tokens_by_prompt]
