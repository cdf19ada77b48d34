"""Items that a caller names, in a user's order: with the values of a list, seen ones too."""

from typing import Any

import pytest

from seealso.errors import DataError
from seealso.plugin import Recommender
from seealso.plugin.ranking.named_items import MOST_ITEMS
from seealso.types import Path, Source
from tests.films import Counting
from tests.library import BOOKS, TEXTLESS, Library

ALL = [f"b{n}" for n in range(BOOKS)]


def test_the_order_is_that_of_a_list(recommender: Recommender) -> None:
    whole = recommender.recommend("u1", tail_share=0.0, size=BOOKS)
    found = recommender.rank("u1", sorted(whole.ids))
    assert found.ids == whole.ids
    assert (found.user_id, found.note, found.unknown, found.blocked) == ("u1", "", (), ())
    for mine, theirs in zip(found, whole, strict=True):
        assert mine.probability == pytest.approx(theirs.probability, abs=1e-6)
        assert mine.fields == theirs.fields


def test_seen_items_stay_and_have_the_value_that_is_explained(recommender: Recommender) -> None:
    seen = sorted(recommender.user("u1").seen)
    found = recommender.rank("u1", seen)
    assert sorted(found.ids) == seen
    reasons = recommender.reasons("u1", found.ids)
    assert [one.raw for one in found] == pytest.approx([one.raw for one in reasons], abs=1e-5)
    assert [one.raw for one in found] == sorted((one.raw or 0.0 for one in found), reverse=True)


def test_what_has_no_place_is_named(recommender: Recommender) -> None:
    found = recommender.rank("u1", ["gone", "b4", "b3", "b4", "never"], fields=["kind"])
    assert sorted(found.ids) == ["b3", "b4"]
    assert found.unknown == ("gone", "never")
    assert [one.fields.keys() for one in found] == [{"kind"}, {"kind"}]
    assert recommender.rank("u1", ["gone"]).unknown == ("gone",)
    assert found.as_dict()["unknown"] == ["gone", "never"]


def test_what_has_no_vector_comes_last(recommender: Recommender) -> None:
    found = recommender.rank("u1", [TEXTLESS, "b50", "b1"])
    assert found.ids[-1] == TEXTLESS
    assert (found[-1].probability, found[-1].source) == (None, Source.IMPORTANCE)
    assert all(0 < (one.probability or 0) < 1 for one in found[:2])


def test_importance_ranks_for_somebody_unknown(recommender: Recommender) -> None:
    found = recommender.rank("nobody", ALL)
    assert found.ids == recommender.popular(size=BOOKS).ids
    assert {one.probability for one in found} == {None}
    assert "ranked by importance alone" in found.note


def test_what_a_user_must_not_be_shown_is_named_apart(
    library: Library, recommender: Recommender
) -> None:
    safety: dict[str, Any] = {"fields": {"kind": ["western"]}, "words": ["island"]}
    ruled = library.recommender(safety=safety, rules=[{"do": "exclude", "items": ["b3"]}])
    items = ["b2", "b3", "b20", "gone", TEXTLESS]
    found = ruled.rank("u1", items)
    # a western, and an island
    assert found.blocked == ("b2", "b20")
    assert found.unknown == ("gone",)
    # of rules and exposure, nothing counts here
    assert sorted(found.ids) == ["b3", TEXTLESS]
    assert found.ids == [one for one in recommender.rank("u1", items).ids if one in found.ids]


def test_other_spaces_rank_too(other_space: Library) -> None:
    recommender = other_space.recommender()
    whole = recommender.recommend("u1", tail_share=0.0, size=BOOKS)
    found = recommender.rank("u1", sorted(whole.ids))
    assert found.path == Path.REFERENCE
    assert [one.probability for one in found] == pytest.approx(
        [one.probability for one in whole], abs=1e-6
    )


def test_a_large_index_is_ranked_exactly(library: Library) -> None:
    recommender = library.recommender(recommend={"exact_limit": 0})
    assert recommender.recommend("u1").path == Path.ANN
    found = recommender.rank("u1", ALL)
    assert found.path == Path.EXACT
    assert found.ids == library.recommender().rank("u1", ALL).ids


def test_it_takes_one_request(library: Library) -> None:
    cluster = Counting(library.url)
    recommender = Recommender(cluster, library.settings)
    user = recommender.user(words="a castle")
    cluster.sent.clear()
    recommender.rank(user, ALL)
    assert cluster.sent == ["POST /_msearch"]
    cluster.close()


@pytest.mark.parametrize("wrong", [[], "b1", [1.5], [f"b{n}" for n in range(MOST_ITEMS + 1)]])
def test_what_is_no_list_of_items_is_refused(recommender: Recommender, wrong: Any) -> None:
    with pytest.raises(DataError, match="item_ids: "):
        recommender.rank("u1", wrong)
