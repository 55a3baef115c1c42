"""The datasets of a run that come from files, as plain values. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: What stands behind the name of a paired set of which the certified lines alone are asked, so that the two sets of
#: figures can stand in one table.
CERTIFIED = "+certified"


@dataclass(frozen=True)
class DatasetFiles:
    """`paired` has the file of each paired set by its dataset, `sentences` that of each noise from sentences.

    Of the paired sets, `certified_only` asks the lines whose distractors are certified.
    """

    paired: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    certified_only: bool = False

    def has_sentences(self, dataset: str) -> bool:
        """Return whether a dataset, with or without a dose, is a noise of a file of sentences."""
        return dataset.rstrip("0123456789") in self.sentences

    def __bool__(self) -> bool:
        return bool(self.paired or self.sentences)
