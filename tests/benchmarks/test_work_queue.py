"""Every item is answered once, whatever workers are lost, and the large ones are asked first."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.engines.work_queue import MOST_LOSSES_ALONE, Piece, WorkQueue
from benchmarks.speed.study_shape import LENGTHS
from tests.benchmarks.simulated_workers import SimulatedWorkers, simulate

pytestmark = pytest.mark.quick
sizes_of_items = st.lists(st.integers(0, 300), min_size=1, max_size=60).map(
    lambda sizes: {f"p{number}": float(size) for number, size in enumerate(sizes)}
)


@given(sizes=sizes_of_items, workers=st.integers(1, 9), least=st.integers(1, 70), seed=st.integers(0, 2**32))
def test_every_item_is_answered_once_in_any_order_of_losses(
    sizes: dict[str, float], workers: int, least: int, seed: int
) -> None:
    """Workers answer in any order, are lost at any moment, and may answer after they were taken for lost."""
    rng, queue = random.Random(seed), WorkQueue(sizes, workers, least)
    answered, given_up, losses_alone = Counter[str](), list[str](), Counter[str]()
    pieces, ghosts = list[Piece](), list[Piece]()
    while queue.is_open:
        while len(pieces) < workers and (piece := queue.take()) is not None:
            pieces.append(piece)
        assert pieces, "no worker has anything to do, and items are unanswered"
        piece = rng.choice(pieces)
        left = queue.unanswered(piece)
        action = rng.random()
        if not left:
            pieces.remove(piece)
        elif action < 0.7:
            answered.update(id for id in rng.sample(left, 1) if queue.accept(id))
        elif action < 0.8 and ghosts:
            answered.update(id for id in rng.choice(ghosts).ids if queue.accept(id))
        else:
            losses_alone.update(left if len(left) == 1 else ())
            given_up += queue.lose(piece)
            pieces.remove(piece)
            ghosts.append(piece)
    assert not set(answered) & set(given_up)
    assert answered + Counter(given_up) == Counter(sizes.keys()), "each is answered or given up, and nothing is twice"
    assert all(losses_alone[id] == MOST_LOSSES_ALONE for id in given_up)
    assert queue.take() is None


@given(sizes=sizes_of_items, workers=st.integers(1, 5), least=st.integers(1, 70), data=st.data())
def test_an_item_that_ends_its_workers_is_given_up_and_its_neighbours_are_answered(
    sizes: dict[str, float], workers: int, least: int, data: st.DataObject
) -> None:
    poison = set(data.draw(st.lists(st.sampled_from(sorted(sizes)), unique=True, max_size=3)))
    queue, answered, given_up, losses = WorkQueue(sizes, workers, least), set(), set(), 0
    while queue.is_open:
        piece = queue.take()
        assert piece is not None
        if poison & set(piece.ids):
            losses += 1
            given_up.update(queue.lose(piece))
        else:
            answered.update(id for id in piece.ids if queue.accept(id))
    assert (given_up, answered) == (poison, set(sizes) - poison)
    assert losses <= len(poison) * (len(sizes).bit_length() + MOST_LOSSES_ALONE)


@given(sizes=sizes_of_items, workers=st.integers(1, 9), least=st.integers(1, 20))
def test_the_largest_come_first_and_no_piece_is_less_than_a_batch(
    sizes: dict[str, float], workers: int, least: int
) -> None:
    queue, pieces = WorkQueue(sizes, workers, least), list[Piece]()
    while (piece := queue.take()) is not None:
        pieces.append(piece)
    order = [sizes[id] for piece in pieces for id in piece.ids]
    assert order == sorted(order, reverse=True)
    assert all(len(piece.ids) >= min(least, -(-len(sizes) // workers)) for piece in pieces[:-1])
    assert len(pieces) == 1 or workers > 1, "a single worker gets everything at once"


@given(sizes=sizes_of_items, workers=st.integers(2, 9), seed=st.integers(0, 2**32))
def test_groups_come_together(sizes: dict[str, float], workers: int, seed: int) -> None:
    """So that a piece has whole batches: those of the stage intervene are of one condition."""
    groups = {id: random.Random(f"{seed} {id}").choice("abc") for id in sizes}
    queue, order = WorkQueue(sizes, workers, 1, groups), list[str]()
    while (piece := queue.take()) is not None:
        order += [groups[id] for id in piece.ids]
    assert len(order) == len(sizes)
    assert sum(first != second for first, second in pairwise(order)) == len(set(order)) - 1


def test_a_cell_of_less_than_a_batch_for_each_worker_is_divided_too() -> None:
    queue, numbers = WorkQueue({f"p{number}": 1.0 for number in range(20)}, workers=4, least=64), list[int]()
    while (piece := queue.take()) is not None:
        numbers.append(len(piece.ids))
    assert numbers == [5, 5, 5, 5]


def test_pieces_get_smaller() -> None:
    queue, numbers = WorkQueue({f"p{number}": 1.0 for number in range(1_000)}, workers=4), list[int]()
    while (piece := queue.take()) is not None:
        numbers.append(len(piece.ids))
    assert numbers == sorted(numbers, reverse=True)
    assert (numbers[0], numbers[-1]) == (125, 1)


@pytest.mark.parametrize("number", [50, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("problems", "lost"), [(200, 0.01), (400, 0.01), (400, 0.1)], ids=["200 each", "400 each", "a tenth is lost"]
)
def test_workers_are_busy_to_the_end_and_lose_little(number: int, problems: int, lost: float) -> None:
    """Answers as long as GSM8K's, eight decoded at once by each worker; this share of the workers is lost."""
    pieces_of_a_worker, step = 9, 0.05
    rng = random.Random(0)
    drawn = [rng.choice(LENGTHS) for _ in range(number * problems)]
    seconds = {f"p{index}": step * answer for index, (_, answer) in enumerate(drawn)}
    known = {f"p{index}": float(prompt) for index, (prompt, _) in enumerate(drawn)}
    workers = SimulatedWorkers(number, seconds, 8, lost / pieces_of_a_worker, start_seconds=10, rng=rng)
    answers = simulate(workers, known, least=8)
    idle, twice = 1 - workers.busy / (number * workers.now), workers.lost / workers.worked
    print(f"{number:,} workers, {problems} problems each: {idle:.1%} idle, {twice:.2%} done twice")
    assert sorted(answers) == sorted(seconds)
    assert workers.losses > 0 or number < 100  # of fifty one or none is lost
    assert idle <= 0.05
    assert twice <= 0.01
