"""`report.html`: a results folder as one page that opens from the disk, needs no network, and prints.

Model output and problems are hostile input. The template escapes every value, the script inserts text as text nodes
only, and the examples are embedded as base64, which cannot contain a tag.
"""

from __future__ import annotations

from pathlib import Path

from reports.findings import Findings
from reports.page.page_context import page_context
from reports.plots.plot_style import drawing
from reports.store.atomic_io import write_atomically
from reports.tables.printable_text import printable

NAME = "report.html"
_ASSETS = {"css": "report.css", "javascript": "report.js"}


def write_page(findings: Findings) -> Path:
    """Write the page into the results folder and return its path. Raises `ResultsDamaged`, `ResultsFolderError`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("reports.page", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    assets = {name: (Path(__file__).parent / file).read_text() for name, file in _ASSETS.items()}
    with drawing():
        context = page_context(findings)
    text = environment.get_template("report.html.jinja").render(context | assets)
    path = findings.results.folder / NAME
    write_atomically(path, printable(text).encode())  # HTML has no control characters
    return path
