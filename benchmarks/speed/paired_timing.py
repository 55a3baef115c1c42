"""The loop that people copy, beside which the harness is timed: one problem at a time, eager attention, `generate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models.decode.batch_size_option import BatchSize

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel


def loop(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int) -> list[str]:
    """The answers to `questions`, up to where the stop rule ends them: the same weights, precision, prompt, limit and
    end of text as the harness has, and nothing else of it."""
    import torch
    from transformers import GenerationConfig

    from models.attention.differential import attention_implementation
    from models.prompt import truncate_at_stop

    model: Any = loaded.model
    ends = {model.generation_config.eos_token_id, loaded.tokenizer.eos_token_id} - {None}
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(ends),
        pad_token_id=loaded.tokenizer.pad_token_id,
    )
    answers = []
    with torch.inference_mode(), attention_implementation(loaded.model, "eager"):
        for prompt in loaded.prompts(questions):
            inputs = loaded.encode([prompt], return_tensors="pt").to(loaded.device)
            written = model.generate(**inputs, generation_config=config)[0, inputs["input_ids"].shape[1] :]
            answers.append(truncate_at_stop(str(loaded.tokenizer.decode(written, skip_special_tokens=True))))
    return answers


def harness(loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int, batch_size: BatchSize) -> list[str]:
    """The answers to the same questions as a cell of the stage `zero_shot` asks them."""
    from models.decode.generation import answers

    found = dict(answers(loaded, questions, max_new_tokens, batch_size))
    return [found[index].text for index in range(len(questions))]


def paired(benchmark: Any, ours: Callable[[], object], theirs: Callable[[], float], rounds: int = 5) -> list[float]:
    """How many times as fast `ours` is as another way, of which `theirs` gives the seconds; one after the other,
    `rounds` times, after a round that is not counted. The ratios go into the benchmark's record too."""
    seconds: list[float] = []
    ours()
    theirs()
    benchmark.pedantic(ours, setup=lambda: seconds.append(theirs()), rounds=rounds, iterations=1)
    own = benchmark.stats.stats.data
    ratios = [other / mine for other, mine in zip(seconds, own, strict=True)]
    benchmark.extra_info["seconds of the other way"] = seconds
    benchmark.extra_info["ratios"] = ratios
    return ratios
