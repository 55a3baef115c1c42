"""Draw the attention maps of a results folder: one picture per map, and the models of one text side by side."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reports.plots.attention_map_plot import DRAWING_VERSION, PICTURE_KEY, picture, scale_limit
from reports.plots.attention_maps import SIDE_BY_SIDE, AttentionMap, load_map, remove_file
from reports.progress_bars import Progress, no_progress_bar
from reports.store.atomic_io import explaining_os_errors, write_atomically
from reports.store.file_names import file_name
from reports.store.json_content import regular_content
from reports.store.stage_and_file_names import MAPS_FOLDER


def draw_maps(results_folder: Path, progress: Progress = no_progress_bar) -> list[Path]:
    """Draw every map in the folder, and the maps that several models have of one text side by side.

    Returns the paths of all pictures, including those that were already up to date. A text is one noise, k and problem
    id; all maps of a text share a colour scale. Each map's picture is the PNG next to it. Side by side, each model
    contributes its newest map of the text, in `attention_maps/side_by_side/<noise>_q<k>.png`, or
    `<noise>_q<k>_<id>.png` if the folder has maps of several problems for that noise and k. Side-by-side pictures of an
    earlier call that no longer apply are removed. Raises `ResultsDamaged` for a file that is not a map,
    `ResultsFolderError` if a file cannot be read, written or removed.
    """
    top = Path(results_folder) / MAPS_FOLDER
    groups: dict[tuple[str, int, str], list[tuple[Path, AttentionMap]]] = {}
    for path in sorted(top.glob("*/*.npz"), key=lambda path: (path.stat().st_mtime_ns, path)):
        loaded = load_map(path)
        groups.setdefault((loaded.noise, loaded.number, loaded.id), []).append((path, loaded))
    problem_counts = Counter((noise, number) for noise, number, _ in groups)
    pictures = []
    with progress("drawing", sum(map(len, groups.values())), unit="maps") as bar:
        for (noise, number, id), maps in groups.items():
            limit = scale_limit([each for _, each in maps])
            for path, each in maps:
                pictures.append(_draw_if_stale(path.with_suffix(".png"), [(path, each)], limit))
                bar.update(1)
            newest = sorted({(each.model, each.stage): (path, each) for path, each in maps}.items())
            if len(newest) > 1:
                name = f"{noise}_q{number}" if problem_counts[noise, number] == 1 else f"{noise}_q{number}_{id}"
                target = top / SIDE_BY_SIDE / f"{file_name(name)}.png"
                pictures.append(_draw_if_stale(target, [pair for _, pair in newest], limit))
    for path in set((top / SIDE_BY_SIDE).glob("*.png")) - set(pictures):
        if _has_key(path):
            remove_file(path)
    return sorted(pictures)


def _draw_if_stale(target: Path, maps: Sequence[tuple[Path, AttentionMap]], limit: float) -> Path:
    """Draw the picture unless the one on disk comes from the same maps, scale and code.

    Each picture carries a key of these three as text.
    """
    content = b"".join(path.read_bytes() for path, _ in maps)
    key = hashlib.sha256(f"{DRAWING_VERSION} {limit!r} ".encode() + content).hexdigest()
    with explaining_os_errors(target, "read"):
        current = target.exists() and key.encode() in regular_content(target)
    if not current:
        write_atomically(target, picture([each for _, each in maps], limit, key))
    return target


def _has_key(path: Path) -> bool:
    """Return whether the picture carries our key: other people's files in the folder are never removed."""
    with explaining_os_errors(path, "read"):
        return re.search(rb"%s\0[0-9a-f]{64}" % PICTURE_KEY.encode(), regular_content(path)) is not None
