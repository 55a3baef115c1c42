"""What the terminal says of interventions: the parts of the cost in a table and in sentences, floors, and flips."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from reports.stats.intervention_contrasts import intervention_rows
from reports.stats.intervention_rows import InterventionRow
from reports.tables.intervention_narrative import (
    LIMIT,
    decomposition_sentences,
    difference_sentences,
    flip_sentences,
    floor_sentences,
)
from reports.tables.intervention_tables import (
    conditions_table,
    faults_table,
    intervention_answer,
    intervention_tables,
    parts_table,
)
from tests.reports.intervention_factories import DIFFLLAMA, LLAMA, NATS, cut_cell, interventions, random_nats, rights
from tests.reports.record_factories import longest

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def _no_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computing the power takes nearly all of the time; these values make the longest sentences."""
    monkeypatch.setattr("reports.stats.comparisons.detectable_effect", lambda differences, alpha: 0.1234)
    monkeypatch.setattr("reports.stats.comparisons.needed_problems", lambda differences, alpha: 12_345)


def rows_of(
    answers: dict[str, dict[str, str]], noises: Sequence[str] = ("inf",), **means: float
) -> list[InterventionRow]:
    """Return the rows of models with these answers; with `means`, also of likelihoods around these."""
    return intervention_rows(
        [
            cut_cell(
                model, interventions(of_model, random_nats(NATS | means, 100, len(model)) if means else None), noise
            )
            for model, of_model in answers.items()
            for noise in noises
        ]
    )


def four(clean: int, noisy: int, everywhere: int, moved: int) -> dict[str, str]:
    return rights({"clean": clean, "noisy": noisy, "everywhere": everywhere, "moved": moved})


def without_intervals(text: str) -> str:
    """Other tests are about the intervals."""
    return re.sub(r" \[[^]]*\]", "", text)


BOTH = {"diffllama": DIFFLLAMA, "llama": LLAMA}


def test_a_sentence_says_which_part_of_the_cost_comes_back() -> None:
    (sentence,) = decomposition_sentences(rows_of({"llama": four(90, 30, 57, 85)}))
    assert without_intervals(sentence) == (
        "Of the 60.0 points that inf costs llama, 27.0 come back when the noise cannot be read, 28.0 are displacement,"
        " and 5.0 are neither."
    )
    assert sentence.count("[") == 4, "each has its interval"
    assert ", 5.0 [-" not in sentence


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (four(90, 60, 55, 90), "that inf costs llama, cutting it costs 5.0 more, 35.0 are displacement, and 0.0"),
        (
            four(90, 60, 80, 75),
            "when the noise cannot be read, moving the text back costs 5.0 more, and 15.0 are neither.",
        ),
        (four(90, 60, 80, 93), "13.0 are displacement, and 3.0 come back beyond what was lost."),
        (four(90, 60, 60, 90), ", 0.0 come back when the noise cannot be read, 30.0 are displacement,"),
        (
            four(60, 62, 60, 60),
            "inf costs llama nothing (-2.0 points): cutting it costs 2.0 more, 0.0 are displacement,",
        ),
        (four(60, 60, 60, 60), "inf costs llama nothing (0.0 points): 0.0 come back when the noise cannot be read, "),
    ],
    ids=["reading", "displacement", "rest", "nothing", "gain", "no change"],
)
def test_parts_that_are_negative_read_as_they_should(answers: dict[str, str], words: str) -> None:
    (sentence,) = decomposition_sentences(rows_of({"llama": answers}))
    assert words in without_intervals(sentence)
    assert "-0.0" not in sentence


def test_a_sentence_says_in_which_model_the_noise_is_read_at_a_higher_price() -> None:
    reading, displacement = difference_sentences(rows_of(BOTH))
    assert reading.startswith("Hiding inf gives llama back 32.0 points more than diffllama [")
    assert reading.endswith("], p < 0.001, 100 problems.")
    claim = "No evidence that undoing the displacement by inf gives llama back more than diffllama: 6.0 points ["
    assert displacement.startswith(claim)
    assert displacement.endswith(
        "100 problems could have shown 12.3 points, and about 13,000 problems are needed to detect 6.0."
    )


def test_a_model_and_itself_differ_in_nothing() -> None:
    for sentence in difference_sentences(rows_of({"one": LLAMA, "two": LLAMA})):
        assert sentence.startswith("No evidence that ")
        assert ": 0.0 points [" in sentence
        assert "p = 1.000" in sentence


FLOOR = four(5, 2, 4, 5)


def test_a_model_with_nothing_to_lose_is_told_in_likelihoods() -> None:
    rows = rows_of({"diffllama": FLOOR, "llama": LLAMA}, everywhere=-0.5)
    first, second = decomposition_sentences(rows)
    assert first.startswith("Of the 59.0 points [")
    assert second.startswith("Of the 0.6")
    assert " nats a token [" in second
    assert second.count("diffllama") == 1
    assert all(" nats a token" in sentence for sentence in difference_sentences(rows)), "neither is without the other"
    assert floor_sentences(rows) == [
        "diffllama has 5 of 100 clean problems right: losing all of them would show nothing."
    ]
    lines = parts_table(rows)
    assert [line.split()[4] for line in lines if line.startswith("parts of the cost, ")] == ["points", "nats"]


def test_without_likelihoods_a_model_with_nothing_to_lose_has_no_figures() -> None:
    rows = rows_of({"diffllama": FLOOR, "llama": LLAMA})
    assert [sentence.startswith("Of the 59.0 points") for sentence in decomposition_sentences(rows)] == [True]
    assert difference_sentences(rows) == []
    assert "--measure likelihood" in floor_sentences(rows)[0]
    assert not any(line.startswith("diffllama") for line in parts_table(rows))


