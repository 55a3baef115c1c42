"""Rows that leave and enter: the same tokens as one prompt at a time, whatever the slots and the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import transformers

from benchmarks.evaluation import draw_questions
from benchmarks.speed.peer_harnesses import answer_one_at_a_time
from models.decode.batch_sizing import FIRST_ROWS, MAX_ROWS, BatchSizer, ThreadTuner
from models.decode.continuous_batching import ContinuousBatchingDecoder
from models.decode.generation import answers
from models.decode.greedy_decoder import GeneratedTokens
from models.decode.hf_generate import HfGenerateDecoder
from models.decode.supported_models import supports_continuous_batching
from models.loading.load_model import LoadedModel, load
from models.prompt import template_of
from noise import mini

CPU = torch.device("cpu")
LIMIT = 48


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, "cpu", "float32")


@pytest.fixture(scope="module")
def prompts(loaded: LoadedModel) -> list[list[int]]:
    noisy_problems = draw_questions("inf", mini.problems("test")[:40], 0)
    ids: list[list[int]] = loaded.encode(loaded.prompts([noisy.question for noisy in noisy_problems]))["input_ids"]
    return ids


def never(tokens: list[int]) -> bool:
    return False


def decoder(
    loaded: LoadedModel, size: Any, kind: Callable[..., Any] = ContinuousBatchingDecoder, limit: int = LIMIT
) -> Any:
    pad = () if kind is ContinuousBatchingDecoder else (loaded.tokenizer.pad_token_id,)
    return kind(loaded.model, CPU, limit, {loaded.tokenizer.eos_token_id}, never, size, *pad)


@pytest.fixture(scope="module")
def alone(loaded: LoadedModel, prompts: list[list[int]]) -> list[GeneratedTokens]:
    """What `generate` writes after each prompt, one at a time."""
    return [dict(decoder(loaded, 1, HfGenerateDecoder).run([prompt]))[0] for prompt in prompts]


def test_the_shipped_pair_is_decoded_here(loaded: LoadedModel) -> None:
    assert supports_continuous_batching(loaded.model)


@pytest.mark.parametrize("size", [1, 3, 16, 64, "auto"])
def test_rows_that_leave_and_enter_write_what_each_writes_alone(
    loaded: LoadedModel, prompts: list[list[int]], alone: list[GeneratedTokens], size: int
) -> None:
    results = list(decoder(loaded, size).run(prompts))
    assert sorted(index for index, _ in results) == list(range(len(prompts))), "each once"
    assert [generated for _, generated in sorted(results)] == alone
    assert len({len(generated.tokens) for generated in alone}) > 5, "so that some rows leave before others"


@pytest.mark.parametrize("rows", [3, 64])
def test_a_batch_of_generate_writes_the_same(
    loaded: LoadedModel, prompts: list[list[int]], alone: list[GeneratedTokens], rows: int
) -> None:
    assert [generated for _, generated in sorted(decoder(loaded, rows, HfGenerateDecoder).run(prompts))] == alone


def test_very_short_prompts_and_a_limit_of_one_token(loaded: LoadedModel) -> None:
    prompts = [[1], [1, 40], [1, 40, 41], list(range(1, 60))]
    for limit in (1, 5):
        alone = [dict(decoder(loaded, 1, HfGenerateDecoder, limit).run([prompt]))[0] for prompt in prompts]
        assert [generated for _, generated in sorted(decoder(loaded, 3, limit=limit).run(prompts))] == alone


def small_model(name: str, **kwargs: Any) -> Any:
    """A model with random weights for 100 tokens and 60 positions."""
    sizes = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 60}
    config = getattr(transformers, f"{name}Config")(vocab_size=100, eos_token_id=None, **{**sizes, **kwargs})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config).eval()


DYNAMIC = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}


@pytest.mark.parametrize(
    ("name", "kwargs", "supported"),
    [
        ("Llama", {"intermediate_size": 64}, True),
        pytest.param("OPT", {"ffn_dim": 64, "word_embed_proj_dim": 32}, True, marks=pytest.mark.slow),
        pytest.param("GPTJ", {"rotary_dim": 4}, True, marks=pytest.mark.slow),
        ("Llama", {"intermediate_size": 64, "rope_parameters": DYNAMIC}, False),
        ("Roberta", {"intermediate_size": 64, "is_decoder": True, "max_position_embeddings": 62}, False),
        ("Mistral", {"intermediate_size": 64, "num_key_value_heads": 4, "sliding_window": 8}, False),
    ],
)
def test_other_models_are_decoded_here_or_left_to_generate(name: str, kwargs: dict[str, Any], supported: bool) -> None:
    """Up to the model's last position, with rows that keep their slot beyond their end."""
    model = small_model(name, **kwargs)
    assert supports_continuous_batching(model) is supported
    if not supported:
        return
    prompts = [[5 + (7 * row + column) % 90 for column in range(30 if row == 0 else 10)] for row in range(120)]
    first_token = dict(HfGenerateDecoder(model, CPU, 1, set(), never, 1, 0).run(prompts[:1]))[0].tokens[0]

    def complete(tokens: list[int]) -> bool:
        return tokens[0] != first_token and len(tokens) > 9 + sum(tokens[:10]) % 17

    generated = sorted(ContinuousBatchingDecoder(model, CPU, 30, set(), complete, 16).run(prompts))
    assert generated == sorted(HfGenerateDecoder(model, CPU, 30, set(), complete, 1, 0).run(prompts))
    assert len(generated[0][1].tokens) == 30, "to the last of the 60 positions"


