"""A canary for a fault of transformers that docs/upstream/ reports: DiffLlama under its continuous batching."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
from typing import Any

import pytest
import transformers

from tests.benchmarks.guide_blocks import blocks
from tests.benchmarks.typed_commands import ROOT

REPORT = "docs/upstream/diffllama_continuous_batching.md"
SCRIPT = ROOT / REPORT.replace(".md", ".py")
VERSION = f"transformers {transformers.__version__}: "
FIXED = (
    VERSION + "DiffLlama's texts under continuous batching are now those of generate. Say from which version on in"
    f" {REPORT}, measure docs/speed.md again, correct decision 40, and let benchmarks/speed/peers.py demand equal"
    " answers of continuous batching too, in place of counting them"
)
BROKEN = VERSION + f"Llama's texts under continuous batching are no longer those of generate; see {REPORT}"
CHANGED = VERSION + f"continuous batching goes wrong with DiffLlama in another way than {REPORT} says"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.mark.quick
def test_generate_batch_writes_what_generate_writes_for_llama_and_not_for_diffllama(script: dict[str, Any]) -> None:
    prompts = len(script["PROMPTS"])
    assert script["equal_answers"](script["random_model"]("Llama", "sdpa")) == (prompts, prompts), BROKEN
    whole, first = script["equal_answers"](script["random_model"]("DiffLlama", "sdpa"))
    assert whole < prompts, FIXED
    assert first == prompts, CHANGED


def test_the_smallest_script_of_the_report_shows_the_difference(capfd: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks(REPORT, "python")
    exec(code, {})
    llama, llama_batch, diffllama, diffllama_batch = map(ast.literal_eval, capfd.readouterr().out.splitlines())
    assert llama == llama_batch, BROKEN
    assert diffllama != diffllama_batch, FIXED
    assert diffllama[0] == diffllama_batch[0], CHANGED


def test_the_script_of_the_report_prints_what_the_report_quotes() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT)], cwd=SCRIPT.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    versions, printed = done.stdout.split("\n\n", maxsplit=1)
    assert versions.startswith(f"transformers {transformers.__version__}, torch ")
    (quoted,) = blocks(REPORT, "")
    assert printed == quoted, CHANGED
