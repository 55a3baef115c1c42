"""`python -m models chat`: ask a model one question after another, with noise added to each on request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from models.decode.generation import PromptTooLongError, generate
from models.loading.load_model import LoadedModel
from noise.inject import inject
from noise.mini import problems as included_problems
from noise.problems.problem import NoisyProblem, Problem
from noise.registry import find_noise

HELP = """\
a question      is asked, with the current noise
/example [N]    asks the next of the included problems, or number N, and prints its worked answer
/noise NAME     adds a distractor to each question (inf, rcs, sd, inf4, …); /noise clean adds none
/seed N         sets the seed of the noise
/help           prints this
/quit           ends the chat, as does the end of the input"""


class UnknownCommandError(ValueError):
    """A line begins with a slash and is not a command."""


@dataclass(frozen=True)
class ChatSettings:
    """The noise (`clean` for none), its seed, the limit of an answer in tokens, and the number of the last example."""

    noise: str = "clean"
    seed: int = 0
    max_new_tokens: int = 256
    example: int = 0

    def __post_init__(self) -> None:
        """Check that the noise exists, and the limit. Raises `ValueError`."""
        if not 1 <= self.max_new_tokens <= 10**9:
            raise ValueError(f"expected a limit of at least 1 token, got {self.max_new_tokens}")
        if self.noise != "clean":
            find_noise(self.noise)


def chat(loaded: LoadedModel, settings: ChatSettings, lines: Iterable[str], write: Callable[[str], object]) -> None:
    """Answer each of `lines` through `write` until they end or one is `/quit`. An error is written, and the chat goes
    on."""
    write(f"{loaded.spec.name} in {loaded.precision}; type /help for the commands")
    for line in map(str.strip, lines):
        if line == "/quit":
            return
        try:
            if line.partition(" ")[0] == "/example":
                settings, problem = _example(settings, line)
                write(f"example {settings.example}: {problem.question}")
                for reply in _answer(loaded, settings, problem.question):
                    write(reply)
                write(f"worked answer: {problem.answer}")
            elif line.startswith("/"):
                settings, reply = _run_command(settings, line)
                write(reply)
            elif line:
                for reply in _answer(loaded, settings, line):
                    write(reply)
        except (ValueError, RuntimeError, PromptTooLongError) as error:
            write(f"! {error}")


def read_lines(prompt: str) -> Iterator[str]:
    """Yield lines from a terminal, with editing and a history where Python has readline, or from a pipe."""
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


def mark_distractors(noisy: NoisyProblem) -> str:
    """Return the question with each distractor between « and »."""
    text, end = "", 0
    for start, stop in noisy.spans:
        span = noisy.question[start:stop]
        distractor = span.strip()
        text += noisy.question[end:start] + span.replace(distractor, f"«{distractor}»", 1)
        end = stop
    return text + noisy.question[end:]


def _answer(loaded: LoadedModel, settings: ChatSettings, question: str) -> Iterator[str]:
    """Yield the noisy question, if there is noise, and the model's answer."""
    if settings.noise != "clean":
        noisy = inject(Problem(question, question, ""), settings.noise, settings.seed)
        question = noisy.question
        yield f"asked: {mark_distractors(noisy)}"
    (generation,) = generate(loaded, [question], settings.max_new_tokens)
    text = generation.text.strip()
    end = "" if generation.finished else f" … (stopped after {settings.max_new_tokens} tokens)"
    yield f"{text}{end}" if text or end else "(empty answer)"


def _example(settings: ChatSettings, line: str) -> tuple[ChatSettings, Problem]:
    """Return the settings after `/example`, and the problem it names, counted from 1."""
    problems, value = included_problems("test"), line.partition(" ")[2].strip()
    if value and not value.isdecimal():
        raise UnknownCommandError(f"{line!r}: expected /example or /example N")
    number = int(value) if value else settings.example % len(problems) + 1
    if not 1 <= number <= len(problems):
        raise UnknownCommandError(f"{line!r}: expected a number from 1 to {len(problems):,}")
    return replace(settings, example=number), problems[number - 1]


def _run_command(settings: ChatSettings, line: str) -> tuple[ChatSettings, str]:
    """Return the settings after a command, and the reply to it."""
    name, _, value = line.partition(" ")
    value = value.strip()
    if name == "/help":
        return settings, HELP
    if name == "/noise" and value:
        return replace(settings, noise=value), f"noise {value}"
    if name == "/seed":
        if not value.lstrip("-").isdecimal():
            raise UnknownCommandError(f"{line!r}: expected a whole number after /seed")
        return replace(settings, seed=int(value)), f"seed {int(value)}"
    raise UnknownCommandError(f"{line!r}: expected /example, /noise NAME, /seed N, /help or /quit")
