"""Items and users over HTTP: written, deleted, exported and forgotten in the live index."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from seealso.cluster import indices
from seealso.decoding import NO_TEXT
from seealso.encoder import Encoder
from seealso.indexer import items as changing
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import live_index
from seealso.indexer.verify import verify
from tests.integration.catalogues import Record, Shop, films
from tests.integration.services import answered, listed, problem, serving
from tests.live import event, ingested
from tests.members import FILMS, NAMES, built


@pytest.fixture
def whole(served: Shop) -> Iterator[Shop]:
    """The shop with the items of its catalogue alone, before and after."""
    yield served
    served.build()
    built(served)


def upserted(client: TestClient, *rows: Any) -> dict[str, Any]:
    return answered(client.post("/v1/items", json={"items": rows}))


def film(number: int, **more: Any) -> Record:
    return {**films(1, start=number)[0], **more}


def deleted(client: TestClient, *ids: str, **more: Any) -> httpx.Response:
    return client.request("DELETE", "/v1/items", json={"ids": ids, **more})


def test_items_are_written_as_a_build_writes_them(client: TestClient, whole: Shop) -> None:
    # 4 events of the build, and two since
    ingested(whole, [event("ann-1", "f3"), event("ann-2", "f3")])
    before = whole.documents("f3", "f4")
    rows = [film(3, title="Another title"), film(4), film(900), film(901)]
    found = upserted(client, *rows)
    assert (found["written"], found["unchanged"], found["refused"]) == (3, 1, [])
    assert (found["left_out"], found["ignored"], found["index"]) == ([], [], whole.live)
    after = whole.documents("f3", "f4", "f900")
    assert after["f4"] == before["f4"]
    assert after["f3"]["title"] == "Another title"
    # what behaviour has told of the item stays
    for name in ("importance", "interactions", "tail", "counted"):
        assert after["f3"][name] == before["f3"][name]
    live = live_index(whole.cluster, whole.settings())
    (vector,) = Encoder(live.bundle).encode_items([after["f3"]["text"]])
    stored = np.array(after["f3"]["vector"])
    assert stored @ vector / np.linalg.norm(stored) > 0.999
    assert np.linalg.norm(stored) == pytest.approx(after["f3"]["importance"], abs=1e-4)
    # the index says of itself what is there, and the service knows of it at once
    encoder = Encoder(live.bundle)
    assert verify(whole.cluster, live.name, encoder, whole.settings()).documents == FILMS + 2
    assert answered(client.post("/v1/related/f900"))["items"]
    # events that came before their item count from now on, and again after more of them
    ingested(whole, [event("ann-1", "f902", 1)])
    upserted(client, film(902))
    assert whole.documents("f902")["f902"]["interactions"] == 1
    ingested(whole, [event("ann-2", "f902", 2), event("ann-1", "f3", 3)])
    counted = {key: one["interactions"] for key, one in whole.documents("f3", "f902").items()}
    assert counted == {"f3": before["f3"]["interactions"] + 1, "f902": 2}


def test_an_event_that_comes_just_before_its_item_counts(
    client: TestClient, whole: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingested(whole, [event("ann-1", "f3")])
    add_up = changing.sum_gains

    def wait(*arguments: Any) -> Any:
        found = add_up(*arguments)
        assert ingested(whole, [event("ann-1", "f950")]).unknown == 1
        return found

    with monkeypatch.context() as patch:
        patch.setattr(changing, "sum_gains", wait)
        upserted(client, film(950))
    assert whole.documents("f950")["f950"]["interactions"] == 1


def test_a_changed_item_is_in_the_next_list_as_it_is_now(client: TestClient, whole: Shop) -> None:
    filters = [{"term": {"kind": "documentary"}}]
    assert listed(client, "ann-3", filters=filters) == []
    upserted(client, film(910, kind="documentary"))
    assert listed(client, "ann-3", filters=filters) == ["f910"]
    assert answered(deleted(client, "f910")) == {"index": whole.live, "deleted": 1, "absent": []}
    assert listed(client, "ann-3", filters=filters) == []


def test_broken_rows_and_values_are_named_and_the_others_written(
    client: TestClient, whole: Shop
) -> None:
    rows = [film(920), {"title": "no id"}, "nonsense", film(921, price="a lot"), film(920)]
    rows += [film(922, item_id="x" * 513), film(923, title="", description=""), film(924, prize=3)]
    # mended, the ids of two items would be one
    halves = [film(925, item_id="f\ud83d"), film(926, item_id="f\ud83e")]
    rows += [*halves, film(927, title="half \ud83d"), film(928, **{"\ud83d": 1})]
    json_ = {"content-type": "application/json"}
    body = json.dumps({"items": rows})
    found = answered(client.post("/v1/items", content=body, headers=json_))
    assert found["written"] == 5
    refused = [(one["item"], one["field"], one["reason"]) for one in found["refused"]]
    assert refused[0] == (1, "item_id", "is missing: the row has no such column")
    assert refused[1][0] == 2
    assert refused[2] == (4, "item_id", "'f920' already exists, on item 0")
    assert refused[3][:2] == (5, "item_id")
    assert [(place, field) for place, field, _ in refused[4:]] == [
        (8, "item_id"),
        (9, "item_id"),
        (10, "title"),
    ]
    assert {reason for _, _, reason in refused[4:]} == {NO_TEXT}
    (left_out,) = found["left_out"]
    assert (left_out["item"], left_out["field"]) == (3, "price")
    assert found["ignored"] == ["prize", "\ufffd"]
    documents = whole.documents("f920", "f921", "f923")
    assert documents["f920"]["title"] == film(920)["title"]
    assert "price" not in documents["f921"]
    assert "vector" not in documents["f923"]
    assert found["notes"] == ["items: 1 without a text, and so without a vector: f923"]
    rows = [{"title": "no id"}, {}]
    none = problem(client.post("/v1/items", json={"items": rows}), 422, "InvalidRequest")
    assert none["detail"].startswith("items: none can be read; the first: item_id is missing")
    assert [one["item"] for one in none["refused"]] == [0, 1]


def test_a_row_means_the_same_whatever_other_rows_come_with_it(whole: Shop) -> None:
    columns = {"rename": {"movie": "item_id"}, "lists": {"kind": "|"}}
    texts = {"movie": "f963", "title": {"en": "an object"}}
    rows = [
        {"movie": "f960", "title": "split", "kind": "Comedy|Drama"},
        {"movie": "f961", "title": "as it is", "kind": ["Comedy", "Drama"]},
        {"movie": "f962", "titel": "misspelt"},
        texts,
        {"movie": True, "title": "no id"},
        {"item_id": "f965", "title": "id of another name"},
    ]
    with serving(whole, catalogue=columns) as client:
        alone = upserted(client, texts)
        body = json.dumps({"items": [*rows, {"movie": 966, "title": 1e400}]})
        json_ = {"content-type": "application/json"}
        found = answered(client.post("/v1/items", content=body, headers=json_))
    (lost, infinite) = found["left_out"]
    assert [{**lost, "item": 0}] == alone["left_out"]
    assert (infinite["item"], infinite["field"]) == (6, "title")
    refused = [(one["item"], one["field"], one["reason"][:8]) for one in found["refused"]]
    assert refused == [(2, "title", "is not t"), (4, "movie", "is neith"), (5, "movie", "is missi")]
    documents = whole.documents("f960", "f961", "f962", "f963", "966")
    assert documents.keys() == {"f960", "f961", "f963", "966"}
    assert documents["f960"]["kind"] == documents["f961"]["kind"] == ["Comedy", "Drama"]


def test_more_than_a_little_is_deleted_only_where_it_is_allowed(
    client: TestClient, whole: Shop
) -> None:
    many = [f"f{number}" for number in range(11)]
    refused = problem(deleted(client, *many), 422, "DataError")
    assert "11 of 40 items would be deleted, more than 5%" in refused["detail"]
    assert "allow" in refused["hint"]
    half, kind = json.dumps({"ids": ["f1", "f\ud83d"]}), {"content-type": "application/json"}
    refused = problem(
        client.request("DELETE", "/v1/items", content=half, headers=kind), 422, "InvalidRequest"
    )
    assert refused["detail"] == f"ids.1: {NO_TEXT}"
    assert indices.count(whole.cluster, whole.alias) == FILMS
    found = answered(deleted(client, *many, "nowhere", allow=True))
    assert (found["deleted"], found["absent"]) == (11, ["nowhere"])
    assert client.delete("/v1/items/f11").status_code == 200
    gone = problem(client.delete("/v1/items/f11"), 404, "DataError")
    assert "does not hold item 'f11'" in gone["detail"]
    live = live_index(whole.cluster, whole.settings())
    encoder = Encoder(live.bundle)
    assert verify(whole.cluster, live.name, encoder, whole.settings()).documents == FILMS - 12


def test_a_build_comes_first_and_requests_wait_for_each_other(
    client: TestClient, whole: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as two workers do: each has a service of its own
    with serving(whole) as other, ThreadPoolExecutor() as pool:
        both = (client, other)
        found = list(
            pool.map(lambda number: upserted(both[number % 2], film(number)), range(930, 936))
        )
    assert [one["written"] for one in found] == [1] * 6
    monkeypatch.setattr(changing, "PATIENCE_SECONDS", 0.0)
    with build_lock(whole.cluster, whole.alias):
        for refused in (
            client.post("/v1/items", json={"items": [film(930)]}),
            deleted(client, "f1"),
        ):
            busy = problem(refused, 409, "Busy")
            assert "another build or update is running" in busy["detail"]
            assert refused.headers["retry-after"] == "1"
    with ThreadPoolExecutor() as pool:
        rows = {"items": [film(940)]}
        codes = list(pool.map(lambda _: client.post("/v1/items", json=rows).status_code, range(4)))
    assert set(codes) == {200, 409}


def test_an_expression_is_computed_from_the_row_and_the_events(whole: Shop) -> None:
    expression = {"kind": "expression", "expression": "price + interactions"}
    whole.build(importance=expression)
    before = whole.documents("f5", "f6")
    with serving(whole, importance=expression, users={"enabled": False}) as client:
        upserted(client, film(5, title="Another title"), film(6, price=before["f5"]["price"] + 40))
    after = whole.documents("f5", "f6")
    assert after["f5"]["importance"] == pytest.approx(before["f5"]["importance"])
    assert after["f6"]["importance"] > before["f6"]["importance"]


def test_a_user_is_exported_and_forgotten(client: TestClient, served: Shop) -> None:
    answered(client.post("/v1/events", json={"events": [{"user": "a/b c", "item": "f1"}]}))
    found = answered(client.get("/v1/users/a%2Fb%20c"))
    assert found["pseudonym"] == NAMES.of("a/b c")
    assert {name.rsplit("-", 3)[0] for name in found["documents"]} >= {f"{served.alias}-users"}
    assert sum(map(len, found["documents"].values())) == 2
    done = answered(client.delete("/v1/users/a%2Fb%20c"))
    assert done["deleted"].keys() == found["documents"].keys()
    assert done["remains"] == [str(served.events)]
    assert answered(client.get("/v1/users/a%2Fb%20c"))["documents"] == {}
    assert answered(client.delete("/v1/users/a%2Fb%20c"))["deleted"] == {}


def test_blanks_around_an_id_mean_nothing_wherever_it_comes(client: TestClient) -> None:
    event = {"user": " spacey ", "item": " f2"}
    answered(client.post("/v1/events", json={"events": [event]}))
    spaced = {"user": "spacey\t", "exclude": [" f3"], "size": 40}
    ids = [one["item_id"] for one in answered(client.post("/v1/recommend", json=spaced))["items"]]
    assert not {"f2", "f3"} & {*ids}
    assert answered(client.post("/v1/related/%20f2"))["items"]
    kept = answered(client.get("/v1/users/spacey"))["documents"]
    done = answered(client.delete("/v1/users/%20spacey%20"))
    assert done["deleted"].keys() == kept.keys()
    assert kept
    assert answered(client.get("/v1/users/spacey%0A"))["documents"] == {}
    assert client.delete("/v1/users/%20").status_code == 422


def test_no_user_is_not_a_user(client: TestClient) -> None:
    for call in (client.get, client.delete):
        for name in ("", "%20"):
            assert "user_id" in problem(call(f"/v1/users/{name}"), 422, "DataError")["detail"]


def test_only_an_admin_changes_items_and_sees_what_is_kept(
    served: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        {"name": name, "sha256": sha256(name.encode()).hexdigest(), "scopes": [name]}
        for name in ("read", "events", "admin")
    ]
    asked = [
        ("POST", "/v1/items", {"items": [film(1)]}),
        ("DELETE", "/v1/items", {"ids": ["nowhere"]}),
        ("DELETE", "/v1/items/nowhere", None),
        ("GET", "/v1/users/ann-20", None),
        ("DELETE", "/v1/users/nobody", None),
    ]
    with serving(served, service={"keys": keys}) as client:
        for method, address, body in asked:
            for key, codes in (("read", {403}), ("events", {403}), ("admin", {200, 404})):
                headers = {"Authorization": f"Bearer {key}"}
                answer = client.request(method, address, json=body, headers=headers)
                assert answer.status_code in codes, answer.text
        admin = {"Authorization": "Bearer admin"}
        monkeypatch.delenv("SEEALSO_USERS_KEY")
        problem(client.get("/v1/users/ann-20", headers=admin), 500, "ConfigError")
