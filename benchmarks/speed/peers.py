"""How fast this harness answers next to what people run today: `python -m benchmarks peers` (or `make peers`).

Each round times every harness once, in turn, in one process, on one model in memory, with the same prompts, precision,
end of text and limit. A slow harness gets a part of the problems, another part each round, and rates are compared. In
float32 all must write the same text, to the character. Only transformers' continuous batching may differ, as it writes
something else than `generate` for DiffLlama (docs/upstream/); its equal answers are counted.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.speed.peer_cases import Case, cases
from benchmarks.speed.peer_harnesses import (
    Answer,
    answer_here,
    answer_one_at_a_time,
    hf_continuous_batching,
    lm_evaluation_harness,
)
from benchmarks.speed.peers_report import CONTINUOUS, LM_EVAL, LOOP, OURS, draw, summary_lines
from benchmarks.speed.roofline import least_seconds, matrix_rate, memory_rate
from reports.store.run_json import machine, versions

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

#: The batch sizes that lm-evaluation-harness is tried with.
LM_EVAL_BATCH_SIZES = (32, 64, 128)


@dataclass(frozen=True)
class Harness:
    """A harness that answers questions: `questions` of the case's questions in a round (all if None)."""

    name: str
    answer: Answer
    questions: int | None = None


def best_batch_size(loaded: LoadedModel, case: Case) -> int:
    """Return the batch size at which lm-evaluation-harness answers this case fastest. Each is tried twice, or once if a
    trial takes a minute."""
    part = case.questions[: case.lm_eval]
    least = {}
    for size in LM_EVAL_BATCH_SIZES:
        if size > case.lm_eval:
            break
        least[size], _ = timed(lm_evaluation_harness(size), loaded, part, case.max_new_tokens)
        if least[size] < 60:
            again, _ = timed(lm_evaluation_harness(size), loaded, part, case.max_new_tokens)
            least[size] = min(least[size], again)
    return min(least, key=lambda size: least[size])


def timed(
    answer: Answer, loaded: LoadedModel, questions: Sequence[str], max_new_tokens: int
) -> tuple[float, list[str]]:
    """Return the seconds that the answers took, and the answers."""
    start = time.perf_counter()
    texts = answer(loaded, questions, max_new_tokens)
    return time.perf_counter() - start, texts


def token_count(loaded: LoadedModel, answers: Sequence[str]) -> int:
    """Return how many tokens the answers have."""
    return sum(map(len, loaded.encode(answers, add_special_tokens=False)["input_ids"]))


def measure(case: Case, rounds: int) -> Iterator[dict[str, object]]:
    """Yield a row for each harness in each round: answer tokens per second, and how many times as fast ours is."""
    from models.prompt import PLAIN_PROMPT

    loaded = case.load()
    size = best_batch_size(loaded, case)
    harnesses = [
        Harness(OURS, lambda loaded, questions, limit: answer_here(loaded, questions, limit, case.batch_size)),
        Harness(LOOP, answer_one_at_a_time, case.loop),
        Harness(f"{LM_EVAL}, batches of {size}", lm_evaluation_harness(size), case.lm_eval),
        *([Harness(CONTINUOUS, hf_continuous_batching, case.continuous)] if case.continuous else []),
    ]
    for harness in harnesses:
        harness.answer(loaded, case.questions[: case.loop], case.max_new_tokens)
    for number in range(1, rounds + 1):
        our_answers: dict[str, str] = {}
        our_rate = 0.0
        for harness in harnesses:
            count = min(harness.questions or len(case.questions), len(case.questions))
            begin = (number - 1) * count % max(1, len(case.questions) - count + 1)
            part = case.questions[begin : begin + count]
            seconds, texts = timed(harness.answer, loaded, part, case.max_new_tokens)
            answers = [PLAIN_PROMPT.stop.truncate(text).strip() for text in texts]
            if harness.name == OURS:
                our_answers = dict(zip(part, answers, strict=True))
            tokens = token_count(loaded, answers)
            our_rate = tokens / seconds if harness.name == OURS else our_rate
            yield {
                "case": case.name,
                "way": harness.name,
                "round": number,
                "problems": count,
                "tokens": tokens,
                "seconds": round(seconds, 3),
                "tokens a second": round(tokens / seconds, 2),
                "ours is faster by": round(our_rate / (tokens / seconds), 2),
                "same answers": sum(
                    our_answers[question] == text for question, text in zip(part, answers, strict=True)
                ),
                "fraction of the limit": _fraction_of_limit(loaded, case, seconds) if harness.name == OURS else "",
            }


def _fraction_of_limit(loaded: LoadedModel, case: Case, seconds: float) -> float | str:
    if not case.tokens:
        return ""
    least = least_seconds(loaded, case.tokens, case.batch_size, matrix_rate(loaded.precision), memory_rate())
    return round(least / seconds, 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, or 1 where answers differ in float32. Exits with 2 for a mistake on the command
    line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks peers", description="How fast the harness answers next to what people run today."
    )
    parser.add_argument("--shape", choices=["shipped", "study"], action="append", help="which models (default: both)")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name begins with TEXT")
    parser.add_argument("--rounds", type=int, default=5, help="how often each harness is timed (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("results-speed"), help="folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: expected a number from 1 up")
    try:
        import lm_eval  # noqa: F401
    except ModuleNotFoundError:
        parser.error("lm-evaluation-harness is not installed: pip install -r requirements-peers.txt (or make peers)")
    chosen = [case for shape in options.shape or ["shipped", "study"] for case in cases(shape)]
    chosen = [case for case in chosen if case.name.startswith(options.only)]
    if not chosen:
        parser.error(f"--only {options.only!r}: no case has a name that begins so")
    rows: list[dict[str, Any]] = []
    options.out.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine(), "versions": versions()}
    (options.out / "machine.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for case in chosen:
        for row in measure(case, options.rounds):
            rows.append(row)
            with (options.out / "peers.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
            print(f"round {row['round']}: {row['case']}: {row['way']}: {row['seconds']} s", file=sys.stderr)
    draw(rows, options.out / "peers.png")
    print(*summary_lines(rows), sep="\n")
    exact = (row for row in rows if "bfloat16" not in row["case"] and row["way"] != CONTINUOUS)
    differing = [row for row in exact if row["same answers"] != row["problems"]]
    if differing:
        print(f"{differing[0]['case']}: {differing[0]['way']}: not the same answers in float32", file=sys.stderr)
    return 1 if differing else 0
