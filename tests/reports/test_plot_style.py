from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots.plot_style import COLOURS, looks

pytestmark = pytest.mark.quick
NAMES = st.lists(st.sampled_from(["llama", "diffllama", "llama+sft", "diffllama+sft", "mine"]), unique=True)


@given(NAMES.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_a_model_s_look_does_not_depend_on_the_order(both: tuple[list[str], list[str]]) -> None:
    assert looks(both[0]) == looks(both[1])


def test_a_tuned_model_has_the_colour_of_what_it_was_and_is_hollow() -> None:
    found = looks(["llama+sft", "diffllama", "llama"])
    assert found["llama"].colour == found["llama+sft"].colour == COLOURS[1]
    assert (found["llama"].hollow, found["llama+sft"].hollow) == (False, True)
    assert looks(["llama+sft", "diffllama"])["llama+sft"].colour == COLOURS[1], "also where what it was is not shown"


def test_no_two_models_look_alike() -> None:
    names = [f"model-{n}" for n in range(40)]
    assert len({(look.colour, look.marker) for look in looks(names).values()}) == 40
