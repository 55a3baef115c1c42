"""How a model looks in every picture: one colour and one marker, the same in all of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.store.tuning_logs import SUFFIX

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by every kind of colour vision; black and yellow are left out. The markers say
# the same without colour, and as there is one more of them, a colour that comes back does so with another marker.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = "osD^vPX"


@dataclass(frozen=True)
class Look:
    """A tuned model has the colour and the marker of what it was, and the marker is hollow."""

    colour: str
    marker: str
    hollow: bool = False

    def drawn(self) -> dict[str, Any]:
        """As keyword arguments of matplotlib's lines."""
        face = "white" if self.hollow else self.colour
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": face, "markersize": 5}


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Each model's look. It depends on the names alone, and not on their order or on which of them are tuned."""
    names = set(models)
    plain = sorted({name.removesuffix(SUFFIX) for name in names})
    found = {}
    for name in sorted(names):
        number = plain.index(name.removesuffix(SUFFIX))
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)]
        found[name] = Look(colour, marker, hollow=name.endswith(SUFFIX))
    return found


Looks = Mapping[str, Look]


@contextmanager
def drawing() -> Iterator[None]:
    """Inside, figures may be made and drawn of any names: no `$` in them is mathematics, and a letter that the font
    lacks or a name that is too wide is no error, as it would be where warnings are."""
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        warnings.filterwarnings("ignore", "constrained_layout not applied", UserWarning)
        yield


def legend_of(figure: Figure, panels: Iterable[Axes]) -> None:
    """A legend beside the panels, of every label in any of them, if there is one."""
    found = {
        label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if found:
        figure.legend(found.values(), found.keys(), loc="outside right center", frameon=False)
