"""A chat template that never ends, or that fills the memory, is an error after seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest
from jinja2 import TemplateError
from transformers import AutoTokenizer

from models.loading import template_sandbox
from models.loading.chat_template import render_prompt
from models.loading.load_errors import ChatTemplateError
from models.loading.template_sandbox import RenderingFailed, bounded
from models.prompt import Template
from tests.benchmarks.typed_commands import ROOT

pytestmark = [
    pytest.mark.quick,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="wants a system that forks"),
]


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "CPU_SECONDS", 1)
    monkeypatch.setattr(template_sandbox, "_MEMORY", 2**27)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "OverflowError: Range too big"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "it did not end within 1 s"),
        ("{{ 'x'|center(10**9) }}", "MemoryError"),
        ("{% for i in range(9999) %}{{ 'x' * 2000 }}{% endfor %}", "or wrote more than 16 MiB"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "RecursionError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("{{ raise_exception('no') }}", "TemplateError: no"),
        ("{% for %}", "TemplateSyntaxError"),
    ],
)
def test_a_template_that_does_not_end_well_is_one_sentence(template: str, message: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(ROOT / "models/checkpoints/llama/0")
    tokenizer.chat_template = template
    with pytest.raises(ChatTemplateError, match="its chat template failed: ") as failed:
        render_prompt(Template(chat=True), tokenizer)
    assert message in str(failed.value)


def test_a_text_comes_back_to_the_character() -> None:
    text = "模型\n\ud800\x00" * 100_000
    assert bounded(lambda: text) == text


def test_a_step_of_the_interpreter_that_never_ends_is_ended() -> None:
    started = time.process_time()
    with pytest.raises(RenderingFailed, match="it did not end within 1 s"):
        bounded(lambda: str(10**10**9 % 7))
    assert time.process_time() - started < 1, "this process waits and does not work"


def test_a_child_that_sleeps_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "WALL_SECONDS", 0.2)
    with pytest.raises(RenderingFailed, match="it did not end"):
        bounded(lambda: str(time.sleep(60)))


def test_no_child_and_no_file_stays_open() -> None:
    files = set(Path("/proc/self/fd").iterdir()) if Path("/proc/self/fd").exists() else set()
    children = psutil.Process().children()  # of other tests
    for _ in range(3):
        assert bounded(lambda: "x") == "x"
    assert not files or len(set(Path("/proc/self/fd").iterdir())) == len(files)
    assert set(psutil.Process().children()) <= set(children)


def test_where_the_system_cannot_fork_the_template_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")

    def refuse() -> str:
        raise TemplateError("no")

    assert bounded(lambda: "x") == "x"
    with pytest.raises(RenderingFailed, match="TemplateError: no") as failed:
        bounded(refuse)
    assert failed.value.refused
