"""A run of the included models asks nobody anything: every socket that would reach out is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.typed_commands import typed

REFUSED = ("-p", "tests.benchmarks.refused_sockets")


def test_a_default_run_needs_no_socket(tmp_path: Path) -> None:
    """With every stage, on a problem a cell of one noise."""
    stages = ["--measure", "accuracy,likelihood", "--datasets", "clean,inf", "--max-samples", "1", "--sft-samples", "4"]
    done = typed(*REFUSED, "benchmarks", "--models", "llama", *stages, "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "results" / "report.html").is_file()


def test_a_model_of_the_hub_would_need_one(tmp_path: Path) -> None:
    """So refusing works."""
    arguments = ["--models", "far=nobody/nothing", "--datasets", "clean", "--results", str(tmp_path / "results")]
    done = typed(*REFUSED, "benchmarks", "-k", "zero_shot", *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "(socket.getaddrinfo was refused: huggingface.co)" in done.stderr
