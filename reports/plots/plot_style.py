"""The colour and the marker of each model, the same in every figure."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.store.atomic_io import write_atomically
from reports.store.replicates import replicate_label, split_replicate
from reports.store.stage_and_file_names import TUNED_SUFFIX

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, safe for colour-blind readers, without black and yellow. The markers carry the same
# information without colour. There is one more marker than colours, so a repeated colour has another marker.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = "osD^vPX"


@dataclass(frozen=True)
class ModelStyle:
    """The style of one model. A tuned model has its base model's colour and marker, and the marker is hollow."""

    colour: str
    marker: str
    hollow: bool = False

    def line_kwargs(self) -> dict[str, Any]:
        """Return the style as keyword arguments of matplotlib's lines."""
        face = "white" if self.hollow else self.colour
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": face, "markersize": 5}


def model_styles(models: Iterable[str]) -> dict[str, ModelStyle]:
    """Return a style for each model and family, independent of the order of the names and of which models are tuned.

    All replicates of a family have its style.
    """
    names = {*models}
    names |= {other for name in names for other in (split_replicate(name)[0], replicate_label(name))}
    families = {name: split_replicate(name)[0].removesuffix(TUNED_SUFFIX) for name in names}
    base_names = sorted(set(families.values()))
    styles = {}
    for name in sorted(names):
        number = base_names.index(families[name])
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        styles[name] = ModelStyle(colour, marker, hollow=name.endswith(TUNED_SUFFIX))
    return styles


ModelStyles = Mapping[str, ModelStyle]


@contextmanager
def drawing() -> Iterator[None]:
    """Draw figures whose texts are arbitrary names.

    Inside this context `$` is not mathematics, and glyphs missing from the font and names too wide for the layout do
    not warn.
    """
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        warnings.filterwarnings("ignore", "constrained_layout not applied", UserWarning)
        yield


def add_legend(figure: Figure, panels: Iterable[Axes]) -> None:
    """Add one legend next to the panels with every label that occurs in them, if there is any."""
    handles = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside right center", frameon=False)


def save_png(figure: Figure | None, path: Path) -> bool:
    """Write a figure as a PNG and return True; False if there is none. Raises `ResultsFolderError`."""
    if figure is None:
        return False
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write_atomically(path, picture.getvalue())
    return True
