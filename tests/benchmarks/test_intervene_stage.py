"""Stage `intervene`: what hides the noise hides nothing else, and the causes that were planted are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.attention_scope import AttentionScope
from benchmarks.evaluation import draw_questions, evaluate
from benchmarks.intervention_conditions import DEFAULT_INTERVENTIONS, INTERVENTIONS, conditions_of
from benchmarks.intervention_prompts import noisy_tokens
from benchmarks.stages.attention import read_attention
from benchmarks.stages.intervene import intervene
from benchmarks.stages.stage import NothingToMeasure
from models.loading.load_model import LoadedModel, load
from noise import mini
from noise.problems.problem import NoisyProblem
from reports.experiment import Experiment
from reports.findings import Findings
from reports.progress_bars import no_progress_bar
from reports.store.records import Cell, Intervention
from reports.store.results_folder import Results
from tests.benchmarks.typed_commands import typed
from tests.models.planted_causes import copies_the_last_number, counts_positions, noisy_problem

CELL = Cell("llama", "inf", "intervene")


@pytest.fixture(scope="module", params=["diffllama", "llama"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return load(request.param, "cpu", "float32")


def noisy(noise: str = "inf", count: int = 12) -> list[NoisyProblem]:
    return draw_questions(noise, mini.problems("test")[:count], 0)


def records_of(
    folder: Path,
    loaded: LoadedModel,
    problems: Sequence[NoisyProblem],
    interventions: Sequence[str] = DEFAULT_INTERVENTIONS,
    answers: bool = True,
    ranked_over: Sequence[NoisyProblem] = (),
) -> dict[str, dict[str, Intervention]]:
    """Return the records of one cell by condition and problem."""
    experiment = Experiment(Results(folder), progress=no_progress_bar)
    records = intervene(experiment, loaded, CELL, problems, "mini", interventions, 64, 48, answers, ranked_over)
    by_condition: dict[str, dict[str, Intervention]] = {}
    for record in records.values():
        by_condition.setdefault(record.condition, {})[record.problem] = record
    return by_condition


def share_right(records: dict[str, Intervention]) -> float:
    return sum(record.outcome == "correct" for record in records.values()) / len(records)


def test_hidden_and_moved_back_the_noise_is_not_there(loaded: LoadedModel, tmp_path: Path) -> None:
    records = records_of(tmp_path, loaded, noisy())
    for problem, clean in records["clean"].items():
        moved, everywhere = records["moved"][problem], records["everywhere"][problem]
        displaced, as_it_is = records["displaced"][problem], records["noisy"][problem]
        assert moved.text == clean.text
        assert moved.nats == pytest.approx(clean.nats, abs=1e-3)
        assert everywhere.text == displaced.text
        assert everywhere.nats == pytest.approx(displaced.nats, abs=1e-3)
        assert everywhere.hidden > 0
        assert everywhere.nats != pytest.approx(as_it_is.nats, abs=1e-5)


def test_a_placebo_cuts_as_many_edges_as_the_noise(loaded: LoadedModel, tmp_path: Path) -> None:
    records = records_of(tmp_path, loaded, noisy(), ["everywhere", "placebo", "random"])
    for name in ("placebo", "random"):
        assert records[name], f"{name} could be asked of no problem"
        for problem, record in records[name].items():
            assert (record.edges, record.hidden) == (
                records["everywhere"][problem].edges,
                records["everywhere"][problem].hidden,
            )
            assert record.nats != pytest.approx(records["everywhere"][problem].nats, abs=1e-5)


def test_the_answer_and_the_question_share_the_edges_of_everywhere(loaded: LoadedModel, tmp_path: Path) -> None:
    records = records_of(tmp_path, loaded, noisy())
    for problem, everywhere in records["everywhere"].items():
        assert records["answer"][problem].edges + records["question"][problem].edges == everywhere.edges


def test_texts_of_the_stage_zero_shot_are_not_written_again(loaded: LoadedModel, tmp_path: Path) -> None:
    problems, results = noisy(count=4), Results(tmp_path)
    experiment = Experiment(results, progress=no_progress_bar)
    for noise, asked in (("clean", noisy("clean", 4)), ("inf", problems)):
        evaluate(experiment, loaded, Cell("llama", noise, "zero_shot"), asked, "mini", 64, 48)
    records = records_of(tmp_path, loaded, problems, ["everywhere"])
    fresh = records_of(tmp_path / "fresh", loaded, problems, ["everywhere"])
    assert {name: {id: record.text for id, record in of.items()} for name, of in records.items()} == {
        name: {id: record.text for id, record in of.items()} for name, of in fresh.items()
    }


def test_texts_that_were_graded_against_another_answer_are_not_taken_over(loaded: LoadedModel, tmp_path: Path) -> None:
    experiment = Experiment(Results(tmp_path), progress=no_progress_bar)
    for noise in ("clean", "inf"):
        evaluate(experiment, loaded, Cell("llama", noise, "zero_shot"), noisy(noise, 4), "mini", 64, 48)
    corrected = [replace(draw, problem=replace(draw.problem, answer="1\n#### 987654")) for draw in noisy(count=4)]
    records = records_of(tmp_path, loaded, corrected, ["everywhere"])
    assert {record.outcome for of in records.values() for record in of.values()} == {"incorrect"}


def test_every_intervention_runs_and_differential_ones_only_in_a_differential_model(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    records = records_of(tmp_path, loaded, noisy(count=3), INTERVENTIONS)
    names = {name.partition(":")[0] for name in records}
    assert {*DEFAULT_INTERVENTIONS, "zeroed", "layer0", "layer3", "heads_top", "heads_random"} <= names
    only_differential = {"first", "second", "lambda0", "lambda0_clean", "lambda0.5", "lambda2"}
    assert (only_differential <= names) == (loaded.spec.name == "diffllama")
    assert all(record.outcome != "error" for of in records.values() for record in of.values())


def test_without_answers_only_likelihoods_are_taken(loaded: LoadedModel, tmp_path: Path) -> None:
    records = records_of(tmp_path, loaded, noisy(count=3), answers=False)
    for of_condition in records.values():
        for record in of_condition.values():
            assert (record.outcome, record.text, record.fault) == ("measured", "", "")
            assert record.nats is not None


def test_a_problem_that_cannot_be_asked_is_an_error_and_the_others_are_asked(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    problems = noisy(count=3)
    long = problems[1].problem.question + " Well then." * 900
    noise = " Ann slept."
    broken = NoisyProblem(
        type(problems[1].problem)(problems[1].problem.id, long, problems[1].problem.answer), "inf", long + noise,
        ((len(long), len(long) + len(noise)),), 0,
    )  # fmt: skip
    records = records_of(tmp_path, loaded, [problems[0], broken, problems[2]], ["everywhere"])
    for of_condition in records.values():
        outcomes = {id: record.outcome == "error" for id, record in of_condition.items()}
        assert outcomes == {problems[0].problem.id: False, broken.problem.id: True, problems[2].problem.id: False}
    assert "positions" in (records["noisy"][broken.problem.id].error or "")


def test_without_noise_there_is_nothing_to_hide(loaded: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(NothingToMeasure, match="no problem of the cell has noise"):
        records_of(tmp_path, loaded, noisy("clean"))


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["inf", "sd", "near"])
def test_over_500_problems_hidden_and_moved_back_is_clean(
    loaded: LoadedModel, noise: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the noisy prompt without its noise has other tokens than the clean one, the two may differ: these are
    counted."""
    records = records_of(tmp_path, loaded, noisy(noise, 500), ["everywhere", "moved", "displaced"])
    pairs = [("moved", "clean"), ("everywhere", "displaced")]
    same = [id for id, record in records["moved"].items() if record.same_tokens]
    for changed, reference in pairs:
        differing = [id for id in same if records[changed][id].text != records[reference][id].text]
        assert len(differing) <= 1, f"{changed} and {reference} differ in {differing}: only rounding may do that"
    others = [id for id in records["moved"] if id not in same]
    straddling = sum(record.straddling for record in records["moved"].values())
    with capsys.disabled():
        print(f"\n{loaded.spec.name}, {noise}: {len(same)} of {len(records['moved'])} with the same tokens, "
              f"{straddling} straddling, other tokens in {', '.join(others[:5]) or 'none'}")  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "parts"),
    [
        (copies_the_last_number, {"reading": 1, "displacement": 0}),
        (counts_positions, {"reading": 0, "displacement": 1}),
    ],
    ids=["reading", "displacement"],
)
def test_a_planted_cause_is_found(planted: Callable[[], LoadedModel], parts: dict[str, float], tmp_path: Path) -> None:
    """Noise costs both models every answer: one because it reads the noise, the other because words move."""
    records = records_of(tmp_path, planted(), [noisy_problem(index) for index in range(24)])
    assert share_right(records["clean"]) == 1
    assert share_right(records["noisy"]) == 0
    rows = Findings(Results(tmp_path)).interventions
    measured = {row.of: row.estimate for row in rows if (row.contrast, row.measure) == ("part", "accuracy")}
    assert measured == {"total": 1, "rest": 0, **parts}


