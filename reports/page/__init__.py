"""`report.html`: a results folder as one page that opens from the disk, needs no network, and prints.

Model output and problems are hostile input: the template escapes what it is given, the script puts text into the page
as text alone, and the data stand in the page as JSON in which no tag can begin.
"""

from __future__ import annotations

from pathlib import Path

from reports.findings import Findings
from reports.page.page_context import page_facts
from reports.plots.plot_style import drawing
from reports.store.atomic_io import write_atomically

NAME = "report.html"
_OWN = {"css": "report.css", "javascript": "report.js"}


def write_page(findings: Findings) -> Path:
    """Writes the page beside the results, and gives its path. Raises `ResultsDamaged`, `ResultsFolderError`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("reports.page", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    own = {name: (Path(__file__).parent / file).read_text() for name, file in _OWN.items()}
    with drawing():
        facts = page_facts(findings)
    text = environment.get_template("report.html.jinja").render(facts | own)
    path = findings.results.folder / NAME
    write_atomically(path, text.encode("utf-8", "replace"))
    return path
