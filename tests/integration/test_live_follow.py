"""Following a file, a stream and UBI: what comes is taken in, and gone on with where it ended."""

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from seealso.cluster import indices
from seealso.errors import ClusterError, DataError
from seealso.indexer.events.ingest import IngestReport
from seealso.indexer.events.running import SourceRun
from seealso.indexer.events.sources import UbiEvents
from seealso.indexer.privacy import forget
from seealso.plugin import Recommender
from seealso.plugin.search.ubi import UbiLog
from seealso.plugin.users_index import UsersIndex
from seealso.readers import GrowingFile, Problems, Stream
from tests.integration.catalogues import Record, Shop, write_lines
from tests.live import START, append, event, forgotten, ingester_of
from tests.members import NAMES, asking, built

POLL = {"live": {"poll_seconds": 0.05}}


@pytest.fixture
def lively(peopled: Shop) -> Iterator[Shop]:
    """A shop with a users index, and UBI indices of its own."""
    names = {"events": f"{peopled.alias}-ubi-events", "queries": f"{peopled.alias}-ubi-queries"}
    peopled.sections["ubi"] = names
    peopled.sections["live"] = POLL["live"]
    built(peopled)
    yield peopled
    forgotten(peopled, *names.values())


def follow(shop: Shop, source: Any, empty: int = 4) -> IngestReport:
    """Follow a source until nothing came some times in a row."""
    settings = shop.settings()
    ingester = ingester_of(shop)
    run = SourceRun(shop.cluster, settings, NAMES, source, Problems("skip"))
    batches = source.follow(run.position(ingester.store))
    total, left = IngestReport(), empty
    for one in run.ingest(ingester, batches):
        total = total.plus(one)
        left = empty if one.events else left - 1
        if not left:
            break
    return total


def line(record: Mapping[str, Any]) -> str:
    return json.dumps(record) + "\n"


def test_a_growing_file(lively: Shop, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "log.jsonl", [event("ann-1", "f30")])
    source = GrowingFile(file, 100, 0.02)
    assert follow(lively, source).written == 1
    append(file, line(event("ann-1", "f31", 1)) + line(event("ann-2", "f32", 2))[:20])
    # a line counts once it ends, and what was read is not read again
    done = follow(lively, source)
    assert (done.events, done.written) == (1, 1)
    append(file, line(event("ann-2", "f32", 2))[20:])
    assert follow(lively, source).written == 1
    # another file under the same name begins at its start
    write_lines(file, [event("ann-3", "f33", n) for n in range(3)])
    assert follow(lively, source).written == 3
    assert {"f30", "f31"} < asking(lively).user("ann-1").seen


def test_a_file_that_is_cut_or_replaced_while_it_is_followed(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "log.jsonl", [{"n": 1}, {"n": 2}])
    batches = GrowingFile(file, 100, 0.001).follow(None)

    def numbers() -> list[int]:
        for _ in range(500):
            batch = next(batches)
            if batch.rows is not None:
                return batch.rows.frame["n"].to_list()
        raise AssertionError("nothing came")

    assert numbers() == [1, 2]
    write_lines(file, [{"n": 3}])
    assert numbers() == [3]
    write_lines(tmp_path / "new", [{"n": 4}, {"n": 5}, {"n": 6}])
    (tmp_path / "new").rename(file)
    assert numbers() == [4, 5, 6]


