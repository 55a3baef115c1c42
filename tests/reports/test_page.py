"""The page: everything is on it, and what models and problems write is text, whatever it looks like."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy
import pytest

import reports.page as page_of_reports
from reports.__main__ import main
from reports.experiment import Experiment
from reports.findings import Findings
from reports.page import write_page
from reports.page.examples import examples
from reports.page.intervention_context import CONDITIONS
from reports.page.provenance import provenance, relevant_runs, run_description
from reports.page.token_shading import shaded_questions
from reports.plots.attention_maps import save_map
from reports.stats.accuracies import CellAccuracy
from reports.stats.comparisons import Comparison
from reports.stats.intervention_scores import ORDER
from reports.store.record_codec import settings_hash
from reports.store.records import Cell
from reports.store.results_folder import Results
from reports.tables.intervention_narrative import LIMIT
from tests.reports.attention_factories import ATTENTION_CELL, ATTENTION_SETTINGS, attention_map, readings
from tests.reports.intervention_factories import DIFFLLAMA, LLAMA, NATS, interventions, random_nats
from tests.reports.page_factories import HOSTILE
from tests.reports.record_factories import CELL, CLEAN, OTHER_SETTINGS, SETTINGS, asked, outcomes, predicted

FIELDS = (
    *("started", "ended", "status", "seed", "options", "caveat", "command", "versions", "machine", "settings"),
    *("warnings", "cells", "made", "seconds"),
)
VALUES: list[Any] = [None, 5, "x", [1], [None], {"a": None}]


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def page(results: Results) -> str:
    return write_page(Findings(results)).read_text()


def data(text: str) -> dict[str, object]:
    (found,) = re.findall(r'id="examples-data">([\w+/=]*)</script>', text)
    read: dict[str, object] = json.loads(zlib.decompress(base64.b64decode(found)))
    return read


def test_hostile_text_stays_text(results: Results) -> None:
    lines = [predicted(f"p{n}", question=text, text=text, gold=text) for n, text in enumerate(HOSTILE)]
    for model in ("llama", "<b>bold</b>"):
        for noise in ("clean", "inf"):
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, lines)
    text = page(results)
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>bold" not in text
    assert text.count("</script>") == 2, "its own two"
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    rows = data(text)["rows"]
    assert isinstance(rows, list)
    assert {row["question"] for row in rows} == set(HOSTILE)


def test_the_page_needs_no_network(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    text = page(results)
    addresses = set(re.findall(r"https?://[^\"' <)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names of XML, not places"
    assert "default-src 'none'" in text


def test_every_model_s_answer_to_a_text_stands_in_one_row(results: Results) -> None:
    for model, right in (("diffllama", 2), ("llama", 1)):
        results.append(Cell(model, "clean", "zero_shot"), SETTINGS, outcomes(3, 0))
        results.append(Cell(model, "inf", "zero_shot"), SETTINGS, outcomes(right, 3 - right))
    results.append(Cell("llama", "inf", "sft"), SETTINGS, outcomes(3, 0))
    found = examples(results)
    rows = list(found["rows"])
    assert found["columns"] == ["diffllama", "llama", "llama, sft"]
    assert found["noises"] == ["clean", "inf"]
    assert [(row["id"], row["noise"]) for row in rows] == [(f"p{n}", noise) for n in range(3) for noise in (0, 1)]
    assert [answer and answer[0] for answer in rows[3]["answers"]] == [0, 1, 0]
    assert rows[0]["answers"][2] is None


def test_the_answer_the_tables_and_the_pictures_are_there(results: Results) -> None:
    for model, right in (("diffllama", 80), ("llama", 30)):
        for noise, correct in (("clean", 90), ("inf", right), ("sd", right)):
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(correct, 100 - correct))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2))
    text = page(results)
    assert re.search(r'class="answer">llama loses 60\.0 points \[.*diffllama loses 50\.0 points less than llama', text)
    assert text.count('<svg role="img" aria-label=') == 4
    assert "<strong>both noises</strong>" in text
    assert "#000000" not in text
    assert "There is no run.json in these results." in text


def test_interventions_have_a_section_of_their_own(results: Results) -> None:
    """With the figure, the parts, every condition and what it is, and hostile names as text."""
    for model, answers in (("llama", LLAMA), ("<b>bold</b>", DIFFLLAMA)):
        results.append(Cell(model, "inf", "intervene"), SETTINGS, interventions(answers, random_nats(NATS, 100)))
    text = page(results)
    section = text.partition('<section id="cause"')[2].partition("</section>")[0]
    assert '<a href="#cause">' in text
    assert 'data-label="cost">59.0 [' in section
    assert 'aria-label="What noise costs each model, as a bar of its parts with intervals: ' in section
    assert "llama, inf: cost 59.0, reading 27.0, displacement 35.0, neither -3.0" in section
    assert html.escape(LIMIT) in section
    assert len(re.findall(r"<tr><td>inf</td><td>llama</td>", section)) == 2 + len(LLAMA) + 2 + 1
    assert "<dt>displaced</dt>" in section
    assert "<dt>random</dt>" not in section
    assert "<b>bold" not in text
    assert "#101010" not in section
    assert "#4c4c4c" not in section


def test_without_interventions_there_is_no_such_section(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    assert "#cause" not in page(results)


def test_every_known_condition_has_words() -> None:
    assert set(CONDITIONS) == {*ORDER, "layer", "lambda"}


def test_what_is_not_there_is_said(results: Results) -> None:
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0"], 2, 2))
    text = page(results)
    assert "No two cells of these results can be compared." in text
    assert text.count("No predictions are in these results.") == 2
    results.append(CLEAN, SETTINGS, [predicted("p0", "error")])
    assert "No attention was measured." not in page(results)


def test_a_map_gives_a_text_with_shades(results: Results) -> None:
    kept = attention_map(20)
    save_map(results.folder, kept)
    (text,) = shaded_questions(results.folder)
    assert (text["model"], text["noise"], text["id"]) == (kept.model, kept.noise, kept.id)
    assert "".join(token["text"] for token in text["tokens"]) == "".join(
        token for token, kind in zip(kept.tokens, kept.kinds, strict=True) if kind != "answer"
    )
    assert all(0 <= float(token["shade"]) <= 1 for token in text["tokens"])
    assert text["over"] == f"layer {kept.layer}, head {kept.head}"


def test_a_lambda_of_the_text_shades_the_question_a_second_time(results: Results) -> None:
    """From the least λ of the question to the largest; the answer's tokens count for neither."""
    drawn = attention_map(20)
    lambdas = numpy.linspace(0.2, 0.6, 20)
    save_map(results.folder, replace(drawn, lambda_=None, signed=True, mean_token_lambdas=tuple(lambdas.tolist())))
    results.append(ATTENTION_CELL, ATTENTION_SETTINGS, readings(["p0"], 2, 2))
    (text,) = shaded_questions(results.folder)
    question = [number for number, kind in enumerate(drawn.kinds) if kind != "answer"]
    assert (text["lambdas"]["least"], text["lambdas"]["most"]) == (lambdas[question[0]], lambdas[question[-1]])
    shades = [float(token["shade"]) for token in text["lambdas"]["tokens"]]
    assert (shades[0], shades[-1]) == (0.0, 1.0)
    assert shades == sorted(shades)
    assert f"from 0.20 (no shading) to {lambdas[question[-1]]:.2f} (darkest)" in page(results)
    save_map(results.folder, drawn)
    assert "(no shading)" not in page(results)


