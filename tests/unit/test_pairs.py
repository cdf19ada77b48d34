"""Pairs: every item with those before it, and the texts and labels that the loss reads."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import TextSettings
from seealso.datasets.catalogue import encode_sequences, read_catalogue
from seealso.encoder import ItemText
from seealso.errors import DataError
from seealso.training.pairs import (
    NOBODY,
    Pair,
    columns,
    history_pairs,
    item_pairs,
    pseudo_pairs,
    sampled,
)
from seealso.types import Item

unhurried = settings(deadline=None, max_examples=60)
sequences = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=8), max_size=8)


def items(*titles):
    return [Item(f"i{n}", {"title": title}) for n, title in enumerate(titles)]


def catalogue(*titles):
    return read_catalogue([items(*titles)], ItemText(TextSettings(item="{{ title }}")))


def two(anchor, positive):
    return Pair((anchor,), positive, as_history=False)


def test_items_pair_with_those_just_before_them():
    assert item_pairs([[5, 6, 7, 8]], window=2) == [
        two(5, 6), two(5, 7), two(6, 7), two(6, 8), two(7, 8)
    ]  # fmt: skip
    assert item_pairs([[5], []], window=2) == []


def test_a_history_is_newest_first_and_cut():
    assert history_pairs([[5, 6, 7, 8]], most=2) == [
        Pair((5,), 6, as_history=True),
        Pair((6, 5), 7, as_history=True),
        Pair((7, 6), 8, as_history=True),
    ]


@unhurried
@given(sequences, st.integers(1, 4))
def test_an_anchor_never_holds_what_came_later(histories, most):
    for made in (item_pairs(histories, most), history_pairs(histories, most)):
        for pair in made:
            assert any(
                pair.positive in own
                and all(one in own[: own.index(pair.positive)] for one in pair.anchor)
                for own in histories
            )
            assert 1 <= len(pair.anchor) <= most
    assert len(history_pairs(histories, most)) == sum(max(0, len(own) - 1) for own in histories)


def test_rare_items_get_what_their_companions_go_with():
    # 9 was chosen once, beside 1; 1 goes with 2 (three times) and 3 (once)
    histories = [[9, 1], [1, 2], [1, 2], [2, 1], [1, 3], [3, 3]]
    made = pseudo_pairs(histories, fewer_than=2, each=1, window=1)
    assert made == [two(9, 2)]
    assert pseudo_pairs(histories, fewer_than=2, each=5, window=1) == [two(9, 2), two(9, 3)]
    assert pseudo_pairs(histories, fewer_than=1, each=5, window=1) == []


@unhurried
@given(sequences, st.integers(1, 3), st.integers(1, 3))
def test_pseudo_pairs_are_new_and_of_rare_items(histories, each, window):
    events = Counter(item for own in histories for item in own)
    beside = {
        (own[a], own[b])
        for own in histories
        for a in range(len(own))
        for b in range(len(own))
        if abs(a - b) <= window
    }
    made = pseudo_pairs(histories, fewer_than=3, each=each, window=window)
    for pair in made:
        (rare,) = pair.anchor
        assert events[rare] < 3
        assert (rare, pair.positive) not in beside
        assert pair.positive != rare
    counts = Counter(pair.anchor for pair in made)
    assert all(count <= each for count in counts.values())
    assert len(set(made)) == len(made)


def test_items_without_a_text_are_counted_and_left_out():
    found = catalogue("Heat", "  ", "Casino", "")
    assert (found.ids, found.texts, found.without_text) == (("i0", "i2"), ("Heat", "Casino"), 2)
    assert encode_sequences({"v": ["i1", "i2", "gone"], "u": ["i2", "i0"]}, found) == [(1, 0), (1,)]


def test_a_catalogue_without_any_text_is_refused():
    with pytest.raises(DataError, match="none of 2 items has a text") as caught:
        catalogue("", " ")
    assert "text.item" in str(caught.value.hint)


def test_the_sample_is_the_same_for_the_same_seed():
    every = item_pairs([list(range(30))], window=3)
    some = sampled(every, 10, seed=1)
    assert len(set(some)) == 10
    assert set(some) < set(every)
    assert sampled(every, 10, seed=1) == some != sampled(every, 10, seed=2)
    assert sorted(sampled(every, None, 1), key=hash) == sorted(every, key=hash)
    assert len(sampled(every, 10_000, 1)) == len(every)


def test_columns_hold_texts_and_who_they_are():
    made = columns(
        [two(0, 1), Pair((1, 0), 2, as_history=True)],
        ("Heat", "Casino", "Up"),
        anchor_text=lambda texts: "query: " + ", ".join(texts),
        item_prefix="passage: ",
    )
    assert made == {
        "anchor": ["passage: Heat", "query: Casino, Heat"],
        "positive": ["passage: Casino", "passage: Up"],
        "label": [[0, 1], [NOBODY, 2]],
    }
