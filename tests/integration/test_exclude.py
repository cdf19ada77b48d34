"""Items that a request leaves out: in the query, so that lists stay full."""

from typing import Any

import pytest

from seealso.plugin import Recommender
from tests.library import BOOKS, Library

CALLS: dict[str, Any] = {
    "recommend": lambda recommender, **options: recommender.recommend("u1", **options),
    "words": lambda recommender, **options: recommender.recommend(words="a castle", **options),
    "unknown": lambda recommender, **options: recommender.recommend("nobody", **options),
    "batch": lambda recommender, **options: recommender.recommend_batch(["u2"], **options)[0],
    "group": lambda recommender, **options: recommender.recommend_group(["u1", "u5"], **options),
    "related": lambda recommender, **options: recommender.related("b7", **options),
    "popular": lambda recommender, **options: recommender.popular(**options),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_left_out_is_not_there_and_the_list_is_full(
    recommender: Recommender, call: str
) -> None:
    ask = CALLS[call]
    before = ask(recommender, size=6).ids
    found = ask(recommender, size=6, exclude=[before[0], before[2], "gone"])
    assert len(found) == len(before) == 6
    assert not {before[0], before[2]} & set(found.ids)


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_the_others_keep_their_order(recommender: Recommender, path: str) -> None:
    whole = recommender.recommend("u1", path=path, tail_share=0.0, size=BOOKS).ids
    out = whole[::2]
    found = recommender.recommend("u1", path=path, tail_share=0.0, size=BOOKS, exclude=out)
    assert found.ids == whole[1::2]


def test_a_pinned_item_stays_away_too(library: Library) -> None:
    pin = {"do": "pin", "items": ["b30"], "position": 1}
    recommender = library.recommender(rules=[pin])
    assert recommender.recommend("u1", size=5)[0].item_id == "b30"
    found = recommender.recommend("u1", size=5, exclude=["b30"])
    assert len(found) == 5
    assert "b30" not in found.ids


def test_a_boosted_item_stays_away_too(library: Library) -> None:
    boost = {"do": "boost", "field": "kind", "values": ["poetry"], "add": 5.0}
    recommender = library.recommender(rules=[boost])
    first = recommender.recommend("u1", size=3)
    found = recommender.recommend("u1", size=3, exclude=first.ids)
    assert len(found) == 3
    assert not set(found.ids) & set(first.ids)
