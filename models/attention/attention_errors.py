"""Why a model's attention cannot be observed. No torch here."""

from __future__ import annotations

from collections.abc import Sequence


class AttentionUnavailable(RuntimeError):
    """A model's attention cannot be observed.

    Its layers bypass transformers' attention interface, or subtract in a way that no registered `Subtraction`
    describes.
    """


class AttentionInterfaceBypassed(AttentionUnavailable):
    """Our attention function was not called, or a layer does more than the attention function computes.

    The patterns that the model itself returns may still be usable.
    """


class LayersNotObserved(AttentionInterfaceBypassed):
    """Only some of the selected layers can be observed: `observed`, by number from 0. Select those layers."""

    def __init__(self, message: str, observed: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.observed = tuple(observed)


class UnequalVisibleKeys(AttentionUnavailable):
    """The selected layers do not see the same keys, so that their token shares differ. Select layers of one kind."""

    def __init__(
        self, message: str = "the layers see different keys (some have a sliding window): select layers of one kind"
    ) -> None:
        super().__init__(message)
