"""Nobody is named, everybody can be forgotten: keys, deletion, export and logs of users."""

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from seealso.cluster import indices
from seealso.errors import ConfigError
from seealso.indexer.events.store import EventStore
from seealso.indexer.privacy import export_user, forget
from seealso.indexer.users.live import live_users
from seealso.plugin.users_index import UsersIndex
from seealso.readers import LiveEvent, Pseudonyms
from tests.integration.catalogues import Record, Shop, write_lines
from tests.live import START, event, ingested, ingester_of
from tests.members import KEY, NAMES, asking, built, run


def ubi(peopled: Shop) -> None:
    """Write events and UBI rows of two users, as the live events do, or a front end of its own."""
    client = NAMES.of("ann-3")
    ingested(peopled, [event("ann-3", "f1"), event("ann-4", "f1")])
    rows: list[tuple[str, Record]] = [
        ("ubi_events", {"client_id": client, "action_name": "click"}),
        ("ubi_events", {"client_id": "ann-3", "action_name": "click"}),
        ("ubi_events", {"client_id": "ann-33", "action_name": "click"}),
        ("ubi_queries", {"client_id": client, "user_query": "castle"}),
    ]
    keyword = {"type": "keyword"}
    body = {"mappings": {"properties": {"client_id": keyword}}}
    peopled.cluster.request("PUT", "/ubi_events", body)
    for index, row in rows:
        peopled.cluster.request("POST", f"/{index}/_doc", row)


@pytest.fixture
def written(peopled: Shop) -> Iterator[Shop]:
    """A shop with users, events and UBI rows."""
    built(peopled)
    ubi(peopled)
    yield peopled
    for name in (f"{peopled.alias}-events", "ubi_events", "ubi_queries"):
        indices.delete(peopled.cluster, name)


def test_nothing_is_left_of_who_is_forgotten(written: Shop) -> None:
    done = forget(written.cluster, written.settings(), NAMES, "ann-3")
    users = live_users(written.cluster, written.settings(), NAMES).name
    assert done.deleted == {users: 1, f"{written.alias}-events": 1, "ubi_events": 2,
                            "ubi_queries": 1}  # fmt: skip
    assert done.remains == (str(written.events),)
    assert export_user(written.cluster, written.settings(), NAMES, "ann-3").documents == {}
    assert asking(written).user("ann-3").history == ()
    # the others are as they were
    left = export_user(written.cluster, written.settings(), NAMES, "ann-4").counts
    assert left == {users: 1, f"{written.alias}-events": 1}
    assert indices.count(written.cluster, "ubi_events") == 1
    again = forget(written.cluster, written.settings(), NAMES, "ann-3")
    assert again.deleted == {}


def test_all_that_is_held_is_exported(written: Shop) -> None:
    indices.refresh(written.cluster, f"{written.alias}-events,ubi_events,ubi_queries")
    found = export_user(written.cluster, written.settings(), NAMES, "ann-3")
    users = live_users(written.cluster, written.settings(), NAMES).name
    assert found.counts == {users: 1, f"{written.alias}-events": 1, "ubi_events": 2,
                            "ubi_queries": 1}  # fmt: skip
    (document,) = found.documents[users]
    assert document["_id"] == found.pseudonym == NAMES.of("ann-3")
    assert len(document["vector"]) == 128
    assert document["history"][0]["item"] == "f1"
    assert found.documents["ubi_queries"][0]["user_query"] == "castle"


def test_another_key_is_refused(peopled: Shop) -> None:
    other = Pseudonyms(b"another key, just as good")
    first = built(peopled)
    with pytest.raises(ConfigError, match="SEEALSO_USERS_KEY is not the key that") as caught:
        UsersIndex(peopled.cluster, peopled.settings(), other)
    assert KEY not in str(caught.value) + str(caught.value.hint)
    for refused in (export_user, forget):
        with pytest.raises(ConfigError, match="is not the key"):
            refused(peopled.cluster, peopled.settings(), other, "ann-3")
    with pytest.raises(ConfigError, match="is not the key"):
        built(peopled, other)
    assert live_users(peopled.cluster, peopled.settings(), NAMES).name == first.index
    running = asking(peopled)
    assert running.user("ann-3").seen
    again = built(peopled, other, new_key=True)
    # who is asked for is not unknown: the key is wrong by now
    with pytest.raises(ConfigError, match="is not the key"):
        running.user("ann-3")
    assert live_users(peopled.cluster, peopled.settings(), other).name == again.index
    meta = indices.meta(peopled.cluster, again.index)
    assert other.key.decode() not in json.dumps(meta)