def test_an_unknown_intervention_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'everywhere'"):
        conditions_of(["everywher"], range(4), True, {})


def test_the_stage_as_it_is_typed(tmp_path: Path) -> None:
    run = ["benchmarks", "--skip-sft", "--skip-attention", "--datasets", "clean,inf", "--max-samples", "6"]
    run += ["--models", "llama", "--interventions", "everywhere,moved", "--results", f"{tmp_path}"]
    done = typed(*run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "readings of intervene: 0 read, 24 made" in done.stdout
    again = typed(*run)
    assert "readings of intervene: 24 read, 0 made" in again.stdout
    wrong = typed(*run[:-4], "--interventions", "movd")
    assert wrong.returncode == 4
    assert "--interventions: unknown intervention 'movd'. Did you mean 'moved'?" in wrong.stderr


def test_a_placebo_hides_other_content_of_the_question_alone(loaded: LoadedModel) -> None:
    """No number, nothing of the sentence that asks, and nothing of the prompt around the question."""
    asked = 0
    for problem in noisy(count=60):
        tokens = noisy_tokens(loaded, problem)
        texts = [loaded.tokenizer.decode([id]).strip() for id in tokens.ids]
        assert not any(character.isdigit() for token in tokens.other for character in texts[token])
        assert not {"Question", "Answer"} & {texts[token] for token in (*tokens.other, *tokens.earlier)}
        assert set(tokens.other) <= set(tokens.earlier) <= set(range(1, tokens.noise[0]))
        asked += len(tokens.other) >= len(tokens.noise)
    assert asked, "no problem has enough of it"


def test_heads_are_those_with_the_most_lift_and_do_not_change_with_the_sample(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    ranked = noisy(count=20)
    few = records_of(tmp_path / "few", loaded, ranked[:2], ["heads"], ranked_over=ranked)
    more = records_of(tmp_path / "more", loaded, ranked[:4], ["heads"], ranked_over=ranked)
    assert {name: {record.heads for record in of.values()} for name, of in few.items()} == {
        name: {record.heads for record in of.values()} for name, of in more.items()
    }
    lifts: dict[str, float] = {}
    for problem in ranked:
        (reading,) = read_attention(loaded, [problem], AttentionScope())
        noise = reading.segments.index("ni")
        for layer, of_layer in zip(reading.layers, reading.absolute, strict=True):
            for head, shares in zip(reading.heads, of_layer, strict=True):
                lift = shares[noise] / reading.tokens[noise]
                lifts[f"{layer}.{head}"] = lifts.get(f"{layer}.{head}", 0) + lift
    (top,) = {record.heads for record in few["heads_top"].values()}
    (others,) = {record.heads for record in few["heads_random"].values()}
    assert set(top.split(",")) == set(sorted(lifts, key=lambda head: -lifts[head])[: len(top.split(","))])
    assert not {*top.split(",")} & {*others.split(",")}


def test_answers_are_added_to_likelihoods(loaded: LoadedModel, tmp_path: Path) -> None:
    records_of(tmp_path, loaded, noisy(count=2), ["moved"], answers=False)
    records = records_of(tmp_path, loaded, noisy(count=2), ["moved"])
    assert all(record.outcome != "measured" and record.text for of in records.values() for record in of.values())
