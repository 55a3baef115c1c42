"""The stage `attention`: readings that can be believed, resumed and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import compare_attention_patterns
from benchmarks.attention_scope import AttentionScope
from benchmarks.error_remedies import user_message
from benchmarks.evaluation import draw_questions
from benchmarks.segmented_text import SEGMENTS, Parts, segmented
from benchmarks.stages import attention
from benchmarks.stages.attention import AttentionScopeError, measure_attention, read_attention
from benchmarks.stages.save_attention_maps import highest_lift_head, maps_of
from models.attention.differential import AttentionUnavailable, differential_attention, lambdas
from models.loading.load_model import LoadedModel, load
from models.model_registry import MODELS
from noise import mini
from noise.problems.noisy_files import generate_noisy_datasets
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.plots.attention_maps import load_map, save_map
from reports.store.records import AttentionReading, Cell
from reports.store.results_folder import Results, ResultsMismatch

CELL = Cell("diffllama", "inf", "attention")
NI = SEGMENTS.index("ni")


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def diffllama() -> LoadedModel:
    return load("diffllama", device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def asked() -> list[NoisyProblem]:
    return draw_questions("inf", mini.problems("test")[:12], seed=0)


@pytest.mark.quick
@pytest.mark.parametrize("queries", ["answer", "last", "all"])
def test_a_reading_is_what_the_explicit_pattern_gives(
    loaded: LoadedModel, asked: list[NoisyProblem], queries: str
) -> None:
    """Worked out again from one text at a time and the whole pattern of it, without batch or padding."""
    readings = read_attention(loaded, asked, AttentionScope(queries))
    for noisy, reading in zip(asked[:4], readings, strict=False):
        text = segmented(loaded, noisy, queries)
        with torch.inference_mode(), differential_attention(loaded.model) as model:
            patterns = model(torch.tensor([text.ids]), output_attentions=True).attentions  # type: ignore[operator]
        looking = torch.stack(patterns)[:, 0][:, :, text.queries]
        signed = (looking @ text.shares).mean(2)
        absolute = (looking.abs() @ text.shares / looking.abs().sum(-1, keepdim=True)).mean(2)
        assert torch.allclose(torch.tensor(reading.signed), signed, atol=1e-5)
        assert torch.allclose(torch.tensor(reading.absolute), absolute, atol=1e-5)
        seen = text.shares.cumsum(0) / torch.arange(1, len(text) + 1)[:, None]
        assert torch.allclose(torch.tensor(reading.tokens), seen[text.queries].mean(0), atol=1e-5)
        assert reading.queries == int(text.queries.sum())


@pytest.mark.quick
def test_shares_sum_to_one_and_signed_masses_to_one_less_lambda(loaded: LoadedModel, asked: list[NoisyProblem]) -> None:
    for reading in read_attention(loaded, asked, AttentionScope()):
        assert sum(reading.tokens) == pytest.approx(1, abs=1e-5)
        sums = torch.tensor(reading.signed).sum(-1)
        lambda_ = torch.zeros(4) if reading.lambdas is None else torch.tensor(reading.lambdas)
        assert torch.allclose(sums, (1 - lambda_)[:, None].expand_as(sums), atol=1e-4)
        assert torch.allclose(torch.tensor(reading.absolute).sum(-1), torch.ones(()), atol=1e-4)


@pytest.mark.quick
def test_a_clean_problem_has_no_noise_and_a_differential_model_its_lambdas(diffllama: LoadedModel) -> None:
    reading = read_attention(diffllama, draw_questions("clean", mini.problems("test")[:1], 0), AttentionScope())[0]
    assert reading.tokens[NI] == 0
    assert reading.lambdas == tuple(lambdas(diffllama.model).tolist())


@pytest.mark.quick
def test_a_reading_does_not_depend_on_its_batch(loaded: LoadedModel, asked: list[NoisyProblem]) -> None:
    together = read_attention(loaded, asked, AttentionScope())
    alone = [read_attention(loaded, [noisy], AttentionScope())[0] for noisy in asked]
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(torch.tensor(one.absolute), torch.tensor(other.absolute), atol=1e-5)


@pytest.mark.quick
@pytest.mark.parametrize("spec", [MODELS["diffllama"]], indirect=True)
def test_a_case_can_ask_for_the_true_pattern_by_a_fixture(model: LoadedModel, true_attention: Any) -> None:
    inputs = model.encode(["Question: Ann has 3 caps."], return_tensors="pt")
    with torch.inference_mode():
        patterns = true_attention(**inputs, output_attentions=True).attentions
    assert patterns[0].shape[1] == model.model.config.num_attention_heads // 2
    sums = torch.stack(patterns)[:, 0].sum(-1)
    assert torch.allclose(sums, (1 - lambdas(model.model))[:, None, None].expand_as(sums), atol=1e-5)


@pytest.mark.quick
def test_a_second_run_reads_what_the_first_has_measured(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:5], "mini:test", AttentionScope())

    def not_again(*_: Any) -> list[AttentionReading]:
        raise AssertionError("measured again")

    monkeypatch.setattr(attention, "read_attention", not_again)
    second = measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:5], "mini:test", AttentionScope())
    assert second.keys() == first.keys()
    for id, reading in second.items():
        assert torch.allclose(torch.tensor(reading.signed), torch.tensor(first[id].signed), rtol=1e-5)


@pytest.mark.quick
@pytest.mark.parametrize("other", [AttentionScope("last"), AttentionScope(layers=(0,)), AttentionScope(heads=(1,))])
def test_other_queries_layers_or_heads_are_no_continuation(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem], other: AttentionScope
) -> None:
    measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:2], "mini:test", AttentionScope())
    with pytest.raises(ResultsMismatch, match="queries answer; layers all; heads all"):
        measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:2], "mini:test", other)


@pytest.mark.quick
def test_another_worked_answer_is_no_continuation(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem]
) -> None:
    """The answer is read too, so a reading behind another answer is another reading."""
    measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:2], "mini:test", AttentionScope())
    changed = [replace(noisy, problem=replace(noisy.problem, answer="1+1=2\n#### 2")) for noisy in asked[:2]]
    with pytest.raises(ResultsMismatch, match="had another text"):
        measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, changed, "mini:test", AttentionScope())


@pytest.mark.quick
def test_a_model_that_cannot_be_observed_ends_the_cell_and_not_each_problem(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def unavailable(*arguments: Any) -> list[AttentionReading]:
        calls.append(arguments)
        raise AttentionUnavailable("no attention here")

    monkeypatch.setattr(attention, "read_attention", unavailable)
    with pytest.raises(AttentionUnavailable):
        measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:3], "mini:test", AttentionScope())
    assert len(calls) == 1
    assert Results(tmp_path).cells() == []


@pytest.mark.quick
def test_a_head_that_does_not_exist_names_the_model_and_the_option(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem]
) -> None:
    sentence = "diffllama: head 3: the model has heads 0 to 1; a differential head is a pair"
    with pytest.raises(AttentionScopeError, match=sentence) as raised:
        measure_attention(
            Experiment(Results(tmp_path)), diffllama, CELL, asked[:1], "mini:test", AttentionScope(heads=(3,))
        )
    assert "--attention-heads" in str(user_message(raised.value))


@pytest.mark.quick
def test_misspelt_queries_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"unknown queries 'lst'\. Did you mean 'last'"):
        compare_attention_patterns(queries="lst")


@pytest.mark.quick
def test_clean_is_not_compared_with_clean() -> None:
    with pytest.raises(ValueError, match="expected a noise or a file of noisy problems"):
        compare_attention_patterns("mini", "clean", models="llama")


@pytest.mark.quick
def test_one_problem_that_fails_is_one_error(
    tmp_path: Path, diffllama: LoadedModel, asked: list[NoisyProblem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(
        loaded: LoadedModel, batch: Sequence[NoisyProblem], looking: AttentionScope, _: Parts
    ) -> list[AttentionReading]:
        if asked[1] in batch:
            raise RuntimeError("this one cannot be read")
        return read_attention(loaded, batch, looking)

    monkeypatch.setattr(attention, "read_attention", failing)
    found = measure_attention(Experiment(Results(tmp_path)), diffllama, CELL, asked[:3], "mini:test", AttentionScope())
    outcomes = {id: reading.outcome for id, reading in found.items()}
    assert outcomes == {asked[0].problem.id: "measured", asked[1].problem.id: "error", asked[2].problem.id: "measured"}
    assert "this one cannot be read" in (found[asked[1].problem.id].error or "")


@pytest.mark.quick
def test_the_map_that_is_kept_is_the_pattern_of_that_head(
    tmp_path: Path, loaded: LoadedModel, asked: list[NoisyProblem]
) -> None:
    cell = Cell(loaded.spec.name, "inf", "attention")
    place = highest_lift_head(read_attention(loaded, asked, AttentionScope()))
    (kept_map,) = maps_of(loaded, cell, asked[0], 0, [place])
    kept = load_map(save_map(tmp_path, kept_map))
    assert (kept.layer, kept.head) == place
    assert kept.signed == (loaded.spec.name == "diffllama")
    text = segmented(loaded, asked[0], "answer")
    assert kept.tokens == text.tokens
    sums = torch.from_numpy(kept.pattern).sum(-1)
    assert torch.allclose(sums, torch.full_like(sums, 1 - (kept.lambda_ or 0.0)), atol=1e-4)
    (reading,) = read_attention(loaded, asked[:1], AttentionScope())
    by_segment = torch.tensor(kept.overall) @ text.shares
    assert torch.allclose(by_segment, torch.tensor(reading.absolute).mean(dim=(0, 1)), atol=1e-4)
    noisy = [kind == "ni" for kind in kept.kinds]
    said = "".join(token for token, is_noise in zip(kept.tokens, noisy, strict=True) if is_noise)
    assert said.strip() in asked[0].question[slice(*asked[0].spans[0])]


@pytest.mark.quick
def test_the_head_that_is_drawn_looks_most_at_the_noise(loaded: LoadedModel, asked: list[NoisyProblem]) -> None:
    readings = read_attention(loaded, asked, AttentionScope())
    lifts = torch.stack([torch.tensor(r.absolute)[:, :, NI] / r.tokens[NI] for r in readings]).mean(0)
    layer, head = highest_lift_head(readings)
    assert lifts[layer, head] == lifts.max()


@pytest.mark.quick
def test_clean_and_noisy_files_are_compared(tmp_path: Path) -> None:
    """As the guide of the earlier tool calls it, on files."""
    clean = tmp_path / "mine.jsonl"
    clean.write_text(
        '{"question": "Ann has 3 caps. She buys 2 more. How many caps does Ann have?", "answer": "3+2=5\\n#### 5"}\n'
        '{"question": "Bob has 9 mugs. He sells 4 mugs. How many mugs does Bob have?", "answer": "9-4=5\\n#### 5"}\n'
    )
    noisy = generate_noisy_datasets(clean, ["inf"], seed=3, folder=tmp_path)["inf"]
    table = compare_attention_patterns(clean_dataset=clean, noisy_dataset=noisy, num_samples=2)
    overall = table[table.layer.isna() & (table.measure == "lift")].set_index(["model", "noise", "segment"])
    assert set(overall.index.get_level_values("model")) == {"diffllama", "llama"}
    assert set(overall.index.get_level_values("noise")) == {"clean", "inf"}
    assert overall.loc[("llama", "inf", "ni"), "n"] == 2
    assert ("llama", "clean", "ni") not in overall.index
    assert len(table[table.measure == "lambda"]) == 2 * 4
    assert "miniatures" in table.attrs["caveat"]


@pytest.mark.quick
def test_files_that_do_not_belong_together_are_not_compared(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.jsonl", tmp_path / "other.jsonl"
    mine.write_text('{"question": "Ann has 3 caps. How many caps has Ann?", "answer": "#### 3"}\n')
    other.write_text('{"question": "Bob has 9 mugs. How many mugs has Bob?", "answer": "#### 9"}\n')
    noisy = generate_noisy_datasets(other, ["inf"], folder=tmp_path)["inf"]
    with pytest.raises(ValueError, match="found none whose original question is there"):
        compare_attention_patterns(mine, noisy, models="llama")
