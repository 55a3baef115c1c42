"""The end of a run fits one screen, whatever the grid was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reports.findings import Findings
from reports.stages import REPORTED_STAGES
from reports.store.records import Cell, CellRun, Likelihood
from reports.store.results_folder import Results
from reports.store.stage_and_file_names import TRAINING_LOG
from reports.store.tuning_logs import tuned_checkpoint_folder
from reports.tables.terminal_summary import SECTIONS, summary
from tests.reports.attention_factories import ATTENTION_SETTINGS, NEEDLE_SEGMENTS, SEGMENTS, readings
from tests.reports.intervention_factories import interventions as made_interventions
from tests.reports.intervention_factories import random_nats, rights
from tests.reports.record_factories import SETTINGS, longest, outcomes, question_of

CAVEAT = "two miniatures of one training seed: a comparison of checkpoints, not yet of architectures"
PLUGIN_LINES = 6  # the plugin's own: the headline, two lines of files, the page, two of the answer
ATTENTION_LINES = 5  # what is said of attention where the tokens of the models are the same, which here they are not
NOISES = ("clean", "inf", "rcs", "sd")
NEEDLES = tuple(f"needle{depth}" for depth in (0, 25, 50, 75, 100))
MODELS = ("diffllama", "llama")
TUNED = ("diffllama+sft", "llama+sft")


class Grid:
    """A results folder, and what a run over it has counted."""

    def __init__(self, folder: Path) -> None:
        self.results = Results(folder)
        self.runs: list[CellRun] = []

    def predictions(self, models: Sequence[str], noises: Sequence[str], stage: str, right: int, n: int) -> None:
        """`right` of `n` answers are correct on clean, a half of them with noise; each later model has two less."""
        for number, model in enumerate(models):
            for noise in noises:
                correct = max(0, (right if noise == "clean" else right // 2) - 2 * number)
                self._append(Cell(model, noise, stage), SETTINGS, outcomes(correct, n - correct))

    def designed(self, models: Sequence[str], stage: str, right: int, n: int) -> None:
        """Add the predictions of a noise with factors: every problem has a cell of the design, in turn."""
        for number, model in enumerate(models):
            made = outcomes(right - 2 * number, n - right + 2 * number)
            cells = [
                f"topic={('in', 'off')[k % 2]} role={('own', 'other')[k // 2 % 2]} range={('in', 'out')[k // 4 % 2]}"
                for k in range(n)
            ]
            records = [replace(record, factors=(cell,)) for record, cell in zip(made, cells, strict=True)]
            self._append(Cell(model, "ic", stage), SETTINGS, records)

    def attention(self, models: Sequence[str], noises: Sequence[str], n: int = 3) -> None:
        for model in models:
            for noise in noises:
                segments = NEEDLE_SEGMENTS if noise.startswith("needle") else SEGMENTS
                lambdas = model.startswith("diff")
                made = readings(
                    [f"p{k}" for k in range(n)], 4, 2, lambdas=lambdas, noisy=noise != "clean", segments=segments
                )
                self._append(Cell(model, noise, "attention"), ATTENTION_SETTINGS, made)

    def likelihoods(self, models: Sequence[str], noises: Sequence[str], n: int = 20) -> None:
        for number, model in enumerate(models):
            for noise in noises:
                lost = [0.0 if noise == "clean" else (1 + number) * (1 + k % 3 / 3) for k in range(n)]
                made = [
                    Likelihood(f"p{k}", question_of(f"p{k}"), (), "#### 5", "measured", 10, -10.0 - k / 10 - lost[k])
                    for k in range(n)
                ]
                self._append(Cell(model, noise, "likelihood"), SETTINGS, made)

    def interventions(self, models: Sequence[str], noises: Sequence[str], right: int, n: int) -> None:
        """`right` of `n` clean answers are correct, half of them with noise, and all where the noise is cut away."""
        for model in models:
            for noise in noises:
                answers = rights(
                    {"clean": right, "noisy": right // 2, "everywhere": right // 2 + 1, "moved": right, "placebo": 1}, n
                )
                nats = random_nats(dict(zip(answers, (-0.3, -0.9, -0.6, -0.4, -1.0), strict=True)), n, len(model))
                self._append(Cell(model, noise, "intervene"), SETTINGS, made_interventions(answers, nats))

    def tuning_logs(self, models: Sequence[str]) -> None:
        for model in models:
            folder = tuned_checkpoint_folder(self.results.folder, model)
            folder.mkdir(parents=True)
            settings = {"method": "lora", "samples": 500, "source": "mini:train", "epochs": 2}
            log = {"settings": settings, "loss": [{"loss": 0.01}], "seconds": 15.0}
            (folder / TRAINING_LOG).write_text(json.dumps(log))

    def default(self, right: int, n: int, noises: Sequence[str] = NOISES) -> Grid:
        """Fill in the grid of a run without options but for its datasets."""
        for stage in ("zero_shot", "sft"):
            self.predictions(MODELS, noises, stage, right, n)
        self.attention([*MODELS, *TUNED], [*noises, *NEEDLES])
        self.tuning_logs(MODELS)
        return self

    def summary(self, width: int = 80, verbose: bool = False) -> list[str]:
        return summary(Findings(self.results), self.runs, CAVEAT, width, verbose)

    def _append(self, cell: Cell, settings: object, records: Sequence[object]) -> None:
        settings = replace(settings, weights=cell.model)  # type: ignore[type-var]
        self.results.append(cell, settings, records)  # type: ignore[arg-type]
        ids = tuple(record.id for record in records)  # type: ignore[attr-defined]
        self.runs.append(CellRun(cell, settings, ids, 0, len(ids), 1.5, {}))


@pytest.fixture(autouse=True)
def _no_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computing the power takes nearly all of the time; these values make the longest sentences."""
    monkeypatch.setattr("reports.stats.comparisons.detectable_effect", lambda differences, alpha: 0.1234)
    monkeypatch.setattr("reports.stats.comparisons.needed_problems", lambda differences, alpha: 12_345)


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return Grid(tmp_path / "results")


