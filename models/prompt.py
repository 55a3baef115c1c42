"""What a model is asked, and when its answer is complete: the same in training, evaluation and everything between.

No torch here: the command line reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

#: Where the question stands in a template.
PLACE = "{question}"
PROMPT = f"Question: {PLACE}\nAnswer:"
#: The rule in words, as it stands in the key of every prediction.
STOP = "end of text, or a complete line '#### N', or a new line 'Question:'"
#: The zero-shot chain of thought of Kojima et al. (arXiv 2205.11916), in front of the answer.
_THINK = " Let's think step by step."
#: Worked examples in front of a question, at the most.
MOST_SHOTS = 64
# A number must follow at once: `#### Step 1` and `#### 2. Add up` are headings, and the answer is still to come.
_STOP = re.compile(r"(?<!#)####[ \t*]*+(?!\d+[.):][ \t]+\w)[-−]?[$€£]?\.?\d[^\n]*+\n|\nQuestion:")
#: The day that chat formats which tell a model the date tell it: a prompt must not change overnight.
_DAY = datetime(2024, 7, 26)
_SENTINEL = "\ue000question\ue000"


class PromptError(ValueError):
    """A prompt was asked for that there is not, or a question that does not go into one."""


@dataclass(frozen=True)
class Template:
    """The text of a prompt with `{question}` in it once, and whether it is put as a user's turn into the model's own
    chat format. `name` is what `--prompt` calls it."""

    text: str = PROMPT
    chat: bool = False
    name: str = field(default="plain", compare=False)

    def __post_init__(self) -> None:
        """Refuse a text without a place for the question, or with several: `PromptError`."""
        if self.text.count(PLACE) != 1:
            raise PromptError(f"--prompt: expected {PLACE} once in the text, found it {self.text.count(PLACE)} times")

    @property
    def key(self) -> str:
        """In words, where no tokenizer is at hand that knows the chat format."""
        return f"{self.text} (as a user's turn)" if self.chat else self.text


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: the question between `before` and `after`, as `template` comes to for it. In a chat these
    hold special tokens, that of the beginning among them; otherwise they are read as the characters that they are."""

    before: str
    after: str
    template: Template

    @property
    def chat(self) -> bool:
        return self.template.chat

    @property
    def text(self) -> str:
        """The exact prompt, with `{question}` where the question stands."""
        return f"{self.before}{PLACE}{self.after}"

    def of(self, question: str) -> str:
        """The text a model is asked to continue."""
        return f"{self.before}{question}{self.after}"

    def completion(self, answer: str) -> str:
        """The text a model is trained to write after the prompt, without the end-of-text token."""
        return answer if self.chat else f" {answer}"


PLAIN = Template()


def template_of(name: str, chat: bool = False) -> Template:
    """The template that `--prompt` names: `plain`; `cot`, which asks to think step by step; `fewshot:N`, with N worked
    examples of the embedded training split; or a text file with `{question}` in it once. Raises `PromptError`."""
    kind, colon, number = name.partition(":")
    if name == "plain":
        return Template(PROMPT, chat)
    if name == "cot":
        return Template(PROMPT + _THINK, chat, name)
    if kind == "fewshot" and colon:
        if not number.isdecimal() or not 1 <= int(number) <= MOST_SHOTS:
            raise PromptError(f"--prompt {name!r}: expected a number from 1 to {MOST_SHOTS} behind the colon")
        from noise.mini import problems  # nobody else who reads the command line needs it

        worked = problems("train")[: int(number)]
        shots = (f"{prompt_for(one.question)}{completion_for(one.answer)}\n\n" for one in worked)
        return Template("".join(shots) + PROMPT, chat, name)
    try:
        if not Path(name).is_file():
            raise PromptError(f"--prompt {name!r}: expected plain, cot, fewshot:N or a text file with {PLACE} in it")
        return Template(Path(name).read_text(encoding="utf-8").removesuffix("\n"), chat, name)
    except UnicodeDecodeError as error:
        raise PromptError(f"--prompt {name}: {error}") from None
    except OSError as error:  # as for a prompt itself in the place of its file's name
        raise PromptError(f"--prompt {name[:40]!r}…: {error.strerror}; expected the name of a text file") from None


def add_prompt(add: Callable[..., object]) -> None:
    """Add the options, with argparse's `add_argument` or pytest's `addoption`."""
    add(
        "--prompt",
        default="plain",
        metavar="NAME",
        help="what models are asked with: plain, cot (asks to think step by step), fewshot:N (N worked examples in"
        " front), or a text file with {question} in it (default: %(default)s)",
    )
    add("--chat", action="store_true", help="put the prompt as a user's turn into the model's own chat format")


def rendered(template: Template, tokenizer: Any) -> Prompt:
    """The prompt that a template comes to for a tokenizer. Raises `PromptError` where one is asked for that has no chat
    format, or one that does not give the text of a turn back."""
    if not template.chat:
        before, _, after = template.text.partition(PLACE)
        return Prompt(before, after, template)
    if not tokenizer.chat_template:
        raise PromptError("it has no chat format (chat_template); leave out --chat, or take a model made for chats")
    turn = [{"role": "user", "content": template.text.replace(PLACE, _SENTINEL)}]
    try:
        with _one_day():
            text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    except Exception as error:  # whatever a template of somebody's raises
        raise PromptError(f"its chat format cannot be used: {type(error).__name__}: {error}") from error
    if text.count(_SENTINEL) != 1:
        raise PromptError(f"its chat format gives the question {text.count(_SENTINEL)} times, where once was expected")
    before, _, after = text.partition(_SENTINEL)
    return Prompt(before, after, template)


@contextmanager
def _one_day() -> Iterator[None]:
    """Inside, the clock that chat formats are shown stands still. transformers has no other place to set it."""
    from transformers.utils import chat_template_utils

    class Day(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return _DAY

    clock: Any = chat_template_utils
    real, clock.datetime = clock.datetime, Day
    try:
        yield
    finally:
        clock.datetime = real


#: What a model is asked where nothing else is wanted.
PLAIN_PROMPT = Prompt(PROMPT.partition(PLACE)[0], PROMPT.partition(PLACE)[2], PLAIN)


def prompt_for(question: str) -> str:
    """The plain prompt."""
    return PROMPT.replace(PLACE, question)


def completion_for(answer: str) -> str:
    """What is trained to follow the plain prompt."""
    return f" {answer}"


def is_complete(text: str) -> bool:
    """Whether what was generated so far already says everything that will be read of it."""
    return _STOP.search(text) is not None


def cut(text: str) -> str:
    """`text` up to where the stop rule ends it: a batch may have run on past that."""
    stop = _STOP.search(text)
    if stop is None:
        return text
    return text[: stop.end()] if stop[0].startswith("#") else text[: stop.start()]
