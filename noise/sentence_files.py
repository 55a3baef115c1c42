"""A noise from a text file: one sentence a line, drawn and certified as those of any other noise."""

from __future__ import annotations

import random
import re
from pathlib import Path

from noise.certify import Carries
from noise.problems.text_files import raw_lines
from noise.proposals import Noise, Proposal, draw
from noise.registry import NOISES
from noise.sets.certify_pair import carries_of
from noise.text.question_features import QuestionFeatures

#: The noises of this process that come from files, for other processes that draw for it.
SENTENCE_FILES: dict[str, str] = {}
_NAME = re.compile(r"[\w.+-]*[^\W\d]")
NAME_FORM = "a name of letters, digits and . _ + - that ends in no digit, as a number there is a count of distractors"


def split_name(text: str) -> tuple[str, Path]:
    """Return the name and the path of `NAME=FILE`; the name of a `FILE` alone is its stem.

    Raises `ValueError` for a name that is none, or that is used already.
    """
    name, equals, path = text.partition("=")
    if not equals:
        name, path = Path(text).stem, text
    check_name(name, text)
    return name, Path(path)


def check_name(name: str, text: str) -> None:
    """Raise `ValueError` for a name that no dataset may have; `text` is what was typed."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{text!r}: expected {NAME_FORM}, got {name!r}{_hint(text)}")
    known = {"clean", "needle", *NOISES}.difference(SENTENCE_FILES)
    clashing = next((other for other in sorted(known) if other.casefold() == name.casefold()), None)
    if clashing is not None:
        raise ValueError(f"{text!r}: expected a name of its own, got that of the dataset {clashing!r}{_hint(text)}")


def _hint(text: str) -> str:
    return "" if "=" in text else "; write NAME=FILE"


def add_sentence_file(text: str) -> str:
    """Register the noise of `NAME=FILE`, or of a `FILE` under the name of its stem, and return its name.

    A second file of the same name takes the place of the first. Raises `ValueError` for a name that is taken, for a
    file with sentences of several kinds, and for what is no text file; `OSError` for one that cannot be read.
    """
    name, path = split_name(text)
    noise = sentence_noise(name, path)
    NOISES[name] = noise
    SENTENCE_FILES[name] = str(path)
    return name


def sentence_noise(name: str, path: Path) -> Noise:
    """Return the noise of the sentences of a file. Raises what `add_sentence_file` raises."""
    sentences: list[str] = []
    kinds: dict[Carries, int] = {}
    for number, raw in raw_lines(path):
        try:
            sentence = raw.decode().strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}:{number}: expected UTF-8 text, got byte 0x{raw[error.start]:02x}") from None
        if sentence:
            sentences.append(sentence)
            kinds.setdefault(carries_of(sentence), number)
    if "nothing" in kinds and len(kinds) > 1:
        other = min(number for kind, number in kinds.items() if kind != "nothing")
        raise ValueError(
            f"{path}:{max(other, kinds['nothing'])}: expected sentences that all hold a number or that all hold none,"
            " which are certified by other rules; make two files"
        )
    carries: Carries = "numbers" if len(kinds) > 1 else next(iter(kinds))
    options = tuple(dict.fromkeys(sentences))

    def propose(features: QuestionFeatures, rng: random.Random) -> Proposal:
        sentence = draw(options, rng)
        return Proposal(sentence, sentence)

    return Noise(name, f"the sentences of {path.name}", carries, propose, propose)