def test_only_json_lines_grow(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only a file of JSON lines can be followed"):
        next(GrowingFile(tmp_path / "log.csv", 1, 0.1).follow(None))
    with pytest.raises(DataError, match="no such file"):
        next(GrowingFile(tmp_path / "log.jsonl", 1, 0.1).follow(None))


def test_a_stream_is_taken_in_as_it_comes(lively: Shop) -> None:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream, os.fdopen(write, "wb") as pipe:
        source = Stream(stream, 100, 0.05)
        pipe.write(line(event("ann-1", "f30")).encode())
        pipe.flush()
        batches = source.follow(None)
        first = next(batch for batch in batches if batch.rows is not None)
        assert first.rows is not None
        assert first.rows.places == [1]
        pipe.write(line(event("ann-1", "f31", 1)).encode())
        pipe.close()
        rest = [batch.rows.places for batch in batches if batch.rows is not None]
    assert rest == [[2]]


def click(item: str | None, user: str, minutes: int = 0, **more: Any) -> Record:
    """Return an event as a UBI client writes it."""
    named = {} if item is None else {"object": {"object_id": item, "object_id_field": "item_id"}}
    millis = int(START.timestamp() * 1000) + 60_000 * minutes
    return {
        "application": "shop",
        "action_name": "click",
        "client_id": user,
        "query_id": "q-1",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis / 1000)) + ".000Z",
        "event_attributes": named,
        **more,
    }


EVENTS_MAPPING = {
    "properties": {
        "action_name": {"type": "keyword", "ignore_above": 100},
        "client_id": {"type": "keyword", "ignore_above": 100},
        "timestamp": {"type": "date", "format": "strict_date_time", "ignore_malformed": True},
        "event_attributes": {
            "properties": {
                "object": {"properties": {"object_id": {"type": "keyword", "ignore_above": 256}}}
            }
        },
    }
}


def write_clicks(shop: Shop, *clicks: Record) -> None:
    name = shop.settings().ubi.events
    if not shop.cluster.exists(f"/{name}"):
        indices.create(shop.cluster, name, {"mappings": EVENTS_MAPPING})
    for one in clicks:
        shop.cluster.request("POST", f"/{name}/_doc", one)


def ubi_of(shop: Shop) -> UbiEvents:
    settings = shop.settings()
    return UbiEvents(shop.cluster, settings.ubi, settings.live)


def test_ubi_events_come_in(lively: Shop) -> None:
    with pytest.raises(ClusterError, match="no such index"):
        follow(lively, ubi_of(lively))
    write_clicks(
        lively,
        click("f30", "ann-1"),
        click("f31", NAMES.of("ann-1"), 1),
        click(None, "ann-1", 2, action_name="on_search"),
        click("f32", "somebody", 3, action_name="purchase"),
    )
    done = follow(lively, ubi_of(lively))
    assert (done.events, done.written, done.new_users) == (3, 3, 1)
    known = asking(lively).user("ann-1")
    # the client's plain id and its pseudonym are one user
    assert [one.item_id for one in known.history[:2]] == ["f31", "f30"]
    assert known.history[0].type == "click"
    assert asking(lively).user("somebody").history[0].type == "purchase"
    # it goes on behind the newest, and takes what came a little late
    write_clicks(lively, click("f33", "ann-1", 4), click("f34", "ann-1", 3))
    done = follow(lively, ubi_of(lively))
    assert done.written == 2
    lively.sections["ubi"] = {**lively.sections["ubi"], "actions": ["purchase"]}
    write_clicks(lively, click("f35", "ann-1", 5))
    assert follow(lively, ubi_of(lively)).written == 0


