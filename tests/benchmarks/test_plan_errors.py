"""An error of a plan speaks of options to whoever typed them, and of parameters to whoever called from Python."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.error_remedies import REMEDIES, user_message
from benchmarks.plan_errors import FROM_ONE_OR_ALL, PlanError, check_range, escaped, option_of
from noise.inject import NoDistractorError, inject
from noise.problems.problem import Problem
from reports.gate.baseline_file import BaselineUnreadable, read_baseline
from reports.store.results_folder import OtherTextsError, ResultsMismatch

pytestmark = pytest.mark.quick
WITH_ANSWERS = """benchmarks.runner benchmarks.stages.attention models.attention.subtraction_registry
models.loading.load_model models.sft.fine_tuning reports.experiment reports.gate.baseline_file""".split()


def test_an_error_names_the_option_or_the_parameter() -> None:
    with pytest.raises(PlanError) as raised:
        check_range("max_samples", 0, FROM_ONE_OR_ALL)
    assert str(raised.value) == "max_samples=0: expected a number from 1 up, or -1 for all"
    assert raised.value.as_options() == "--max-samples 0: expected a number from 1 up, or -1 for all"
    renamed = raised.value.renamed(max_samples="max_samples_per_dataset")
    assert str(renamed).startswith("max_samples_per_dataset=0: ")


def test_the_limit_of_what_is_else_unlimited_is_named_to_who_is_beyond_it() -> None:
    check_range("max_samples", 10**9, FROM_ONE_OR_ALL)
    with pytest.raises(PlanError, match=r"^max_samples=1000000001: expected a number from 1 to 1,000,000,000, or -"):
        check_range("max_samples", 10**9 + 1, FROM_ONE_OR_ALL)


@pytest.mark.parametrize("value", [2.5, "{5}", None])
def test_what_is_no_whole_number_is_named_with_its_type(value: object) -> None:
    with pytest.raises(PlanError) as raised:
        check_range("max_samples", value, FROM_ONE_OR_ALL)  # type: ignore[arg-type]
    assert str(raised.value) == f"max_samples={value!r}: expected a whole number, got {type(value).__name__}"


def test_a_parameter_with_an_option_of_another_name_is_known_by_it() -> None:
    error = PlanError("{tuning.rank}: expected a number from 1 up; drop {tuning.rank:name}", tuning_rank=0)
    assert error.as_options() == "--sft-rank 0: expected a number from 1 up; drop --sft-rank"
    assert option_of("device_map") == "--device-map"


@given(st.text())
def test_any_text_of_a_user_can_stand_in_an_error(text: str) -> None:
    """A file may be called `{problems}.jsonl`."""
    assert PlanError(f"{escaped(text)} is unknown").as_options() == f"{text} is unknown"


def test_an_error_that_is_no_answer_has_none() -> None:
    assert user_message(KeyError("x")) is None


@pytest.mark.parametrize(("name", "kind"), [("folder", "a folder"), ("/dev/null", "a pipe or a device")])
def test_nobody_is_told_to_delete_a_folder_in_the_place_of_a_baseline(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BaselineUnreadable) as raised:
        read_baseline(tmp_path / name)
    answer = user_message(raised.value)
    assert answer is not None
    assert answer.endswith(f" is not a baseline: expected a regular file, got {kind}. Name a file.")


def test_a_question_that_can_carry_no_noise_is_answered_with_what_to_leave_out() -> None:
    with pytest.raises(NoDistractorError) as raised:
        inject(Problem("mary", "Mary has 3 dogs and 4 cats. What is the sum of these numbers?", "#### 7"), "inf")
    assert user_message(raised.value) == (
        f"{raised.value}. Leave out the problem, or choose other noises with --datasets."
    )


def test_a_file_that_is_no_baseline_can_be_recreated(tmp_path: Path) -> None:
    path = tmp_path / "ci.json"
    path.write_text("[]")
    with pytest.raises(BaselineUnreadable) as raised:
        read_baseline(path)
    assert (user_message(raised.value) or "").endswith(
        f"Name another, or delete it and recreate it with --save-baseline {path}."
    )


def test_every_remedy_belongs_to_an_exception_that_exists() -> None:
    """The table names classes by name, so a renamed class would silently lose its remedy."""
    for module in WITH_ANSWERS:
        import_module(module)

    def names(kind: type[BaseException]) -> set[str]:
        return {kind.__name__}.union(*map(names, kind.__subclasses__()))

    assert set(REMEDIES) <= names(Exception)


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (ResultsMismatch("made under other settings."), ["--results DIR", "--fresh"]),
        (OtherTextsError("had another text."), ["--seed", "--problems", "--results DIR", "--fresh"]),
    ],
)
def test_records_that_cannot_be_resumed_are_answered_with_options(error: ResultsMismatch, options: list[str]) -> None:
    answer = user_message(error)
    assert answer is not None
    assert answer.startswith(f"{error} ")
    assert [option for option in options if option not in answer] == []
