"""How fast the harness answers beside what people run today: `python -m benchmarks.speed.peers` (or `make peers`).

In each round every way is timed once, one after the other, in one process, on one model in memory, with the same
prompts, precision, end of text and limit. A slow way is asked a part of the problems, another one each round, and rates
are compared. What the ways wrote has to be the same in float32, to the letter; transformers' continuous batching is
only counted, as it writes something else than `generate` for DiffLlama.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.speed.paired_timing import harness, loop
from benchmarks.speed.roofline import least_seconds, matrix_rate, memory_rate
from benchmarks.speed.study_shape import LENGTHS, questions, study_shape
from noise import inject, mini
from reports.plots.plot_style import COLOURS, drawing
from reports.store.run_json import machine, versions

if TYPE_CHECKING:  # torch stays out of collection
    from models.loading.load_model import LoadedModel

OURS = "this harness"
LOOP = "one at a time"
LM_EVAL = "lm-evaluation-harness"
CONTINUOUS = "continuous batching"
#: Problems at once for the harness, and the batches that lm-evaluation-harness is tried with.
SEATS, BATCHES = 96, (32, 64, 128)
Ask = Callable[["LoadedModel", Sequence[str], int], list[str]]


@dataclass(frozen=True)
class Way:
    """A way to answer questions, asked `most` of them at once in a round (all if None)."""

    name: str
    ask: Ask
    most: int | None = None


@dataclass(frozen=True)
class Case:
    """A model and what it is asked, `size` at once; how many problems each other way is asked in a round; `tokens` are
    those of each prompt and its answer, where they are known before."""

    name: str
    load: Callable[[], LoadedModel]
    questions: Sequence[str]
    limit: int
    size: int
    loop: int
    lm_eval: int
    continuous: int
    tokens: Sequence[tuple[int, int]] = ()


def cases(shape: str) -> list[Case]:
    """`shipped`: the embedded pair. `study`: the study's shape in float32 and bfloat16."""
    if shape == "shipped":
        asked = [inject(problem, "inf", 0).question for problem in mini.problems("test")[:400]]
        return [Case(name, _shipped(name), asked, 256, 64, 100, 400, 64) for name in ("diffllama", "llama")]
    lengths = LENGTHS * 3
    found = []
    for family, precision in (("diffllama", "float32"), ("diffllama", "bfloat16"), ("llama", "float32")):
        name = f"{family}, the study's shape, {precision}"
        make = _study(family, precision)
        found.append(Case(name, make, questions(lengths), 300, SEATS, 3, 64, 0, lengths))
    return found


def _shipped(name: str) -> Callable[[], LoadedModel]:
    def load() -> LoadedModel:
        import models.loading.load_model

        return models.loading.load_model.load(name, "cpu", "float32")

    return load


def _study(family: str, precision: str) -> Callable[[], LoadedModel]:
    return lambda: study_shape(family, precision)


def lm_evaluation_harness(batch_size: int) -> Ask:
    """The backend `hf` of lm-evaluation-harness, given the model and its tokenizer."""

    def ask(loaded: LoadedModel, some: Sequence[str], limit: int) -> list[str]:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        positions = loaded.model.config.max_position_embeddings
        harness: Any = HFLM(
            pretrained=loaded.model,
            tokenizer=loaded.tokenizer,
            backend="causal",
            batch_size=batch_size,
            max_length=positions,
        )
        how = {"until": ["\nQuestion:"], "max_gen_toks": limit, "do_sample": False, "temperature": 0.0}
        requests = [
            Instance("generate_until", {}, (prompt, dict(how)), number)
            for number, prompt in enumerate(loaded.prompts(some))
        ]
        return [str(text) for text in harness.generate_until(requests, disable_tqdm=True)]

    return ask


