"""Models of the study's shape with random weights, from a hub through every stage.

Slow: two checkpoints of 375 million parameters go through a download, two loads, a fine-tuning and its checks.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.model_registry import MODELS
from tests.benchmarks.typed_commands import ROOT
from tests.models.random_models import SPECIAL, STUDY, TOKENS, write_checkpoint
from tests.models.stand_in_hub import stand_in_hub

pytestmark = pytest.mark.slow
PAIR = {"diffllama-375m": "diffllama", "llama-375m": "llama"}
NAMES = ",".join(PAIR)
#: The most memory that a command may take, in bytes.
MAX_MEMORY = 12 * 2**30


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment variables of a user whose hub has the pair."""
    folder = tmp_path_factory.mktemp("hub")
    with stand_in_hub() as hub:
        for name, family in PAIR.items():
            spec = MODELS[name]
            write_checkpoint(family, folder / name, STUDY, torch.bfloat16)
            hub.add(spec.source, folder / name, within=spec.subfolder, sha=str(spec.revision))
        yield {**os.environ, **hub.environment(folder / "home"), "HF_HUB_DOWNLOAD_TIMEOUT": "60", "COLUMNS": "100"}


def typed(environment: dict[str, str], *arguments: str) -> str:
    """Return what a command prints, after it ended with status 0 within the memory limit. Print it too."""
    read, write = os.pipe()
    command = [sys.executable, "-W", "ignore", "-m", *arguments]
    process = os.posix_spawn(
        sys.executable,
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)],
    )
    os.close(write)
    with os.fdopen(read) as stream:
        printed = stream.read()
    _, status, usage = os.wait4(process, 0)
    print(f"$ {' '.join(arguments)}\n{printed}[at most {usage.ru_maxrss / 2**20:.1f} GiB]\n")
    assert os.waitstatus_to_exitcode(status) == 0, printed
    assert usage.ru_maxrss * 2**10 < MAX_MEMORY
    return printed


def likelihoods(printed: str) -> list[float]:
    """Return the log-likelihoods in a run's summary, in order."""
    return [float(number) for number in re.findall(r"log-likelihood +(-[\d.]+)", printed)]


def test_the_pair_goes_from_the_hub_through_every_stage(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert typed(environment, "models", "download").count(": verified, ") == 2
    assert typed(environment, "models", "download").count(": already downloaded, ") == 2
    offline = {**environment, "HF_HUB_OFFLINE": "1"}
    assert typed(offline, "models", "doctor", "--models", NAMES).endswith("all checks passed\n")
    inspected = typed(offline, "models", "inspect", "diffllama-375m", "--compare", "llama-375m")
    assert "374,641,664" in inspected
    assert "matched: alike in all of this" in inspected
    results = tmp_path / "results"
    common = ("pytest", "benchmarks", "-p", "no:cacheprovider", "--models", NAMES, "--results", str(results))
    small = ("--max-samples", "4", "--max-new-tokens", "16", "--datasets", "inf", "--measure", "accuracy,likelihood")
    tuned = ("--sft-samples", "16", "--sft-epochs", "1")  # two steps
    printed = typed(offline, *common, *small, *tuned, "--skip-attention", "-v")
    assert "8 passed" in printed
    assert re.findall(r"accuracy % +([\d.]+)", printed) == ["0.0"] * 4, "random weights answer nothing"
    uniform = -math.log(TOKENS + SPECIAL)
    diffllama, diffllama_tuned, llama, llama_tuned = likelihoods(printed)
    assert [diffllama, llama] == pytest.approx([uniform, uniform], abs=0.5), "all tokens are about equally likely"
    assert diffllama_tuned > diffllama
    assert llama_tuned > llama
    printed = typed(offline, *common, "--datasets", "inf", "--max-samples", "2", "--skip-zero-shot", "--skip-sft")
    assert "4 passed" in printed
    assert "λ by layer: diffllama-375m " in printed
    cuts = ("--skip-attention", "--interventions", "everywhere,moved", "--skip-zero-shot", "--skip-sft")
    printed = typed(offline, *common, *small, *cuts, "--measure", "accuracy")
    assert "2 passed" in printed
    assert "readings of intervene: 0 read, 32 made" in printed
    weights = {run["weights"] for run in json.loads((results / "run.json").read_text())["runs"][0]["settings"].values()}
    assert len(weights) == 4, "two models, and each tuned"
