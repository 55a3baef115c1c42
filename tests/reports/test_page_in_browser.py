"""The page as a reader has it: opened from the disk in a real browser, and used by mouse and by keyboard."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reports.attention_factories import DISTRACTOR
from tests.reports.chromium import NAMES, started, where
from tests.reports.page_factories import HOSTILE, large_page, whole_page
from tests.reports.record_factories import question_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if where() is None:
        pytest.skip(f"wants a browser: none of {', '.join(NAMES)} is installed")
    pytest.importorskip("playwright.sync_api", reason="wants playwright, of requirements-dev.txt")
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_page(tmp_path_factory.mktemp("page"))


class Watched:
    """A page, and what a reader should never see of it: errors, and requests to anywhere."""

    def __init__(self, chromium: Any, path: Path, **how: Any) -> None:
        self.context = chromium.new_context(**how)
        self.page = self.context.new_page()
        self.messages: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.messages.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("article")

    def status(self) -> str:
        return str(self.page.text_content("#examples-status"))


@pytest.fixture
def watched(chromium: Any, path: Path) -> Iterator[Watched]:
    found = Watched(chromium, path)
    yield found
    found.context.close()
    assert found.messages == []
    assert found.asked == [path.as_uri()]


def test_every_section_renders(watched: Watched) -> None:
    page = watched.page
    headings = page.locator("h2").all_text_contents()
    assert headings == [
        *("Accuracy", "What noise costs", "Attention", "Is it the attention to the noise?", "Examples"),
        "How it was made",
    ]
    for section in page.locator("main > section").all():
        assert section.bounding_box()["height"] > 100
    pictures = page.locator("svg[role=img]").all()
    assert len(pictures) == 5
    for picture in pictures:
        assert picture.get_attribute("aria-label")
        assert picture.bounding_box()["height"] > 100
    assert "loses" in page.text_content(".answer")
    assert "a case: UserWarning: <b>mind</b> the gap" in page.locator("#provenance li").all_text_contents()


def test_hostile_text_is_shown_as_text(watched: Watched) -> None:
    """An alert would be in `messages`, which the fixture checks."""
    page = watched.page
    for text in HOSTILE:
        page.fill("#filters [name=search]", text.split("\u2028")[0])
        assert text in page.locator("article").first.locator("p").first.text_content()
        assert text in page.locator("article .answers pre").first.text_content()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_filters_and_search_choose_what_is_shown(watched: Watched) -> None:
    page = watched.page
    assert watched.status() == "159 examples, page 1 of 8"
    assert page.locator("article").count() == 20
    page.select_option("#filters [name=noise]", label="inf")
    assert watched.status() == "53 examples, page 1 of 3"
    page.select_option("#filters [name=outcome]", label="incorrect")
    assert watched.status() == "30 examples, page 1 of 2"
    page.select_option("#filters [name=model]", label="diffllama")
    assert watched.status() == "10 examples, page 1 of 1"
    assert page.locator("article").first.locator(".answers > div").count() == 2
    assert page.locator("article mark").first.text_content() == question_of("p0")[10:25]
    page.click("#filters button[type=reset]")
    page.get_by_text("159 examples, page 1 of 8").wait_for()
    page.check("#filters [name=flipped]")
    assert watched.status() == "60 examples, page 1 of 3"
    page.uncheck("#filters [name=flipped]")
    page.fill("#filters [name=search]", "NUMBER P47?")
    assert watched.status() == "3 examples, page 1 of 1"
    page.fill("#filters [name=search]", "nothing is like this")
    assert watched.status() == "no example matches; widen the filters"


def test_the_keyboard_is_enough(watched: Watched) -> None:
    page = watched.page
    focused = "[...document.querySelectorAll('article')].indexOf(document.activeElement)"
    page.keyboard.press("n")
    assert watched.status() == "159 examples, page 1 of 8", "single letters are keys within the section alone"
    page.focus("#examples")
    page.keyboard.press("n")
    assert watched.status() == "159 examples, page 2 of 8"
    page.keyboard.press("p")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(focused) == 1
    page.keyboard.press("k")
    assert page.evaluate(focused) == 0
    page.keyboard.press("/")
    page.keyboard.type("number p47?")
    assert watched.status() == "3 examples, page 1 of 1"
    for _ in range(3):  # backwards: outcome, model, noise
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert watched.status() == "1 example, page 1 of 1"


def test_everything_that_can_be_used_is_reached_by_tab_and_shows_it(watched: Watched) -> None:
    page = watched.page
    wanted = page.evaluate(
        "[...document.querySelectorAll('a, button, select, input, summary, [tabindex=\"0\"]')]"
        ".filter((one) => one.checkVisibility() && !one.disabled && !one.closest('article')).length"
    )
    seen = set()
    for _ in range(wanted + 20 * 3 + 5):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(() => { const one = document.activeElement; if (one === document.body || one.closest('article')) return;"
            " const style = getComputedStyle(one); const place = [...document.querySelectorAll('*')].indexOf(one);"
            " return [place, one.outerHTML.slice(0, 80), style.outlineStyle, parseFloat(style.outlineWidth)]; })()"
        )
        if found:
            place, markup, style, width = found
            assert style != "none", markup
            assert width >= 2, markup
            seen.add(place)
    assert len(seen) == wanted


def test_a_button_at_the_end_of_the_pages_keeps_the_focus(watched: Watched) -> None:
    page = watched.page
    page.select_option("#filters [name=noise]", label="inf")
    page.focus("#on")
    for _ in range(4):
        page.keyboard.press("Enter")
    assert watched.status() == "53 examples, page 3 of 3"
    assert page.evaluate("document.activeElement.id") == "on"
    assert page.get_attribute("#on", "aria-disabled") == "true"


def test_a_link_opens_its_example_again(watched: Watched) -> None:
    page = watched.page
    page.locator("article h3 a").first.click()
    assert watched.status() == "1 example, page 1 of 1"
    page.click("#filters button[type=reset]")
    page.get_by_text("159 examples, page 1 of 8").wait_for()
    page.locator("article h3 a").first.click()
    assert watched.status() == "1 example, page 1 of 1"


def test_inside_a_frame_of_a_notebook_links_stay_in_the_page(chromium: Any, path: Path, tmp_path: Path) -> None:
    outer = tmp_path / "notebook.html"
    outer.write_text(f'<p>outer</p><iframe sandbox="allow-scripts" srcdoc="{html.escape(path.read_text())}"></iframe>')
    page = chromium.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(outer.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("nav a", has_text="Examples").click()
    frame.locator("article h3 a").first.click()
    assert frame.locator("#examples-status").text_content() == "1 example, page 1 of 1"
    assert frame.locator("h1").count() == 1
    page.close()
    assert messages == []


def test_each_example_has_a_link_that_opens_it(watched: Watched, path: Path) -> None:
    page = watched.page
    page.fill("#filters [name=search]", "number p59?")
    page.locator("article h3 a").last.click()
    assert watched.status() == "1 example, page 1 of 1"
    address = page.url
    assert address.startswith(path.as_uri() + "#example=p59&noise=")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("article")
    assert watched.status() == "1 example, page 1 of 1"
    assert page.locator("article").first.text_content().startswith("p59, ")
    watched.asked[1:] = []  # these two were ours


def test_the_shaded_question_is_chosen_by_model_and_noise(watched: Watched) -> None:
    page = watched.page

    def seen() -> list[str]:
        figures = page.locator(".shaded:visible figcaption").all_text_contents()
        return [text.partition(":")[0] for text in figures]

    assert seen() == ["diffllama, inf"]
    assert page.locator(".shaded:visible .distractor").count() == len(DISTRACTOR)
    page.select_option("#look [name=model]", "llama")
    assert seen() == ["llama, inf"]
    page.select_option("#look [name=noise]", "clean")
    assert seen() == ["llama, clean"]
    page.select_option("#look [name=model]", "diffllama")
    assert seen() == []
    assert page.is_visible("#look-none")


@pytest.mark.parametrize(
    "how",
    [
        {},
        pytest.param({"color_scheme": "dark"}, marks=pytest.mark.slow),
        pytest.param({"viewport": {"width": 390, "height": 844}}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_axe_finds_nothing(chromium: Any, path: Path, how: dict[str, Any]) -> None:
    """WCAG 2.2 AA and the good practice that axe-core knows, light, dark and on a phone."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="wants axe-playwright-python")
    watched = Watched(chromium, path, **how)
    for summary in watched.page.locator("summary:visible").all():
        summary.click()
    found = axe.Axe().run(watched.page, options={"rules": {"target-size": {"enabled": True}}})
    watched.context.close()
    violations = [
        (rule["id"], rule["impact"], node["html"]) for rule in found.response["violations"] for node in rule["nodes"]
    ]
    assert violations == []
    passed = {rule["id"] for rule in found.response["passes"]}
    assert passed >= {"target-size", "color-contrast", "label", "svg-img-alt", "heading-order"}


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
def test_no_screen_has_to_be_scrolled_sideways(chromium: Any, path: Path, width: int) -> None:
    watched = Watched(chromium, path, viewport={"width": width, "height": 844})
    inner, whole = watched.page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    watched.context.close()
    assert whole <= inner


