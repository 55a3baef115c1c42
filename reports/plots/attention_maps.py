"""Attention maps on disk: the pattern of one head over one text, stored so that it can be drawn without a model."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.store.atomic_io import (
    ResultsDamaged,
    ResultsFolderError,
    display_path,
    explaining_os_errors,
    write_atomically,
)
from reports.store.file_names import file_name
from reports.store.json_content import parsed_json, regular_content
from reports.store.records import Cell
from reports.store.stage_and_file_names import MAPS_FOLDER

if TYPE_CHECKING:
    import numpy

SIDE_BY_SIDE = "side_by_side"
#: Fields that are lists on disk.
_TUPLES = ("tokens", "kinds", "overall", "mean_token_lambdas")


@dataclass(frozen=True)
class AttentionMap:
    """The attention pattern of one head over one text.

    `number` is the k of `q<k>`: the index of the problem among those with maps; `id` is the problem's id. If `signed`,
    the pattern is differential: its rows sum to 1 − λ and entries may be negative. `lambda_` is that λ, None for an
    ordinary layer and where λ depends on the text; `mean_token_lambdas` then holds λ of each token, mean over all
    differential layers and heads. `tokens` holds the tokens as text, `kinds` the segment that most of each token
    belongs to. `pattern` is float32, (tokens, tokens), query × key. `overall` holds each token's share of the absolute
    attention of the worked answer's tokens, mean over all layers and heads; it sums to 1. `chosen_for` says in words
    why this head was chosen, empty for a head that was asked for. Maps of earlier versions have None and "" there.
    """

    model: str
    noise: str
    stage: str
    number: int
    id: str
    layer: int
    head: int
    signed: bool
    tokens: tuple[str, ...]
    kinds: tuple[str, ...]
    pattern: numpy.ndarray[Any, Any]
    lambda_: float | None
    overall: tuple[float, ...] | None = None
    chosen_for: str = ""
    mean_token_lambdas: tuple[float, ...] | None = None


def save_map(results_folder: Path, attention_map: AttentionMap) -> Path:
    """Write a map to `attention_maps/<model>-<stage>/<noise>_q<k>_layer<l>_head<h>.npz` and return that path.

    Raises `ValueError` if the pattern does not fit the tokens, `ResultsFolderError` if the file cannot be written.
    """
    import numpy

    size, shape = len(attention_map.tokens), attention_map.pattern.shape
    if shape != (size, size) or len(attention_map.kinds) != size or not size:
        raise ValueError(
            f"expected a pattern of {size} × {size} and a kind for each of {size} tokens, "
            f"found a pattern of {' × '.join(map(str, shape))} and {len(attention_map.kinds)} kinds"
        )
    names = [field.name for field in fields(attention_map) if field.name != "pattern"]
    facts = {name: getattr(attention_map, name) for name in names}
    # ASCII JSON, because numpy strings drop trailing null characters and cannot hold lone surrogates.
    text = numpy.frombuffer(json.dumps(facts).encode(), dtype=numpy.uint8)
    content = BytesIO()
    numpy.savez_compressed(content, pattern=attention_map.pattern.astype(numpy.float32), facts=text)
    cell = Cell(attention_map.model, attention_map.noise, attention_map.stage)
    path = map_path(results_folder, cell, attention_map.number, attention_map.layer, attention_map.head)
    write_atomically(path, content.getvalue())
    return path


def map_path(results_folder: Path, cell: Cell, number: int, layer: int, head: int) -> Path:
    """Return the path of a map: `attention_maps/<model>-<stage>/<noise>_q<number>_layer<layer>_head<head>.npz`."""
    folder = Path(results_folder) / MAPS_FOLDER / file_name(f"{cell.model}-{cell.stage}")
    return folder / f"{file_name(f'{cell.noise}_q{number}_layer{layer}_head{head}')}.npz"


def load_map(path: Path) -> AttentionMap:
    """Load what `save_map` wrote. Raises `ResultsDamaged` if the file is not a map, `ResultsFolderError` if it cannot
    be read."""
    import numpy

    with explaining_os_errors(path, "read"):
        content = regular_content(path)
    try:
        with numpy.load(BytesIO(content), allow_pickle=False) as file:
            pattern, facts = file["pattern"].astype(numpy.float32), parsed_json(file["facts"].tobytes())
        facts |= {name: tuple(facts[name]) for name in _TUPLES if facts.get(name) is not None}
        attention_map = AttentionMap(**facts, pattern=pattern)
        size = len(attention_map.tokens)
        consistent = attention_map.pattern.shape == (size, size) and len(attention_map.kinds) == size
        by_token = (attention_map.overall, attention_map.mean_token_lambdas)
        consistent = consistent and all(len(values) == size for values in by_token if values)
    except Exception as error:  # zip and numpy raise many kinds of error for a cut or foreign file
        raise ResultsDamaged(
            f"{display_path(path)}: expected an attention map, found {error or type(error).__name__}"
        ) from error
    if not consistent:
        raise ResultsDamaged(
            f"{display_path(path)}: expected a pattern of token × token, found {attention_map.pattern.shape}"
        )
    return attention_map


def keep_only(
    results_folder: Path,
    model: str,
    stage: str,
    noise: str,
    kept: Collection[Path],
    numbers: Collection[int] | None = None,
) -> None:
    """Remove the maps of this model, stage and noise that are not among `kept`, each with its picture.

    `kept` holds paths that `save_map` returned. Only maps of these `numbers` are removed, of all by default. The facts
    in a map say whose it is, not its file name. Raises `ResultsDamaged` for an `.npz` file that is not a map,
    `ResultsFolderError` if a file cannot be read or removed.
    """
    kept_paths = {path.resolve() for path in kept}
    folder = Path(results_folder) / MAPS_FOLDER / file_name(f"{model}-{stage}")
    for path in sorted(folder.glob("*.npz")):
        if path.resolve() in kept_paths:
            continue
        try:
            attention_map = load_map(path)
        except ResultsFolderError:
            if path.exists():
                raise
            continue  # another worker, on another noise of this model, has just removed it
        is_ours = (attention_map.model, attention_map.stage, attention_map.noise) == (model, stage, noise)
        if is_ours and (numbers is None or attention_map.number in numbers):
            remove_file(path.with_suffix(".png"))  # first: a picture without its map would never be removed
            remove_file(path)


def remove_file(path: Path) -> None:
    """Delete a file if it exists. Raises `ResultsFolderError`."""
    with explaining_os_errors(path, "remove"):
        path.unlink(missing_ok=True)
