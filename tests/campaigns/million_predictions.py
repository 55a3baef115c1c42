"""Write made-up predictions through the store, as a run does, and rebuild every report from them: seconds and memory.

Two families of five replicates are asked each problem with ten noises. Texts are as long as those of GSM8K. Each phase
is a process of its own, whose processor time and peak memory the system counts.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from reports.experiment import Experiment
from reports.findings import Findings
from reports.progress_bars import no_progress_bar
from reports.stats.noise_doses import CLEAN
from reports.store.records import Cell, Outcome, Prediction, Settings
from reports.store.results_folder import Results
from reports.store.run_json import add_run
from reports.store.stage_and_file_names import ZERO_SHOT
from tests.benchmarks.typed_commands import ROOT

MODELS = [f"{family}:{number}" if number else family for number in range(5) for family in ("diffllama", "llama")]
NOISES = (CLEAN, "inf", "rcs", "sd", "near", "inf4", "filler:inf", "filler:rcs", "filler:sd", "filler:near")
PREDICTIONS = 1_000_000
#: How many predictions a run writes at once.
_BATCH = 32
_WORDS = "apples boxes shop more than fewer they sold gave week morning together left total bought cost".split()
_RNG = random.Random(0)
#: What the texts are cut from.
_TEXT = [_RNG.choice(_WORDS) if _RNG.random() < 0.8 else str(_RNG.randrange(500)) for _ in range(50_000)]


def write_and_report(count: int, seed: int, folder: Path) -> Iterator[str]:
    """Write `count` predictions to `folder/results`, read them, open every cell again, and write all reports; divide
    them among three shards and merge these. Yield a line for each phase, and one about the files."""
    results = folder / "results"
    for phase in PHASES:
        words = ["-m", "tests.campaigns.million_predictions", phase, str(results), str(count), str(seed)]
        yield f"{phase}: {_measured(words, folder / f'{phase}.txt')}; {(folder / f'{phase}.txt').read_text().strip()}"
    yield f"report: {_measured(['-m', 'reports', 'all', str(results)], folder / 'report.txt')}"
    shards = [str(path) for path in _shards(results, folder)]
    words = ["-m", "reports", "merge", *shards, "--out", str(folder / "merged")]
    yield f"merge, with all reports: {_measured(words, folder / 'merge.txt')}"
    same = (results / "accuracy.csv").read_bytes() == (folder / "merged" / "accuracy.csv").read_bytes()
    yield f"accuracy.csv of the merged folder is {'the same' if same else 'ANOTHER'}"
    size = sum(path.stat().st_size for path in results.rglob("*.jsonl"))
    page = (results / "report.html").stat().st_size
    yield f"{count:,} predictions are {size / 1e6:,.0f} MB, and the page {page / 1e6:,.1f} MB"


def _shards(results: Path, folder: Path) -> list[Path]:
    """Return three folders, each with every third line of each file of records."""
    shards = [folder / f"shard-{number}" for number in (1, 2, 3)]
    for path in results.glob("predictions/**/*.json*"):
        relative, lines = path.relative_to(results), path.read_bytes().splitlines(keepends=True)
        for first, shard in enumerate(shards):
            target = shard / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"".join(lines[first::3] if path.suffix == ".jsonl" else lines))
    return shards


def _measured(words: list[str], output: Path) -> str:
    """Run Python with these words to its end. Return its seconds, its processor time and its peak memory."""
    started = time.perf_counter()
    with output.open("w") as file:
        child = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)}: exit {child.returncode}\n{output.read_text()[-2000:]}")
    processor = usage.ru_utime + usage.ru_stime
    return f"{seconds:.1f} s, {processor:.1f} s of processor time, {usage.ru_maxrss / 1024:,.0f} MB at most"


def _write(results: Path, count: int, seed: int) -> str:
    """Write the predictions as a run does, cell by cell. Return by how much the memory grew after its second cell."""
    experiment = Experiment(Results(results), seed=seed, progress=no_progress_bar)
    ids = _ids(count)
    process, after_cell = psutil.Process(), []
    for cell in _cells():
        with experiment.cell(cell, _settings(cell), {id: _question(id, cell.noise)[0] for id in ids}) as recorder:
            for first in range(0, len(ids), _BATCH):
                recorder.append([_prediction(cell, id, seed) for id in ids[first : first + _BATCH]])
        del recorder
        after_cell.append(process.memory_info().rss)
    add_run(results / "run.json", {"status": "finished", "seed": seed, "options": {}}, experiment.runs)
    grown = (after_cell[-1] - after_cell[1]) / (len(ids) * (len(after_cell) - 2))
    return f"the memory grew by {grown:,.0f} bytes a prediction from the second cell to the last"


def _read(results: Path, count: int, seed: int) -> str:
    """Read every prediction for the table of accuracies, and return how many there are."""
    rows = Findings(Results(results)).cell_accuracies
    return f"{sum(row.n for row in rows):,} of {count:,} answers in {len(rows)} cells"


def _resume(results: Path, count: int, seed: int) -> str:
    """Open every cell again, as a run does that finds nothing to do. Return how many predictions are missing."""
    experiment, missing = Experiment(Results(results), seed=seed, progress=no_progress_bar), 0
    for cell in _cells():
        texts = {id: _question(id, cell.noise)[0] for id in _ids(count)}
        with experiment.cell(cell, _settings(cell), texts) as recorder:
            missing += len(texts.keys() - recorder.records.keys())
    return f"{missing:,} of {count:,} missing"


PHASES = {"write": _write, "read": _read, "resume": _resume}


def _ids(count: int) -> list[str]:
    return [f"gsm8k-{number:05}" for number in range(count // (len(MODELS) * len(NOISES)))]


def _cells() -> list[Cell]:
    return [Cell(model, noise, ZERO_SHOT) for model in MODELS for noise in NOISES]


def _settings(cell: Cell) -> Settings:
    weights = f"{cell.model:0<64}"
    return Settings(weights, "Q: {question}\nA:", "after the answer line", 256, "float32", "1", "gsm8k:test")


def _prediction(cell: Cell, id: str, seed: int) -> Prediction:
    """A prediction that is right more often for easy problems, for the family diffllama, and without noise."""
    text, spans = _question(id, cell.noise)
    rng = random.Random(f"{seed} {cell.id} {id}")
    target, ease = int(id[-5:]) % 997, zlib.crc32(f"{seed} {id}".encode()) / 2**32
    cost = 0.0 if cell.noise == CLEAN else 0.02 if ":" in cell.noise else 0.08 if cell.model < "l" else 0.11
    outcome: Outcome = "correct" if rng.random() < ease - cost else rng.choice(_WRONG)
    answer = {"correct": str(target), "incorrect": str(target + 1)}.get(outcome)
    return Prediction(
        id=id,
        question=text,
        spans=spans,
        gold=f"{_text(f'gold {id}', 45)}\n#### {target}",
        target=str(target),
        text=f" {_text(cell.id + id, 45)}\n#### {answer or 'none'}",
        answer=answer,
        outcome=outcome,
        tokens=rng.randrange(60, 140),
    )


_WRONG: tuple[Outcome, ...] = ("incorrect", "incorrect", "no_answer", "truncated")


def _question(id: str, noise: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text of a problem with its noise, and the ranges of its distractors."""
    first, last = f"{_text(id, 30)}. ", f"How many {_text(f'last {id}', 6)}?"
    added = "" if noise == CLEAN else f"{_text(f'{noise} {id}', 10)}. "
    return first + added + last, ((len(first), len(first) + len(added)),) if added else ()


def _text(seed: str, words: int) -> str:
    first = zlib.crc32(seed.encode()) % (len(_TEXT) - words)
    return " ".join(_TEXT[first : first + words])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.million_predictions", description=_write.__doc__)
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("results", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    options = parser.parse_args()
    print(PHASES[options.phase](options.results, options.count, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
