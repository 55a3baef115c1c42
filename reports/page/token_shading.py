"""A question as text, each token shaded by the attention that it gets from the worked answer's tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.plots.attention_maps import FOLDER, AttentionMap, load_map
from reports.store.tuning_logs import SUFFIX


def shaded(results_folder: Path) -> list[dict[str, Any]]:
    """For each model and noise that a map was kept of, its first problem: `model`, `noise`, `id`, `over` (what the
    shades are a mean over, in words) and `tokens`, each with `text`, `shade` (0 to 1) and `distractor`.

    Raises `ResultsDamaged`, `ResultsFolderError`.
    """
    found: dict[tuple[str, str], AttentionMap] = {}
    for path in sorted((results_folder / FOLDER).glob("*-attention/*.npz")):
        kept = load_map(path)
        if kept.number == 0:
            found.setdefault((kept.model, kept.noise), kept)
    order = sorted(found, key=lambda key: (key[0].endswith(SUFFIX), key[0], key[1] != "clean", key[1]))
    return [_shaded(found[key]) for key in order]


def _shaded(kept: AttentionMap) -> dict[str, Any]:
    import numpy

    question = [place for place, kind in enumerate(kept.kinds) if kind != "answer"]
    answering = [place for place, kind in enumerate(kept.kinds) if kind == "answer"]
    if kept.overall is not None:
        looked, over = numpy.array(kept.overall), "all layers and heads"
    else:  # kept before there was a mean over all
        looked = numpy.abs(kept.pattern)[answering or slice(None)].mean(axis=0)
        over = f"layer {kept.layer}, head {kept.head}"
    among = looked[[place for place in question if place]]  # the first token gets most of all attention anywhere
    most = float(numpy.quantile(among, 0.98)) if len(among) else 0.0
    return {
        "model": kept.model,
        "noise": kept.noise,
        "id": kept.id,
        "over": over,
        "tokens": [
            {
                "text": kept.tokens[place],
                "shade": f"{min(1.0, float(looked[place]) / most) if most and place else 0.0:.2f}",
                "distractor": kept.kinds[place] == "ni",
            }
            for place in question
        ],
    }
