"""The most important items, for nobody in particular: no probability is made up for them."""

from typing import Any

import pytest

from seealso.errors import ConfigError
from seealso.plugin import Recommender
from seealso.types import Source
from tests.films import Counting
from tests.library import BOOKS, Library


def by_importance(library: Library) -> list[str]:
    """Return the ids by importance, of equal ones by id."""
    documents = library.documents
    return sorted(documents, key=lambda one: (-documents[one]["importance"], one))


def test_the_most_important_come_first(library: Library, recommender: Recommender) -> None:
    found = recommender.popular(size=BOOKS)
    assert found.ids == by_importance(library)
    assert (found.user_id, found.note) == (None, "")
    for one in found:
        assert (one.probability, one.raw, one.source) == (None, None, Source.IMPORTANCE)
        assert one.importance == pytest.approx(library.documents[one.item_id]["importance"])


def test_it_is_the_list_of_somebody_unknown(recommender: Recommender) -> None:
    assert recommender.popular().ids == recommender.recommend("nobody").ids


def test_what_a_list_holds_holds_here(library: Library) -> None:
    found = library.recommender().popular(
        size=3, filters={"term": {"kind": "poetry"}}, exclude=["b4"], fields=["kind"]
    )
    assert [one.fields for one in found] == [{"kind": "poetry"}] * 3
    assert "b4" not in found.ids
    ruled = library.recommender(rules=[{"do": "pin", "items": ["b50"], "position": 1}])
    assert ruled.popular(size=3)[0].item_id == "b50"
    assert ruled.popular(size=3, without_rules=True)[0].item_id != "b50"
    capped = library.recommender(exposure={"caps": [{"field": "kind", "most": 1}]})
    assert len({one.fields["kind"] for one in capped.popular(size=5)}) == 5


def test_safety_lets_pass_what_everybody_may_see(library: Library) -> None:
    safety: dict[str, Any] = {"fields": {"kind": ["western"]}, "age": [{"item": "year"}]}
    assert library.recommender(safety={"fields": safety["fields"]}).popular(size=BOOKS)
    assert not len(library.recommender(safety=safety).popular())
    shown = library.recommender(safety={"fields": safety["fields"]}).popular(size=BOOKS)
    assert {one.fields["kind"] for one in shown} == {"romance", "thriller", "fantasy", "poetry"}


def test_it_takes_one_request(library: Library) -> None:
    cluster = Counting(library.url)
    recommender = Recommender(cluster, library.settings)
    cluster.sent.clear()
    recommender.popular(size=2)
    assert cluster.sent == ["POST /_msearch"]
    cluster.close()


def test_options_that_mean_nothing_here_are_refused(recommender: Recommender) -> None:
    for option in ("tail_share", "min_probability", "path"):
        with pytest.raises(TypeError, match=option):
            recommender.popular(**{option: 0.5})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size: must be"):
        recommender.popular(size=0)
