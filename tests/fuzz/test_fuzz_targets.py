"""The fuzz targets hold for a few cases here; campaigns run more of the same (docs/reliability.md)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import main
from tests.fuzz.fuzz_target import CaseFailedError, FuzzTarget, run_case, run_cases
from tests.fuzz.targets import TARGETS

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@every_target
def test_the_claims_hold_for_the_first_cases(target: FuzzTarget) -> None:
    """And the cases are of several kinds: of inputs that are all refused nothing is learned."""
    campaign = run_cases(target, cases=300)
    assert campaign.cases == sum(campaign.kinds.values()) == 300
    assert len(campaign.kinds) >= 3


@every_target
@settings(max_examples=15)
@given(rng=st.randoms(use_true_random=False))
def test_the_claims_hold_for_cases_that_can_be_made_smaller(target: FuzzTarget, rng: Random) -> None:
    """Hypothesis makes the random numbers here, so it can look for the smallest input that fails."""
    target.check(target.draw(rng))


@every_target
def test_a_case_depends_on_its_number_alone(target: FuzzTarget) -> None:
    first, again = (target.draw(Random(f"{target.name}/0/7")) for _ in range(2))
    assert first == again
    assert run_case(target, 0, 7) == next(iter(run_cases(target, cases=1, first=7).kinds))


def last_digits(text: str) -> Fraction:
    """Read an answer as many harnesses do: without signs, commas, decimals and markers."""
    return Fraction(*re.findall("[0-9]+", text)[-1:])


def nothing(*_: Any) -> None:
    return None


@pytest.mark.parametrize(
    ("name", "module", "attribute", "broken"),
    [
        ("answers", "tests.fuzz.answer_cases", "extract_answer", last_digits),
        ("answers", "benchmarks.final_answer", "_REACH", 12),
        ("answers", "benchmarks.final_answer", "_IN_NUMBERS", ""),
        ("problem-files", "noise.problems.jsonl", "_unique_keys", dict),
        ("problem-files", "noise.problems.problem_sources", "check_one_gold", nothing),
        ("records", "reports.store.record_codec", "_CHECKED_LINE", re.compile(b"(never)(matches)")),
        ("records", "reports.store.record_codec", "mistyped_field", nothing),
        ("certificates", "noise.certify", "_number_refusal", nothing),
        ("certificates", "noise.certify", "_form_refusal", nothing),
        ("injections", "noise.inject", "refusal_reason", nothing),
        ("injections", "noise.placement", "question_features", nothing),
    ],
)  # fmt: skip
def test_code_that_is_broken_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, attribute: str, broken: Any
) -> None:
    monkeypatch.setattr(sys.modules[module], attribute, broken)
    with pytest.raises(CaseFailedError):
        run_cases(TARGETS[name], cases=2_000)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], str]:
    """A target that fails for one number in fifty."""

    def check(number: int) -> str:
        assert number != 7
        return "no seven"

    monkeypatch.setitem(TARGETS, "odd", FuzzTarget("odd", lambda rng: rng.randrange(50), check))
    return check


@pytest.mark.usefixtures("odd")
def test_a_failure_is_printed_with_its_input_and_the_command_that_repeats_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["odd", "--cases", "1000"]) == 1
    printed = capsys.readouterr().out
    assert "Its input:\n7\n" in printed
    (command,) = re.findall(r"Again: python -m tests\.fuzz (.+)", printed)
    assert main(command.split()) == 1
    assert capsys.readouterr().out == printed


@pytest.mark.usefixtures("odd")
def test_a_campaign_says_what_it_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["odd", "--cases", "3"]) == 0
    assert re.fullmatch(r"odd: 3 cases in 0 s: 3 no seven\n", capsys.readouterr().out)
    assert main(["answers", "--seconds", "0"]) == 0
    assert capsys.readouterr().out.startswith("answers: 1 cases in ")


def test_an_unknown_target_is_named_with_those_that_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["anwsers"])
    assert "unknown target 'anwsers'; known: answers, problem-files" in capsys.readouterr().err