def test_the_command_says_where_the_page_is(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    assert main(["html", str(results.folder)]) == 0
    assert capsys.readouterr().out.strip().endswith("report.html")
    empty = results.folder.parent / "empty"
    empty.mkdir()
    assert main(["html", str(empty)]) == 1
    assert capsys.readouterr().err.startswith("no records in ")
    assert not list(empty.iterdir())


def test_the_kept_sample_is_of_this_version() -> None:
    """`make sample` makes it anew; a column or a section that it lacks says that it is due."""
    sample = Path(__file__).parents[2] / "docs" / "sample"
    columns = (sample / "accuracy.csv").read_text().splitlines()[0].split(",")
    assert columns == [field.name for field in fields(CellAccuracy)]
    columns = (sample / "comparisons.csv").read_text().splitlines()[0].split(",")
    assert columns == [field.name for field in fields(Comparison)]
    template = Path(page_of_reports.__file__).with_name("report.html.jinja").read_text()
    kept = (sample / "report.html").read_text()
    assert all(heading in kept for heading in re.findall(r'<h2 id="[^"]*">[^<]*</h2>', template))
    assert sum(path.stat().st_size for path in sample.iterdir()) < 2e6


@pytest.mark.parametrize("name", ["$\\foo$", "模型", "a, b", "x" * 200, "&lt;<b>"])
def test_a_model_may_have_any_name(results: Results, name: str) -> None:
    for noise in ("clean", "inf", "sd"):
        for model, right in ((name, 9), ("llama", 5)):
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(right, 10 - right))
    assert main(["html", str(results.folder)]) == 0
    assert main(["accuracy", str(results.folder)]) == 0
    text = (results.folder / "report.html").read_text()
    rows = data(text)
    assert rows["models"] == sorted([name, "llama"])


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_run_json_of_somebody_else_is_no_reason_to_have_no_page(results: Results, value: Any) -> None:
    """Each field of foreign kind alone, and then all of them on one page."""
    cells = {"settings": settings_hash(SETTINGS), "model": "diffllama", "made": 4, "seconds": 1.0}
    for name in FIELDS:
        for runs in ([{"cells": [cells], name: value}], [{"cells": [cells | {name: value}]}], [{"cells": [value]}]):
            known = relevant_runs(runs, {settings_hash(SETTINGS)})
            found = provenance(known, {})
            assert found is None or len(found["runs"]) == 1
            assert run_description(["llama"], ["mine"], [4], known, ["float32"]).startswith("llama on mine")
    results.append(CELL, SETTINGS, outcomes(3, 1))
    run = {name: value for name in FIELDS if name != "cells"} | {"cells": [cells, value]}
    (results.folder / "run.json").write_text(json.dumps({"runs": [run]}))
    assert "75.0" in page(results)


def test_a_damaged_run_json_is_said(results: Results) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    (results.folder / "run.json").write_text("{damaged")
    text = page(results)
    assert "run.json is damaged, so a caveat that belongs to these figures may be missing" in text
    assert "<p>run.json is damaged.</p>" in text


def test_the_page_speaks_of_the_runs_that_made_its_figures(results: Results) -> None:
    """Not of others in the same file: a refused one, or one whose records were set aside."""
    experiment = Experiment(results, seed=7, caveat=lambda cells: "mind the miniatures")
    with experiment.cell(CELL, SETTINGS, asked("p0", "p1")) as recorder:
        recorder.append(outcomes(1, 1))
    experiment.write()
    other = Experiment(results, seed=8, caveat=lambda cells: "mind the others", options={"problems": "mine.jsonl"})
    other.runs = [replace(experiment.runs[0], settings=OTHER_SETTINGS, cell=Cell("mine", "inf", "zero_shot"))]
    text = next(path for path in other.write_each() if path.suffix == ".html").read_text()
    assert "diffllama on made-up, 2 problems a cell, seed 7, float32." in text
    assert "mind the miniatures" in text
    for foreign in ("mind the others", "seed 8", "bfloat16", "mine"):
        assert foreign not in text