def test_the_table_has_a_row_for_each_model_and_noise() -> None:
    heading, columns, *rows = parts_table(rows_of(BOTH))
    assert heading == "parts of the cost, points [95 % interval], 100 problems a cell"
    assert columns.split() == ["cost", "reading", "displacement", "neither"]
    assert [without_intervals(row).split() for row in rows] == [
        ["diffllama,", "inf", "27.0", "-5.0", "29.0", "3.0"],
        ["llama,", "inf", "59.0", "27.0", "35.0", "-3.0"],
    ]
    assert len({len(line) for line in (columns, *rows)}) == 1
    assert "-0]" not in " ".join(rows)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("noises", [("inf",), ("inf", "sd"), ("inf", "rcs", "sd")])
def test_the_answer_is_a_table_and_two_sentences(noises: Sequence[str], width: int) -> None:
    lines = intervention_answer(rows_of(BOTH, noises, noisy=-0.9), width)
    rows = [line for line in lines if line.startswith(("llama", "diffllama"))]
    assert len(rows) == 2 * len(noises)
    assert len(lines) - len(rows) <= 8
    assert longest(lines) <= width
    text = " ".join(" ".join(lines).split())
    assert text.count("Of the ") == text.count("Hiding ") == 1


def test_many_rows_are_counted_and_not_shown() -> None:
    models = {f"llama:{number}": LLAMA for number in range(5)}
    lines = intervention_answer(rows_of(models, ("inf", "sd")))
    assert sum(line.startswith("llama:") for line in lines) == 6
    assert "and 4 more rows: -v" in lines
    assert len(lines) <= 16


def test_one_model_has_its_largest_costs() -> None:
    rows = intervention_rows(
        [
            cut_cell("llama", interventions(four(90, noisy, 80, 90)), noise)
            for noise, noisy in (("inf", 70), ("rcs", 30), ("sd", 50))
        ]
    )
    text = " ".join(" ".join(intervention_answer(rows)).split())
    assert [text.count(f"that {noise} costs") for noise in ("inf", "rcs", "sd")] == [0, 1, 1]


def test_conditions_that_give_no_parts_are_told_one_by_one() -> None:
    answers = {model: rights({"clean": 90, "noisy": 40, "answer": 55}) for model in ("diffllama", "llama")}
    rows = rows_of(answers)
    assert parts_table(rows) == []
    lines = intervention_answer(rows)
    assert lines[1].split() == ["clean", "noisy", "answer"]
    assert lines[-1].split() == ["llama,", "inf", "90.0", "40.0", "55.0", "+15.0"]
    assert intervention_answer([]) == intervention_tables([]) == []


def test_a_condition_without_noise_loses_from_clean() -> None:
    lines = conditions_table(rows_of({"llama": LLAMA}), 120)
    assert lines[-1].split()[2:] == [
        *("92.0", "33.0", "57.0", "+24.0", "60.0", "+27.0", "95.0", "+62.0", "61.0", "-31.0", "30.0", "-3.0"),
    ]


THIRD = [f"p{n}" for n in range(70, 100)]


def test_the_faults_stand_with_the_noise_and_where_it_cannot_be_read() -> None:
    records = [
        replace(record, fault="noise number") if record.outcome == "incorrect" and record.problem in THIRD else record
        for record in interventions(LLAMA)
    ]
    lines = faults_table(intervention_rows([cut_cell("llama", records)]), 100)
    assert lines[1].split() == ["arithmetic", "noise", "number"]
    assert [line.split()[-4:] for line in lines[2:]] == [
        ["55", "(37)", "45", "(30)"],
        ["25", "(10)", "75", "(30)"],
    ]


@pytest.mark.parametrize(
    ("lost", "claim"),
    [
        (
            1.0,
            "Among the 92 problems that llama has right when clean, what cutting inf adds to the likelihood tells",
        ),
        (-1.0, " tells which flip, the wrong way round: AUC 0.00 ["),
        (0.0, "No evidence that among the 92 problems that llama has right when clean what cutting inf adds to the"),
    ],
)
def test_a_sentence_says_whether_flips_are_predicted(lost: float, claim: str) -> None:
    noisy = [-1.0 - lost * (n >= 33) for n in range(100)]
    nats = {condition: noisy if condition == "noisy" else [-1.0] * 100 for condition in LLAMA}
    rows = flips_alone(interventions(LLAMA, nats))
    (sentence,) = flip_sentences(rows)
    assert claim in sentence
    assert ", 59 flipped." in sentence


def flips_alone(records: object) -> list[InterventionRow]:
    from reports.stats.flip_prediction import flip_predictions

    return flip_predictions([cut_cell("llama", records)], ())  # type: ignore[arg-type]


def test_a_sentence_says_that_too_few_flipped() -> None:
    nats = random_nats(dict.fromkeys(("clean", "noisy", "everywhere", "moved"), -1.0), 100)
    (sentence,) = flip_sentences(flips_alone(interventions(four(90, 88, 90, 90), nats)))
    assert sentence.endswith("cannot be said to tell which flip: too few: 2 flipped and 88 did not.")


def test_all_of_it_has_every_table_and_the_limit() -> None:
    lines = intervention_tables(rows_of(BOTH, ("inf", "sd"), noisy=-0.9))
    text = " ".join(" ".join(lines).split())
    assert LIMIT in text
    for words in (
        "parts of the cost,",
        "accuracy by condition, points; change from noisy, without noise from clean",
        "faults: % of the wrong",
    ):
        assert words in text
    assert text.count("Of the ") == 4
    assert longest(lines) <= 80
