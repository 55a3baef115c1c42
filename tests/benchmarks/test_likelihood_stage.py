"""`--measure likelihood` as its users type it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from reports.__main__ import main
from tests.benchmarks.typed_commands import typed

RUN = ["benchmarks", "--measure", "likelihood", "--skip-sft", "--skip-attention", "--datasets", "clean,inf"]


def test_a_likelihood_is_measured_of_each_draw_and_never_twice(tmp_path: Path) -> None:
    size = ["--max-samples", "8", "--noise-seeds", "2", "--results", f"{tmp_path}"]
    done = typed(*RUN, *size)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "readings of likelihood: 0 read, 48 made" in done.stdout
    assert "what noise costs (95 % intervals" in done.stdout
    assert "  likelihood, inf: " in done.stdout
    lines = [json.loads(line) for line in (tmp_path / "readings/likelihood/llama/inf.jsonl").read_text().splitlines()]
    assert len({line["id"] for line in lines}) == 16
    assert all(line["nats"] < 0 < line["tokens"] for line in lines)
    with (tmp_path / "comparisons.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["contrast"] == "difference_in_differences"]
    assert [(row["noise"], row["n"], row["clusters"]) for row in rows] == [("inf", "16", "8")]
    assert main(["comparisons", str(tmp_path)]) == 0
    again = typed(*RUN, *size, "--models", "llama")
    assert "readings of likelihood: 24 read, 0 made" in again.stdout
