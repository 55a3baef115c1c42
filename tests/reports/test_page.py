"""The page: everything is on it, and what models and problems write is text, whatever it looks like."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from reports.__main__ import main
from reports.attention_maps import save_map
from reports.page import write_page
from reports.page.examples import examples
from reports.page.shaded import shaded
from reports.records import Cell
from reports.store import Results
from tests.reports.made import CELL, CLEAN, SETTINGS, outcomes, predicted
from tests.reports.made_attention import ATTENTION_SETTINGS, LOOKING, attention_map, readings

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><!-- \u2028 &amp; {{ 7 * 7 }}")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def page(results: Results) -> str:
    return write_page(results).read_text()


def data(text: str) -> dict[str, object]:
    (found,) = re.findall(r'<script type="application/json" id="examples-data">(.*?)</script>', text, re.DOTALL)
    read: dict[str, object] = json.loads(found)
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
    assert found["columns"] == ["diffllama", "llama", "llama, sft"]
    assert found["noises"] == ["clean", "inf"]
    assert [(row["id"], row["noise"]) for row in found["rows"]] == [
        (f"p{n}", noise) for n in range(3) for noise in (0, 1)
    ]
    assert [answer and answer[0] for answer in found["rows"][3]["answers"]] == [0, 1, 0]
    assert found["rows"][0]["answers"][2] is None


def test_the_answer_the_tables_and_the_pictures_are_there(results: Results) -> None:
    for model, right in (("diffllama", 80), ("llama", 30)):
        for noise, correct in (("clean", 90), ("inf", right), ("sd", right)):
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(correct, 100 - correct))
    results.append(LOOKING, ATTENTION_SETTINGS, readings(["p0", "p1"], 2, 2))
    text = page(results)
    assert re.search(r'class="answer">llama loses 60\.0 points \[.*diffllama loses 50\.0 points less than llama', text)
    assert text.count('<svg role="img" aria-label=') == 4
    assert "<strong>all 2 noises</strong>" in text
    assert "#000000" not in text
    assert "No run.json is in these results." in text


def test_what_is_not_there_is_said(results: Results) -> None:
    results.append(LOOKING, ATTENTION_SETTINGS, readings(["p0"], 2, 2))
    text = page(results)
    assert "No two cells of these results can be compared." in text
    assert text.count("No predictions are in these results.") == 2
    results.append(CLEAN, SETTINGS, [predicted("p0", "error")])
    assert "No attention was measured." not in page(results)


def test_a_map_gives_a_text_with_shades(results: Results) -> None:
    kept = attention_map(20)
    save_map(results.folder, kept)
    (text,) = shaded(results.folder)
    assert (text["model"], text["noise"], text["id"]) == (kept.model, kept.noise, kept.id)
    assert "".join(token["text"] for token in text["tokens"]) == "".join(
        token for token, kind in zip(kept.tokens, kept.kinds, strict=True) if kind != "answer"
    )
    assert all(0 <= float(token["shade"]) <= 1 for token in text["tokens"])
    assert text["over"] == f"layer {kept.layer}, head {kept.head}"


def test_the_command_says_where_the_page_is(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    assert main(["html", str(results.folder)]) == 0
    assert capsys.readouterr().out.strip().endswith("report.html")
    empty = results.folder.parent / "empty"
    empty.mkdir()
    assert main(["html", str(empty)]) == 1
    assert capsys.readouterr().err.startswith("no records in ")
    assert not list(empty.iterdir())


@pytest.fixture
def browser() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("wants a browser: chromium")
    return found


def in_browser(browser: str, path: Path, script: str = "") -> str:
    """The page as a browser has it once its own script has run, and then `script`, which may fill the title."""
    driven = path.with_name("driven.html")
    driven.write_text(path.read_text().replace("</body>", f"<script>{script}</script></body>"))
    profile = path.with_name("profile")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, f"file://{driven}"], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


DRIVER = """
const said = {};
const field = (name) => document.getElementById("filters").elements.namedItem(name);
const status = () => document.getElementById("examples-status").textContent;
const input = (form) => document.getElementById(form).dispatchEvent(new Event("input", {bubbles: true}));
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const timed = (act) => { const start = performance.now(); act(); return performance.now() - start; };
try {
"""
TOLD = "} catch (error) { said.error = String(error); } document.title = JSON.stringify(said);"


def told(shown: str) -> dict[str, object]:
    (title,) = re.findall(r"<title>(.*?)</title>", shown, re.DOTALL)
    found: dict[str, object] = json.loads(html.unescape(title))
    return found


@pytest.mark.browser
def test_a_browser_shows_hostile_text_as_text_and_fills_the_list(results: Results, browser: str) -> None:
    hostile = [predicted(f"p{n}", question=text, text=text, spans=()) for n, text in enumerate(HOSTILE)]
    results.append(CELL, SETTINGS, [*hostile, *outcomes(40, 2, first=10)])
    shown = in_browser(browser, write_page(results))
    assert shown.count("<article") == 20
    assert "45 examples, page 1 of 3" in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<img" not in shown


@pytest.mark.browser
def test_filters_search_keys_and_links_choose_what_is_shown(results: Results, browser: str) -> None:
    results.append(CLEAN, SETTINGS, outcomes(50, 0))
    results.append(CELL, SETTINGS, outcomes(30, 20))
    results.append(Cell("llama", "inf", "zero_shot"), SETTINGS, outcomes(50, 0))
    script = (
        DRIVER
        + """
        said.all = status();
        field("noise").value = "1"; input("filters"); said.inf = status();
        field("outcome").value = "1"; input("filters"); said.wrong = status();
        field("model").value = "1"; input("filters"); said.wrong_llama = status();
        field("model").value = ""; field("outcome").value = ""; field("flipped").checked = true; input("filters");
        said.flipped = status();
        field("flipped").checked = false; field("search").value = "NUMBER P47?"; input("filters");
        said.search = status();
        field("search").value = ""; input("filters");
        press("n"); said.next = status(); press("p"); said.back = status();
        press("j"); press("j"); said.second = [...document.querySelectorAll("article")].indexOf(document.activeElement);
        press("/"); said.searching = document.activeElement === field("search");
        location.hash = document.querySelector("article a").getAttribute("href");
        dispatchEvent(new HashChangeEvent("hashchange")); said.linked = status();
        """
        + TOLD
    )
    assert told(in_browser(browser, write_page(results), script)) == {
        "all": "100 examples, page 1 of 5",
        "inf": "50 examples, page 1 of 3",
        "wrong": "20 examples, page 1 of 1",
        "wrong_llama": "no example is like this; widen the filters",
        "flipped": "20 examples, page 1 of 1",
        "search": "1 examples, page 1 of 1",
        "next": "50 examples, page 2 of 3",
        "back": "50 examples, page 1 of 3",
        "second": 1,
        "searching": True,
        "linked": "1 examples, page 1 of 1",
    }


@pytest.mark.browser
def test_the_shaded_question_is_chosen_by_model_and_noise(results: Results, browser: str) -> None:
    results.append(CELL, SETTINGS, outcomes(3, 1))
    for model, noise in (("llama", "clean"), ("llama", "inf"), ("diffllama", "inf")):
        save_map(results.folder, replace(attention_map(20), model=model, noise=noise, number=0))
    script = (
        DRIVER
        + """
        const look = document.getElementById("look");
        const seen = () => [...document.querySelectorAll(".shaded")].filter((one) => one.checkVisibility())
            .map((one) => `${one.dataset.model}-${one.dataset.noise}`).join();
        said.first = seen();
        look.elements.namedItem("model").value = "llama"; input("look"); said.model = seen();
        look.elements.namedItem("noise").value = "clean"; input("look"); said.noise = seen();
        look.elements.namedItem("model").value = "diffllama"; input("look"); said.none = seen();
        said.words = document.getElementById("look-none").checkVisibility();
        """
        + TOLD
    )
    assert told(in_browser(browser, write_page(results), script)) == {
        "first": "diffllama-inf",
        "model": "llama-inf",
        "noise": "llama-clean",
        "none": "",
        "words": True,
    }


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_of_all_of_gsm8k_answers_within_a_fifth_of_a_second(results: Results, browser: str) -> None:
    """1,319 problems × 8 cells × 2 models."""
    for model in ("diffllama", "llama"):
        for noise in ("clean", *"abcdefg"):
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, outcomes(700, 619))
    script = (
        DRIVER
        + """
        said.search = timed(() => { field("search").value = "p1318"; input("filters"); });
        said.found = status();
        said.widened = timed(() => { field("search").value = ""; input("filters"); });
        said.flipped = timed(() => { field("flipped").checked = true; input("filters"); });
        """
        + TOLD
    )
    found = told(in_browser(browser, write_page(results), script))
    print(found)
    assert found.pop("found") == "8 examples, page 1 of 1"
    assert all(isinstance(ms, float | int) and ms < 200 for ms in found.values()), found
