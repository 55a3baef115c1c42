"""Everything that depends on the internals of transformers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

#: The date that chat templates see, if they write one: a prompt must not change overnight.
TEMPLATE_DATE = datetime(2024, 7, 26)


@contextmanager
def frozen_template_clock() -> Iterator[None]:
    """Let chat templates that call `strftime_now` see `TEMPLATE_DATE`.

    `transformers.utils.chat_template_utils` reads the clock through its own name `datetime` and offers no argument for
    it, so that name is replaced for the duration.
    """
    from transformers.utils import chat_template_utils

    class FrozenDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return TEMPLATE_DATE

    module: Any = chat_template_utils
    original, module.datetime = module.datetime, FrozenDatetime
    try:
        yield
    finally:
        module.datetime = original
