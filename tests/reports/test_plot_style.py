from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots.plot_style import COLOURS, model_styles

pytestmark = pytest.mark.quick
NAMES = st.lists(st.sampled_from(["llama", "diffllama", "llama+sft", "diffllama+sft", "mine"]), unique=True)


@given(NAMES.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_a_model_s_style_does_not_depend_on_the_order(both: tuple[list[str], list[str]]) -> None:
    assert model_styles(both[0]) == model_styles(both[1])


def test_a_tuned_model_has_the_colour_of_what_it_was_and_is_hollow() -> None:
    styles = model_styles(["llama+sft", "diffllama", "llama"])
    assert styles["llama"].colour == styles["llama+sft"].colour == COLOURS[1]
    assert (styles["llama"].hollow, styles["llama+sft"].hollow) == (False, True)
    assert model_styles(["llama+sft", "diffllama"])["llama+sft"].colour == COLOURS[1], "even without its base model"


def test_no_two_models_look_alike() -> None:
    names = [f"model-{n}" for n in range(40)]
    assert len({(style.colour, style.marker) for style in model_styles(names).values()}) == 40
