"""Rates of a model that was never timed, for tests of what a run will cost."""

from __future__ import annotations

from benchmarks.model_rates import DecodingRates, ModelRates, ModelShape, ReadingRates, TextRates, TuningRates

RATES = ModelRates(
    model="llama",
    device="cpu",
    dtype="float32",
    batch=4,
    prompt="plain",
    shape=ModelShape(1000, 4, 64, 2, 8, 50, False, 100),
    text=TextRates(0.25, 0.5, 3.0),
    load=2.0,
    decoding=DecodingRates(0.001, 0.01, 0.002, (5, 7, 9, 20), 20),
    reading={
        "attention": ReadingRates(0.5, 0.003),
        "needle": ReadingRates(0.5, 0.003),
        "likelihood": ReadingRates(0.0, 0.002),
    },
    intervene=1.5,
    tuning=TuningRates(10.0, 0.5, 8),
)
