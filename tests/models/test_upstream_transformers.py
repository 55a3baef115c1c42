"""Canaries for the internals of transformers that `models.upstream_transformers` relies on.

A failure says what changed and which of our functions depends on it. Read that code again before trusting a figure.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from datasets import Dataset
from torch import nn
from torch.utils.data import Sampler, SequentialSampler
from transformers import (
    AttentionInterface,
    BloomConfig,
    BloomForCausalLM,
    DynamicCache,
    Gemma2Config,
    Gemma2ForCausalLM,
    GptOssConfig,
    GptOssForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from models import upstream_transformers
from models.sft.tokenized_examples import IGNORED, pad_left
from tests.models.attention_models import SHAPES, padded_batch, random_model

pytestmark = pytest.mark.quick
FAMILIES = ("diffllama", "llama")
CHANGED = f"transformers {transformers.__version__} changed an internal: "


def attention_calls(model: Any, mask: Any = upstream_transformers.sdpa_mask) -> list[dict[str, Any]]:
    """Return what the layers of `model` pass to an attention function, call by call."""
    calls = []

    def record(module: nn.Module, query: Any, key: Any, value: Any, attention_mask: Any, **options: Any) -> Any:
        calls.append({"module": module, "query": query, "key": key, "value": value, "mask": attention_mask, **options})
        return torch.zeros(query.shape[0], query.shape[2], query.shape[1], value.shape[-1]), None

    upstream_transformers.register_attention("canary", record, mask)
    with torch.no_grad(), upstream_transformers.attention_set(model, "canary") as accepted:
        assert accepted, CHANGED + "a registered attention is not accepted; see `differential.attention_implementation`"
        model.get_decoder()(**padded_batch(), use_cache=False, allocation="canary")
    return calls


@pytest.mark.parametrize("family", FAMILIES)
def test_set_attn_implementation_sets_the_private_attribute_of_the_configuration(family: str) -> None:
    model = random_model(family, SHAPES[0])
    assert model.config._attn_implementation == "sdpa", (
        CHANGED + "config._attn_implementation no longer names the implementation; see `can_set_attention`"
    )
    assert upstream_transformers.can_set_attention(model, "eager"), (
        CHANGED + "set_attn_implementation no longer sets config._attn_implementation; see `attention_set`"
    )
    assert model.config._attn_implementation == "sdpa", "`can_set_attention` leaves the model as it was"
    with upstream_transformers.attention_set(model, "eager") as accepted:
        assert accepted
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == "sdpa", "`attention_set` restores the implementation"


def test_a_model_outside_the_attention_interface_keeps_its_implementation() -> None:
    model = BloomForCausalLM(BloomConfig(vocab_size=40, hidden_size=16, n_layer=1, n_head=2))
    assert not upstream_transformers.can_set_attention(model, "allocation"), (
        CHANGED + "BLOOM goes through AttentionInterface, or set_attn_implementation no longer refuses by leaving"
        " config._attn_implementation alone; see `can_set_attention`"
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_registered_attention_function_gets_every_layer_and_the_keyword_arguments(family: str) -> None:
    calls = attention_calls(random_model(family, SHAPES[1]))
    numbers = [upstream_transformers.layer_number(call["module"]) for call in calls]
    assert sorted(set(numbers)) == [0, 1, 2], CHANGED + "attention layers lack `layer_idx`; see `layer_number`"
    assert all(call.get("allocation") == "canary" for call in calls), (
        CHANGED + "the decoder no longer passes keyword arguments to the attention; see `mass_recorder._attend`"
    )
    assert all("scaling" in call for call in calls), (
        CHANGED + "layers no longer pass `scaling`; see `mass_recorder._attend`"
    )
    heads, groups = SHAPES[1][1:3]
    for call in calls:
        shapes = call["query"].shape[1], call["key"].shape[1]
        assert shapes == (heads, groups), (
            CHANGED + "layers pass other heads than (query heads, key heads); see `mass_recorder._selected_masses`"
        )


def test_a_diffllama_layer_attends_twice_with_the_same_queries_and_keys() -> None:
    calls = attention_calls(random_model("diffllama", SHAPES[0]))
    assert [call["module"].layer_idx for call in calls] == [0, 0, 1, 1], (
        CHANGED + "a DiffLlama layer no longer calls its attention function twice; see `differential._attend` and"
        " `mass_recorder._attend`"
    )
    for first, second in zip(calls[::2], calls[1::2], strict=True):
        assert first["query"] is second["query"], CHANGED + "the two calls have different queries; see `Subtraction`"
        assert first["key"] is second["key"], CHANGED + "the two calls have different keys; see `Subtraction`"


@torch.no_grad()
def test_a_diffllama_layer_returns_the_raw_softmax_of_all_heads() -> None:
    model: Any = random_model("diffllama", SHAPES[0])
    with upstream_transformers.attention_set(model, "eager"):
        weights = model(**padded_batch(), output_attentions=True).attentions[0]
    assert weights.shape[1] == 4, (
        CHANGED + "DiffLlama's own weights lack one softmax a head; see `differential._attend`"
    )
    assert torch.allclose(weights.sum(-1), torch.ones(())), (
        CHANGED + "DiffLlama's own weights are no longer raw softmaxes; see `differential._attend`"
    )


def test_a_diffllama_layer_has_the_parameters_of_lambda() -> None:
    layers = [
        module
        for module in random_model("diffllama", SHAPES[0]).modules()
        if isinstance(module, upstream_transformers.DiffLlamaAttention)
    ]
    assert len(layers) == 2, CHANGED + "DiffLlama's layers are no DiffLlamaAttention; see `SUBTRACTIONS`"
    for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2", "lambda_init"):
        assert hasattr(layers[0], name), CHANGED + f"DiffLlamaAttention lacks {name}; see `layer_lambda`"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_module_of_a_layer_defines_its_explicit_attention(family: str) -> None:
    (call, *_) = attention_calls(random_model(family, SHAPES[1]), upstream_transformers.eager_mask)
    eager = upstream_transformers.eager_attention_of(call["module"])
    assert eager is not None, CHANGED + "modules lack eager_attention_forward; see `eager_attention_of`"
    arguments = (call["module"], call["query"], call["key"], call["value"], call["mask"])
    output, weights = eager(*arguments, scaling=call["scaling"])
    heads = SHAPES[1][1]
    assert output.shape[:3] == (3, 14, heads), CHANGED + "eager_attention_forward's output has another shape"
    assert weights.shape == (3, heads, 14, 14), (
        CHANGED + "eager_attention_forward no longer returns (batch, heads, query, key); see `differential._attend`"
    )


def test_the_masks_are_boolean_for_sdpa_and_additive_for_eager() -> None:
    model = random_model("llama", SHAPES[0])
    padding = padded_batch()["attention_mask"]
    visible = torch.ones(14, 14).tril().bool() & padding.bool()[:, None, :]
    (sdpa, *_), (eager, *_) = (
        attention_calls(model, mask) for mask in (upstream_transformers.sdpa_mask, upstream_transformers.eager_mask)
    )
    assert sdpa["mask"].dtype == torch.bool, CHANGED + "sdpa_mask is not boolean; see `segment_mass.select_queries`"
    real = padding.bool()
    assert torch.equal(sdpa["mask"][:, 0][real], visible[real]), (
        CHANGED + "sdpa_mask is no longer True where a query sees a key; see `segment_mass`"
    )
    assert torch.equal((eager["mask"] == 0)[:, 0][real], visible[real]), (
        CHANGED + "eager_mask is no longer 0 where a query sees a key; see `differential`"
    )


def test_sdpa_attention_is_causal_without_a_mask() -> None:
    (call, *_) = attention_calls(random_model("llama", SHAPES[1]))
    module, query, key, value = (call[name] for name in ("module", "query", "key", "value"))
    output, _ = upstream_transformers.sdpa_attention_forward(module, query, key, value, None, scaling=call["scaling"])
    groups = query.shape[1] // key.shape[1]
    keys, values = (upstream_transformers.repeat_kv(states, groups) for states in (key, value))
    scores = query @ keys.transpose(2, 3) * call["scaling"]
    future = torch.full((14, 14), float("-inf")).triu(1)
    expected = ((scores + future).softmax(-1) @ values).transpose(1, 2)
    assert torch.allclose(output, expected, atol=1e-5), (
        CHANGED + "sdpa_attention_forward without a mask is no longer causal attention, (batch, query, heads, size);"
        " see `segment_mass.output_and_masses`"
    )


def test_repeat_kv_repeats_each_head_for_the_adjacent_queries() -> None:
    states = torch.rand(2, 3, 4, 5)
    assert torch.equal(upstream_transformers.repeat_kv(states, 2), states.repeat_interleave(2, dim=1)), (
        CHANGED + "repeat_kv orders heads differently; see `mass_recorder._selected_masses`"
    )


def small(config_class: Any, **options: Any) -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    return config_class(
        vocab_size=40, num_key_value_heads=2, head_dim=8, max_position_embeddings=64, **sizes, **options
    )


def test_attention_that_modifies_its_scores_says_so_by_name() -> None:
    gemma = Gemma2ForCausalLM(small(Gemma2Config, attn_logit_softcapping=0.5)).eval()
    gpt_oss = GptOssForCausalLM(small(GptOssConfig, num_local_experts=2, num_experts_per_tok=1)).eval()
    passed = {
        "softcap": attention_calls(gemma)[0],
        "s_aux": attention_calls(gpt_oss)[0],
        "position_bias": inspect.signature(upstream_transformers.sdpa_attention_forward).parameters,
    }
    assert set(passed) == set(upstream_transformers.SCORE_MODIFIERS)
    for name, names in passed.items():
        assert name in names, CHANGED + f"{name!r} has another name; see `SCORE_MODIFIERS` and `mass_recorder._attend`"


class RecordingTrainer(upstream_transformers.TrainSamplerMixin, Trainer):
    """Records what the Trainer passes to the methods that `models.sft.sft_trainer` overrides."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.epochs: list[int] = []
        self.steps: list[tuple[list[int], int | None]] = []

    def train_sampler(self, rows: Any) -> Sampler[int]:
        epochs = self.epochs

        class Backwards(SequentialSampler):
            def set_epoch(self, epoch: int) -> None:
                epochs.append(epoch)

            def __iter__(self) -> Iterator[int]:
                return reversed(range(len(rows)))

        return Backwards(rows)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        items = None if num_items_in_batch is None else int(num_items_in_batch)
        self.steps.append((inputs["input_ids"][:, -1].tolist(), items))
        return model(inputs["input_ids"]).logits.float().sum() * 0


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> tuple[RecordingTrainer, Path, list[set[str]]]:
    """Return a finished training of two steps, its folder, and the files of each checkpoint at `on_save`."""
    folder = tmp_path_factory.mktemp("training")
    rows = [{"input_ids": [1, 2, row], "labels": [IGNORED, 2, row], "length": 3} for row in range(4)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=4,
        num_train_epochs=2,
        save_strategy="steps",
        save_steps=1,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )
    trainer = RecordingTrainer(
        model=random_model("llama", SHAPES[0]),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        data_collator=lambda batch: pad_left(batch, pad_token_id=0),
    )
    trainer.remove_callback(transformers.PrinterCallback)
    saved: list[set[str]] = []

    class Listing(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **options: Any) -> None:
            checkpoint = upstream_transformers.checkpoint_of_step(folder, state.global_step)
            saved.append({file.name for file in checkpoint.iterdir()} if checkpoint.is_dir() else set())

    trainer.add_callback(Listing())
    with torch.random.fork_rng():
        trainer.train()
    return trainer, folder, saved


