"""Render a prompt template for one tokenizer, in the model's own chat format if the template asks for a chat."""

from __future__ import annotations

from typing import Any

from models.loading.load_errors import ChatTemplateError
from models.loading.template_sandbox import RenderingFailed, bounded
from models.prompt import QUESTION_FIELD, Prompt, Template
from models.upstream_transformers import frozen_template_clock

#: Stands for the question while a chat template is rendered; private-use characters, which no template contains.
_SENTINEL = "\ue000question\ue000"
_ANSWER = "\ue000answer\ue000"


def render_prompt(template: Template, tokenizer: Any) -> Prompt:
    """Return the prompt that `template` gives with `tokenizer`.

    Raises `ChatTemplateError` where a chat is wanted and the tokenizer has no chat template, or one that fails or does
    not write the text of a turn exactly once.
    """
    if not template.chat:
        before, _, after = template.text.partition(QUESTION_FIELD)
        return Prompt(before, after, template)
    if not tokenizer.chat_template:
        raise ChatTemplateError("it has no chat template (chat_template); expected a chat model, or chat=False")
    turns = [
        {"role": role, "content": content}
        for shot in template.shots
        for role, content in zip(("user", "assistant"), shot, strict=True)
    ]
    turns.append({"role": "user", "content": template.text.replace(QUESTION_FIELD, _SENTINEL)})
    text = _rendered(tokenizer, turns, add_generation_prompt=True)
    if text.count(_SENTINEL) != 1:
        raise ChatTemplateError(
            f"its chat template must contain the question once, but contains it {text.count(_SENTINEL)} times"
        )
    before, _, after = text.partition(_SENTINEL)
    return Prompt(before, after, template, _end_of_turn(tokenizer, turns[-1:]))


def _rendered(tokenizer: Any, turns: list[dict[str, str]], **options: bool) -> str:
    """Return `turns` in the tokenizer's chat format. Raises `ChatTemplateError`."""
    try:
        with frozen_template_clock():
            return bounded(lambda: str(tokenizer.apply_chat_template(turns, tokenize=False, **options)))
    except RenderingFailed as error:
        raise ChatTemplateError(f"its chat template failed: {error}") from error


def _end_of_turn(tokenizer: Any, turn: list[dict[str, str]]) -> str:
    """Return the line that the chat template writes after an answer; empty where it cannot be told."""
    try:
        text = _rendered(tokenizer, [*turn, {"role": "assistant", "content": _ANSWER}])
    except ChatTemplateError as error:
        if (
            isinstance(error.__cause__, RenderingFailed) and error.__cause__.refused
        ):  # the template takes questions alone, and says so
            return ""
        raise
    _, separator, after = text.rpartition(_ANSWER)
    end = after.strip().partition("\n")[0].strip() if separator else ""
    for token in sorted(tokenizer.get_added_vocab(), key=len, reverse=True):
        if token and end.startswith(token):
            return str(token)
    is_distinct = len(end) >= 3 and not end.startswith("#") and any(c.isalpha() or c in "<[" for c in end)
    return end if is_distinct else ""  # else it would end answers anywhere