@pytest.mark.parametrize(("right", "n"), [(18, 20), (20, 20), (0, 20), (95, 100)])
def test_the_default_grid_fits_one_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: int, n: int) -> None:
    """Also with all right, none right, and where no difference is significant, which takes the longest sentences."""
    monkeypatch.chdir(tmp_path)
    lines = Grid(Path("results")).default(right, n).summary()
    assert len(lines) + ATTENTION_LINES + PLUGIN_LINES <= 47, "\n".join(lines)
    assert longest(lines) <= 80


PLACEBOS = ("filler:inf", "digits:inf")


@pytest.mark.parametrize(("right", "n"), [(18, 20), (95, 100)])
@pytest.mark.parametrize("placebos", [PLACEBOS[:1], PLACEBOS])
def test_placebos_add_five_lines_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placebos: Sequence[str], right: int, n: int
) -> None:
    """Their columns stand in the same block, if need be without intervals; sentences that do not fit are counted."""
    monkeypatch.chdir(tmp_path)
    lines = Grid(Path("results")).default(right, n, (*NOISES, *placebos)).summary()
    assert len(lines) + ATTENTION_LINES + PLUGIN_LINES <= 49, "\n".join(lines)
    assert longest(lines) <= 80
    shown = any(line.startswith("  zero_shot, over filler: inf costs ") for line in lines)
    assert shown or any(line.startswith("    and ") and "more sentence" in line for line in lines)
    assert sum(line.split()[:1] == ["clean"] for line in lines) == 1