def test_the_trainer_takes_its_order_from_the_private_sampler_method(training: Any) -> None:
    trainer, _, _ = training
    order = [row for batch, _ in trainer.steps for row in batch]
    assert order == [3, 2, 1, 0] * 2, (
        CHANGED + "Trainer ignores _get_train_sampler; see `TrainSamplerMixin` and `AnswerTrainer.train_sampler`"
    )
    assert sorted(set(trainer.epochs)) == [0, 1], (
        CHANGED + "Trainer no longer calls set_epoch of the sampler; see `sft_trainer._LengthGroupedSampler`"
    )


def test_the_trainer_counts_the_labels_of_all_batches_of_a_step(training: Any) -> None:
    assert [items for _, items in training[0].steps] == [8] * 8, (
        CHANGED + "num_items_in_batch no longer counts the labels of all accumulated batches; see"
        " `AnswerTrainer.compute_loss`"
    )


def test_the_trainer_calls_on_save_when_all_files_of_a_checkpoint_are_there(training: Any) -> None:
    _, folder, saved = training
    assert upstream_transformers.saved_steps(folder) == [2, 1], (
        CHANGED + "Trainer names its checkpoints differently; see `saved_steps` and `checkpoint_of_step`"
    )
    assert "optimizer.pt" in saved[-1], CHANGED + "Trainer keeps its optimizer elsewhere"
    for step, files in zip((1, 2), saved, strict=True):
        checkpoint = upstream_transformers.checkpoint_of_step(folder, step)
        assert files == {path.name for path in checkpoint.iterdir()}, (
            CHANGED + "Trainer writes files after `on_save`, so that digests made there miss them; see"
            " `sft_trainer._TrainingMonitor.on_save`"
        )


