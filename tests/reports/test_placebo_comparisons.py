"""Noise against its placebo: the rows, the sentences, and that a placebo is no noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from noise import NOISES, PLACEBOS
from noise import placebo_names as of_noise
from reports.stats.comparisons import TESTED, Comparison, comparisons
from reports.stats.noise_doses import noise_order, smallest_doses, split_dose
from reports.stats.placebo_comparisons import OVER_PLACEBO, split_label
from reports.stats.placebo_labels import PHRASES, is_placebo, placebo_phrase, split_placebo
from reports.tables.narrative import answer, headline, narrative, sentences
from tests.reports.record_factories import SETTINGS, scored

pytestmark = pytest.mark.quick

COST, BETWEEN = OVER_PLACEBO
SIX = [
    scored("diffllama", "clean", "1111110000"),
    scored("diffllama", "filler:inf", "1111110000"),
    scored("diffllama", "inf", "1111010000"),
    scored("llama", "clean", "1111110000"),
    scored("llama", "filler:inf", "1111100000"),
    scored("llama", "inf", "1000000001"),
]


def row(rows: list[Comparison], contrast: str, model: str, noise: str = "inf-filler:inf") -> Comparison:
    (matching,) = [r for r in rows if (r.contrast, r.model, r.noise) == (contrast, model, noise)]
    return matching


def grid(diffllama: dict[str, int], llama: dict[str, int]) -> list[Comparison]:
    """Return the comparisons of two models, given how many of 100 problems each has right with each noise."""
    cells = [
        scored(model, noise, "1" * right + "0" * (100 - right))
        for model, rights in (("diffllama", diffllama), ("llama", llama))
        for noise, right in rights.items()
    ]
    return comparisons(cells)


def text_of(rows: list[Comparison]) -> str:
    return " ".join(" ".join(narrative(rows)).split())


def test_estimates_match_those_counted_by_hand() -> None:
    rows = comparisons(SIX)
    assert row(rows, COST, "diffllama").estimate == pytest.approx(0.1)
    assert row(rows, COST, "llama").estimate == pytest.approx(0.3)
    between = row(rows, BETWEEN, "diffllama")
    assert (between.estimate, between.against) == (pytest.approx(0.2), "llama"), "llama loses more"
    assert row(rows, COST, "llama").p == pytest.approx(2 * 6 / 32), "four lost, one gained"
    assert {row(rows, contrast, "diffllama").clusters for contrast in OVER_PLACEBO} == {10}


def test_the_rows_are_tested_like_those_against_clean_and_adjusted_among_themselves() -> None:
    rows = comparisons(SIX)
    assert set(OVER_PLACEBO) <= set(TESTED)
    costs = [r for r in rows if r.contrast == COST]
    assert [r.method for r in costs] == ["adjusted Wald; McNemar exact"] * 2
    assert row(rows, BETWEEN, "diffllama").method == "adjusted Wald; sign flips"
    for r in (*costs, row(rows, BETWEEN, "diffllama")):
        assert None not in (r.p, r.p_adjusted, r.low, r.high, r.detectable)
    smallest = min(costs, key=lambda r: r.p or 0.0)
    assert smallest.p_adjusted == pytest.approx(2 * (smallest.p or 0.0))


def test_no_clean_cell_is_needed_but_the_same_settings_are() -> None:
    without_clean = [cell for cell in SIX if cell.cell.noise != "clean"]
    assert row(comparisons(without_clean), BETWEEN, "diffllama").estimate == pytest.approx(0.2)
    other = replace(SETTINGS, weights="llama", precision="bfloat16")
    mixed = [*SIX[:5], replace(SIX[5], settings=other)]
    assert [(r.contrast, r.model) for r in comparisons(mixed) if r.contrast in OVER_PLACEBO] == [(COST, "diffllama")]


def test_models_are_compared_over_problems_that_both_were_asked_in_the_same_text() -> None:
    other_filler = [*SIX[:4], scored("llama", "filler:inf", "1111100000", question="other filler"), SIX[5]]
    between = row(comparisons(other_filler), BETWEEN, "diffllama")
    assert (between.clusters, between.estimate) == (0, None)
    fewer = [*SIX[:4], scored("llama", "filler:inf", "11100000", first=2), SIX[5]]
    assert row(comparisons(fewer), BETWEEN, "diffllama").clusters == 8, "two problems suit no placebo"


def test_a_dose_is_compared_with_the_placebo_of_that_dose() -> None:
    cells = [scored("llama", noise, "1100") for noise in ("inf", "inf4", "filler:inf", "filler:inf4", "digits:inf4")]
    labels = {r.noise for r in comparisons(cells) if r.contrast == COST}
    assert labels == {"inf-filler:inf", "inf4-filler:inf4", "inf4-digits:inf4"}
    assert [split_label(label) for label in sorted(labels)] == [
        ("inf", "filler"),
        ("inf4", "digits"),
        ("inf4", "filler"),
    ]
    alone = [scored("llama", noise, "1100") for noise in ("rcs", "filler:inf")]
    assert not [r for r in comparisons(alone) if r.contrast in OVER_PLACEBO]


def test_no_mean_over_noises_has_a_placebo() -> None:
    assert smallest_doses(["filler:inf", "inf4", "clean", "digits:sd", "sd"]) == ["inf4", "sd"]
    with_placebos = [*SIX, scored("diffllama", "sd", "1111000000"), scored("llama", "sd", "0000000000")]
    without = [cell for cell in with_placebos if not is_placebo(cell.cell.noise)]
    means = [r for r in comparisons(with_placebos) if r.contrast.startswith(("mean_", "macro_"))]
    assert means == [r for r in comparisons(without) if r.contrast.startswith(("mean_", "macro_"))]
    assert {r.noise for r in means} == {"all 2"}


def test_a_placebo_stands_behind_its_noise_and_doses_as_numbers() -> None:
    names = ["digits:inf", "rcs", "filler:inf16", "inf16", "filler:inf", "inf2", "inf", "clean", "filler:rcs"]
    assert sorted(names, key=noise_order) == [
        *("clean", "inf", "filler:inf", "digits:inf", "inf2", "inf16", "filler:inf16", "rcs", "filler:rcs"),
    ]
    assert split_dose("filler:inf4") == ("filler:inf", 4)


def test_two_sentences_say_what_the_noise_costs_beyond_it() -> None:
    rows = grid({"clean": 90, "filler:inf": 88, "inf": 80}, {"clean": 90, "filler:inf": 85, "inf": 30})
    text = text_of(rows)
    assert "over filler: inf costs llama 55.0 points more than filler of the same length [" in text
    assert ", p < 0.001, and diffllama 8.0 [" in text
    assert "That is 47.0 points less for diffllama than for llama [" in text
    assert max(map(len, narrative(rows))) <= 80
    lines = answer(rows)
    assert len(lines) <= 13
    assert "That is 47.0 points less" in " ".join(" ".join(lines).split())


def test_the_sentences_say_where_the_run_cannot_tell() -> None:
    text = text_of(grid({"clean": 90, "digits:inf": 80, "inf": 80}, {"clean": 90, "digits:inf": 70, "inf": 68}))
    assert "over digits: inf costs llama 2.0 points more than labels with as many digits [" in text
    assert "No evidence that this is less for diffllama than for llama: 2.0 points [" in text
    assert "could have been shown." in text


@pytest.mark.parametrize(
    ("inf", "words"),
    [
        (30, "inf costs llama 50.0 points more than filler of the same length ["),
        (78, "No evidence that inf costs llama more than filler of the same length: 2.0 points ["),
        (99, "inf costs llama 19.0 points less than filler of the same length ["),
    ],
)
def test_one_model_has_one_sentence(inf: int, words: str) -> None:
    cells = [
        scored("llama", noise, "1" * right + "0" * (100 - right))
        for noise, right in (("clean", 100), ("filler:inf", 80), ("inf", inf))
    ]
    assert f"over filler: {words}" in text_of(comparisons(cells))


def test_the_headline_is_about_a_noise() -> None:
    with_noise = grid({"clean": 90, "filler:inf": 20, "inf": 80}, {"clean": 90, "filler:inf": 85, "inf": 30})
    assert str(headline(with_noise)).startswith("answer (zero_shot, inf): diffllama loses 50.0 points less than llama")
    assert headline(grid({"clean": 90, "filler:inf": 20}, {"clean": 90, "filler:inf": 85})) is None


def test_noises_come_first_then_their_placebos() -> None:
    rows = grid(
        {"clean": 90, "inf": 80, "filler:inf": 88, "digits:inf": 84},
        {"clean": 90, "inf": 30, "filler:inf": 85, "digits:inf": 84},
    )
    ((_, by_noise),) = sentences(rows)
    assert [noise for noise, _ in by_noise] == ["inf", "over filler", "over digits", "filler:inf", "digits:inf"]


def test_a_model_with_nothing_to_lose_has_no_sentence() -> None:
    text = text_of(grid({"clean": 2, "filler:inf": 1, "inf": 1}, {"clean": 90, "filler:inf": 85, "inf": 30}))
    assert "diffllama has 2 of 100" in text
    assert "inf costs llama 55.0 points more" in text
    assert "for diffllama" not in text


@pytest.mark.parametrize("name", ["inf", "inf4", "clean", "filler:inf", "digits:rcs4", "filler:my2nd"])
def test_noise_and_reports_read_a_name_alike(name: str) -> None:
    assert split_placebo(name) == of_noise.split_placebo(name)
    assert is_placebo(name) == of_noise.is_placebo(name)


def test_every_placebo_has_words_for_a_sentence() -> None:
    assert list(PHRASES) == list(PLACEBOS)
    assert not any(map(is_placebo, NOISES))
    assert placebo_phrase("mine") == "mine"
