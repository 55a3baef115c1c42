"""Every capability with every differential architecture: pattern, allocation, cut, λ, decoding, likelihood, tuning."""

from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import models.decode.generation
from benchmarks.attention_scope import AttentionScope
from benchmarks.evaluation import draw_questions
from benchmarks.stages.attention import read_attention
from models.answer_likelihood import answer_likelihoods
from models.attention.allocation import attention_allocation
from models.attention.attention_errors import AttentionUnavailable
from models.attention.cut_attention import cut_attention, scaled_lambda
from models.attention.differential import differential_attention, lambda_depends_on_text, lambdas
from models.attention.recognised_layers import RECOGNISED
from models.attention.subtraction import halves
from models.decode.generation import generate
from models.decode.supported_models import supports_continuous_batching
from models.loading.load_model import LoadedModel, LoadError, load
from models.loading.trust_remote_code import Trust
from models.model_registry import ModelSpec
from models.sft.fine_tuning import tune
from models.sft.sft_options import Tuning
from noise import mini
from tests.models.attention_models import padded_batch
from tests.models.differential_architectures import (
    ARCHITECTURES,
    patterns_and_output,
    random_architecture,
    token_lambda,
)
from tests.models.test_any_model import TOKENIZER
from tests.models.test_cut_attention import explicit_logits, hide, logits, random_cut, without_columns

PROBLEMS = mini.problems("test")[:3]


@pytest.fixture(params=ARCHITECTURES)
def name(request: pytest.FixtureRequest) -> str:
    architecture: str = request.param
    return architecture


def patterns_of(name: str, model: Any, batch: dict[str, torch.Tensor], part: Any = "difference") -> dict[int, Any]:
    """Return the pattern of each layer that attends."""
    with torch.inference_mode(), differential_attention(model, part):
        patterns = model(**batch, use_cache=False, output_attentions=True).attentions
    return dict(zip(ARCHITECTURES[name].attending, patterns, strict=True))


@torch.no_grad()
def test_the_pattern_and_the_output_are_those_of_the_formulas(name: str) -> None:
    model, architecture = random_architecture(name), ARCHITECTURES[name]
    batch, entered, left = padded_batch(rows=1), dict[int, torch.Tensor](), dict[int, torch.Tensor]()

    def note(layer: int) -> None:
        attention = architecture.attention(model, layer)
        attention.register_forward_pre_hook(
            lambda _, arguments, options: entered.update({layer: (*arguments, *options.values())[0][0]}),
            with_kwargs=True,
        )
        last = getattr(attention, "o_proj", None) or attention.out_proj
        last.register_forward_pre_hook(lambda _, arguments: left.update({layer: arguments[0][0]}))

    for layer in architecture.differential:
        note(layer)
    patterns = patterns_of(name, model, batch)
    for layer in architecture.differential:
        expected, output = patterns_and_output(name, architecture.attention(model, layer), entered[layer])
        assert torch.allclose(patterns[layer][0], expected, atol=1e-5)
        assert torch.allclose(left[layer], output, atol=1e-4)


@torch.no_grad()
def test_observing_the_pattern_changes_no_logit_of_eager(name: str) -> None:
    model, batch = random_architecture(name), padded_batch()
    fused = logits(model, batch)
    with differential_attention(model):
        observed = logits(model, batch)
    model.set_attn_implementation("eager")
    assert torch.equal(observed, logits(model, batch))
    assert torch.allclose(observed, fused, atol=1e-4)


@torch.no_grad()
def test_the_parts_make_up_the_difference_with_what_its_rows_lack_to_one(name: str) -> None:
    model, batch = random_architecture(name), padded_batch()
    real = batch["attention_mask"].bool()
    parts = [patterns_of(name, model, batch, part) for part in ("first", "second", "difference")]
    for layer in ARCHITECTURES[name].attending:
        first, second, difference = (part[layer].transpose(1, 2)[real] for part in parts)  # (tokens, pairs, keys)
        if layer not in ARCHITECTURES[name].differential:
            assert torch.equal(first, difference), "an ordinary layer has no parts"
            continue
        lambda_ = 1 - difference.sum(-1, keepdim=True)
        assert torch.allclose(first - lambda_ * second, difference, atol=1e-5)
        assert torch.allclose(second.sum(-1), torch.ones(()), atol=1e-5)
        assert difference.min() < 0 or lambda_.max() < 0


