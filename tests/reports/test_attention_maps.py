from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import numpy
import pytest

from reports.plots.attention_map_plot import scale_limit, shown_token
from reports.plots.attention_maps import AttentionMap, load_map, save_map
from reports.plots.draw_attention_maps import draw_maps
from reports.store.atomic_io import ResultsDamaged, ResultsFolderError
from tests.reports.attention_factories import attention_map

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = 24


def same(one: AttentionMap, other: AttentionMap) -> bool:
    facts, others = dict(vars(one)), dict(vars(other))
    return bool(numpy.array_equal(facts.pop("pattern"), others.pop("pattern"))) and facts == others


@pytest.mark.quick
@pytest.mark.parametrize("signed", [True, False])
def test_a_map_is_read_back_as_it_was_saved(tmp_path: Path, signed: bool) -> None:
    tokens = ("<s>", " a\0", "\n", "\ud83d", "名", "")
    size = len(tokens)
    pattern = numpy.tril(numpy.full((size, size), -0.1, numpy.float32))
    kinds = ("sink", *["oc"] * (size - 1))
    put = attention_map(30, signed=signed, tokens=tokens, kinds=kinds, pattern=pattern, id="a/b\n")
    path = save_map(tmp_path, put)
    assert same(load_map(path), put)
    assert load_map(path).pattern.dtype == numpy.float32


@pytest.mark.quick
def test_the_path_says_what_it_is(tmp_path: Path) -> None:
    put = attention_map(SMALL, model="org/name", noise="needle25", number=2, layer=11, head=7)
    path = save_map(tmp_path, put)
    assert path == tmp_path / "attention_maps" / "org%2Fname-attention" / "needle25_q2_layer11_head7.npz"


@pytest.mark.quick
def test_a_pattern_that_does_not_fit_its_tokens_is_refused(tmp_path: Path) -> None:
    fine = attention_map(SMALL)
    with pytest.raises(ValueError, match=r"expected a pattern of 24 × 24 .* found a pattern of 24 × 23"):
        save_map(tmp_path, attention_map(SMALL, pattern=fine.pattern[:, 1:]))
    with pytest.raises(ValueError, match="and 3 kinds"):
        save_map(tmp_path, attention_map(SMALL, kinds=("oc",) * 3))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick
