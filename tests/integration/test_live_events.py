"""Live events: kept once each; lists and importance follow; any order and any repetition."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest

from seealso.cluster import indices, scan
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.creation import create_index
from seealso.indexer.events.ingest import IngestReport
from seealso.indexer.events.store import EventStore, events_body, events_name
from seealso.indexer.privacy import export_user, forget
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import update
from seealso.readers.live.reader import RESERVED
from tests.bundles import ROOT
from tests.integration.catalogues import Record, Shop, films
from tests.live import START, event, forgotten, ingested, ingester_of
from tests.members import FILMS, NAMES, asking, built, choices, documents


@pytest.fixture
def lively(peopled: Shop) -> Iterator[Shop]:
    """A shop with a users index, whose events go when the test ends."""
    built(peopled)
    yield peopled
    forgotten(peopled)


def numbers(shop: Shop, *items: str) -> dict[str, tuple[float, int, bool]]:
    return {
        key: (one["importance"], one["interactions"], one["tail"])
        for key, one in shop.documents(*items).items()
    }


def state(shop: Shop) -> dict[str, Record]:
    """Return all that follows from events, apart from when it was written."""
    found: dict[str, Record] = {}
    for index in (shop.alias, f"{shop.alias}-users", events_name(shop.alias)):
        indices.refresh(shop.cluster, index)
        hidden = {"excludes": ["updated_at", "ingested_at"]}
        for hits in scan(shop.cluster, index, source=hidden):
            for hit in hits:
                # what is no event stands beside them
                if not hit["_id"].startswith(RESERVED):
                    found[f"{index} {hit['_id']}"] = hit["_source"]
    return found


def alike(one: dict[str, Record], other: dict[str, Record]) -> bool:
    """Compare two states; vectors as floats that were scaled in another order."""
    assert one.keys() == other.keys()
    for key, fields in one.items():
        rest = dict(other[key])
        vector, second = fields.get("vector"), rest.pop("vector", None)
        assert rounded({k: v for k, v in fields.items() if k != "vector"}) == rounded(rest), key
        if vector is not None:
            np.testing.assert_allclose(vector, second, atol=1e-5)
    return True


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def test_the_next_list_reflects_an_event(lively: Shop) -> None:
    before = asking(lively).recommend("ann-3")
    chosen = before.ids[0]
    done = ingested(lively, [event("ann-3", chosen)])
    assert (done.written, done.users, done.new_users, done.items) == (1, 1, 0, 1)
    after = asking(lively).recommend("ann-3")
    assert chosen not in after.ids
    known = asking(lively).user("ann-3")
    assert (known.history[0].item_id, known.history[0].type) == (chosen, "view")
    assert chosen in known.seen
    stored = documents(lively, "ann-3")["ann-3"]
    assert stored["latest"][0] == chosen
    # the vector is what a query would ask with
    expected = sum(
        0.8**age * (v := lively.vector(one.item_id)) / np.linalg.norm(v)
        for age, one in enumerate(known.history)
    )
    unit = expected / np.linalg.norm(expected)
    assert np.array(stored["vector"]) @ unit == pytest.approx(1, abs=1e-5)


def test_somebody_new_gets_a_list(lively: Shop) -> None:
    assert asking(lively).recommend("newcomer").note != ""
    done = ingested(lively, [event("newcomer", "f5"), event("newcomer", "f13", 1)])
    assert (done.users, done.new_users) == (1, 1)
    found = asking(lively).recommend("newcomer")
    assert found.note == ""
    assert found[0].probability is not None
    raw = lively.cluster.request("POST", f"/{events_name(lively.alias)}/_search", {"size": 10})
    assert "newcomer" not in str(raw)


def test_importance_follows(lively: Shop) -> None:
    (before,) = numbers(lively, "f7").values()
    others = numbers(lively, "f8", "f6")
    length = np.linalg.norm(lively.vector("f7"))
    assert length == pytest.approx(before[0], abs=1e-5)
    ingested(lively, [event(f"bob-{n}", "f7", n) for n in range(5)])
    (after,) = numbers(lively, "f7").values()
    assert after[1] == before[1] + 5
    assert after[0] > before[0]
    assert np.linalg.norm(lively.vector("f7")) == pytest.approx(after[0], abs=1e-5)
    # what the build would have counted, on the scale of the build
    meta = indices.meta(lively.cluster, str(lively.live))["importance"]
    reference = np.log1p(meta["reference"])
    expected = 0.5 + 1.5 * min(np.log1p(before[1] + 5) / reference, 1.0)
    assert after[0] == pytest.approx(expected, abs=1e-6)
    assert numbers(lively, "f8", "f6") == others


def test_events_come_twice_late_and_in_any_order(lively: Shop) -> None:
    records = [event(f"ann-{n % 6}", f"f{(5 * n) % 40}", n) for n in range(30)]
    ingested(lively, records)
    wanted = state(lively)
    again = ingested(lively, records)
    assert (again.written, again.repeated, again.users, again.items) == (0, 30, 0, 0)
    assert alike(wanted, state(lively))
    forgotten(lively)
    lively.build()
    built(lively)
    shuffled = random.Random(7).sample(records * 2, 60)
    for start in range(0, 60, 7):
        ingested(lively, shuffled[start : start + 7])
    assert alike(wanted, state(lively))


def test_the_first_of_two_under_one_id_wins(lively: Shop) -> None:
    own = {"live": {"id": "key"}}
    first = event("ann-1", "f30", key="e-1")
    assert ingested(lively, [first], **own).written == 1
    other = event("ann-1", "f31", key="e-1")
    done = ingested(lively, [other, event("ann-1", "f32", key="e-2")], **own)
    assert (done.written, done.repeated, done.differing, done.differing_ids) == (1, 1, 1, ("e-1",))
    seen = asking(lively).user("ann-1").seen
    assert {"f30", "f32"} < seen
    assert "f31" not in seen


def test_events_of_an_earlier_version_get_the_field_of_lists(lively: Shop) -> None:
    settings, name = lively.settings(), events_name(lively.alias)
    body = events_body(settings.index, NAMES)
    del body["mappings"]["properties"]["query_id"]
    create_index(lively.cluster, name, body)
    assert EventStore.open(lively.cluster, settings, NAMES).name == name
    mapping = lively.cluster.request("GET", f"/{name}/_mapping")[name]["mappings"]
    assert mapping["properties"]["query_id"] == {"type": "keyword"}


def test_an_unknown_item_is_kept_and_told(lively: Shop) -> None:
    done = ingested(lively, [event("ann-1", "nowhere"), event("ann-1", "f33", 1)])
    assert (done.written, done.items, done.unknown) == (2, 1, 1)
    assert done.unknown_items == ("nowhere",)
    assert len(asking(lively).recommend("ann-1")) == 10


def test_an_event_older_than_the_build_counts_for_its_user_only(lively: Shop) -> None:
    before = numbers(lively, "f35")
    done = ingested(lively, [event("ann-1", "f35", day="2023-12-01T00:00:00Z")])
    assert (done.users, done.items) == (1, 0)
    assert numbers(lively, "f35") == before
    assert asking(lively).user("ann-1").history[-1].item_id == "f35"


def test_decay_runs_forward(lively: Shop) -> None:
    lively.sections["importance"] = {"half_life_days": 1.0}
    lively.build()
    meta = indices.meta(lively.cluster, str(lively.live))["importance"]
    (before,) = numbers(lively, "f9").values()
    # the newest event of the shop is from 4 January
    ingested(lively, [event("bob", "f9", day="2024-01-06T00:00:00Z")])
    (after,) = numbers(lively, "f9").values()
    reference = np.log1p(meta["reference"])
    score = np.expm1((before[0] - 0.5) / 1.5 * reference) + 4
    assert after[0] == pytest.approx(min(0.5 + 1.5 * np.log1p(score) / reference, 2.0), abs=1e-6)


def test_an_index_that_was_built_meanwhile_catches_up(lively: Shop) -> None:
    records = [event(f"bob-{n}", "f7", n) for n in range(4)]
    ingested(lively, records)
    wanted = numbers(lively, "f7")
    lively.build()
    assert numbers(lively, "f7") != wanted
    done = ingester_of(lively).catch_up()
    assert done.items == 1
    assert numbers(lively, "f7") == wanted
    assert ingester_of(lively).catch_up() == IngestReport()
    settings = lively.settings()
    refresh_importance(lively.cluster, settings, lively.inputs())
    assert "counted" not in lively.documents("f7")["f7"]
    ingester_of(lively).catch_up()
    assert numbers(lively, "f7") == wanted


def test_an_update_leaves_later_events_of_the_file_to_the_live_ones(lively: Shop) -> None:
    before = numbers(lively, "f7")["f7"]
    records = [event("bob", "f7"), event("eve", "f7", 1)]
    ingested(lively, records)
    wanted = numbers(lively, "f7")
    assert wanted["f7"][1] == before[1] + 2
    # the file has caught up with what came in live, and the item is written again
    stock = films(FILMS)
    stock[7]["title"] = "Another title altogether"
    lively.stock(stock, [*choices(), *records])
    done = update(lively.cluster, lively.settings(), lively.inputs())
    assert done.written == 1
    assert numbers(lively, "f7")["f7"][1] == before[1]
    ingester_of(lively).catch_up()
    assert numbers(lively, "f7") == wanted


def test_an_importance_refresh_meets_what_was_taken_in_a_moment_ago(lively: Shop) -> None:
    before = numbers(lively, "f7")
    unseen = {"index": {"refresh_interval": "-1"}}
    lively.cluster.request("PUT", f"/{lively.live}/_settings", unseen)
    ingested(lively, [event("bob", "f7")])
    assert numbers(lively, "f7") != before
    refresh_importance(lively.cluster, lively.settings(), lively.inputs())
    assert numbers(lively, "f7") == before
    assert "counted" not in lively.documents("f7")["f7"]


def test_users_that_were_built_meanwhile_catch_up(lively: Shop) -> None:
    ingested(lively, [event("ann-3", "f30"), event("newcomer", "f31")])
    built(lively)
    ingester_of(lively).catch_up()
    assert documents(lively, "ann-3")["ann-3"]["latest"][0] == "f30"
    assert documents(lively, "newcomer")["newcomer"]["latest"] == ["f31"]


def test_who_is_forgotten_leaves_no_event(lively: Shop) -> None:
    ingested(lively, [event("ann-3", "f30"), event("ann-4", "f30", 1)])
    done = forget(lively.cluster, lively.settings(), NAMES, "ann-3")
    assert done.deleted[events_name(lively.alias)] == 1
    assert asking(lively).user("ann-3").seen == frozenset()
    ingested(lively, [event("ann-4", "f31", 2)])
    assert documents(lively, "ann-3") == {}


def test_without_a_users_index(peopled: Shop) -> None:
    with pytest.raises(ClusterError, match="no users index was built yet") as caught:
        ingested(peopled, [event("ann-3", "f30")])
    assert caught.value.hint == "run `seealso users build`"
    assert not peopled.cluster.exists(f"/{events_name(peopled.alias)}")


def test_one_user_counts_for_one_item_up_to_a_limit(lively: Shop) -> None:
    index = str(lively.live)
    fitted = indices.meta(lively.cluster, index)["importance"]
    limited = {**fitted, "per_user": 3, "weights": {"look": 0, "buy": 2}, "half_life_days": 30.0}
    indices.put_meta(lively.cluster, index, {"importance": limited})
    before = numbers(lively, "f7")["f7"]
    robot = [event("robot", "f7", n, kind="view") for n in range(20)]
    bought = [event("robot", "f7", n, kind="buy") for n in range(5)]
    looked = [event("robot", "f7", n, kind="look") for n in range(5)]
    nobody = [event("", "f7", n) for n in range(4)]
    ingested(lively, [*robot, *bought, *looked, *nobody])
    after = numbers(lively, "f7")["f7"]
    assert after[1] == before[1] + 3 + 3 + 4
    # the newest of each type count, decayed by the time since the build
    since = datetime.fromisoformat(fitted["as_of"])
    times = [*((2, n) for n in (2, 3, 4)), *((1, n) for n in (17, 18, 19)),
             *((1, n) for n in range(4))]  # fmt: skip
    gained = sum(
        weight * 2 ** ((START + timedelta(minutes=n) - since) / timedelta(days=30))
        for weight, n in times
    )
    reference = np.log1p(fitted["reference"])
    score = np.expm1((before[0] - 0.5) / 1.5 * reference) + gained
    assert after[0] == pytest.approx(min(0.5 + 1.5 * np.log1p(score) / reference, 2.0), abs=1e-5)
    assert "" not in documents(lively, "")


def test_an_event_within_the_second_of_the_newest_counts(lively: Shop) -> None:
    before = numbers(lively, "f7")["f7"]
    days = ["2024-01-04T00:00:00.000001Z", "2024-01-04T00:00:00.500Z", "2024-01-04T00:00:00Z"]
    ingested(lively, [event("bob", "f7", day=day) for day in days])
    # the last is from the very moment of the newest event that the build counted
    assert numbers(lively, "f7")["f7"][1] == before[1] + 2


def test_old_events_go_once_they_are_counted(lively: Shop) -> None:
    kept = {"live": {"keep_days": 30}}
    now = datetime.now(UTC).isoformat()
    old = [event("bob", "f7", n) for n in range(3)]
    ingested(lively, [*old, event("bob", "f8", day=now)])
    # no index has counted them
    assert ingester_of(lively, **kept).catch_up().expired == 0
    lively.stock(films(FILMS), [*choices(), *old])
    refresh_importance(lively.cluster, lively.settings(), lively.inputs())
    ingester = ingester_of(lively, **kept)
    ingester.catch_up()
    wanted = numbers(lively, "f7", "f8")
    assert ingester.catch_up().expired == 3
    left = export_user(lively.cluster, lively.settings(), NAMES, "bob")
    assert [one["item"] for one in left.documents[events_name(lively.alias)]] == ["f8"]
    # nothing follows from that
    ingested(lively, [event("bob", "f8", day=now), event("bob", "f9", day=now)], **kept)
    assert numbers(lively, "f7", "f8") == wanted
    assert {"f7", "f8", "f9"} <= asking(lively).user("bob").seen


def test_an_index_of_somebody_else_is_not_taken_for_ours(lively: Shop) -> None:
    name = events_name(lively.alias)
    lively.cluster.request(
        "POST", f"/{name}/_doc", {"user": NAMES.of("ann-1")}, {"refresh": "true"}
    )
    with pytest.raises(MappingMismatch, match=f"{name}: was not made by seealso") as caught:
        ingested(lively, [event("ann-1", "f30")])
    assert caught.value.hint == "set another index.alias, or give that index another name"
    # and all that does not need it works beside it
    update(lively.cluster, lively.settings(), lively.inputs())
    forget(lively.cluster, lively.settings(), NAMES, "ann-1")
    assert indices.count(lively.cluster, name) == 1


def test_events_of_version_0_1_are_renewed_as_the_docs_say(lively: Shop) -> None:
    ingested(lively, [event("bob", "f7", day=f"2024-02-01T00:00:0{n}.000007Z") for n in range(3)])
    wanted, name = numbers(lively, "f7"), events_name(lively.alias)
    mappings = lively.cluster.request("GET", f"/{name}")[name]["mappings"]
    del mappings["properties"]["micros"]
    events = kept_events(lively)
    indices.delete(lively.cluster, name)
    lively.cluster.request("PUT", f"/{name}", {"mappings": mappings})
    for key, row in events.items():
        old = {field: value for field, value in row.items() if field != "micros"}
        lively.cluster.request("PUT", f"/{name}/_doc/{key}", old, {"refresh": "true"})
    with pytest.raises(MappingMismatch, match=r"was made by seealso 0\.1") as caught:
        ingested(lively, [event("bob", "f8")])
    title = str(caught.value.hint).split('"')[1]
    page = (ROOT / "docs" / "how-to" / "live-events.md").read_text(encoding="utf-8")
    section = page.partition(f"### {title}\n")[2].partition("\n## ")[0].replace("\\\n", "")
    requests = re.findall(
        r"curl -X (\w+) \"\$URL/shop-events([^\"?]+)(?:\?refresh)?\".*-d '(.*)'", section
    )
    assert len(requests) == 2
    for method, path, body in requests:
        lively.cluster.request(method, f"/{name}{path}", orjson.loads(body))
    indices.refresh(lively.cluster, name)
    assert kept_events(lively) == events
    ingested(lively, [event("bob", "f8")])
    assert numbers(lively, "f7") == wanted


def kept_events(shop: Shop) -> dict[str, Record]:
    return {
        hit["_id"]: hit["_source"]
        for hits in scan(shop.cluster, events_name(shop.alias))
        for hit in hits
        if "item" in hit["_source"]
    }