def test_no_prompts_give_no_texts(loaded: LoadedModel) -> None:
    assert list(decoder(loaded, 4).run([])) == list(decoder(loaded, 4, HfGenerateDecoder).run([])) == []


def tokens_read(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each forward pass appends its number of tokens."""
    read: list[int] = []
    real = loaded.model.forward

    def forward(**inputs: Any) -> Any:
        read.append(inputs["input_ids"].numel())
        return real(**inputs)

    monkeypatch.setattr(loaded.model, "forward", forward)
    return read


def test_worked_examples_that_prompts_share_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load("llama", "cpu", "float32", template_of("fewshot:4"))
    questions = [problem.question for problem in mini.problems("test")[:12]]
    ids = loaded.encode(loaded.prompts(questions))["input_ids"]
    alone = [dict(decoder(loaded, 1).run([prompt]))[0] for prompt in ids]
    read = tokens_read(loaded, monkeypatch)
    assert [generated for _, generated in sorted(decoder(loaded, 12).run(ids))] == alone
    examples = len(loaded.encode([loaded.prompt.before])["input_ids"][0])
    assert examples > 200
    assert sum(read) < 2 * examples + 12 * (128 + LIMIT), "not once for each prompt"


class TooSmall:
    """A forward pass that has memory for at most `rows` rows."""

    def __init__(self, model: Any, rows: int):
        self.real, self.rows, self.refused = model.forward, rows, 0

    def __call__(self, **inputs: Any) -> Any:
        if len(inputs["input_ids"]) > self.rows:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return self.real(**inputs)


@pytest.mark.parametrize("kind", [ContinuousBatchingDecoder, HfGenerateDecoder])
def test_where_memory_runs_out_no_finished_text_is_lost(
    loaded: LoadedModel,
    prompts: list[list[int]],
    alone: list[GeneratedTokens],
    kind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = TooSmall(loaded.model, 64)
    monkeypatch.setattr(loaded.model, "forward", small)
    run = decoder(loaded, 16, kind).run(prompts)
    results = [next(run)]
    small.rows = 5  # from the first answer on
    with pytest.warns(UserWarning, match="out of memory: continuing with") as caught:
        results += run
    assert sorted(index for index, _ in results) == list(range(len(prompts))), "each once"
    assert [generated for _, generated in sorted(results)] == alone
    assert [str(warning.message).split()[-4] for warning in caught] == ["8", "4"]


@pytest.mark.parametrize("kind", [ContinuousBatchingDecoder, HfGenerateDecoder])
def test_too_little_memory_for_one_row_is_an_error(
    loaded: LoadedModel, prompts: list[list[int]], kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded.model, "forward", TooSmall(loaded.model, 0))
    with pytest.warns(UserWarning, match="continuing with 1 "), pytest.raises(torch.OutOfMemoryError):
        list(decoder(loaded, 2, kind).run(prompts))


@pytest.mark.parametrize("kind", [ContinuousBatchingDecoder, HfGenerateDecoder])
def test_any_other_error_is_raised_as_it_is(
    loaded: LoadedModel, prompts: list[list[int]], kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**inputs: Any) -> Any:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(loaded.model, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        list(decoder(loaded, 8, kind).run(prompts))


def rows_for(rate: Callable[[int], float], budget: int = 10**9, row_bytes: int = 1) -> int:
    """Return the size that `auto` settles on where `rate(rows)` rows a second are decoded."""
    sizer = BatchSizer("auto", budget)
    for _ in range(200):
        sizer.record(sizer.rows, sizer.rows / rate(sizer.rows))
        sizer.review(row_bytes)
    return sizer.rows


def test_auto_grows_while_more_rows_are_faster() -> None:
    assert rows_for(lambda rows: min(rows, 128)) in {128, 256}, "the last doubling shows that it no longer pays"
    assert rows_for(lambda rows: rows) == MAX_ROWS
    assert rows_for(lambda rows: 1.0) in {FIRST_ROWS, 2 * FIRST_ROWS}


def test_auto_goes_back_from_a_slower_size() -> None:
    assert rows_for(lambda rows: rows if rows <= 128 else 30.0) == 128


def test_auto_stays_within_its_memory() -> None:
    assert rows_for(lambda rows: rows, budget=100_000, row_bytes=1_000) == 64


def test_a_fixed_size_never_changes() -> None:
    sizer = BatchSizer(24, 0)
    for _ in range(50):
        sizer.record(24, 1 / sizer.rows)
        sizer.review(10**9)
    assert sizer.rows == 24


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("faster", [1, 2])
@pytest.mark.usefixtures("two_threads")
def test_a_small_model_takes_the_number_of_threads_that_is_faster(faster: int) -> None:
    tuner = ThreadTuner(is_small_model=True, try_both=True)
    for _ in range(20):
        tuner.choose_next()
        tuner.record(1.0 if tuner.chosen == faster else 2.0)
    assert tuner.chosen == faster


@pytest.mark.usefixtures("two_threads")
def test_a_small_model_with_few_prompts_takes_one_thread() -> None:
    tuner = ThreadTuner(is_small_model=True)
    tuner.choose_next()
    assert tuner.chosen == 1


@pytest.mark.usefixtures("two_threads")
def test_a_large_model_takes_all_threads() -> None:
    tuner = ThreadTuner(is_small_model=False)
    tuner.choose_next()
    assert tuner.chosen == 2


@pytest.mark.usefixtures("two_threads")
def test_torch_s_settings_are_restored_between_two_answers(loaded: LoadedModel, prompts: list[list[int]]) -> None:
    for number, _ in enumerate(decoder(loaded, 4).run(prompts)):
        assert torch.get_num_threads() == 2
        assert not torch.is_inference_mode_enabled()
        if number == 5:
            break  # the rest is never decoded


@pytest.mark.slow
def test_500_answers_are_those_of_one_prompt_at_a_time(loaded: LoadedModel) -> None:
    questions = [noisy.question for noisy in draw_questions("inf", mini.problems("test")[:500], 0)]
    results = dict(answers(loaded, questions))
    assert [results[index].text for index in range(500)] == answer_one_at_a_time(loaded, questions, 256)