@pytest.mark.parametrize("stages", [["zero_shot"], ["zero_shot", "sft"]])
def test_factors_add_six_lines_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: Sequence[str]) -> None:
    """Alone they have their paragraph; beside three noises and two stages what does not fit is counted."""
    monkeypatch.chdir(tmp_path)
    grid = Grid(Path("results")).default(95, 100)
    for stage in stages:
        grid.designed(MODELS, stage, 40, 100)
    lines = grid.summary()
    assert len(lines) + ATTENTION_LINES + PLUGIN_LINES <= 54, "\n".join(lines)
    assert longest(lines) <= 80
    assert any("by factor" in line for line in lines) or any("more sentence" in line for line in lines)


@pytest.mark.parametrize(("right", "n"), [(18, 20), (0, 20), (95, 100)])
def test_interventions_add_sixteen_lines_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: int, n: int
) -> None:
    """A table with a row for each model and noise, two sentences, and a line of what was made."""
    monkeypatch.chdir(tmp_path)
    grid = Grid(Path("results")).default(right, n)
    before = len(grid.summary())
    grid.interventions(MODELS, NOISES[1:], right, n)
    lines = grid.summary()
    assert len(lines) - before <= 16, "\n".join(lines)
    assert longest(lines) <= 80
    start = next(number for number, line in enumerate(lines) if line.startswith("parts of the cost, "))
    assert sum(line.startswith(("diffllama, ", "llama, ")) for line in lines[start:]) == 6
    assert lines.index("accuracy, % [95 % interval], " + f"{n} problems a cell") > start
    assert "interventions" in next(line for line in lines if line.startswith("full tables: "))


def test_a_run_of_interventions_alone_is_a_short_screen(grid: Grid) -> None:
    grid.interventions(MODELS, ("inf",), 95, 100)
    lines = grid.summary()
    assert lines[0].startswith("parts of the cost, points")
    assert len(lines) + PLUGIN_LINES <= 24
    text = "\n".join(grid.summary(verbose=True))
    for heading in ("parts of the cost", "accuracy by condition", "faults: % of the wrong answers"):
        assert heading in text


def test_a_designed_noise_fits_one_screen_with_every_factor(grid: Grid) -> None:
    grid.predictions(MODELS, ("clean",), "zero_shot", 95, 100)
    grid.designed(MODELS, "zero_shot", 40, 100)
    lines = grid.summary()
    text = " ".join(" ".join(lines).split())
    for words in ("ic by factor: ", "a fact on the topic,", "somebody close,", "a number in range,", "the nearest: "):
        assert words in text.lower()
    assert "more sentence" not in text
    assert len(lines) + PLUGIN_LINES <= 40


def test_a_noise_and_its_placebos_fit_one_screen_with_their_intervals_and_sentences(grid: Grid) -> None:
    grid.predictions(MODELS, ("clean", "inf", *PLACEBOS), "zero_shot", 95, 100)
    lines = grid.summary()
    assert lines[lines.index("accuracy, % [95 % interval], 100 problems a cell") + 1].split() == [
        *("clean", "inf", "filler:inf", "digits:inf"),
    ]
    assert [line.split(":")[0] for line in lines if line.startswith("  zero_shot")] == [
        *("  zero_shot, inf", "  zero_shot, over filler", "  zero_shot, over digits"),
    ]
    assert not any("more sentence" in line for line in lines)
    assert len(lines) + PLUGIN_LINES <= 40
    assert longest(lines) <= 80


def test_the_screen_holds_the_answer_the_tables_the_costs_and_the_caveat_in_order(grid: Grid) -> None:
    lines = grid.default(18, 20).summary()
    starts = [
        "what noise costs (95 % intervals, p after Holm)",
        "  zero_shot, all 3 noises: ",
        "  sft, all 3 noises: ",
        "accuracy, % [95 % interval], 20 problems a cell",
        "attention: lift of the noise (1 = token share), mean ± std, 3 problems a cell",
        "λ by layer: diffllama 0.",
        "tuned: diffllama, lora on 500 problems",
        "predictions: 0 read, 320 made in ",
        "readings of attention: 0 read, 108 made",
        "full tables: python -m reports accuracy|comparisons|attention",
        "note: two miniatures",
    ]
    found = [next(number for number, line in enumerate(lines) if line.startswith(start)) for start in starts]
    assert found == sorted(found)
    tables = [line.split()[0] for line in lines if line.startswith(("diffllama", "llama"))]
    assert tables == [*MODELS, *TUNED, *MODELS, *TUNED]


