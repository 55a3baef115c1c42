"""`python -m tests.reports.docs_sample RESULTS`: the sample report in docs/sample/, out of a results folder.

Copies the page, tables and figures, draws the attention maps of the untuned pair, and photographs the page.
`make sample` runs the benchmark before it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from reports.plots.attention_map_plot import picture, scale_limit
from reports.plots.attention_maps import load_map
from tests.reports.chromium import photographed

FOLDER = Path(__file__).parents[2] / "docs" / "sample"
#: What is kept, and under which name.
KEPT = {
    "report.html": "report.html",
    "accuracy.csv": "accuracy.csv",
    "comparisons.csv": "comparisons.csv",
    "seeds.png": "seeds.png",
    "interventions.csv": "interventions.csv",
}
_PICTURES = {"page.png": ((1280, 860), None), "examples.png": ((1280, 860), "#examples")}


def main(results: Path) -> None:
    lacking = [name for name in KEPT if not (results / name).exists()]
    if lacking:
        sys.exit(f"{results} has no {', '.join(lacking)}: expected the results of a whole run, see `make sample`")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for source, name in KEPT.items():
        shutil.copyfile(results / source, FOLDER / name)
    maps = [load_map(path) for model in ("diffllama", "llama") for path in _map_of(results, model)]
    (FOLDER / "inf_q0.png").write_bytes(picture(maps, scale_limit(maps), key="sample"))
    for name, (size, part) in _PICTURES.items():
        photographed(FOLDER / "report.html", FOLDER / name, size, part)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.stat().st_size / 1024:7.0f} KiB  {path.relative_to(FOLDER.parents[1])}")


def _map_of(results: Path, model: str) -> list[Path]:
    return sorted((results / "attention_maps" / f"{model}-attention").glob("inf_q0_*.npz"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
