"""Events over HTTP: each is written once, a broken one is named, and the next list knows of it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import inf, nan
from typing import Any

import pytest
from fastapi.testclient import TestClient

from seealso.cluster import Cluster, indices
from seealso.indexer.turns import hold_turns
from seealso.plugin.service.app import create_app
from seealso.plugin.service.bodies.changes import MOST_EVENTS
from tests.integration.catalogues import Shop
from tests.integration.services import (
    answered,
    listed,
    problem,
    serving,
    stored,
)
from tests.live import START, ingested
from tests.members import NAMES, asking, built


def sent(client: TestClient, *events: Any) -> dict[str, Any]:
    # as Python writes JSON: also half an emoji, and what is no number
    content, kind = json.dumps({"events": events}), {"content-type": "application/json"}
    return answered(client.post("/v1/events", content=content, headers=kind))


def happened(user: str, item: str, minutes: int = 0, **more: Any) -> dict[str, Any]:
    time = (START + timedelta(minutes=minutes)).isoformat()
    return {"user": user, "item": item, "type": "view", "time": time, **more}


def test_the_next_list_knows_of_an_event(client: TestClient) -> None:
    chosen, *_ = listed(client, "ann-3")
    found = sent(client, happened("ann-3", chosen))
    assert (found["written"], found["repeated"], found["refused"]) == (1, 0, [])
    assert found["degraded"] is None
    assert chosen not in listed(client, "ann-3", size=40)
    assert sent(client, happened("ann-3", chosen))["repeated"] == 1
    # of whom nothing was known, something is
    first = answered(client.post("/v1/recommend", json={"user": "new here"}))
    sent(client, {"user": "new here", "item": chosen})
    then = answered(client.post("/v1/recommend", json={"user": "new here"}))
    assert first["degraded"]
    assert then["degraded"] is None


def test_a_broken_event_is_named_and_keeps_no_other_from_being_written(client: TestClient) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    broken = [
        ({"item": "f1"}, "user", "Field required"),
        ({"user": "a", "item": 7}, "item", "valid string"),
        ({"user": "a", "item": "f1", "usr": "b"}, "usr", "not permitted"),
        ("nonsense", "", "should be an object"),
        (happened("a", " "), "item", "is empty"),
        (happened("a", "f1", time="yesterday"), "time", "is not a time"),
        (happened("a", "f1", time=later), "time", "is in the future"),
        (happened("a", "f1", id="seealso:turns"), "id", "begins with seealso:"),
        (happened("a", "f1", query_id="q" * 513), "query_id", "more than 512 bytes"),
        (happened("a", "f1", value=1e300), "value", "is beyond 1e+15"),
        *((happened("a", "f1", value=one), "value", "finite number") for one in (nan, -inf)),
        *((happened("a", "f1", value=one), "value", "valid number") for one in (True, "2")),
        *((happened(one, "f1"), "user", "is empty") for one in ("", " \t")),
        (happened("half \ud800", "f1"), "user", "half an emoji"),
        *(
            (happened("a", "f1") | {name: "half \ud800"}, name, "half an emoji")
            for name in ("type", "time", "id", "query_id")
        ),
        (happened("a", "half \ud800"), "item", "unicode"),
        (happened("a", "f1", **{"half \ud800": 1}), "", "unicode"),
    ]
    good = [happened("ann-5", "f1"), happened("ann-5", "nowhere"), happened("ann-6", "f1")]
    rows = [good[0], *(one for one, _, _ in broken), *good[1:], {"user": None, "item": "f1"}]
    found = sent(client, *rows)
    assert found["written"] == 4
    assert found["unknown"] == ["nowhere"]
    assert found["nobody"] == 1
    assert [one["event"] for one in found["refused"]] == list(range(1, len(broken) + 1))
    for (_, field, reason), one in zip(broken, found["refused"], strict=True):
        assert one["field"] == field
        assert reason in one["reason"]


def test_of_a_request_without_any_event_nothing_is_written(client: TestClient) -> None:
    rows = [{"item": "f1"}, happened("a", "f1", time="yesterday")]
    found = problem(client.post("/v1/events", json={"events": rows}), 422, "InvalidRequest")
    assert found["detail"].startswith("events: none can be read; the first: user Field required")
    assert [one["event"] for one in found["refused"]] == [0, 1]
    for events in ([], [happened("a", "f1")] * (MOST_EVENTS + 1)):
        problem(client.post("/v1/events", json={"events": events}), 422, "InvalidRequest")


def test_an_event_is_the_same_whichever_way_it_comes(client: TestClient, served: Shop) -> None:
    click = happened("ann-7", "f2", id="click-7", query_id="list-7", value=2.0)
    sent(client, click)
    document = stored(served, "click-7")
    assert (document["user"], document["query_id"]) == (NAMES.of("ann-7"), "list-7")
    found = sent(client, {**click, "item": "f3"})
    assert (found["repeated"], found["differing"]) == (1, ["click-7"])
    assert stored(served, "click-7")["item"] == "f2"
    sent(client, happened("ann-7", "f4", 5))
    line = {"user_id": "ann-7", "item_id": "f4", "kind": "view"}
    again = ingested(served, [{**line, "day": (START + timedelta(minutes=5)).isoformat()}])
    assert (again.written, again.repeated) == (0, 1)


def test_importance_follows_at_once_also_where_lists_do_not(served: Shop) -> None:
    before = served.documents("f30")["f30"]["interactions"]
    with serving(served, users={"enabled": False}) as client:
        found = sent(client, happened("ann-8", "f30"), happened("ann-9", "f30"))
    assert found["degraded"].startswith("users.enabled is off")
    assert served.documents("f30")["f30"]["interactions"] == before + 2


def test_what_is_missing_is_a_problem_that_says_so(
    served: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"events": [happened("ann-8", "f1")]}
    with serving(served) as client:
        with monkeypatch.context() as patch:
            patch.delenv("SEEALSO_USERS_KEY")
            found = problem(client.post("/v1/events", json=body), 500, "ConfigError")
            assert "SEEALSO_USERS_KEY is not set" in found["detail"]
            patch.setenv("SEEALSO_USERS_KEY", "another key, just as good")
            problem(client.post("/v1/events", json=body), 500, "ConfigError")
        # it is looked for again with the next events
        answered(client.post("/v1/events", json=body))
        indices.delete(served.cluster, f"{served.alias}-events")
        problem(client.post("/v1/events", json=body), 503, "PartialAnswer")
        assert answered(client.post("/v1/events", json=body))["written"] == 1
    settings = served.settings(index={"alias": f"{served.alias}-other"})
    unbuilt = asking(served)
    unbuilt._settings = settings
    with TestClient(create_app(unbuilt), raise_server_exceptions=False) as client:
        found = problem(client.post("/v1/events", json=body), 502, "ClusterError")
        assert "no index was built yet" in found["detail"]


def test_events_for_a_cluster_that_is_gone_come_back_later(
    served: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = asking(served)
    # no node listens at port 9: what a stopped one looks like
    monkeypatch.setattr(recommender, "_patient", Cluster("http://127.0.0.1:9"))
    with TestClient(create_app(recommender), raise_server_exceptions=False) as client:
        started = time.monotonic()
        refused = client.post("/v1/events", json={"events": [happened("ann-8", "f1")]})
        problem(refused, 503, "Unavailable")
        assert refused.headers["retry-after"]
        # a load would try for six seconds
        assert time.monotonic() - started < 5
        assert listed(client, "ann-8")


def test_while_a_user_is_being_forgotten_events_come_back_later(
    client: TestClient, served: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seealso.indexer.events.records.PATIENCE_SECONDS", 0.1)
    sent(client, happened("ann-9", "f1"))
    body = {"events": [happened("ann-9", "f2")]}
    with hold_turns(served.cluster, f"{served.alias}-events", NAMES.of("ann-10")):
        refused = client.post("/v1/events", json=body)
    assert "is being forgotten" in problem(refused, 409, "Busy")["detail"]
    assert refused.headers["retry-after"] == "1"
    # whoever comes back is a user like any other: the request came after that
    assert sent(client, happened("ann-10", "f2"))["written"] == 1


def test_requests_at_once_and_a_build_between_lose_and_repeat_nothing(
    client: TestClient, served: Shop
) -> None:
    before = served.documents("f20")["f20"]["interactions"]
    users, rounds = [f"at-once-{number}" for number in range(6)], 4

    def send(user: str) -> list[int]:
        done = []
        for minute in range(rounds):
            event = happened(user, "f20", minute, type=f"kind {minute}")
            # each twice, as after an answer that was lost
            found = [client.post("/v1/events", json={"events": [event]}) for _ in range(2)]
            done += [answered(one)["written"] for one in found]
        return done

    with ThreadPoolExecutor(len(users)) as pool:
        running = [pool.submit(send, user) for user in users]
        served.build()
        built(served)
        assert [one.result() for one in running] == [[1, 0] * rounds] * len(users)
    # what was written to the index before is in the one that is live now, or follows
    sent(client, happened("at-once-0", "f21"))
    assert served.documents("f20")["f20"]["interactions"] == before + len(users) * rounds
    for user in users:
        assert "f20" not in listed(client, user, size=40)


def test_keys_and_numbers(served: Shop) -> None:
    keys = [
        {"name": name, "sha256": sha256(name.encode()).hexdigest(), "scopes": [name]}
        for name in ("read", "events")
    ]
    body = {"events": [happened("ann-11", "f1"), happened("ann-11", "f1"), {"user": "a"}]}
    with serving(served, service={"keys": keys}) as client:
        headers = {name: {"Authorization": f"Bearer {name}"} for name in ("read", "events")}
        problem(client.post("/v1/events", json=body, headers=headers["read"]), 403, "Forbidden")
        answered(client.post("/v1/events", json=body, headers=headers["events"]))
        text = client.get("/metrics", headers=headers["read"]).text
        described = client.get("/openapi.json").json()["paths"]
    for outcome in ("written", "repeated", "refused"):
        assert f'seealso_events_total{{outcome="{outcome}"}} 1.0' in text
    assert described["/v1/events"]["post"]["security"] == [{"HTTPBearer": ["events"]}]


def test_an_event_that_is_no_sign_of_liking_is_said(served: Shop) -> None:
    with serving(served, events={**served.sections["events"], "positive": 4.0}) as rating:
        found = sent(rating, happened("ann-9", "f1"), happened("ann-9", "f2", value=5.0))
    assert found["degraded"] == "1 of them are below events.positive (4): seen, not liked"