def test_the_table_reads_as_it_should(grid: Grid) -> None:
    grid.predictions(["llama"], NOISES, "zero_shot", 150, 200)
    lines = grid.summary()
    table = lines.index("accuracy, % [95 % interval], 200 problems a cell")
    assert lines[table + 1 : table + 3] == [
        "               clean            inf            rcs             sd",
        "llama  75.0 [69, 80]  37.5 [31, 44]  37.5 [31, 44]  37.5 [31, 44]",
    ]


def test_the_change_from_clean_is_shown_where_it_fits(grid: Grid) -> None:
    grid.predictions(["llama"], NOISES, "zero_shot", 150, 200)
    assert any("accuracy, % [95 % interval], change from clean" in line for line in grid.summary(120))
    assert any("37.5 [31, 44] -37.5" in line for line in grid.summary(120))


def test_verbose_gives_every_table(grid: Grid) -> None:
    text = "\n".join(grid.default(18, 20).summary(verbose=True))
    for heading in (
        "what noise costs, zero_shot, in accuracy (95 % intervals; p adjusted over 3",
        "  inf: ",
        "zero_shot, 20 problems a cell",
        "sft, 20 problems a cell",
        "degradation: points of accuracy lost against clean, over the same problems",
        "gain: points of accuracy won by tuning, against zero_shot over the same problems",
        "attention: lift of each segment (1 = its share of the tokens),",
        "lift within the question (the answer's own tokens left out)",
        "share of absolute attention, %",
        "signed attention, % (sums to 1 − λ where the model is differential)",
        "λ by layer: diffllama+sft ",
        "retrieval: lift of the needle (what a problem states) and of the noise,",
        "retrieval: share of absolute attention, %",
    ):
        assert f"\n{heading}" in f"\n{text}"
    assert "full tables:" not in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_likelihood_has_sentences_and_a_table(grid: Grid, width: int) -> None:
    grid.likelihoods([*MODELS, *TUNED], NOISES)
    lines = grid.summary(width)
    assert any(line.startswith("  likelihood, all 3 noises: llama loses 0.263 nats a token") for line in lines)
    assert any(line.startswith("  likelihood, tuned models, all 3 noises: ") for line in lines)
    assert "log-likelihood of the worked answer, nats a token ± half the 95 % interval, 20" in "\n".join(lines)
    assert any(line.startswith("diffllama+sft  -1.095 ±") for line in lines)
    assert not any("accuracy" in line for line in lines)
    assert len(lines) <= 30
    assert longest(lines) <= width


def test_one_noise_has_its_sentences(grid: Grid) -> None:
    grid.predictions(MODELS, ("clean", "sd"), "zero_shot", 15, 20)
    lines = grid.summary()
    assert any(line.startswith("  zero_shot, sd: ") for line in lines)
    assert any("change from clean" in line for line in lines), "two columns leave room"


def test_few_noises_have_a_sentence_each(grid: Grid) -> None:
    grid.predictions(["llama"], ("clean", "inf", "sd"), "zero_shot", 150, 200)
    text = "\n".join(grid.summary())
    assert all(f"  zero_shot, {noise}: llama loses 37.5 points" in text for noise in ("both noises", "inf", "sd"))


def test_clean_alone_has_a_table_and_no_answer(grid: Grid) -> None:
    grid.predictions(["llama"], ("clean",), "zero_shot", 15, 20)
    lines = grid.summary()
    assert lines[0] == "accuracy, % [95 % interval], 20 problems a cell"
    assert any(line == f"full tables: python -m reports accuracy {grid.results.folder}" for line in joined(lines))


