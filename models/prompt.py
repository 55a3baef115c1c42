"""The one prompt and the one stop rule, for training, evaluation and everything between."""

from __future__ import annotations

import re

PROMPT = "Question: {question}\nAnswer:"
#: The rule in words, as it stands in the key of every prediction.
STOP = "end of text, or a complete line '#### N', or a new line 'Question:'"
# A number must follow at once: `#### Step 1` and `#### 2. Add up` are headings, and the answer is still to come.
_STOP = re.compile(r"(?<!#)####[ \t*]*+(?!\d+[.):][ \t]+\w)[-−]?[$€£]?\.?\d[^\n]*+\n|\nQuestion:")


def prompt_for(question: str) -> str:
    """The text a model is asked to continue."""
    return PROMPT.format(question=question)


def completion_for(answer: str) -> str:
    """The text a model is trained to write after the prompt, without the end-of-text token."""
    return " " + answer


def is_complete(text: str) -> bool:
    """Whether what was generated so far already says everything that will be read of it."""
    return _STOP.search(text) is not None


def cut(text: str) -> str:
    """`text` up to where the stop rule ends it: a batch may have run on past that."""
    stop = _STOP.search(text)
    if stop is None:
        return text
    return text[: stop.end()] if stop[0].startswith("#") else text[: stop.start()]
