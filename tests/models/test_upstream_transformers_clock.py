"""Canary for `models.upstream_transformers.frozen_template_clock`: red when transformers changed what it relies on."""

from __future__ import annotations

import pytest
from transformers.utils import chat_template_utils

from models.upstream_transformers import frozen_template_clock

TURN = [{"role": "user", "content": "Why?"}]
GONE = (
    "transformers.utils.chat_template_utils has no name `datetime` any more: find what its `strftime_now` reads the"
    " clock with, and replace that in models.upstream_transformers.frozen_template_clock"
)
UNUSED = (
    "transformers.utils.chat_template_utils no longer reads the clock of chat templates through its name `datetime`:"
    " find what `strftime_now` uses now, and replace that in models.upstream_transformers.frozen_template_clock"
)


def rendered_date() -> str:
    """What transformers makes of a chat template that writes today's date."""
    texts, _ = chat_template_utils.render_jinja_template([TURN], chat_template="{{ strftime_now('%d %b %Y') }}")
    return str(texts[0])


def test_transformers_still_has_the_name_that_is_replaced() -> None:
    assert hasattr(chat_template_utils, "datetime"), GONE


def test_chat_templates_still_read_the_clock_through_that_name() -> None:
    with frozen_template_clock():
        assert rendered_date() == "26 Jul 2024", UNUSED


def test_the_clock_runs_again_afterwards() -> None:
    original = chat_template_utils.datetime
    with pytest.raises(KeyError), frozen_template_clock():
        raise KeyError
    assert chat_template_utils.datetime is original
    assert rendered_date() != "26 Jul 2024"
