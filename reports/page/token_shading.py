"""A question as text, each token shaded by the attention it receives from the worked answer's tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.plots.attention_maps import AttentionMap, load_map
from reports.store.stage_and_file_names import MAPS_FOLDER, TUNED_SUFFIX


def shaded_questions(results_folder: Path) -> list[dict[str, Any]]:
    """Return the first problem of each model and noise that has an attention map.

    Each is a dict of `model`, `noise`, `id`, `over` (what the shades average over, in words) and `tokens`, each with
    `text`, `shade` (0 to 1) and `distractor`. Where λ depends on the text, `lambdas` has the `least` and the `most` of
    the question and its `tokens`, shaded by λ; else it is None.

    Raises `ResultsDamaged`, `ResultsFolderError`.
    """
    maps: dict[tuple[str, str], AttentionMap] = {}
    for path in sorted((results_folder / MAPS_FOLDER).glob("*-attention/*.npz")):
        loaded = load_map(path)
        if loaded.number == 0:
            maps.setdefault((loaded.model, loaded.noise), loaded)
    order = sorted(maps, key=lambda key: (key[0].endswith(TUNED_SUFFIX), key[0], key[1] != "clean", key[1]))
    return [_shaded_question(maps[key]) for key in order]


def _shaded_question(attention_map: AttentionMap) -> dict[str, Any]:
    import numpy

    question = [position for position, kind in enumerate(attention_map.kinds) if kind != "answer"]
    answer = [position for position, kind in enumerate(attention_map.kinds) if kind == "answer"]
    if attention_map.overall is not None:
        attention, over = numpy.array(attention_map.overall), "all layers and heads"
    else:  # a map of an earlier version, without the mean over all heads
        attention = numpy.abs(attention_map.pattern)[answer or slice(None)].mean(axis=0)
        over = f"layer {attention_map.layer}, head {attention_map.head}"
    without_sink = attention[[position for position in question if position]]  # the first token gets most attention
    darkest = float(numpy.quantile(without_sink, 0.98)) if len(without_sink) else 0.0
    return {
        "model": attention_map.model,
        "noise": attention_map.noise,
        "id": attention_map.id,
        "over": over,
        "tokens": [
            _token(attention_map, position, float(attention[position]) / darkest if darkest and position else 0.0)
            for position in question
        ],
        "lambdas": _lambdas(attention_map, question),
    }


def _lambdas(attention_map: AttentionMap, question: list[int]) -> dict[str, Any] | None:
    if attention_map.mean_token_lambdas is None:
        return None
    lambdas = {position: attention_map.mean_token_lambdas[position] for position in question}
    least, most = min(lambdas.values()), max(lambdas.values())
    return {
        "least": least,
        "most": most,
        "tokens": [
            _token(attention_map, position, (value - least) / (most - least) if most > least else 0.0)
            for position, value in lambdas.items()
        ],
    }


def _token(attention_map: AttentionMap, position: int, shade: float) -> dict[str, Any]:
    return {
        "text": attention_map.tokens[position],
        "shade": f"{min(1.0, shade):.2f}",
        "distractor": attention_map.kinds[position] == "ni",
    }
