"""The browser of this machine, driven by playwright, which is made to download none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def where() -> str | None:
    """The browser's path, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started() -> Iterator[Any]:
    """A browser without a screen. Raises `ImportError` without playwright, `FileNotFoundError` without a browser."""
    from playwright.sync_api import sync_playwright

    path = where()
    if path is None:
        raise FileNotFoundError(f"none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def photographed(page: Path, picture: Path, size: tuple[int, int], part: str | None = None) -> None:
    """Puts what a reader first sees of a page, or of the part that a selector names, into a PNG."""
    with started() as browser:
        shown = browser.new_page(viewport={"width": size[0], "height": size[1]})
        shown.goto(page.resolve().as_uri())
        shown.wait_for_selector("article")
        if part is not None:
            shown.locator(part).evaluate("one => one.scrollIntoView()")
        shown.screenshot(path=picture)
