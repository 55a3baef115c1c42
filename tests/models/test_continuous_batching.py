"""Rows that leave and enter: the same tokens as one prompt at a time, whatever the seats and the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import transformers

from benchmarks.evaluation import ask_with
from benchmarks.speed.paired_timing import loop
from models.decode.batch_sizing import FIRST, MOST, Seats, Threads
from models.decode.continuous_batching import Decoder, Written, can_decode
from models.decode.generation import answers
from models.decode.hf_generate import BatchDecoder
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
    asked = ask_with("inf", mini.problems("test")[:40], 0)
    ids: list[list[int]] = loaded.encode(loaded.prompts([noisy.question for noisy in asked]))["input_ids"]
    return ids


def never(tokens: list[int]) -> bool:
    return False


def decoder(loaded: LoadedModel, size: Any, kind: Callable[..., Any] = Decoder, limit: int = LIMIT) -> Any:
    more = () if kind is Decoder else (loaded.tokenizer.pad_token_id,)
    return kind(loaded.model, CPU, limit, {loaded.tokenizer.eos_token_id}, never, size, *more)


@pytest.fixture(scope="module")
def alone(loaded: LoadedModel, prompts: list[list[int]]) -> list[Written]:
    """What `generate` writes after each prompt, one at a time."""
    return [dict(decoder(loaded, 1, BatchDecoder).run([prompt]))[0] for prompt in prompts]


def test_the_shipped_pair_is_decoded_here(loaded: LoadedModel) -> None:
    assert can_decode(loaded.model)


@pytest.mark.parametrize("size", [1, 3, 16, 64, "auto"])
def test_rows_that_leave_and_enter_write_what_each_writes_alone(
    loaded: LoadedModel, prompts: list[list[int]], alone: list[Written], size: int
) -> None:
    found = list(decoder(loaded, size).run(prompts))
    assert sorted(index for index, _ in found) == list(range(len(prompts))), "each once"
    assert [written for _, written in sorted(found)] == alone
    assert len({len(written.tokens) for written in alone}) > 5, "or no row would leave before another"


@pytest.mark.parametrize("rows", [3, 64])
def test_a_batch_of_generate_writes_the_same(
    loaded: LoadedModel, prompts: list[list[int]], alone: list[Written], rows: int
) -> None:
    assert [written for _, written in sorted(decoder(loaded, rows, BatchDecoder).run(prompts))] == alone


def test_very_short_prompts_and_a_limit_of_one_token(loaded: LoadedModel) -> None:
    prompts = [[1], [1, 40], [1, 40, 41], list(range(1, 60))]
    for limit in (1, 5):
        alone = [dict(decoder(loaded, 1, BatchDecoder, limit).run([prompt]))[0] for prompt in prompts]
        assert [written for _, written in sorted(decoder(loaded, 3, limit=limit).run(prompts))] == alone


def small_model(name: str, **more: Any) -> Any:
    """A model with random weights for 100 tokens and 60 positions."""
    sizes = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 60}
    config = getattr(transformers, f"{name}Config")(vocab_size=100, eos_token_id=None, **{**sizes, **more})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return transformers.AutoModelForCausalLM.from_config(config).eval()


DYNAMIC = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}


@pytest.mark.parametrize(
    ("name", "more", "here"),
    [
        ("Llama", {"intermediate_size": 64}, True),
        ("OPT", {"ffn_dim": 64, "word_embed_proj_dim": 32}, True),
        ("GPTJ", {"rotary_dim": 4}, True),
        ("Llama", {"intermediate_size": 64, "rope_parameters": DYNAMIC}, False),
        ("Roberta", {"intermediate_size": 64, "is_decoder": True, "max_position_embeddings": 62}, False),
        ("Mistral", {"intermediate_size": 64, "num_key_value_heads": 4, "sliding_window": 8}, False),
    ],
)
def test_other_models_are_decoded_here_or_by_generate(name: str, more: dict[str, Any], here: bool) -> None:
    """Up to the last position there is, with rows that stay seated beyond their end."""
    model = small_model(name, **more)
    assert can_decode(model) is here
    if not here:
        return
    prompts = [[5 + (7 * row + place) % 90 for place in range(30 if row == 0 else 10)] for row in range(120)]
    begin = dict(BatchDecoder(model, CPU, 1, set(), never, 1, 0).run(prompts[:1]))[0].tokens[0]

    def complete(tokens: list[int]) -> bool:
        return tokens[0] != begin and len(tokens) > 9 + sum(tokens[:10]) % 17

    found = sorted(Decoder(model, CPU, 30, set(), complete, 16).run(prompts))
    assert found == sorted(BatchDecoder(model, CPU, 30, set(), complete, 1, 0).run(prompts))
    assert len(found[0][1].tokens) == 30, "to the last of the 60 positions"


def test_nothing_is_decoded_where_nothing_is_asked(loaded: LoadedModel) -> None:
    assert list(decoder(loaded, 4).run([])) == list(decoder(loaded, 4, BatchDecoder).run([])) == []


def tokens_read(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that will hold how many tokens each forward pass takes."""
    read: list[int] = []
    real = loaded.model.forward

    def forward(**inputs: Any) -> Any:
        read.append(inputs["input_ids"].numel())
        return real(**inputs)

    monkeypatch.setattr(loaded.model, "forward", forward)
    return read


