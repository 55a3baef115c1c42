"""An error of a plan speaks of options to whoever typed them, and of parameters to whoever called from Python."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.error_remedies import REMEDIES, user_message
from benchmarks.plan_errors import FROM_ONE_OR_ALL, PlanError, check_range, escaped, option_of
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