@pytest.mark.usefixtures("users_key")
def test_no_log_tells_who_or_what(
    peopled: Shop, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Build, recommend and forget with everything logged, ours and that of every library."""
    words = "zephyrs in a labyrinth"
    file = write_lines(peopled.folder / "users.jsonl", [{"user_id": "ann-3", "likes": "quagmires"}])
    peopled.sections["users"] = {"path": str(file), "enabled": True}
    chosen = {"user_id": "ann-3", "item_id": "f1", "kind": "view", "day": "2024-03-01"}
    live = write_lines(peopled.folder / "live.jsonl", [chosen])
    peopled.sections["neighbours"] = {"share": 0.1}
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "opensearch")
    log = logging.getLogger("seealso")
    before = [*log.handlers], log.propagate, log.level
    log.addHandler(caplog.handler)
    try:
        said = ""
        for command in (
            ("-vv", "users", "build"),
            ("-vv", "users", "update"),
            ("-vv", "recommend", "ann-3", "--words", words, "--attribute", "mood=pensive"),
            ("-vv", "users", "neighbours", "ann-3"),
            ("-vv", "events", "ingest", str(live)),
            ("-vv", "users", "forget", "ann-3", "--yes"),
        ):
            assert run(peopled, *command) == 0
            said += capsys.readouterr().err
    finally:
        log.removeHandler(caplog.handler)
        log.handlers, log.propagate = before[:2]
        log.setLevel(before[2])
        indices.delete(peopled.cluster, f"{peopled.alias}-events")
    logged = "\n".join(record.getMessage() for record in caplog.records) + said
    # there is something to look through
    assert "/_msearch" in logged
    for secret in ("ann-", "zephyr", "labyrinth", "quagmire", "pensive", KEY):
        assert secret not in logged


def test_nobody_takes_events_in_while_somebody_is_forgotten(
    written: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user was read before, and would be written again after."""
    plain, running = EventStore.of_users, []
    pool = ThreadPoolExecutor(1)

    def meanwhile(store: EventStore, users: Sequence[str]) -> dict[str, list[LiveEvent]]:
        found = plain(store, users)
        if not running:
            chosen = written.settings()
            running.append(pool.submit(forget, written.cluster, chosen, NAMES, "ann-3"))
            # it has begun, and waits
            with pytest.raises(TimeoutError):
                running[0].result(timeout=1)
        return found

    monkeypatch.setattr(EventStore, "of_users", meanwhile)
    ingested(written, [event("ann-3", "f2", 5), event("ann-4", "f2", 6)])
    done = running[0].result(timeout=60)
    pool.shutdown()
    assert done.deleted[f"{written.alias}-events"] == 2
    assert export_user(written.cluster, written.settings(), NAMES, "ann-3").documents == {}
    assert "f2" in asking(written).user("ann-4").seen


def test_who_comes_back_is_known_to_whoever_reads_from_then_on(written: Shop) -> None:
    """Not to those who may have read the events before they were forgotten."""
    settings, name = written.settings(), NAMES.of("ann-5")
    before = ingester_of(written)
    forget(written.cluster, settings, NAMES, "ann-5")
    begun_after_one = ingester_of(written)
    back = LiveEvent("back", name, "f2", "view", 1.0, START)
    report = before.ingest([back])
    assert (report.forgotten, report.written) == (1, 0)
    assert export_user(written.cluster, settings, NAMES, "ann-5").documents == {}
    report = ingested(written, [event("ann-5", "f2")])
    assert (report.forgotten, report.written) == (0, 1)
    assert "f2" in asking(written).user("ann-5").seen
    forget(written.cluster, settings, NAMES, "ann-5")
    # forgotten again, after it had begun
    assert begun_after_one.ingest([back]).forgotten == 1
    assert ingested(written, [event("ann-5", "f3")]).written == 1
