"""The prompt that a model gets: the same in training, evaluation and attention.

No torch here: the command line reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.stop_rule import StopRule, opens_thought, plain_rule

if TYPE_CHECKING:
    from noise.problems.problem import Problem

#: The part of a template that the question replaces.
QUESTION_FIELD = "{question}"
PROMPT = f"Question: {QUESTION_FIELD}\nAnswer:"
#: The zero-shot chain of thought of Kojima et al. (arXiv 2205.11916), before the answer.
_CHAIN_OF_THOUGHT = " Let's think step by step."
#: The most worked examples that a prompt may have.
MAX_SHOTS = 64


class PromptError(ValueError):
    """There is no such prompt, or a question cannot be put into one."""


class UnknownPromptError(PromptError):
    """A prompt is neither a name, `fewshot:N`, nor a readable text with one `{question}`."""


@dataclass(frozen=True)
class Template:
    """The text of a prompt with `{question}` in it once.

    `chat` puts the text as a user's turn into the model's own chat template, after a turn for the question and one for
    the answer of each of `shots`. `name` is what it was asked for by (`template_of`).
    """

    text: str = PROMPT
    chat: bool = False
    name: str = field(default="plain", compare=False)
    shots: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Check that the text has `{question}` exactly once. Raises `UnknownPromptError`."""
        count = self.text.count(QUESTION_FIELD)
        if count != 1:
            raise UnknownPromptError(
                f"prompt {self.name[:40]!r}: expected {QUESTION_FIELD} once in the text, found it {count} times"
            )

    @property
    def key(self) -> str:
        """The template in words, for records. It does not depend on a tokenizer's chat template."""
        return f"{self.shown} (as a user's turn)" if self.chat else self.text

    @property
    def shown(self) -> str:
        """All that a model is shown before and around the question, as plain text."""
        return "".join(f"{question} {answer}\n\n" for question, answer in self.shots) + self.text


@dataclass(frozen=True)
class Prompt:
    """What `template` gives for one tokenizer: a question goes between `before` and `after`.

    In a chat these two contain special tokens, the beginning of the text among them. Otherwise they are plain text.
    `end_of_turn` is what a chat's template writes after an answer.
    """

    before: str
    after: str
    template: Template
    end_of_turn: str = ""

    @property
    def chat(self) -> bool:
        return self.template.chat

    @property
    def text(self) -> str:
        """The exact prompt, with `{question}` in the question's place."""
        return f"{self.before}{QUESTION_FIELD}{self.after}"

    @property
    def stop(self) -> StopRule:
        """The rule that ends an answer to this prompt."""
        if not self.chat:
            return plain_rule(self.before, self.after)
        before, _, after = self.template.text.partition(QUESTION_FIELD)
        labels = plain_rule(before, after)
        has_examples = bool(labels.question_label) and before.count(labels.question_label) > 1
        rule = labels if has_examples else StopRule()  # in a chat, a question is repeated more often than invented
        return replace(rule, end_of_turn=self.end_of_turn, in_thought=opens_thought(self.after))

    def format(self, question: str) -> str:
        """Return the text that a model is asked to continue."""
        return f"{self.before}{question}{self.after}"

    def completion(self, answer: str) -> str:
        """Return the text that a model is trained to write after the prompt, without the end-of-text token."""
        return answer if self.chat else f" {answer}"


PLAIN = Template()


def embedded_examples() -> Sequence[Problem]:
    """Return the embedded training problems."""
    from noise.mini import problems  # no other prompt needs it

    return problems("train")


def template_of(
    name: str, chat: bool = False, examples: Callable[[], Sequence[Problem]] = embedded_examples
) -> Template:
    """Return the template of a name.

    `plain`: the question alone. `cot`: asks to think step by step. `fewshot:N`: the first N of `examples`, worked, come
    first; in a chat each is a user's turn and an answer. Anything else is a text file with `{question}` in it once.
    Raises `UnknownPromptError`, and what `examples` raises.
    """
    kind, colon, number = name.partition(":")
    if name == "plain":
        return Template(PROMPT, chat)
    if name == "cot":
        return Template(PROMPT + _CHAIN_OF_THOUGHT, chat, name)
    if kind == "fewshot" and colon:
        if not number.isdecimal() or not 1 <= int(number) <= MAX_SHOTS:
            raise UnknownPromptError(f"prompt {name!r}: expected a number from 1 to {MAX_SHOTS} after the colon")
        shown = examples()[: int(number)]
        if len(shown) < int(number):
            raise UnknownPromptError(
                f"prompt {name!r}: expected at most as many examples as there are problems to train on: {len(shown):,}"
            )
        if chat:
            return Template(
                PROMPT, chat, name, tuple((prompt_for(example.question), example.answer) for example in shown)
            )
        shots = (f"{prompt_for(example.question)}{completion_for(example.answer)}\n\n" for example in shown)
        return Template("".join(shots) + PROMPT, chat, name)
    try:
        if not Path(name).is_file():
            raise UnknownPromptError(
                f"prompt {name!r}: expected plain, cot, fewshot:N or a text file with {QUESTION_FIELD} in it"
            )
        return Template(Path(name).read_text(encoding="utf-8").removesuffix("\n"), chat, name)
    except UnicodeDecodeError as error:
        raise UnknownPromptError(f"prompt {name}: {error}") from None
    except OSError as error:  # such as a prompt's text instead of its file's name
        raise UnknownPromptError(f"prompt {name[:40]!r}…: {error.strerror}; expected the name of a text file") from None


def add_prompt_options(add: Callable[..., object]) -> None:
    """Add the options with `add`: argparse's `add_argument` or pytest's `addoption`."""
    add(
        "--prompt",
        default="plain",
        metavar="NAME",
        help="prompt of every question: plain, cot (asks to think step by step), fewshot:N (N worked examples first, of"
        " the problems to train on), or a text file with {question} in it (default: %(default)s)",
    )
    add("--chat", action="store_true", help="put the prompt as a user's turn into the model's own chat template")


#: The default prompt: plain, and no chat.
PLAIN_PROMPT = Prompt(PROMPT.partition(QUESTION_FIELD)[0], PROMPT.partition(QUESTION_FIELD)[2], PLAIN)


def prompt_for(question: str) -> str:
    """Return the plain prompt of a question."""
    return PLAIN_PROMPT.format(question)


def completion_for(answer: str) -> str:
    """Return the text that a model is trained to write after the plain prompt."""
    return PLAIN_PROMPT.completion(answer)
