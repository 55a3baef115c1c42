"""Results folders that have something in every section of the page."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reports.experiment import Experiment
from reports.findings import Findings
from reports.page import write_page
from reports.plots.attention_maps import save_map
from reports.store.records import Cell, Prediction
from reports.store.results_folder import Results
from tests.reports.attention_factories import ATTENTION_SETTINGS, attention_map, readings
from tests.reports.intervention_factories import DIFFLLAMA, LLAMA, NATS, interventions, random_nats
from tests.reports.record_factories import SETTINGS, outcomes, predicted

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</script><!-- \u2028 &amp; {{ 7 * 7 }}")


def whole_page(folder: Path) -> Path:
    """The page of two models, three noises and every stage of records, hostile texts among them."""
    hostile = [predicted(f"h{n}", question=text, text=text, gold=text) for n, text in enumerate(HOSTILE)]
    experiment = Experiment(Results(folder), options={"models": {"diffllama": "a", "llama": "b"}, "problems": "mini"})
    for model, right in (("diffllama", 40), ("llama", 20)):
        for noise, correct in (("clean", 50), ("inf", right), ("sd", right)):
            _ask(experiment, Cell(model, noise, "zero_shot"), [*hostile, *outcomes(correct, 50 - correct, first=10)])
        for number, noise in enumerate(("clean", "inf")):
            cell = Cell(model, noise, "attention")
            made = readings(["p0", "p1"], 2, 2, lambdas=model == "diffllama", noisy=noise != "clean")
            experiment.results.append(cell, ATTENTION_SETTINGS, made)
            if number or model == "llama":
                save_map(folder, replace(attention_map(20), model=model, noise=noise, number=0))
        answers = LLAMA if model == "llama" else DIFFLLAMA
        records = [replace(record, fault="<b>odd</b>") for record in interventions(answers, random_nats(NATS, 100))]
        experiment.results.append(Cell(model, "inf", "intervene"), SETTINGS, records)
    experiment.warnings = ["a case: UserWarning: <b>mind</b> the gap"]
    return next(path for path in experiment.write() if path.suffix == ".html")


def large_page(folder: Path) -> Path:
    """The page of 1,319 problems × 8 cells × 2 models, with texts about as long as those of GSM8K."""
    generator = random.Random(0)
    vocabulary = ["".join(generator.choices("etaoinshrdlu", k=generator.randint(2, 8))) for _ in range(2000)]
    results = Results(folder)

    def words(count: int) -> str:
        return " " + " ".join(generator.choices(vocabulary, k=count))

    questions, golds = ([words(count) for _ in range(1319)] for count in (45, 50))
    for noise in ("clean", *"abcdefg"):
        noisy = [question + words(12) for question in questions]
        for model in ("diffllama", "llama"):
            predictions = [
                replace(prediction, question=prediction.question + question, gold=gold, text=words(50))
                for prediction, question, gold in zip(outcomes(700, 619), noisy, golds, strict=True)
            ]
            results.append(Cell(model, noise, "zero_shot"), SETTINGS, predictions)
    return write_page(Findings(results))


def _ask(experiment: Experiment, cell: Cell, predictions: Sequence[Prediction]) -> None:
    texts = {prediction.id: prediction.asked for prediction in predictions}
    with experiment.cell(cell, SETTINGS, texts) as recorder:
        recorder.append(predictions)
