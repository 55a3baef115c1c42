"""Attention maps on disk: the pattern of one head over one text, kept so that it can be drawn without a model."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.plots.attention_map_plot import DRAWING_VERSION, PICTURE_KEY, picture, scale_limit
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError, explained, shown, write_atomically
from reports.store.file_names import file_name

if TYPE_CHECKING:
    import numpy

FOLDER = "attention_maps"
SIDE_BY_SIDE = "side_by_side"


@dataclass(frozen=True)
class AttentionMap:
    """Where one head looks in one text.

    `number` is the k of `q<k>`, the place of the problem among those that maps were kept of; `id` is its id. `signed`
    says that the pattern is a differential one, with rows that sum to 1 − λ and parts that may be negative; `lambda_`
    is that λ, None for an ordinary model. `tokens` are the tokens as text, `kinds` the segment that most of each
    belongs to. `pattern` is float32, (tokens, tokens), query × key. `overall` is, for each token, its share of the
    absolute attention of the worked answer's tokens, mean over all layers and heads; it sums to 1, and maps of earlier
    versions have None.
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


def save_map(results_folder: Path, map: AttentionMap) -> Path:
    """Keeps a map in `attention_maps/<model>-<stage>/<noise>_q<k>_layer<l>_head<h>.npz`, and returns that path.

    Raises `ValueError` where the pattern does not fit the tokens, `ResultsFolderError` when it cannot be written.
    """
    import numpy

    size = len(map.tokens)
    if map.pattern.shape != (size, size) or len(map.kinds) != size or not size:
        raise ValueError(
            f"expected a pattern of {size} × {size} and a kind for each of {size} tokens, "
            f"found a pattern of {' × '.join(f'{length}' for length in map.pattern.shape)} and {len(map.kinds)} kinds"
        )
    facts = {field.name: getattr(map, field.name) for field in fields(map) if field.name != "pattern"}
    # As JSON, in ASCII: numpy's own texts drop a null character at their end and have no lone surrogates.
    text = numpy.frombuffer(json.dumps(facts).encode(), dtype=numpy.uint8)
    content = BytesIO()
    numpy.savez_compressed(content, pattern=map.pattern.astype(numpy.float32), facts=text)
    name = f"{map.noise}_q{map.number}_layer{map.layer}_head{map.head}"
    path = Path(results_folder) / FOLDER / file_name(f"{map.model}-{map.stage}") / f"{file_name(name)}.npz"
    write_atomically(path, content.getvalue())
    return path


def load_map(path: Path) -> AttentionMap:
    """The inverse of `save_map`. Raises `ResultsDamaged` for a file that is no map, `ResultsFolderError` where it
    cannot be read."""
    import numpy

    with explained(path, "read"):
        content = path.read_bytes()
    try:
        with numpy.load(BytesIO(content), allow_pickle=False) as file:
            pattern, facts = file["pattern"].astype(numpy.float32), json.loads(file["facts"].tobytes())
        facts |= {name: tuple(facts[name]) for name in ("tokens", "kinds", "overall") if facts.get(name) is not None}
        found = AttentionMap(**facts, pattern=pattern)
        fitting = found.pattern.shape == (len(found.tokens),) * 2 and len(found.kinds) == len(found.tokens)
        fitting = fitting and len(found.overall or found.tokens) == len(found.tokens)
    except Exception as error:  # a cut or foreign file fails in as many ways as zip and numpy have
        raise ResultsDamaged(
            f"{shown(path)}: expected an attention map, found {error or type(error).__name__}"
        ) from error
    if not fitting:
        raise ResultsDamaged(f"{shown(path)}: expected a pattern of token × token, found {found.pattern.shape}")
    return found


def keep_only(results_folder: Path, model: str, stage: str, noise: str, kept: Collection[Path]) -> None:
    """Removes the maps of this model, stage and noise that are not among `kept` (paths that `save_map` returned), each
    with the picture beside it, and nothing else: whose a map is its own facts say, not its name.

    Raises `ResultsDamaged` for a file beside them that is no map, `ResultsFolderError` where one cannot be read or
    removed.
    """
    staying = {path.resolve() for path in kept}
    folder = Path(results_folder) / FOLDER / file_name(f"{model}-{stage}")
    for path in sorted(folder.glob("*.npz")):
        if path.resolve() in staying:
            continue
        try:
            map = load_map(path)
        except ResultsFolderError:
            if path.exists():
                raise
            continue  # another worker, with another noise of this model, has just removed it
        if (map.model, map.stage, map.noise) == (model, stage, noise):
            _remove(path.with_suffix(".png"))  # first, as without its map nothing would ever remove it
            _remove(path)


def draw_maps(results_folder: Path) -> list[Path]:
    """Draws every map in the folder into a PNG beside it, and the maps that two or more models have of one text beside
    each other; the pictures, whether drawn now or up to date.

    A text is one noise, k and id of a problem; all maps of it share a colour scale. Of several maps that one model has
    of a text, the newest goes beside the others', in `attention_maps/side_by_side/<noise>_q<k>.png`, or
    `<noise>_q<k>_<id>.png` where the folder has maps of several problems for that noise and k. Pictures in there that
    an earlier call drew and this one would not are removed. Raises `ResultsDamaged` for a file that is no map,
    `ResultsFolderError` where one cannot be read, written or removed.
    """
    top = Path(results_folder) / FOLDER
    groups: dict[tuple[str, int, str], list[tuple[Path, AttentionMap]]] = {}
    for path in sorted(top.glob("*/*.npz"), key=lambda path: (path.stat().st_mtime_ns, path)):
        map = load_map(path)
        groups.setdefault((map.noise, map.number, map.id), []).append((path, map))
    problems = Counter((noise, number) for noise, number, _ in groups)
    pictures = []
    for (noise, number, id), found in groups.items():
        limit = scale_limit([map for _, map in found])
        pictures += [_drawn(path.with_suffix(".png"), [(path, map)], limit) for path, map in found]
        newest = sorted({(map.model, map.stage): (path, map) for path, map in found}.items())
        if len(newest) > 1:
            name = f"{noise}_q{number}" if problems[noise, number] == 1 else f"{noise}_q{number}_{id}"
            beside = top / SIDE_BY_SIDE / f"{file_name(name)}.png"
            pictures.append(_drawn(beside, [pair for _, pair in newest], limit))
    for path in set((top / SIDE_BY_SIDE).glob("*.png")) - set(pictures):
        if _is_ours(path):
            _remove(path)
    return sorted(pictures)


def _drawn(target: Path, maps: Sequence[tuple[Path, AttentionMap]], limit: float) -> Path:
    """Draws the picture unless the one on disk was made from the same maps, on the same scale, by the same code: each
    carries a key of these in its text."""
    content = b"".join(path.read_bytes() for path, _ in maps)
    key = hashlib.sha256(f"{DRAWING_VERSION} {limit!r} ".encode() + content).hexdigest()
    with explained(target, "read"):
        current = target.exists() and key.encode() in target.read_bytes()
    if not current:
        write_atomically(target, picture([map for _, map in maps], limit, key))
    return target


def _is_ours(path: Path) -> bool:
    """Whether the picture carries a key: what somebody else put into the folder is not ours to remove."""
    with explained(path, "read"):
        return re.search(rb"%s\0[0-9a-f]{64}" % PICTURE_KEY.encode(), path.read_bytes()) is not None


def _remove(path: Path) -> None:
    with explained(path, "remove"):
        path.unlink(missing_ok=True)
