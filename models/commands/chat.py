"""Asking a model one question after another, each with noise put in on the way if that is wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from models.decode.generation import PromptTooLongError, generate
from models.loading.load_model import LoadedModel
from noise.inject import inject
from noise.problems.problem import NoisyProblem, Problem
from noise.registry import find_noise

HELP = """\
a question      is asked, with the noise that is set
/noise NAME     puts a distractor into each question (inf, rcs, sd, inf4, …); /noise clean puts none
/seed N         the seed of the noise's draw
/help           this
/quit           or the end of input, ends it"""


class UnknownCommandError(ValueError):
    """A line that begins with a slash and means nothing."""


@dataclass(frozen=True)
class Talk:
    """What is set: the noise (`clean` for none), its seed, and the limit of an answer in tokens."""

    noise: str = "clean"
    seed: int = 0
    max_new_tokens: int = 256

    def __post_init__(self) -> None:
        """Refuse a noise that there is not: `ValueError`."""
        if self.noise != "clean":
            find_noise(self.noise)


def chat(loaded: LoadedModel, talk: Talk, lines: Iterable[str], say: Callable[[str], object]) -> None:
    """Answers each of `lines` through `say` until they end, or until `/quit`. What goes wrong with a line is said, and
    the next one is read."""
    say(f"{loaded.spec.name} in {loaded.precision}; /help lists what can be typed")
    for line in map(str.strip, lines):
        if line == "/quit":
            return
        try:
            if line.startswith("/"):
                talk, said = _command(talk, line)
                say(said)
            elif line:
                for part in _answered(loaded, talk, line):
                    say(part)
        except (ValueError, RuntimeError, PromptTooLongError) as error:
            say(f"! {error}")


def typed(prompt: str) -> Iterator[str]:
    """Lines as somebody types them, with editing and a history where Python has readline; as they come from a file."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    with suppress(ImportError):
        import readline  # noqa: F401  importing it is what gives input() its history
    while True:
        try:
            yield input(prompt)
        except (EOFError, KeyboardInterrupt):
            print()
            return


def marked(noisy: NoisyProblem) -> str:
    """The question, each distractor between « and »."""
    text, end = "", 0
    for start, stop in noisy.spans:
        inner = noisy.question[start:stop]
        bare = inner.strip()
        text += noisy.question[end:start] + inner.replace(bare, f"«{bare}»", 1)
        end = stop
    return text + noisy.question[end:]


def _answered(loaded: LoadedModel, talk: Talk, question: str) -> Iterator[str]:
    if talk.noise != "clean":
        noisy = inject(Problem(question, question, ""), talk.noise, talk.seed)
        question = noisy.question
        yield f"asked: {marked(noisy)}"
    (written,) = generate(loaded, [question], talk.max_new_tokens)
    end = "" if written.finished else f" … (cut off at {talk.max_new_tokens} tokens)"
    yield f"{written.text.strip()}{end}" if written.text.strip() or end else "(nothing was written)"


def _command(talk: Talk, line: str) -> tuple[Talk, str]:
    name, _, value = line.partition(" ")
    value = value.strip()
    if name == "/help":
        return talk, HELP
    if name == "/noise" and value:
        return replace(talk, noise=value), f"noise {value}"
    if name == "/seed" and value.lstrip("-").isdigit():
        return replace(talk, seed=int(value)), f"seed {int(value)}"
    raise UnknownCommandError(f"{line!r}: expected /noise NAME, /seed N, /help or /quit")
