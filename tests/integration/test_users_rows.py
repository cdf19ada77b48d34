"""Rows of a user are found in an index of UBI whatever its mapping is, or it is said why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.errors import MappingMismatch
from seealso.indexer.places import row_place
from seealso.indexer.privacy import export_user, forget
from tests.members import NAMES

WHO = "Anna.Smith@example.org"
OTHERS = ("anna.smith@example.org", "smith", "Smith", "example.org", "Anna", "Anna.Smith")

NORMALIZED = {
    "settings": {"analysis": {"normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}}}},
    "mappings": {"properties": {"client_id": {"type": "keyword", "normalizer": "low"}}},
}
KEYWORD = {"type": "keyword"}


def mapped(field: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"mappings": {**more, "properties": {"client_id": field} if field else {}}}


BODIES = {
    "made by its first row": {},
    "as UBI has it": mapped({**KEYWORD, "ignore_above": 100}),
    "shorter than the id": mapped({**KEYWORD, "ignore_above": 10}),
    "words alone": mapped({"type": "text"}),
    "words without places": mapped({"type": "text", "index_options": "docs"}),
    "lower case": NORMALIZED,
    "not indexed": mapped({**KEYWORD, "index": False, "doc_values": False}),
    "not mapped": mapped(None, dynamic=False),
    "not even read": mapped({"type": "object", "enabled": False}),
}


@pytest.fixture
def settings(opensearch_latest: NodeInfo, index_name: str) -> Iterator[Settings]:
    """Settings of an alias that nothing was built for, with indices of UBI of its own."""
    names = {"events": f"{index_name}-ubi-events", "queries": f"{index_name}-ubi-queries"}
    chosen = load_settings(
        None,
        {"cluster": {"url": opensearch_latest.url}, "index": {"alias": index_name}, "ubi": names},
    )
    yield chosen
    for name in names.values():
        indices.delete(Cluster(opensearch_latest.url), name)


def write(cluster: Cluster, name: str, *clients: Any) -> None:
    for client in clients:
        cluster.request("POST", f"/{name}/_doc", {"client_id": client, "action_name": "click"})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_rows_are_found_in_any_mapping(settings: Settings, body: dict[str, Any]) -> None:
    cluster, name = Cluster(settings.cluster.url), settings.ubi.events
    indices.create(cluster, name, body)
    write(cluster, name, WHO, [WHO, "smith"], NAMES.of(WHO), *OTHERS)
    assert export_user(cluster, settings, NAMES, WHO).counts == {name: 3}
    assert forget(cluster, settings, NAMES, WHO).deleted == {name: 3}
    assert export_user(cluster, settings, NAMES, WHO).documents == {}
    indices.refresh(cluster, name)
    assert indices.count(cluster, name) == len(OTHERS)


def test_ids_that_are_numbers(settings: Settings) -> None:
    cluster, name = Cluster(settings.cluster.url), settings.ubi.events
    write(cluster, name, 76561198000000001, 76561198000000003)
    assert forget(cluster, settings, NAMES, "76561198000000001").deleted == {name: 1}
    assert forget(cluster, settings, NAMES, WHO).deleted == {}
    assert indices.count(cluster, name) == 1


def test_rows_that_nobody_can_find_are_not_said_to_be_none(settings: Settings) -> None:
    cluster, name = Cluster(settings.cluster.url), settings.ubi.events
    indices.create(cluster, name, mapped({"type": "text"}, _source={"enabled": False}))
    write(cluster, name, WHO)
    for refused in (export_user, forget):
        with pytest.raises(MappingMismatch, match="client_id is mapped as text") as caught:
            refused(cluster, settings, NAMES, WHO)
        assert "reindex it with client_id as keyword" in str(caught.value.hint)


def test_a_keyword_is_asked_for_instead_of_reading_everything() -> None:
    inner = {"type": "text", "fields": {"keyword": {**KEYWORD, "ignore_above": 256}}}
    found = row_place("x", {"properties": {"client_id": inner}}, frozenset({"b", "a"}))
    assert (found.query, found.compared) == ({"terms": {"client_id.keyword": ["a", "b"]}}, "")