@torch.no_grad()
@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("chosen", [False, True], ids=["all heads", "two heads, half of the queries"])
def test_an_allocation_is_that_of_the_explicit_pattern(name: str, absolute: bool, chosen: bool) -> None:
    model, batch = random_architecture(name), padded_batch()
    mask = batch["attention_mask"]
    generator = torch.Generator().manual_seed(1)
    segments = torch.rand(*mask.shape, 3, generator=generator) * mask[..., None]
    segments = segments / segments.sum(-1, keepdim=True).clamp(min=1e-9)
    queries = mask.bool()
    if chosen:
        queries = queries & (torch.rand(mask.shape, generator=generator) < 0.5)
        queries[:, -1] = True
    heads = [1, 0] if chosen else None
    allocation = attention_allocation(
        model, batch["input_ids"], segments, queries, mask, heads=heads, absolute=absolute
    )
    patterns = patterns_of(name, model, batch)
    assert allocation.lambdas is not None
    for number, layer in enumerate(allocation.layers):
        for row in range(len(mask)):
            counted = allocation.positions[row][allocation.positions[row] >= 0]
            counted = counted[queries[row, counted]]
            columns = torch.isin(allocation.positions[row], counted)
            pattern = patterns[layer][row, list(allocation.heads)][:, counted]
            signed = allocation.signed[number, row][:, columns]
            assert torch.allclose(signed, pattern @ segments[row], atol=1e-5)
            assert torch.allclose(allocation.lambdas[number, row][:, columns], 1 - pattern.sum(-1), atol=1e-5)
            if absolute:
                assert allocation.absolute is not None
                shares = pattern.abs() @ segments[row] / pattern.abs().sum(-1, keepdim=True)
                assert torch.allclose(allocation.absolute[number, row][:, columns], shares, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("renormalise", [True, False])
@pytest.mark.parametrize("part", ["both", "first", "second"])
def test_a_cut_removes_columns_of_the_explicit_pattern(name: str, part: Any, renormalise: bool) -> None:
    model, batch = random_architecture(name), padded_batch()
    cut = random_cut(batch)
    before, layers = logits(model, batch), None if part == "both" else ARCHITECTURES[name].differential
    with cut_attention(model, cut, part, renormalise):
        cut_logits = logits(model, batch)
    expected = explicit_logits(model, batch, without_columns(cut, part, renormalise, layers))
    assert torch.allclose(cut_logits, expected, atol=2e-4)
    assert not torch.allclose(cut_logits, before, atol=1e-2)
    assert torch.equal(logits(model, batch), before), "the model is itself again"


@torch.no_grad()
def test_without_lambda_only_the_first_pattern_applies(name: str) -> None:
    model: Any = random_architecture(name)
    batch = padded_batch()
    number = ARCHITECTURES[name].differential[0]
    first = patterns_of(name, model, batch, "first")[number]
    with scaled_lambda(model, 0.0):
        changed = patterns_of(name, model, batch)[number]
    assert torch.allclose(first, changed, atol=1e-5)
    assert not torch.allclose(first, patterns_of(name, model, batch)[number], atol=1e-2)


def test_lambda_of_the_text_has_no_value_of_its_own(name: str) -> None:
    model = random_architecture(name)
    if lambda_depends_on_text(model):
        with pytest.raises(
            AttentionUnavailable,
            match="λ depends on the text, so it has no fixed value",
        ):
            lambdas(model)
    else:
        assert len(lambdas(model)) == len(ARCHITECTURES[name].differential)


def test_heads_that_share_their_second_pattern_are_cut_together() -> None:
    model, batch = random_architecture("grouped_diff"), padded_batch()
    cut = random_cut(batch)
    message = "head 0 shares its A2 with head 1; choose both, or cut in A1 alone"
    with pytest.raises(ValueError, match=message), cut_attention(model, cut, heads=[0]):
        logits(model, batch)
    with cut_attention(model, cut, "first", heads=[0]):
        alone = logits(model, batch)
    with cut_attention(model, cut, heads=[0, 1, 2]):
        assert not torch.equal(logits(model, batch), alone)


def test_layers_of_both_kinds_are_not_read_together() -> None:
    model, batch = random_architecture("diff_v1 in one layer"), padded_batch(rows=1)
    whole = torch.ones(*batch["input_ids"].shape, 1)
    with pytest.raises(
        ValueError,
        match=r"layers 0,1: expected only differential or only ordinary layers; differential are: 1 \(of 0 to 1\)",
    ):
        attention_allocation(model, batch["input_ids"], whole, layers=[0, 1])
    ordinary = attention_allocation(model, batch["input_ids"], whole, layers=[0])
    assert ordinary.heads == (0, 1, 2, 3)
    assert ordinary.lambdas is None
    with pytest.raises(ValueError, match="part 'first': layer 0 has ordinary attention"):
        cut_attention(model, random_cut(batch), "first", layers=[0]).__enter__()
    with cut_attention(model, hide(batch["attention_mask"] == 0)):  # of all layers, whatever their kind
        logits(model, batch)


def checkpoint(name: str, folder: Path) -> ModelSpec:
    """Write a checkpoint with the miniatures' tokenizer; one of a stand-in brings its code along."""
    special = {f"{end}_token_id": getattr(TOKENIZER, f"{end}_token_id") for end in ("bos", "eos", "pad")}
    architecture = ARCHITECTURES[name]
    random_architecture(name, vocabulary=len(TOKENIZER), **special).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    if architecture.is_ours:
        return ModelSpec("base", str(folder))
    code = Path(inspect.getfile(architecture.model))
    shutil.copy(code, folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {
        "AutoConfig": f"{code.stem}.{architecture.config.__name__}",
        "AutoModelForCausalLM": f"{code.stem}.{architecture.model.__name__}",
    }
    (folder / "config.json").write_text(json.dumps(config))
    return ModelSpec("base", str(folder), trust=Trust(code=True))


@pytest.fixture
def loaded(name: str, tmp_path: Path) -> LoadedModel:
    return load(checkpoint(name, tmp_path / "base"), "cpu", "float32")


def test_answers_are_those_of_generate(name: str, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [problem.question for problem in PROBLEMS]
    assert supports_continuous_batching(loaded.model) == ARCHITECTURES[name].is_ours
    together = generate(loaded, questions, 12)
    assert together == [generate(loaded, [question], 12)[0] for question in questions], "padding changes no answer"
    monkeypatch.setattr(models.decode.generation, "supports_continuous_batching", lambda model: False)
    assert together == generate(loaded, questions, 12)


def test_a_loaded_model_is_read_by_the_stage(name: str, loaded: LoadedModel) -> None:
    """λ of a token has a spread; the layers of a mixed stack are named."""
    noisy = draw_questions("inf", PROBLEMS, 0)
    readings = read_attention(loaded, noisy, AttentionScope())
    for reading in readings:
        assert reading.layers == ARCHITECTURES[name].differential
        assert reading.lambdas is not None
        by_token = ARCHITECTURES[name].weight is token_lambda
        assert all(spread > 0.001 for spread in reading.lambda_stds or ()) if by_token else True
        assert (reading.lambda_stds is not None) == by_token
        sums = torch.tensor(reading.signed).sum(-1).mean(-1)
        assert torch.allclose(sums, 1 - torch.tensor(reading.lambdas), atol=1e-4)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_tuning_makes_the_worked_answers_likelier(loaded: LoadedModel, method: str, tmp_path: Path) -> None:
    before = answer_likelihoods(loaded, PROBLEMS)
    tuning = Tuning(method=method, epochs=2, batch=3, rate=1e-2)
    tuned = tune(loaded.spec, PROBLEMS, tmp_path / "sft", tuning, "cpu", "float32")
    after = answer_likelihoods(load(ModelSpec("mine", str(tuned), trust=loaded.spec.trust), "cpu", "float32"), PROBLEMS)
    assert sum(nats for nats, _ in after) > sum(nats for nats, _ in before)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "diff_v1",
            {"num_attention_heads": 6, "num_key_value_heads": 3},
            "num_attention_heads and num_key_value_heads to be even",
        ),
        ("diff_v1", {"differential_layers": [2]}, "the model has layers 0 to 1, got 2"),
        (
            "diff_v2",
            {"num_attention_heads": 6, "num_key_value_heads": 2},
            "expected a multiple of 4 .twice the 2 key heads",
        ),
        ("grouped_diff", {"num_noise_heads": 3}, "expected a divisor of num_attention_heads .8. below 8, got 3"),
        ("grouped_diff", {"num_key_value_heads": 6}, "an even number whose half divides the 2 noise heads, got 6"),
    ],
)
def test_heads_that_do_not_fit_together_are_refused(name: str, shape: dict[str, Any], message: str) -> None:
    architecture = ARCHITECTURES[name]
    with pytest.raises(ValueError, match=message):
        architecture.config(num_hidden_layers=2, hidden_size=32, **{**architecture.shape, **shape})