def test_the_sample_page_is_short_on_a_phone(chromium: Any) -> None:
    sample = Path(__file__).parents[2] / "docs/sample/report.html"
    watched = Watched(chromium, sample, viewport={"width": 390, "height": 844})
    height = watched.page.evaluate("document.documentElement.scrollHeight")
    watched.context.close()
    assert height < 12_000


def test_without_javascript_all_but_the_examples_is_there(chromium: Any, path: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    text = page.inner_text("body")
    context.close()
    assert "points less than" in text or "No evidence" in text
    assert "diffllama, inf: mini-00003" in text
    assert "The examples need JavaScript" in text


@pytest.mark.slow
def test_a_page_of_all_of_gsm8k_answers_within_a_fifth_of_a_second(chromium: Any, tmp_path: Path) -> None:
    """1,319 problems × 8 cells × 2 models: from the keystroke to the list as it is painted."""
    page_path = large_page(tmp_path)
    watched = Watched(chromium, page_path)
    milliseconds = watched.page.evaluate(
        """async () => {
          const field = document.querySelector("#filters [name=search]"), found = {};
          const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          for (const words of ["p", "p1", "p13", "p131", "p1318", ""]) {
            const start = performance.now();
            field.value = words;
            field.dispatchEvent(new Event("input", {bubbles: true}));
            await painted();
            found[words] = performance.now() - start;
          }
          return found;
        }"""
    )
    watched.context.close()
    print(f"{page_path.stat().st_size / 1e6:.1f} MB, ms by keystroke:", milliseconds)
    assert max(milliseconds.values()) < 200
    assert page_path.stat().st_size < 5e6
