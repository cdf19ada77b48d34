"""Items related to an item: the same ranking with the item's own vector."""

import numpy as np
import pytest

from seealso.errors import ConfigError, DataError
from seealso.plugin import Recommender
from seealso.types import Path
from tests.films import Counting
from tests.library import TEXTLESS, Library


@pytest.mark.parametrize("path", ["exact", "reference", "ann"])
def test_related_books_are_those_of_numpy(library: Library, path: str) -> None:
    found = library.recommender().related("b7", path=path)
    assert found.path == Path(path)
    expected = {}
    for item_id, document in library.documents.items():
        if "vector" in document and item_id != "b7":
            x = document["importance"] * float(library.vector(item_id) @ library.vector("b7"))
            expected[item_id] = 1 / (1 + float(np.exp(-x)))
    best = sorted(expected.values(), reverse=True)[:10]
    assert [item.probability for item in found] == pytest.approx(best, abs=1e-5)
    for item in found:
        assert item.probability == pytest.approx(expected[item.item_id], abs=1e-5)
    assert (found.user_id, found.note) == (None, "")


def test_filters_size_and_least_probability_hold(library: Library) -> None:
    recommender = library.recommender()
    found = recommender.related("b7", size=5, filters={"term": {"kind": "poetry"}})
    assert len(found) == 5
    assert {item.fields["kind"] for item in found} == {"poetry"}
    middle = found[2].probability
    assert middle is not None
    fewer = recommender.related(
        "b7", filters={"term": {"kind": "poetry"}}, size=5, min_probability=middle - 1e-6
    )
    assert fewer.ids == found.ids[:3]


def test_it_takes_one_request_once_the_item_is_known(library: Library) -> None:
    cluster = Counting(library.url)
    recommender = Recommender(cluster, library.settings)
    recommender.related("b7")
    cluster.sent.clear()
    recommender.related("b7", size=3)
    assert cluster.sent == ["POST /_msearch"]
    cluster.close()


def test_an_item_that_is_not_there_is_named(library: Library) -> None:
    with pytest.raises(DataError, match="item 'gone' is not in the index") as caught:
        library.recommender().related("gone")
    assert library.alias in (caught.value.hint or "")


def test_an_item_without_text_has_nothing_related(library: Library) -> None:
    with pytest.raises(DataError, match="has no text, so no items are related"):
        library.recommender().related(TEXTLESS)


def test_an_impossible_wish_is_refused(library: Library) -> None:
    with pytest.raises(ConfigError, match="size: must be"):
        library.recommender().related("b7", size=0)