def test_the_number_of_gpus_of_a_trainer_can_be_limited(tmp_path: Path) -> None:
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    arguments._n_gpu = 3
    assert arguments.n_gpu == 3, CHANGED + "TrainingArguments.n_gpu no longer reads _n_gpu; see `use_at_most_one_gpu`"
    upstream_transformers.use_at_most_one_gpu(arguments)
    assert arguments.n_gpu == 1


def test_length_grouped_batches_hold_rows_of_similar_length() -> None:
    lengths = list(range(64))
    order = upstream_transformers.length_grouped_indices(lengths, 4, torch.Generator().manual_seed(0))
    assert sorted(order) == lengths
    spreads = [max(order[start : start + 4]) - min(order[start : start + 4]) for start in range(0, 64, 4)]
    assert sum(spreads) / len(spreads) < 25, (  # about 39 in a random order
        CHANGED + "get_length_grouped_indices no longer groups rows by length; see `length_grouped_indices`"
    )


def test_registering_again_replaces_a_function() -> None:
    for result in (1, 2):
        upstream_transformers.register_attention(
            "canary", lambda result=result: result, upstream_transformers.sdpa_mask
        )
        assert AttentionInterface()["canary"]() == result, (
            CHANGED + "AttentionInterface.register keeps the first function; see `register_attention`"
        )