@pytest.mark.parametrize("name", ["motif", "phi4flash", "authors_diff_v2"])
def test_a_layer_of_others_that_subtracts_otherwise_than_its_names_say_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other pairs of heads are other outputs, whatever the names."""
    model, batch = random_architecture(name), padded_batch()
    known = next(each for each in RECOGNISED if each.fits(ARCHITECTURES[name].attention(model, 1)))
    wrong = replace(known, pairs=halves)
    monkeypatch.setattr("models.attention.recognition_check.RECOGNISED", (wrong,))
    monkeypatch.setattr("models.attention.subtraction_registry.SUBTRACTIONS", [wrong])
    message = r"has the names of a known differential layer, but what enters its \w+ is not A1·V − λ·A2·V; append a Sub"
    with pytest.raises(AttentionUnavailable, match=message):
        patterns_of(name, model, batch)
    with pytest.raises(AttentionUnavailable, match=message):
        attention_allocation(model, batch["input_ids"], torch.ones(*batch["input_ids"].shape, 1))
    with pytest.raises(AttentionUnavailable, match=message), cut_attention(model, random_cut(batch)):
        logits(model, batch)


def test_a_configuration_that_counts_other_heads_is_refused() -> None:
    """The authors' own count is that of pairs."""
    model = random_architecture("motif")
    model.config.num_attention_heads = 2
    with pytest.raises(AttentionUnavailable, match=r"4 query heads attend, and num_attention_heads .* is 2; expected"):
        attention_allocation(model, torch.tensor([[1, 2, 3]]), torch.ones(1, 3, 1))


def test_a_checkpoint_with_code_of_its_own_under_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    spec = checkpoint("diff_v2", tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoConfig": "theirs.Config"}}))
    with pytest.raises(LoadError, match="brings code for 'diff_v2', which is also an architecture of this project"):
        load(spec, "cpu")


def test_dropout_that_no_paper_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"attention_dropout: expected 0, .* got 0\.1"):
        random_architecture("diff_v2", attention_dropout=0.1)
