"""A list of two: the share of tail items is kept for whatever lists there are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seealso.plugin import Recommendation
from seealso.plugin.reranking.filling import Share, fill
from seealso.plugin.reranking.places import divide_places, round_up
from seealso.types import Source

IDS = st.lists(st.integers(0, 40), unique=True, max_size=30)


def item(number: int, *, tail: bool, source: Source = Source.VECTOR) -> Recommendation:
    return Recommendation(f"i{number}", 0.6, 0.4, 1.4, source, 1.0, tail)


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[Recommendation], list[Recommendation]]:
    """A vector list with some tail items, and a tail list that may repeat them."""
    tails = draw(st.sets(st.integers(0, 40)))
    vector = [item(n, tail=n in tails) for n in draw(IDS)]
    matching = [n for n in draw(IDS) if n in tails]
    return vector, [item(n, tail=True, source=Source.TAIL) for n in matching]


def fuse(
    vector: list[Recommendation], tail: list[Recommendation], *, size: int, tail_share: float
) -> list[Recommendation]:
    (places,) = divide_places(size, [tail_share])
    members = {one.item_id for one in (*vector, *tail) if one.tail}
    return fill(vector, [Share(places, tail, members)], size)


def promised(size: int, share: float) -> int:
    """The share rounded up; but the first place is the best item's, unless all are asked for."""
    whole = share >= 1 - 1e-9
    return size if whole else min(math.ceil(share * size - 1e-9), size - 1)


SIZES = st.integers(1, 30)
SHARES = st.floats(0, 1)


@given(lists(), SIZES, SHARES)
def test_tail_items_get_their_share_while_there_are_any(
    both: tuple[list[Recommendation], list[Recommendation]], size: int, share: float
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=share)
    exist = {one.item_id for one in (*vector, *tail) if one.tail}
    wanted = min(promised(size, share), len(exist), len(fused))
    assert sum(one.tail for one in fused) >= wanted


@given(lists(), SIZES, SHARES)
def test_every_prefix_has_its_part_of_the_share(
    both: tuple[list[Recommendation], list[Recommendation]], size: int, share: float
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=share)
    exist = len({one.item_id for one in (*vector, *tail) if one.tail})
    places = promised(size, share)
    for length in range(1, len(fused) + 1):
        due = math.floor(length * places / size + 1e-9)
        assert sum(one.tail for one in fused[:length]) >= min(due, exist)


@given(lists(), SIZES, SHARES)
def test_no_item_comes_twice_and_none_is_lost(
    both: tuple[list[Recommendation], list[Recommendation]], size: int, share: float
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=share)
    ids = [one.item_id for one in fused]
    assert len(set(ids)) == len(ids)
    every = {one.item_id for one in (*vector, *tail)}
    assert len(ids) == min(size, len(every))
    assert set(ids) <= every


@given(lists(), SIZES, SHARES)
def test_both_lists_keep_their_order(
    both: tuple[list[Recommendation], list[Recommendation]], size: int, share: float
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=share)
    # a tail item of the vector list may move up; the others never pass each other
    for ranking, kept in (
        (vector, [i for i in fused if not i.tail]),
        (tail, [i for i in fused if i.source is Source.TAIL]),
    ):
        places = {one.item_id: place for place, one in enumerate(ranking)}
        order = [places[one.item_id] for one in kept]
        assert order == sorted(order)


@given(lists(), SIZES)
def test_without_a_share_the_vector_list_comes_first(
    both: tuple[list[Recommendation], list[Recommendation]], size: int
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=0.0)
    assert fused[: len(vector)] == vector[:size]


def test_tail_items_are_spread_over_the_list() -> None:
    vector = [item(n, tail=False) for n in range(10)]
    tail = [item(n, tail=True, source=Source.TAIL) for n in range(20, 25)]
    fused = fuse(vector, tail, size=10, tail_share=0.2)
    assert [one.item_id for one in fused] == [
        "i0", "i1", "i2", "i3", "i20", "i4", "i5", "i6", "i7", "i21",
    ]  # fmt: skip


def test_tail_items_of_the_vector_list_count() -> None:
    vector = [item(n, tail=n < 2) for n in range(10)]
    tail = [item(20, tail=True, source=Source.TAIL)]
    assert fuse(vector, tail, size=10, tail_share=0.2) == vector


def test_where_no_words_match_tail_items_of_the_vector_list_move_up() -> None:
    vector = [item(n, tail=n == 9) for n in range(10)]
    assert [one.item_id for one in fuse(vector, [], size=5, tail_share=0.2)][-1] == "i9"


@given(lists(), SIZES, SHARES)
def test_the_first_place_belongs_to_the_best_item(
    both: tuple[list[Recommendation], list[Recommendation]], size: int, share: float
) -> None:
    vector, tail = both
    fused = fuse(vector, tail, size=size, tail_share=share)
    if vector and share < 1 - 1e-9:
        assert fused[0] == vector[0]


@pytest.mark.parametrize(
    ("size", "share", "rounded", "places"),
    [
        (10, 0.2, 2, 2),
        (10, 0.21, 3, 3),
        (10, 0.0, 0, 0),
        (7, 1.0, 7, 7),
        (5, 0.6, 3, 3),
        (1, 0.2, 1, 0),
        (1, 1.0, 1, 1),
        (10, 0.95, 10, 9),
    ],
)
def test_a_share_is_rounded_up_behind_the_first_place(
    size: int, share: float, rounded: int, places: int
) -> None:
    assert round_up(size, share) == rounded
    assert divide_places(size, [share]) == [places]
