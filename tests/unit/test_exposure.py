"""Shares, caps, diversity and freshness: what is promised holds for whatever lists there are."""

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import CapSettings
from seealso.plugin import Recommendation
from seealso.plugin.reranking.diversity import Diversity
from seealso.plugin.reranking.draft import RANKED, ByValue, Candidate, Draft, Ordering, Pool
from seealso.plugin.reranking.filling import Share, fill
from seealso.plugin.reranking.freshness import Freshness, read_moment
from seealso.plugin.reranking.places import divide_places
from seealso.types import Source, Vector

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SELLERS = "abc"
# how long a busy machine takes says nothing
PATIENT = settings(deadline=None)


def item(number: int, seller: str = "a", **changes: object) -> Recommendation:
    found = Recommendation(
        f"i{number}", 0.6, 1.0 - number / 100, 1.4, Source.VECTOR, 1.0, False, {"seller": seller}
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def candidates(*items: Recommendation, **vectors: Vector) -> list[Candidate]:
    return [
        Candidate(one, (one.raw or 0.0,), (one.raw or 0.0,), vectors.get(one.item_id))
        for one in items
    ]


def ids(found: list[Candidate]) -> list[str]:
    return [one.item_id for one in found]


@st.composite
def shelves(draw: st.DrawFn) -> tuple[list[Recommendation], list[set[str]]]:
    """Ranked items with a seller each, and up to three parts of them that share no item."""
    many = draw(st.integers(0, 40))
    items = [item(n, draw(st.sampled_from(SELLERS))) for n in range(many)]
    parts: list[set[str]] = [set(), set(), set()]
    for one in items:
        part = draw(st.integers(0, 4))
        if part < 3:
            parts[part].add(one.item_id)
    return items, parts


def share_of(items: list[Recommendation], members: set[str], places: int) -> Share[Recommendation]:
    return Share(places, [one for one in items if one.item_id in members], members)


@PATIENT
@given(shelves(), st.integers(1, 20), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_every_share_has_its_places_while_there_are_items(
    shelf: tuple[list[Recommendation], list[set[str]]], size: int, weights: list[float]
) -> None:
    items, parts = shelf
    whole = max(1.0, sum(weights))
    places = divide_places(size, [weight / whole for weight in weights])
    assert sum(places) <= size
    shares = [share_of(items, part, n) for part, n in zip(parts, places, strict=True)]
    # the ranked list is as long as the list: what it lacks only the shares bring
    found = fill(items[:size], shares, size)
    ids = [one.item_id for one in found]
    assert len(ids) == len(set(ids)) == min(size, len(ids))
    for part, needed in zip(parts, places, strict=True):
        assert len(part & set(ids)) >= min(needed, len(part))
        if all(len(p) >= n for p, n in zip(parts, places, strict=True)):
            for length in range(1, len(ids) + 1):
                due = math.floor(length * needed / size + 1e-9)
                assert len(part & set(ids[:length])) >= due


@PATIENT
@given(shelves(), st.integers(1, 15), st.integers(1, 4), st.sampled_from([None, 2, 3, 5]))
def test_no_list_breaks_a_cap(
    shelf: tuple[list[Recommendation], list[set[str]]], size: int, most: int, window: int | None
) -> None:
    items, parts = shelf
    shares = [share_of(items, part, n) for part, n in zip(parts, (size // 2, 1), strict=False)]
    found = fill(items, shares, size, [CapSettings(field="seller", most=most, window=window)])
    for start in range(len(found)):
        near = found[start : start + (window or len(found))]
        assert max(Counter(one.fields["seller"] for one in near).values()) <= most
    if window is None:
        counts = Counter(one.fields["seller"] for one in items)
        assert len(found) == min(size, sum(min(most, n) for n in counts.values()))


@PATIENT
@given(shelves(), st.integers(1, 15), st.integers(1, 4), st.floats(0, 1))
def test_a_share_has_its_places_under_a_cap(
    shelf: tuple[list[Recommendation], list[set[str]]], size: int, most: int, part: float
) -> None:
    items, (members, *_) = shelf
    (needed,) = divide_places(size, [part])
    found = fill(
        items, [share_of(items, members, needed)], size, [CapSettings(field="seller", most=most)]
    )
    sellers = Counter(one.fields["seller"] for one in items if one.item_id in members)
    possible = sum(min(most, n) for n in sellers.values())
    assert len(members & {one.item_id for one in found}) >= min(needed, possible)


@PATIENT
@given(shelves(), st.integers(1, 20))
def test_without_shares_and_caps_a_list_is_its_ranking(
    shelf: tuple[list[Recommendation], list[set[str]]], size: int
) -> None:
    items, _ = shelf
    assert fill(items, [], size) == items[:size]


def test_shares_that_fill_a_list_are_rounded_to_fit() -> None:
    assert divide_places(10, [1 / 3, 1 / 3, 1 / 3]) in ([3, 3, 4], [4, 3, 3], [3, 4, 3])
    assert divide_places(10, [0.25]) == [3]
    assert divide_places(10, [0.2, 0.0]) == [2, 0]


def test_an_item_with_several_values_counts_for_each() -> None:
    both = item(1, fields={"genres": ["Drama", "War"]})
    drama = item(2, fields={"genres": ["Drama"]})
    neither = item(3, fields={})
    found = fill([both, drama, neither], [], 3, [CapSettings(field="genres", most=1)])
    assert [one.item_id for one in found] == ["i1", "i3"]


@PATIENT
@given(st.lists(st.floats(-2, 2), max_size=12), st.integers(1, 12))
def test_no_diversity_changes_nothing(values: list[float], size: int) -> None:
    same = np.eye(12, dtype=np.float32)[0]
    items = [item(n, raw=value) for n, value in enumerate(values)]
    ranked = ByValue().rank(candidates(*items, **{one.item_id: same for one in items}), size)
    assert Diversity(0.0).spread(ranked, ByValue(), size) == ranked
    assert sorted(ids(Diversity(0.5).spread(ranked, ByValue(), size))) == sorted(ids(ranked))


def test_the_second_place_goes_to_what_is_unlike_the_first() -> None:
    same, other = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    ranked = candidates(
        item(1, raw=1.0), item(2, raw=0.9), item(3, raw=0.8), item(4, raw=0.0),
        i1=same, i2=same, i3=other, i4=other,
    )  # fmt: skip
    # by hand: relevance 1, .9, .8, 0; second: .45 - .5 for i2, .4 for i3, 0 for i4
    assert ids(Diversity(0.5).spread(ranked, ByValue(), 4)) == ["i1", "i3", "i2", "i4"]
    assert ids(Diversity(0.05).spread(ranked, ByValue(), 4)) == ["i1", "i2", "i3", "i4"]


def test_an_item_of_one_half_life_is_worth_half() -> None:
    old = NOW - timedelta(days=30)
    items = [
        item(1, raw=1.0, fields={"day": old.isoformat()}),
        item(2, raw=0.6, fields={"day": NOW.isoformat()}),
        item(3, raw=-1.0, fields={"day": old.timestamp()}),
        item(4, raw=0.1, fields={}),
    ]
    draft = Draft(4, {RANKED: Pool(tuple(candidates(*items)))}, ByValue())
    faded = Freshness("day", 30.0, NOW).rerank(draft)
    found = Ordering(4).rerank(faded).pool(RANKED).front
    assert ids(list(found)) == ["i2", "i1", "i4", "i3"]
    assert [one.values[0] for one in found] == pytest.approx([0.6, 0.5, 0.1, -1.5])
    assert [one.item.boost for one in found] == pytest.approx([0.0, -0.5, 0.0, -0.5])
    assert found[1].item.probability == items[0].probability


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-01-01", NOW),
        ("2026-01-01T00:00:00+00:00", NOW),
        (2026, NOW),
        (NOW.timestamp(), NOW),
        (NOW.timestamp() * 1000, NOW),
        ("soon", None),
        (None, None),
        (True, None),
        (1e300, None),
    ],
)
def test_moments_are_read(given: object, expected: datetime | None) -> None:
    assert read_moment(given) == expected