def test_attention_and_mask_functions_are_kept_by_name() -> None:
    layer = random_model("diffllama", SHAPES[0]).model.layers[0].self_attn
    functions = {name: upstream_transformers.attention_function_of(name, layer) for name in ("eager", "sdpa")}
    masks = {name: upstream_transformers.mask_function_of(name) for name in ("eager", "sdpa")}
    assert functions == {
        "eager": upstream_transformers.eager_attention_of(layer),
        "sdpa": upstream_transformers.sdpa_attention_forward,
    }, CHANGED + "implementations are kept elsewhere; see `edited_implementations`"
    assert masks == {"eager": upstream_transformers.eager_mask, "sdpa": upstream_transformers.sdpa_mask}, (
        CHANGED + "mask functions are kept elsewhere; see `edited_implementations`"
    )
    with pytest.raises(KeyError, match="no attention implementation 'none'"):
        upstream_transformers.attention_function_of("none", layer)


@pytest.mark.parametrize("family", FAMILIES)
def test_positions_with_a_gap_are_one_text_where_a_mask_or_a_cache_is_given(family: str) -> None:
    """Without both, a gap begins another text of a packed row. Edited prompts are read with one of the two."""
    model, ids = random_model(family, SHAPES[0]), padded_batch(rows=1)["input_ids"]
    positions = torch.arange(ids.shape[1])[None] + 5 * (torch.arange(ids.shape[1]) > 6)
    with torch.inference_mode():
        with_mask = model(ids, torch.ones_like(ids), position_ids=positions, use_cache=False).logits
        with_cache = model(ids, position_ids=positions, past_key_values=DynamicCache(), use_cache=True).logits
        alone = model(ids[:, 7:], position_ids=positions[:, 7:] - 12, use_cache=False).logits
    message = CHANGED + "a gap in positions separates texts; see `answer_likelihood` and `prefill`"
    assert torch.allclose(with_mask, with_cache, atol=1e-5), message
    assert not torch.allclose(with_mask[:, 7:], alone, atol=1e-3), message
