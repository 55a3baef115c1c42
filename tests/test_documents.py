"""The form of the documents: one sentence a line, lines that fit a screen, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks.guide_blocks import FENCE, GUIDES, text_of
from tests.benchmarks.typed_commands import ROOT

#: The documents whose form is checked: one sentence a line, and lines that fit a screen.
PLAIN = (*GUIDES, "docs/README.md", "docs/decisions.md", "docs/grading.md", "docs/noise.md", "docs/experiment.md")
PLAIN += ("docs/noisy-sets.md", "docs/models.md", "models/checkpoints/README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PLAIN += ("docs/upstream/diffllama_continuous_batching.md",)
_WIDTH = 100
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[\w+\]: (\S+)$", re.MULTILINE)


@pytest.mark.quick
def test_the_readme_is_a_screen_and_a_half() -> None:
    assert len(text_of("README.md").splitlines()) <= 90


@pytest.mark.quick
@pytest.mark.parametrize("document", PLAIN)
def test_lines_fit_a_screen(document: str) -> None:
    long = [line for line in text_of(document).splitlines() if len(line) > _WIDTH]
    assert not long


@pytest.mark.quick
@pytest.mark.parametrize("document", PLAIN)
def test_a_line_of_prose_has_one_sentence(document: str) -> None:
    prose = re.sub(r"`[^`\n]*`", "code", FENCE.sub("", text_of(document)))
    prose = re.sub(r"\"[^\"\n]*\"", "quotation", prose)
    for line in prose.splitlines():
        if not line.startswith("|"):
            body = re.sub(r"^#+ \d+\. |^\d+\. ", "", line)
            assert not re.search(r"[^.][.?!] +[A-Z]", body), line


def anchors(document: Path) -> set[str]:
    """What GitHub makes of the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.quick
@pytest.mark.parametrize("document", sorted({*PLAIN, *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))}))
def test_every_link_leads_somewhere(document: str) -> None:
    for target in filter(None, (part for link in _LINK.findall(text_of(document)) for part in link)):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target