def test_lists_go_out_to_ubi(lively: Shop) -> None:
    settings = lively.settings()
    log = UbiLog(lively.cluster, settings.ubi, NAMES)
    index = UsersIndex(lively.cluster, settings, NAMES)
    recommender = Recommender(lively.cluster, settings, users=index, ubi=log)
    found = recommender.recommend("ann-3", words="a castle")
    assert found.as_dict()["query_id"] == found.query_id != ""
    recommender.close()
    name = settings.ubi.queries
    indices.refresh(lively.cluster, name)
    answer = lively.cluster.request("POST", f"/{name}/_search", {})
    (hit,) = answer["hits"]["hits"]
    row = hit["_source"]
    assert row["query_id"] == found.query_id
    assert row["query_response_hit_ids"] == found.ids
    assert row["client_id"] == NAMES.of("ann-3")
    assert (row["user_query"], row["object_id_field"]) == ("", "item_id")
    assert "ann-3" not in str(row)
    # what dashboards ask: by attribute, by time, by id
    for query in (
        {"term": {"query_attributes.path": found.path.value}},
        {"range": {"timestamp": {"gte": "now-1h"}}},
        {"term": {"query_response_hit_ids": found.ids[0]}},
    ):
        counted = lively.cluster.request("POST", f"/{name}/_count", {"query": query})
        assert counted["count"] == 1
    # a click against the list comes back as an event of the same user
    write_clicks(lively, click(found.ids[0], row["client_id"], query_id=found.query_id))
    follow(lively, ubi_of(lively))
    assert found.ids[0] in asking(lively).user("ann-3").seen
    events = f"{lively.alias}-events"
    listed = {"query": {"term": {"query_id": found.query_id}}}
    assert lively.cluster.request("POST", f"/{events}/_count", listed)["count"] == 1
    # and all of it is forgotten together
    done = forget(lively.cluster, settings, NAMES, "ann-3")
    assert done.deleted[name] == done.deleted[settings.ubi.events] == 1
    assert done.deleted[events] == 1


def test_lists_for_groups_and_of_related_items_go_out_too(lively: Shop) -> None:
    settings = lively.settings()
    log = UbiLog(lively.cluster, settings.ubi, NAMES)
    index = UsersIndex(lively.cluster, settings, NAMES)
    recommender = Recommender(lively.cluster, settings, users=index, ubi=log)
    shared = recommender.recommend_group(["ann-1", "ann-2"], strategy="fair")
    near = recommender.related("f7")
    recommender.close()
    rows = {
        one.query_id: lively.cluster.request("GET", f"/{settings.ubi.queries}/_doc/{one.query_id}")[
            "_source"
        ]
        for one in (shared, near)
    }
    group, item = rows.values()
    assert shared.as_dict()["query_id"] == group["query_id"]
    assert group["query_response_hit_ids"] == shared.ids
    assert item["query_response_hit_ids"] == near.ids
    told = [row["query_attributes"] for row in (group, item)]
    assert [one["kind"] for one in told] == ["group", "related"]
    assert (told[0]["members"], told[0]["strategy"], told[1]["item"]) == ("2", "fair", "f7")
    # who was in the group is nobody's business
    assert "client_id" not in group
    assert "client_id" not in item
    assert "ann-" not in str(rows)


def test_words_are_written_where_asked_for(lively: Shop) -> None:
    settings = lively.settings(ubi={"store_words": True})
    log = UbiLog(lively.cluster, settings.ubi, NAMES)
    recommender = Recommender(lively.cluster, settings, ubi=log)
    found = recommender.recommend(words="a castle")
    recommender.close()
    row = lively.cluster.request("GET", f"/{settings.ubi.queries}/_doc/{found.query_id}")
    assert row["_source"]["user_query"] == "a castle"
    assert "client_id" not in row["_source"]


def test_a_list_without_a_row_is_better_than_none(
    lively: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    settings = lively.settings(ubi={"queries": "_not_a_name"})
    log = UbiLog(lively.cluster, settings.ubi, NAMES)
    recommender = Recommender(lively.cluster, settings, ubi=log)
    logger = logging.getLogger("seealso")
    # it does not hand on what it gets where the terminal was set up before
    logger.addHandler(caplog.handler)
    try:
        found = recommender.recommend(words="a castle")
        recommender.recommend(words="a castle")
        recommender.close()
    finally:
        logger.removeHandler(caplog.handler)
    assert len(found) == 10
    said = {(one.created, one.getMessage()) for one in caplog.records}
    first, last = (text for _, text in sorted(said))
    assert first.startswith("_not_a_name cannot be written now, rows wait: ")
    assert last == "_not_a_name: 2 rows were not written"
