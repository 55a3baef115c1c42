"""How well the words alone tell a distractor from the sentences of real questions. Needs `--gsm8k FILE`."""

from __future__ import annotations

import random
import re
from functools import cache
from itertools import pairwise

import pytest

from noise import NOISES, Problem
from noise.inject import certified_proposal
from noise.text.question_features import question_features
from noise.text.sentence_splitting import insertion_point, sentence_starts

#: For each noise, the most that the area under the curve may be: on templates that the classifier has seen, and on
#: others. A noise that is added gets a line here; docs/noise.md gives what was measured.
LIMITS = {
    "inf": (0.9985, 0.99),
    "rcs": (0.99999, 0.9985),
    "sd": (0.99999, 0.9995),
    "near": (0.9995, 0.9985),
    "ic": (0.9999, 0.998),
}
FOLDS = 5


def statement(problem: Problem, rng: random.Random) -> str | None:
    """Return a random sentence of a question that does not ask; None for a question without one."""
    question, asks = problem.question, insertion_point(problem.question)
    edges = sorted({0, *sentence_starts(question), len(question)})
    pairs = [(start, stop) for start, stop in pairwise(edges) if start != asks]
    sentences = [question[start:stop].strip() for start, stop in pairs]
    sentences = [sentence for sentence in sentences if sentence]
    return rng.choice(sentences) if sentences else None


@cache
def areas(problems: tuple[Problem, ...], name: str) -> tuple[float, float]:
    """Return the area under the curve of a logistic regression over words, with every number the same word.

    It is cross-validated: once with folds that share templates, and once with folds that do not.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

    rng = random.Random(0)
    told = [(text, problem.id) for problem in problems if (text := statement(problem, rng))]
    drawn = [
        (proposal.text, proposal.template)
        for proposal in (
            certified_proposal(problem, question_features(problem.question), NOISES[name], 0) for problem in problems
        )
    ]
    texts = [re.sub(r"\d[\d,]*", "0", text) for text, _ in told + drawn]
    groups = [group for _, group in told + drawn]
    labels = [0] * len(told) + [1] * len(drawn)
    counts = CountVectorizer(binary=True).fit_transform(texts)
    shared = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(counts, labels)
    apart = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(counts, labels, groups)
    model = LogisticRegression(max_iter=1000)
    scores = [
        cross_val_predict(model, counts, labels, cv=[*folds], method="decision_function") for folds in (shared, apart)
    ]
    seen, unseen = (float(roc_auc_score(labels, score)) for score in scores)
    return seen, unseen


@pytest.mark.parametrize("name", LIMITS)
def test_words_tell_a_distractor_apart_no_better_than_measured(name: str, gsm8k: list[Problem]) -> None:
    seen, unseen = areas(tuple(gsm8k), name)
    print(f"{name}: {seen:.4f} with seen templates, {unseen:.4f} with others")
    assert seen <= LIMITS[name][0], f"{seen:.4f}"
    assert unseen <= LIMITS[name][1], f"{unseen:.4f}"


def test_every_measured_noise_is_registered() -> None:
    assert LIMITS.keys() <= NOISES.keys()