def test_worked_examples_in_front_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load("llama", "cpu", "float32", template_of("fewshot:4"))
    questions = [problem.question for problem in mini.problems("test")[:12]]
    ids = loaded.encode(loaded.prompts(questions))["input_ids"]
    alone = [dict(decoder(loaded, 1).run([prompt]))[0] for prompt in ids]
    read = tokens_read(loaded, monkeypatch)
    assert [written for _, written in sorted(decoder(loaded, 12).run(ids))] == alone
    examples = len(loaded.encode([loaded.prompt.before])["input_ids"][0])
    assert examples > 200
    assert sum(read) < 2 * examples + 12 * (128 + LIMIT), "not the examples of each"


class TooSmall:
    """A forward pass that has memory for `rows` rows, and for no more."""

    def __init__(self, model: Any, rows: int):
        self.real, self.rows, self.refused = model.forward, rows, 0

    def __call__(self, **inputs: Any) -> Any:
        if len(inputs["input_ids"]) > self.rows:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return self.real(**inputs)


@pytest.mark.parametrize("kind", [Decoder, BatchDecoder])
def test_where_memory_runs_out_no_finished_text_is_lost(
    loaded: LoadedModel,
    prompts: list[list[int]],
    alone: list[Written],
    kind: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = TooSmall(loaded.model, 64)
    monkeypatch.setattr(loaded.model, "forward", small)
    run = decoder(loaded, 16, kind).run(prompts)
    found = [next(run)]
    small.rows = 5  # from the first answer on
    with pytest.warns(UserWarning, match="not enough memory: going on with") as said:
        found += run
    assert sorted(index for index, _ in found) == list(range(len(prompts))), "each once"
    assert [written for _, written in sorted(found)] == alone
    assert [str(one.message).split()[-4] for one in said] == ["8", "4"]


@pytest.mark.parametrize("kind", [Decoder, BatchDecoder])
def test_what_not_even_one_row_has_memory_for_is_an_error(
    loaded: LoadedModel, prompts: list[list[int]], kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded.model, "forward", TooSmall(loaded.model, 0))
    with pytest.warns(UserWarning, match="going on with 1 "), pytest.raises(torch.OutOfMemoryError):
        list(decoder(loaded, 2, kind).run(prompts))


@pytest.mark.parametrize("kind", [Decoder, BatchDecoder])
def test_any_other_error_is_raised_as_it_is(
    loaded: LoadedModel, prompts: list[list[int]], kind: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**inputs: Any) -> Any:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(loaded.model, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        list(decoder(loaded, 8, kind).run(prompts))


def rows_for(rate: Callable[[int], float], budget: int = 10**9, row_bytes: int = 1) -> int:
    """What `auto` comes to where `rate(rows)` rows a second are decoded."""
    seats = Seats("auto", budget)
    for _ in range(200):
        seats.timed(seats.rows, seats.rows / rate(seats.rows))
        seats.review(row_bytes)
    return seats.rows


def test_auto_grows_while_more_rows_are_faster() -> None:
    assert rows_for(lambda rows: min(rows, 128)) in {128, 256}, "one doubling shows that it no longer pays"
    assert rows_for(lambda rows: rows) == MOST
    assert rows_for(lambda rows: 1.0) in {FIRST, 2 * FIRST}


def test_auto_goes_back_from_what_is_slower() -> None:
    assert rows_for(lambda rows: rows if rows <= 128 else 30.0) == 128


def test_auto_keeps_to_its_memory() -> None:
    assert rows_for(lambda rows: rows, budget=100_000, row_bytes=1_000) == 64


def test_a_number_of_rows_stays_what_it_is() -> None:
    seats = Seats(24, 0)
    for _ in range(50):
        seats.timed(24, 1 / seats.rows)
        seats.review(10**9)
    assert seats.rows == 24


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("faster", [1, 2])
@pytest.mark.usefixtures("two_threads")
def test_a_small_model_takes_the_number_of_threads_that_is_faster(faster: int) -> None:
    threads = Threads(small=True, try_both=True)
    for _ in range(20):
        threads.next()
        threads.timed(1.0 if threads.chosen == faster else 2.0)
    assert threads.chosen == faster


@pytest.mark.usefixtures("two_threads")
def test_a_small_model_with_few_prompts_takes_one_thread() -> None:
    threads = Threads(small=True)
    threads.next()
    assert threads.chosen == 1


@pytest.mark.usefixtures("two_threads")
def test_a_large_model_takes_all_threads() -> None:
    threads = Threads(small=False)
    threads.next()
    assert threads.chosen == 2


@pytest.mark.usefixtures("two_threads")
def test_between_two_answers_nothing_of_torch_is_changed(loaded: LoadedModel, prompts: list[list[int]]) -> None:
    for number, _ in enumerate(decoder(loaded, 4).run(prompts)):
        assert torch.get_num_threads() == 2
        assert not torch.is_inference_mode_enabled()
        if number == 5:
            break  # and nobody asks for the rest


@pytest.mark.slow
def test_500_problems_get_token_for_token_what_one_at_a_time_gives(loaded: LoadedModel) -> None:
    questions = [noisy.question for noisy in ask_with("inf", mini.problems("test")[:500], 0)]
    found = dict(answers(loaded, questions))
    assert [found[index].text for index in range(500)] == loop(loaded, questions, 256)
