"""The vote of user kNN: properties, and one example by hand."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.models.user_knn import vote


@dataclass(frozen=True)
class Person:
    similarity: float
    latest: tuple[str, ...]


ITEMS = st.lists(st.sampled_from("abcdef"), max_size=6).map(tuple)
NEIGHBOURS = st.lists(st.builds(Person, st.floats(-1, 1), ITEMS), max_size=6)


@given(NEIGHBOURS, st.sets(st.sampled_from("abcdef")), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_a_vote_lies_between_none_and_all(
    neighbours: list[Person], seen: set[str], latest: int
) -> None:
    found = vote(neighbours, seen, latest)
    assert not found.keys() & seen
    assert all(0 < part <= 1 + 1e-9 for part in found.values())
    voters = [one for one in neighbours if one.similarity > 0]
    for item in set("abcdef") - seen:
        chose = sum(one.similarity for one in voters if item in one.latest[:latest])
        total = sum(one.similarity for one in voters)
        assert found.get(item, 0.0) == pytest.approx(chose / total if total else 0.0)


def test_an_item_gets_the_share_of_those_who_chose_it_lately() -> None:
    neighbours = [Person(0.6, ("a", "b", "c")), Person(0.2, ("b", "d")), Person(-0.5, ("e",))]
    assert vote(neighbours, {"c"}, 3) == pytest.approx({"a": 0.75, "b": 1.0, "d": 0.25})
    assert vote(neighbours, set(), 1) == pytest.approx({"a": 0.75, "b": 0.25})
