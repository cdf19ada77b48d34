"""Lists with many candidates read the documents of their places alone, and are the same lists."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import pytest

from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.plugin import Recommender
from seealso.plugin.ranking import documents
from tests.integration.libraries import opened
from tests.library import TEXTLESS, Library

POETRY = {"field": "kind", "values": ["poetry"]}
SETTINGS: list[dict[str, Any]] = [
    {"diversity": 0.3},
    {
        "diversity": 0.3,
        "shares": [{"share": 0.3, **POETRY}],
        "caps": [{"field": "kind", "most": 3}],
    },
    {"shares": [{"share": 0.2, **POETRY}], "caps": [{"field": "kind", "most": 2, "window": 4}]},
    # documents decide: what a text or a number holds is in no column as it was written
    {"caps": [{"field": "title", "most": 1}], "depth": 10},
    {"caps": [{"field": "year", "most": 1}], "depth": 10},
]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"fields": ["kind"], "tail_share": 0.4},
    {"fields": [], "path": "ann", "min_probability": 0.5},
    {"path": "reference", "rules": [{"do": "boost", **POETRY, "factor": 1.5}]},
    {"rules": [{"do": "bury", **POETRY}, {"do": "pin", "items": ["b55", "b1"], "position": 2}]},
]


class Recording(Cluster):
    """A cluster that keeps the bodies of searches, and does something after the first one."""

    def __init__(self, url: str, afterwards: Callable[[], None] | None = None) -> None:
        super().__init__(url)
        self.bodies: list[bytes] = []
        self.afterwards = afterwards

    def request(self, method: str, path: str, body: Any = None, *args: Any, **more: Any) -> Any:
        answer = super().request(method, path, body, *args, **more)
        if re.search(r"_m?search$", path):
            self.bodies.append(body)
            if self.afterwards is not None:
                then, self.afterwards = self.afterwards, None
                then()
        return answer


@pytest.fixture
def own_library(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """A library that a test may change."""
    yield from opened(opensearch, tiny, tmp_path_factory)


def plain(found: Any) -> Any:
    """Return all that a caller gets, but for the time that it took."""
    return {name: value for name, value in found.as_dict().items() if name != "latency_ms"}


def answers(recommender: Recommender, options: Mapping[str, Any]) -> list[Any]:
    users = [recommender.user("u1", words="a castle"), recommender.user("u5")]
    return [
        *map(plain, recommender.recommend_batch(users, **options)),
        plain(recommender.recommend_group(users, **options)),
        plain(recommender.recommend_group(["u1", "u2", "u3"], strategy="borda", **options)),
    ]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("exposure", SETTINGS)
def test_a_list_is_the_same_with_and_without_the_documents_of_its_candidates(
    library: Library,
    exposure: dict[str, Any],
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recommender = library.recommender(exposure=exposure)
    found = answers(recommender, options)
    monkeypatch.setattr(documents, "HITS_FOR_A_PLACE", 10**9)
    assert found == answers(recommender, options)


@pytest.mark.parametrize("options", [one for one in OPTIONS if one.get("path") != "ann"])
def test_other_spaces_give_the_same_too(
    other_space: Library, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = other_space.recommender(exposure=SETTINGS[1])
    found = answers(recommender, options)
    monkeypatch.setattr(documents, "HITS_FOR_A_PLACE", 10**9)
    assert found == answers(recommender, options)


def test_documents_are_read_for_the_places_of_a_list(library: Library) -> None:
    cluster = Recording(library.url)
    exposure = {"diversity": 0.3, "caps": [{"field": "kind", "most": 3}]}
    recommender = Recommender(cluster, library.changed(exposure=exposure), library.histories)
    cluster.bodies.clear()
    found = recommender.recommend_group(["u1", "u2"], fields=["title"])
    first, second = (orjson.loads(body) for body in cluster.bodies)
    assert first["_source"] is False
    assert set(first["docvalue_fields"]) == {"item_id", "tail", "kind"}
    assert first["size"] > len(found) == second["size"]
    assert second["_source"]["includes"] == ["item_id", "importance", "tail", "title"]
    assert [set(one.fields) for one in found] == [{"title"}] * len(found)
    cluster.close()


@pytest.mark.parametrize(
    "exposure", [*SETTINGS[3:], {"fresh": "year", "half_life_days": 9000, "depth": 10}]
)
def test_what_no_column_has_as_documents_do_is_read_with_them(
    library: Library, exposure: dict[str, Any]
) -> None:
    cluster = Recording(library.url)
    recommender = Recommender(cluster, library.changed(exposure=exposure), library.histories)
    cluster.bodies.clear()
    recommender.recommend_group(["u1", "u2"])
    assert [b"docvalue_fields" in one for one in cluster.bodies] == [False]
    cluster.close()


def test_a_plain_list_is_one_request(library: Library) -> None:
    cluster = Recording(library.url)
    recommender = Recommender(cluster, library.settings, library.histories)
    cluster.bodies.clear()
    recommender.recommend("u1")
    assert len(cluster.bodies) == 1
    assert b"docvalue_fields" not in cluster.bodies[0]
    cluster.close()


@pytest.mark.parametrize("kind", ["group", "user"])
def test_an_item_that_is_deleted_meanwhile_is_left_out_and_said(
    own_library: Library, kind: str
) -> None:
    # one search for candidates: what is deleted after it was found by it
    settings = own_library.changed(exposure={"diversity": 0.3})

    def ask(cluster: Cluster) -> Any:
        recommender = Recommender(cluster, settings, own_library.histories)
        if kind == "group":
            return recommender.recommend_group(["u1", "u2"])
        return recommender.recommend("u1")

    before = ask(own_library.cluster)
    gone = before.ids[3]

    def delete() -> None:
        path = f"/{own_library.alias}/_doc/{gone}"
        own_library.cluster.request("DELETE", path, params={"refresh": "true"})

    cluster = Recording(own_library.url, delete)
    after = ask(cluster)
    cluster.close()
    assert after.ids == [one for one in before.ids if one != gone]
    assert after.note == "1 item deleted meanwhile: left out"
    # whoever asks next gets a whole list
    again = ask(own_library.cluster)
    assert (len(again), again.note) == (len(before), "")


def test_what_an_owner_wrote_without_an_id_of_ours_comes_into_lists(own_library: Library) -> None:
    library = own_library
    hit = library.cluster.request("GET", f"/{library.alias}/_doc/b50")
    document = {name: value for name, value in hit["_source"].items() if name != "item_id"}
    written = {**document, "vector": [3 * one for one in document["vector"]]}
    path = f"/{library.alias}/_doc/theirs"
    library.cluster.request("PUT", path, orjson.dumps(written), {"refresh": "true"})
    recommender = library.recommender(exposure=SETTINGS[1])
    user = recommender.user(history=["b50"])
    lists = [recommender.recommend_batch([user])[0], recommender.recommend_group([user, "u1"])]
    for found in lists:
        assert "theirs" in found.ids
        (theirs,) = [one for one in found if one.item_id == "theirs"]
        assert theirs.fields["title"] == document["title"]
    assert recommender.explain(user, "theirs").raw == pytest.approx(
        next(one.raw for one in lists[0] if one.item_id == "theirs"), abs=1e-5
    )


def test_a_list_of_nothing_reads_no_documents(library: Library) -> None:
    recommender = library.recommender(exposure=SETTINGS[1])
    found = recommender.recommend_group(["u1", "u2"], filters={"term": {"kind": "opera"}})
    assert found.ids == []
    assert TEXTLESS not in found.ids