def test_tuned_models_alone_are_called_so(grid: Grid) -> None:
    grid.predictions(MODELS, NOISES, "sft", 15, 20)
    lines = grid.summary()
    assert any(line.startswith("  sft, all 3 noises: ") for line in lines)
    assert any(line.startswith("llama+sft") for line in lines)


@pytest.mark.parametrize("n", [4, 6])
def test_doses_that_do_not_fit_follow_in_another_block(grid: Grid, n: int) -> None:
    noises = ["clean", *(f"inf{dose}" for dose in range(1, n))]
    grid.predictions(MODELS, noises, "zero_shot", 15, 20)
    lines = grid.summary()
    assert longest(lines) <= 80
    headings = [word for line in lines for word in line.split() if word in noises]
    assert headings[: len(noises)] == noises
    assert sum(line.startswith("llama") for line in lines) == -(-n // 4)


def test_many_models_leave_the_answer_short(grid: Grid) -> None:
    names = [f"llama-{number}" for number in range(5)]
    grid.predictions(names, ("clean", "inf", "sd"), "zero_shot", 18, 20)
    lines = grid.summary()
    answer = lines[: lines.index("")]
    assert len(answer) <= 13
    assert any("more sentences" in line for line in answer)
    assert sum(line.startswith("llama-") for line in lines) == 5
    assert len(lines) + PLUGIN_LINES <= 40


@pytest.mark.parametrize(
    ("noises", "heading"),
    [
        (NOISES, "attention: lift of the noise (1 = token share)"),
        (NEEDLES, "retrieval: lift of the needle"),
        (("clean",), "attention: lift of each segment"),
    ],
)
def test_attention_alone_shows_what_there_is(grid: Grid, noises: Sequence[str], heading: str) -> None:
    grid.attention(MODELS, noises)
    lines = grid.summary()
    assert lines[0].startswith(heading)
    assert longest(lines) <= 80
    assert len(lines) + PLUGIN_LINES <= 40


def test_another_reading_than_the_usual_is_named(grid: Grid) -> None:
    made = readings(["p0", "p1"], 2, 2)
    grid._append(Cell("llama", "inf", "attention"), replace(ATTENTION_SETTINGS, attention="queries last"), made)
    assert "2 problems a cell; queries last" in " ".join(" ".join(grid.summary()).split())


def test_a_long_name_has_a_line_of_its_own(grid: Grid) -> None:
    name = "org/" + "x" * 60
    grid.predictions([name], NOISES, "zero_shot", 15, 20)
    grid.attention([name], NOISES)
    lines = grid.summary()
    assert longest(lines) <= 80
    assert lines.count(name) == 2


def test_a_stage_of_others_adds_its_lines(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    grid.predictions(["llama"], ("clean",), "zero_shot", 15, 20)
    added = replace(REPORTED_STAGES["zero_shot"], terminal=lambda findings, width: [f"{width} columns"])
    monkeypatch.setitem(REPORTED_STAGES, "zero_shot", added)
    monkeypatch.setattr(
        "reports.tables.terminal_summary.SECTIONS", [*SECTIONS, lambda findings, width, verbose: [f"{verbose=}"]]
    )
    lines = grid.summary(100)
    assert lines[lines.index("verbose=False") + 2] == "100 columns"
    monkeypatch.setitem(
        REPORTED_STAGES, "sft", replace(REPORTED_STAGES["sft"], terminal=lambda findings, width: ["no"])
    )
    assert "no" not in grid.summary(100), "only where the run has a cell of the stage"


def test_a_run_of_nothing_says_so(grid: Grid) -> None:
    assert grid.summary()[0] == "no case has ended"


def joined(lines: Sequence[str]) -> list[str]:
    """Undo the wrapping of the last lines."""
    return "\n".join(lines).replace("\n  ", " ").splitlines()