def continuous_batching(loaded: LoadedModel, some: Sequence[str], limit: int) -> list[str]:
    """transformers' own continuous batching, with a cache of as many columns as these questions take."""
    from transformers import ContinuousBatchingConfig, GenerationConfig

    model: Any = loaded.model
    prompts = loaded.encode(loaded.prompts(some))["input_ids"]
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=limit,
        eos_token_id=loaded.tokenizer.eos_token_id,
        pad_token_id=loaded.tokenizer.pad_token_id,
    )
    pages = sum(-(-(len(prompt) + limit) // 32) for prompt in prompts)
    room = ContinuousBatchingConfig(page_size=32, num_blocks=pages, max_batch_tokens=512)
    found = model.generate_batch(prompts, config, room, warmup=False)
    written = [found[f"req_{number}"].generated_tokens for number in range(len(prompts))]
    return [str(loaded.tokenizer.decode(tokens, skip_special_tokens=True)) for tokens in written]


def best_batch(loaded: LoadedModel, case: Case) -> int:
    """The batch size at which lm-evaluation-harness answers this case fastest, each tried twice, but a trial that takes
    a minute once."""
    some = case.questions[: case.lm_eval]
    least = {}
    for size in BATCHES:
        if size > case.lm_eval:
            break
        least[size], _ = timed(lm_evaluation_harness(size), loaded, some, case.limit)
        if least[size] < 60:
            least[size] = min(least[size], timed(lm_evaluation_harness(size), loaded, some, case.limit)[0])
    return min(least, key=lambda size: least[size])


def timed(ask: Ask, loaded: LoadedModel, some: Sequence[str], limit: int) -> tuple[float, list[str]]:
    begin = time.perf_counter()
    answers = ask(loaded, some, limit)
    return time.perf_counter() - begin, answers


def tokens_of(loaded: LoadedModel, answers: Sequence[str]) -> int:
    """How many tokens the answers have."""
    return sum(map(len, loaded.encode(answers, add_special_tokens=False)["input_ids"]))


def measured(case: Case, rounds: int) -> Iterator[dict[str, object]]:
    """A row for each way in each round: answer tokens a second, and how many times as fast ours is."""
    from models.prompt import truncate_at_stop

    loaded = case.load()
    size = best_batch(loaded, case)
    ways = [
        Way(OURS, lambda loaded, some, limit: harness(loaded, some, limit, case.size)),
        Way(LOOP, loop, case.loop),
        Way(f"{LM_EVAL}, batches of {size}", lm_evaluation_harness(size), case.lm_eval),
        *([Way(CONTINUOUS, continuous_batching, case.continuous)] if case.continuous else []),
    ]
    for way in ways:
        way.ask(loaded, case.questions[: case.loop], case.limit)
    for number in range(1, rounds + 1):
        ours: dict[str, str] = {}
        rate = 0.0
        for way in ways:
            count = min(way.most or len(case.questions), len(case.questions))
            begin = (number - 1) * count % max(1, len(case.questions) - count + 1)
            some = case.questions[begin : begin + count]
            seconds, texts = timed(way.ask, loaded, some, case.limit)
            answers = [truncate_at_stop(text).strip() for text in texts]
            if way.name == OURS:
                ours = dict(zip(some, answers, strict=True))
            tokens = tokens_of(loaded, answers)
            rate = tokens / seconds if way.name == OURS else rate
            yield {
                "case": case.name,
                "way": way.name,
                "round": number,
                "problems": count,
                "tokens": tokens,
                "seconds": round(seconds, 3),
                "tokens a second": round(tokens / seconds, 2),
                "ours is faster by": round(rate / (tokens / seconds), 2),
                "same answers": sum(ours[question] == text for question, text in zip(some, answers, strict=True)),
                "fraction of the limit": _fraction(loaded, case, seconds) if way.name == OURS else "",
            }


def _fraction(loaded: LoadedModel, case: Case, seconds: float) -> float | str:
    if not case.tokens:
        return ""
    dtype = loaded.precision
    least = least_seconds(loaded, case.tokens, case.size, matrix_rate(dtype), memory_rate())
    return round(least / seconds, 3)


def said(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What the rows come to, a line for each case and way: minimum, median and maximum of the ratios."""
    for case in dict.fromkeys(row["case"] for row in rows):
        for way in dict.fromkeys(row["way"] for row in rows if row["case"] == case):
            some = [row for row in rows if (row["case"], row["way"]) == (case, way)]
            rate = statistics.median(row["tokens a second"] for row in some)
            same, asked = sum(row["same answers"] for row in some), sum(row["problems"] for row in some)
            line = f"{case}: {way}: {rate:,.1f} answer tokens/s (median)"
            if way != OURS:
                ratios = [row["ours is faster by"] for row in some]
                line += f"; ours is {_spread(ratios)} times as fast; {same} of {asked} answers the same"
            elif some[0]["fraction of the limit"] != "":
                line += f"; {_spread([row['fraction of the limit'] for row in some], 2)} of the limit"
            yield line


def _spread(values: Sequence[float], digits: int = 1) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{low:.{digits}f} / {middle:.{digits}f} / {high:.{digits}f}"


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """How many times as fast ours is, each round a dot, on a logarithmic axis."""
    with drawing():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import NullLocator

        others = [row for row in rows if row["way"] != OURS]
        places = list(dict.fromkeys((row["case"], row["way"]) for row in others))
        kinds = [LOOP, LM_EVAL, CONTINUOUS]
        figure = Figure(figsize=(9, 1.2 + 0.5 * len(places)), layout="constrained")
        panel = figure.subplots()
        for height, place in enumerate(reversed(places)):
            ratios = [row["ours is faster by"] for row in others if (row["case"], row["way"]) == place]
            colour = COLOURS[next(number for number, kind in enumerate(kinds) if place[1].startswith(kind))]
            panel.plot([min(ratios), max(ratios)], [height] * 2, color=colour, linewidth=2)
            panel.plot(ratios, [height] * len(ratios), "o", color=colour, markersize=5)
            middle = f"{statistics.median(ratios):.1f}×"
            panel.annotate(middle, (max(ratios), height), (6, 0), textcoords="offset points", va="center")
        panel.axvline(1, color="0.5", linewidth=1)
        most = 2 * max(row["ours is faster by"] for row in others)
        panel.set_xscale("log")
        panel.set_xlim(0.8, most)
        panel.set_xticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick < most])
        panel.xaxis.set_major_formatter(lambda value, place: f"{value:g}×")
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_ylim(-0.6, len(places) - 0.4)
        panel.set_yticks(range(len(places)), [_named(case, way, others) for case, way in reversed(places)])
        figure.suptitle("How many times as fast this harness is: each round, and the median", fontsize="medium")
        FigureCanvasAgg(figure).print_png(str(path))


def _named(case: str, way: str, rows: Sequence[dict[str, Any]]) -> str:
    """A way as it stands beside its dots, and how many of its answers are ours, where not all are."""
    some = [row for row in rows if (row["case"], row["way"]) == (case, way)]
    same, asked = sum(row["same answers"] for row in some), sum(row["problems"] for row in some)
    return f"{case}\n{way}" + ("" if same == asked else f" ({same} of {asked} answers the same)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0; 1 where answers differ in float32; 2 for a mistake on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.peers", description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", choices=["shipped", "study"], action="append", help="which models (default: both)")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name begins with this")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is timed (default: %(default)s)")
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
        for row in measured(case, options.rounds):
            rows.append(row)
            with (options.out / "peers.csv").open("w", newline="", encoding="utf-8") as file:
                written = csv.DictWriter(file, list(row), lineterminator="\n")
                written.writeheader()
                written.writerows(rows)
            print(f"round {row['round']}: {row['case']}: {row['way']}: {row['seconds']} s", file=sys.stderr)
    draw(rows, options.out / "peers.png")
    print(*said(rows), sep="\n")
    exact = (row for row in rows if "bfloat16" not in row["case"] and row["way"] != CONTINUOUS)
    differing = [row for row in exact if row["same answers"] != row["problems"]]
    if differing:
        print(f"{differing[0]['case']}: {differing[0]['way']}: not the same answers in float32", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