def test_a_file_that_is_no_map_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = save_map(tmp_path, attention_map(SMALL))
    whole = path.read_bytes()
    foreign = BytesIO()
    numpy.savez(foreign, something=numpy.zeros(3))
    for content in (whole[: len(whole) // 2], b"", b"oops", foreign.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ResultsDamaged, match=r"inf_q0_layer3_head1\.npz: expected an attention map"):
            load_map(path)
    with pytest.raises(ResultsFolderError, match="cannot read"):
        load_map(tmp_path / "nowhere.npz")


def test_each_map_gets_a_picture_and_models_with_one_text_get_one_together(tmp_path: Path) -> None:
    save_map(tmp_path, attention_map(SMALL, signed=True))
    save_map(tmp_path, attention_map(SMALL + 2, signed=False, layer=0))
    save_map(tmp_path, attention_map(SMALL, signed=True, number=1))
    pictures = [str(path.relative_to(tmp_path / "attention_maps")) for path in draw_maps(tmp_path)]
    assert pictures == [
        "diffllama-attention/inf_q0_layer3_head1.png",
        "diffllama-attention/inf_q1_layer3_head1.png",
        "llama-attention/inf_q0_layer0_head1.png",
        "side_by_side/inf_q0.png",
    ]
    assert all((tmp_path / "attention_maps" / name).read_bytes().startswith(PNG) for name in pictures)


def test_two_heads_of_one_model_are_not_put_side_by_side(tmp_path: Path) -> None:
    save_map(tmp_path, attention_map(SMALL, head=0))
    save_map(tmp_path, attention_map(SMALL, head=1))
    assert len(draw_maps(tmp_path)) == 2
    assert not (tmp_path / "attention_maps" / "side_by_side").exists()


def test_a_picture_is_drawn_again_only_where_its_map_or_its_scale_changed(tmp_path: Path) -> None:
    mine = attention_map(SMALL, signed=True)
    save_map(tmp_path, mine)
    other = save_map(tmp_path, attention_map(SMALL, number=1))
    draw_maps(tmp_path)
    first = {path: (path.read_bytes(), path.stat().st_ino) for path in draw_maps(tmp_path)}
    assert {path: (path.read_bytes(), path.stat().st_ino) for path in draw_maps(tmp_path)} == first
    louder = attention_map(SMALL, layer=5, pattern=mine.pattern * 3, signed=True)
    save_map(tmp_path, louder)  # of the same text, so the scale of both changes
    changed = {path for path in draw_maps(tmp_path) if path in first and path.stat().st_ino != first[path][1]}
    assert changed == set(first) - {other.with_suffix(".png")}


def test_a_text_whose_tokens_are_awkward_can_be_drawn(tmp_path: Path) -> None:
    """Two dollar signs are no formula, and what the font lacks is no warning (which the tests treat as an error)."""
    fine = attention_map(SMALL)
    tokens = ("$x_1$", "名前", "\ud83d", "\n\n", "\x07", "x" * 300, *fine.tokens[6:])
    save_map(tmp_path, attention_map(SMALL, tokens=tokens, model="a$b$ 名", id="$_{"))
    assert len(draw_maps(tmp_path)) == 1


@pytest.mark.parametrize("size", [1, 2, 500])
def test_a_text_of_any_length_can_be_drawn(tmp_path: Path, size: int) -> None:
    pattern = numpy.tril(numpy.full((size, size), 1 / size, numpy.float32))
    put = attention_map(30, tokens=("a",) * size, kinds=("sink", *["ni"] * (size - 1)), pattern=pattern)
    save_map(tmp_path, put)
    (picture,) = draw_maps(tmp_path)
    assert picture.stat().st_size < 2_000_000


def test_nothing_to_draw_is_nothing_drawn(tmp_path: Path) -> None:
    assert draw_maps(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_drawing_leaves_matplotlib_s_global_state_alone(tmp_path: Path) -> None:
    had_pyplot = "matplotlib.pyplot" in sys.modules
    save_map(tmp_path, attention_map(SMALL))
    draw_maps(tmp_path)
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot


@pytest.mark.quick
def test_the_scale_is_over_all_maps_and_leaves_out_the_sink_and_the_future() -> None:
    size = 20
    quiet = numpy.tril(numpy.full((size, size), 0.01, numpy.float32))
    quiet[:, 0] = 0.9
    loud = numpy.tril(numpy.full((size, size), -0.2, numpy.float32))
    loud[np_future(size)] = 7
    kinds = ("sink", *["oc"] * (size - 1))
    one, two = (attention_map(30, tokens=("a",) * size, kinds=kinds, pattern=pattern) for pattern in (quiet, loud))
    assert scale_limit([one]) == pytest.approx(0.01)
    assert scale_limit([one, two]) == pytest.approx(0.2)


def np_future(size: int) -> tuple[numpy.ndarray, ...]:
    return numpy.triu_indices(size, 1)


@pytest.mark.quick
def test_a_map_of_nothing_but_the_sink_has_a_scale() -> None:
    alone = attention_map(30, tokens=("a",), kinds=("sink",), pattern=numpy.ones((1, 1), numpy.float32))
    assert scale_limit([alone]) == 1.0


@pytest.mark.quick
@pytest.mark.parametrize(
    ("token", "label"), [(" Bob", "·Bob"), ("\n", "⏎"), ("a\tb", "a⇥b"), ("漢", "□"), ("$5", "$5"), ("é", "é")]
)
def test_white_space_is_visible_in_a_label(token: str, label: str) -> None:
    assert shown_token(token) == label
