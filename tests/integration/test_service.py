"""The service over a real index: every address answers what the library answers, or a problem."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from socket import IPPROTO_TCP, create_connection
from threading import Event
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from opensearchpy import Transport

from seealso.cli.main import cli
from seealso.cluster import Cluster
from seealso.errors import BundleError, ConfigError, TemplateError
from seealso.plugin import Recommender
from seealso.plugin.service import limits
from seealso.plugin.service.app import create_app
from seealso.plugin.service.bodies.lists import MOST_USERS
from seealso.plugin.service.limits import LARGEST_BODY
from seealso.plugin.service.problems import status_of
from seealso.plugin.service.server import listen
from tests.library import TEXTLESS, Library
from tests.services import running


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    """Asks the service over the library."""
    with TestClient(create_app(library.recommender()), raise_server_exceptions=False) as made:
        yield made


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem that an answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["code"] == code
    assert found["detail"]
    return found


def ids(answer: httpx.Response) -> list[str]:
    """Return the items of a list, which says how it was made."""
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {"query_id", "index", "bundle", "took_ms", "degraded", "path"} <= found.keys()
    assert found["took_ms"]["total"] > 0
    return [one["item_id"] for one in found["items"]]


def test_a_list_is_that_of_the_library(client: TestClient, recommender: Recommender) -> None:
    whole = client.post("/v1/recommend", json={"user": "u1"})
    assert ids(whole) == recommender.recommend("u1").ids
    assert whole.json()["degraded"] is None
    assert whole.json()["index"] == recommender.live.name
    assert whole.json()["bundle"] == recommender.live.fingerprint
    body: dict[str, Any] = {
        "history": ["b3", "b7"],
        "words": 'a "castle" {{x}}',
        "size": 4,
        "tail_share": 0.0,
        "diversity": 0.5,
        "fields": ["title"],
        "filters": [{"range": {"year": {"gte": 1910}}}],
        "rules": [{"do": "exclude", "field": "kind", "values": ["poetry"]}],
    }
    found = client.post("/v1/recommend", json={**body, "explain": True})
    assert ids(found) == recommender.recommend(**body).ids
    assert len(ids(found)) == 4
    reasons = found.json()["reasons"]
    assert [one["item_id"] for one in reasons] == ids(found)
    for one, item in zip(reasons, found.json()["items"], strict=True):
        assert item["fields"].keys() == {"title"}
        assert sum(share["amount"] for share in one["shares"]) == pytest.approx(
            item["raw"], abs=1e-4
        )


def test_who_is_not_known_is_told_so(client: TestClient) -> None:
    found = client.post("/v1/recommend", json={"user": "nobody"})
    assert ids(found)
    assert found.json()["degraded"]


def test_lists_for_several_come_in_their_order(
    client: TestClient, recommender: Recommender
) -> None:
    users = ["u2", {"history": ["b3"]}, "nobody", "u1"]
    found = client.post("/v1/recommend/batch", json={"users": users, "size": 3}).json()["lists"]
    assert [len(one["items"]) for one in found] == [3, 3, 3, 3]
    assert [one["user_id"] for one in found] == ["u2", None, "nobody", "u1"]
    expected = recommender.recommend("u1", size=3).ids
    assert [one["item_id"] for one in found[3]["items"]] == expected
    assert [bool(one["degraded"]) for one in found] == [False, False, True, False]
    many = client.post("/v1/recommend/batch", json={"users": ["u1"] * (MOST_USERS + 1)})
    assert "users" in problem(many, 422, "InvalidRequest")["detail"]


def test_the_other_answers_are_those_of_the_library(
    client: TestClient, recommender: Recommender
) -> None:
    assert ids(client.post("/v1/related/b7")) == recommender.related("b7").ids
    assert (
        ids(client.post("/v1/related/b7", json={"size": 2}))
        == recommender.related("b7", size=2).ids
    )
    members = ["u1", {"history": ["b3"], "words": "castle"}]
    described = recommender.user(history=["b3"], words="castle")
    found = client.post("/v1/group", json={"members": members, "strategy": "average", "size": 3})
    expected = recommender.recommend_group(["u1", described], strategy="average", size=3)
    assert ids(found) == expected.ids
    assert found.json()["strategy"] == "average"
    reasons = client.post("/v1/explain", json={"user": "u1", "items": ["b7"]}).json()["reasons"]
    assert reasons[0]["raw"] == pytest.approx(recommender.explain("u1", "b7").raw, abs=1e-5)
    body = {"query": {"match": {"title": "castle"}}}
    personal = client.post("/v1/personalise", json={"user": "u1", "body": body})
    assert personal.json() == recommender.personalise(body, "u1")
    hits = client.post("/v1/personalise", json={"user": "u1", "body": body, "send": True}).json()
    assert hits["hits"]["hits"]


def test_popular_items_and_an_order_of_items(client: TestClient, recommender: Recommender) -> None:
    popular = client.post("/v1/popular")
    assert ids(popular) == recommender.popular().ids
    assert {one["probability"] for one in popular.json()["items"]} == {None}
    assert popular.json()["degraded"] is None
    options = {"size": 3, "exclude": ids(popular)[:2], "filters": {"term": {"kind": "poetry"}}}
    assert ids(client.post("/v1/popular", json=options)) == recommender.popular(**options).ids
    body = {"user": "u1", "session": ["b2"], "items": ["b4", "gone", "b9", "b2"], "fields": []}
    ranked = client.post("/v1/rank", json=body)
    user = recommender.user("u1", session=["b2"])
    assert ids(ranked) == recommender.rank(user, ["b4", "b9", "b2"]).ids
    assert (ranked.json()["unknown"], ranked.json()["blocked"]) == (["gone"], [])
    session = {"user": "u1", "session": ["b2"], "exclude": ["b4"], "size": 4}
    expected = recommender.recommend("u1", session=["b2"], exclude=["b4"], size=4)
    assert ids(client.post("/v1/recommend", json=session)) == expected.ids


def test_what_would_be_asked_is_what_is_asked(client: TestClient, recommender: Recommender) -> None:
    body = {"user": "u1", "words": "a castle", "exclude": ["b4"], "size": 4, "explain": True}
    answer = client.post("/v1/validate", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    plan = recommender.plan_recommend(
        recommender.user("u1", words="a castle"), exclude=["b4"], size=4
    )
    assert found["requests"] == json.loads(json.dumps(plan.as_dict()["requests"]))
    assert {one["index"] for one in found["requests"]} == {found["index"]}
    assert (found["bundle"], found["path"]) == (plan.fingerprint, "exact")
    assert found["degraded"] is None
    assert client.post("/v1/validate", json={"user": "nobody"}).json()["degraded"]


@pytest.mark.parametrize(
    ("address", "body", "status", "code", "named"),
    [
        ("/v1/popular", {"min_probability": 0.5}, 422, "InvalidRequest", "min_probability"),
        ("/v1/rank", {"user": "u1"}, 422, "InvalidRequest", "items"),
        ("/v1/rank", {"user": "u1", "items": ["b1"] * 1001}, 422, "InvalidRequest", "items"),
        ("/v1/rank", {"user": "u1", "items": [" "]}, 422, "DataError", "item_ids"),
        ("/v1/recommend", {"user": "u1", "exclude": [""]}, 422, "DataError", "exclude"),
        ("/v1/validate", {"user": "u1", "size": 0}, 422, "ConfigError", "size"),
        ("/v1/recommend", {"user": "u1", "sise": 3}, 422, "InvalidRequest", "sise"),
        ("/v1/recommend", {"user": 7}, 422, "InvalidRequest", "user"),
        ("/v1/recommend", {"user": "u1", "size": 0}, 422, "ConfigError", "size"),
        ("/v1/recommend", {"user": "u1", "rules": [{"do": "sing"}]}, 422, "ConfigError", "rule 1"),
        ("/v1/recommend", {"user": "u1", "filters": [{"sing": {}}]}, 422, "ClusterError", "sing"),
        ("/v1/recommend/batch", {"users": ["u1"] * 11, "size": 1000}, 422, "DataError", "users"),
        ("/v1/explain", {"user": "u1", "items": ["b1"] * 101}, 422, "InvalidRequest", "items"),
        ("/v1/related/a%2Fb", {}, 404, "DataError", "a/b"),
        ("/v1/recommend/", {"user": "u1"}, 404, "NOT_FOUND", "Not Found"),
        ("/v1/related/b999", {}, 404, "DataError", "b999"),
        (f"/v1/related/{TEXTLESS}", {}, 404, "DataError", TEXTLESS),
        ("/v1/group", {"members": []}, 422, "DataError", "group"),
        ("/v1/group", {}, 422, "DataError", "group"),
        ("/v1/group", {"group": "g", "members": ["u1"]}, 422, "DataError", "members"),
        ("/v1/explain", {"user": "u1", "items": []}, 422, "InvalidRequest", "items"),
        ("/v1/neighbours", {"user": "u1"}, 422, "ConfigError", "users index"),
        ("/v1/personalise", {"user": "u1", "body": {"query": 7}}, 422, "DataError", "query"),
        ("/v1/nothing", {}, 404, "NOT_FOUND", "Not Found"),
    ],
)
def test_what_cannot_be_answered_is_a_problem_that_names_it(
    client: TestClient, address: str, body: dict[str, Any], status: int, code: str, named: str
) -> None:
    found = problem(client.post(address, json=body), status, code)
    assert named in found["detail"]


def test_what_a_caller_sends_and_no_template_renders_is_not_the_fault_of_the_service() -> None:
    assert status_of(TemplateError("text.user: RecursionError")) == 422
    assert status_of(BundleError("no bundle")) == 500


def test_bodies_that_are_none(client: TestClient) -> None:
    for content in (b"", b"{", b"[]", b'{"user": "\xff"}', b'{"size": NaN}'):
        json_ = {"content-type": "application/json"}
        answer = client.post("/v1/recommend", content=content, headers=json_)
        unread = content == b"{" or b"\xff" in content
        problem(answer, 400 if unread else 422, "InvalidRequest")
        found = problem(client.post("/v1/recommend", content=content), 422, "InvalidRequest")
        assert found["hint"] == "send content-type: application/json"
    large = b'{"words": "' + b"a" * LARGEST_BODY + b'"}'
    found = problem(client.post("/v1/recommend", content=large), 413, "BodyTooLarge")
    assert f"{LARGEST_BODY:,}" in found["detail"]
    problem(client.get("/v1/recommend"), 405, "METHOD_NOT_ALLOWED")


def test_it_says_whether_it_is_ready(client: TestClient, recommender: Recommender) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.head("/healthz").status_code == 200
    ready = {
        "status": "ready",
        "index": recommender.live.name,
        "bundle": recommender.live.fingerprint,
    }
    assert client.get("/readyz").json() == ready


def test_a_cluster_that_is_gone_is_a_problem_to_come_back_after(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = library.recommender()
    with TestClient(create_app(recommender), raise_server_exceptions=False) as client:
        # no node listens at port 9: what a stopped one looks like
        monkeypatch.setattr(
            recommender._index, "_cluster", Cluster("http://127.0.0.1:9", retries=0)
        )
        found = client.get("/readyz")
        problem(found, 503, "Unavailable")
        assert found.headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200


def test_without_a_key_nobody_is_answered_where_keys_are_set(library: Library) -> None:
    keys = [{"name": one, "sha256": sha256(one.encode()).hexdigest()} for one in ("shop", "app")]
    recommender = library.recommender(service={"keys": keys})
    with TestClient(create_app(recommender)) as client:
        wrong = ("", "Bearer", "Bearer ", "Bearer other", "Basic shop", "shop")
        for headers in ({}, *({"Authorization": one} for one in wrong)):
            for method, address in (("POST", "/v1/recommend"), ("GET", "/metrics"), ("GET", "/x")):
                # before anything of a body is read
                large = b"{" * (LARGEST_BODY + 1)
                refused = client.request(method, address, headers=headers, content=large)
                problem(refused, 401, "Unauthorized")
                assert refused.headers["www-authenticate"] == "Bearer"
        for key in ("shop", "app"):
            headers = {"Authorization": f"Bearer {key}"}
            assert ids(client.post("/v1/recommend", json={"user": "u1"}, headers=headers))
        # what restarts and balances must not need one
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
        described = client.get("/openapi.json").json()
    assert described["paths"]["/v1/recommend"]["post"]["security"]
    assert "security" not in described["paths"]["/healthz"]["get"]


def test_a_key_allows_what_its_scopes_say(library: Library) -> None:
    named: dict[str, dict[str, Any]] = {"shop": {}, "tracker": {"scopes": ["events"]}}
    named["owner"] = {"scopes": ["admin"]}
    keys = [
        {"name": one, "sha256": sha256(one.encode()).hexdigest(), **more}
        for one, more in named.items()
    ]
    recommender = library.recommender(service={"keys": keys})
    with TestClient(create_app(recommender), raise_server_exceptions=False) as client:

        def send(key: str, method: str, address: str, body: object = None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            return client.request(method, address, json=body, headers=headers)

        for key in ("shop", "owner"):
            assert ids(send(key, "POST", "/v1/recommend", {"user": "u1"}))
            assert send(key, "GET", "/metrics").status_code == 200
        for method, address in (("POST", "/v1/recommend"), ("GET", "/metrics")):
            found = problem(send("tracker", method, address, {}), 403, "Forbidden")
            assert "needs the scope read, and the key has events" in found["detail"]
            assert (
                found["hint"] == "send a key with that scope: those who run the service make them"
            )
        described = client.get("/openapi.json").json()["paths"]
    assert described["/v1/recommend"]["post"]["security"] == [{"HTTPBearer": ["read"]}]


def test_a_body_that_does_not_come_holds_no_place(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 1.0)
    recommender = library.recommender(service={"requests": 1})
    head = "POST /v1/recommend HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    with running(create_app(recommender)) as address:
        port = int(address.rsplit(":", 1)[1])
        with create_connection(("127.0.0.1", port), timeout=30) as slow:
            slow.sendall(f"{head}Content-Length: 30\r\n\r\n{{".encode())
            assert ids(httpx.post(f"{address}/v1/recommend", json={"user": "u1"}, timeout=30))
            assert b" 408 " in slow.recv(4096)
        with create_connection(("127.0.0.1", port), timeout=30) as large:
            large.sendall(f"{head}Content-Length: {LARGEST_BODY + 1}\r\n\r\n".encode())
            assert b" 413 " in large.recv(4096)


def test_the_id_of_a_request_goes_to_the_cluster_and_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[str | None] = []
    send = Transport.perform_request

    def spy(self: Transport, *args: Any, headers: dict[str, str] | None = None, **more: Any) -> Any:
        named.append((headers or {}).get("X-Opaque-Id"))
        return send(self, *args, headers=headers, **more)

    monkeypatch.setattr(Transport, "perform_request", spy)
    for body in ({"user": "u1"}, {"members": ["u1", "u2"]}):
        address = "/v1/recommend" if "user" in body else "/v1/group"
        found = client.post(address, json=body, headers={"X-Request-Id": "cart-7"})
        assert ids(found)
        assert found.headers["x-request-id"] == "cart-7"
        # the alias is looked at beside it, for whoever asks next
        assert "cart-7" in named
        named.clear()
    odd = client.post("/v1/recommend", json={"user": "u1"}, headers={"X-Request-Id": "a b"})
    assert len(odd.headers["x-request-id"]) == 32
    assert odd.headers["x-request-id"] in named


def test_what_nobody_foresaw_is_logged_once_under_the_id_of_its_request(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recommender = library.recommender()
    monkeypatch.setattr(recommender, "related", lambda *_, **__: [].pop())
    # what comes out of the application, the server logs again: here it would be raised
    with TestClient(create_app(recommender)) as client:
        failed = client.post("/v1/related/b7", headers={"X-Request-Id": "cart-8"})
        assert ids(client.post("/v1/recommend", json={"user": "u1"}))
        counted = client.get("/metrics").text
    problem(failed, 500, "Unexpected")
    assert failed.headers["x-request-id"] == "cart-8"
    assert 'code="500",endpoint="/v1/related/{item_id}"' in counted.replace(" ", "")
    (record,) = [one for one in caplog.records if one.exc_info]
    assert record.getMessage().startswith("request cart-8, /v1/related/{item_id}: ")
    assert record.exc_info is not None
    assert record.exc_info[0] is IndexError


def test_more_requests_than_may_be_are_refused_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = library.recommender(service={"requests": 1})
    begun, go_on = Event(), Event()
    related = recommender.related

    def wait(*args: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return related(*args, **more)

    monkeypatch.setattr(recommender, "related", wait)
    with TestClient(create_app(recommender)) as client, ThreadPoolExecutor() as pool:
        first = pool.submit(client.post, "/v1/related/b7")
        assert begun.wait(30)
        refused = client.post("/v1/recommend", json={"user": "u1"})
        problem(refused, 429, "TooManyRequests")
        assert refused.headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200
        go_on.set()
        assert ids(first.result(30))
        assert ids(client.post("/v1/recommend", json={"user": "u1"}))


def test_it_counts_requests_and_lists(client: TestClient, recommender: Recommender) -> None:
    client.post("/v1/recommend", json={"user": "u1"})
    client.post("/v1/recommend", json={"user": "nobody"})
    client.post("/v1/recommend/batch", json={"users": ["u1", "nobody", "u2"]})
    client.post("/v1/related/b999")
    client.get("/invented/by/callers")
    text = client.get("/metrics").text
    counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    requests = "seealso_request_seconds_count"
    assert counted[requests + '{code="200",endpoint="/v1/recommend"}'] == "2.0"
    assert counted[requests + '{code="404",endpoint="/v1/related/{item_id}"}'] == "1.0"
    assert counted[requests + '{code="404",endpoint="unknown"}'] == "1.0"
    # one for each request, however many lists it had
    assert counted["seealso_search_seconds_count"] == "3.0"
    assert counted['seealso_degraded_total{why="unknown_user"}'] == "2.0"
    live = recommender.live
    assert (
        counted[f'seealso_bundle_info{{bundle="{live.fingerprint}",index="{live.name}"}}'] == "1.0"
    )
    assert 0 < float(counted["seealso_index_age_seconds"]) < 86_400


def test_its_description_names_every_address(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    lists = {
        "recommend",
        "recommend/batch",
        "related/{item_id}",
        "popular",
        "group",
        "rank",
        "validate",
    }
    users = {"explain", "neighbours", "personalise", "personalise/pipeline"}
    changes = {"events", "items", "items/{item_id}", "users/{user_id}"}
    addresses = {f"/v1/{name}" for name in {*lists, *users, *changes}}
    assert described["paths"].keys() == {*addresses, "/healthz", "/readyz", "/metrics"}
    for path in described["paths"].values():
        for address in path.values():
            assert address["description"]
    # its pages would load scripts from elsewhere
    assert client.get("/docs").status_code == 404


@pytest.mark.parametrize(
    ("host", "reason"),
    [("0.0.0.0", "callers need no key"), ("::", "callers need no key"), ("home", "is no address")],
)
def test_without_keys_it_listens_where_this_machine_alone_reaches_it(
    host: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        listen(host, 0, open_to_all=True)


def test_with_keys_it_listens_everywhere() -> None:
    with listen("0.0.0.0", 0, open_to_all=False) as bound:
        assert bound.getsockname()[0] == "0.0.0.0"


def test_answers_go_out_at_once() -> None:
    """Without the name of the protocol, asyncio leaves Nagle's algorithm on: 40 ms an answer."""
    with listen("127.0.0.1", 0, open_to_all=True) as bound:
        assert bound.proto == IPPROTO_TCP


def test_a_port_that_is_taken_is_one_line(library: Library) -> None:
    with listen("127.0.0.1", 0, open_to_all=True) as bound:
        bound.listen()
        port = str(bound.getsockname()[1])
        found = CliRunner().invoke(cli, ["--config", str(library.config), "serve", "--port", port])
    assert isinstance(found.exception, ConfigError)
    assert f"127.0.0.1:{port}: cannot listen there" in found.exception.message


def test_the_command_serves_until_it_is_told_to_end(library: Library, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "seealso", "--config", str(library.config), "serve"]
    with log.open("w") as stderr, subprocess.Popen([*command, "--port", "0"], stderr=stderr) as ran:
        try:
            deadline = time.monotonic() + 60
            while "listening on" not in log.read_text() and time.monotonic() < deadline:
                assert ran.poll() is None, log.read_text()
                time.sleep(0.1)
            address = log.read_text().split("listening on ")[1].split(",")[0]
            found = httpx.post(
                f"{address}/v1/recommend", json={"user": "u1", "size": 3}, timeout=30
            )
            assert len(ids(found)) == 3
            assert "server" not in found.headers
        finally:
            ran.send_signal(signal.SIGTERM)
        assert ran.wait(30) in (0, -signal.SIGTERM)
    assert "Traceback" not in log.read_text()
    assert json.loads(found.content)["degraded"] is None


@pytest.mark.parametrize(
    "content", ['{"user": "1"', "{", '{"user": 1}}', "[" * 5000, '{"size": ' + "9" * 5000 + "}"]
)
def test_what_is_no_json_is_a_bad_request(client: TestClient, content: str) -> None:
    headers = {"content-type": "application/json"}
    found = client.post("/v1/recommend", content=content, headers=headers)
    assert found.status_code == 400, found.text
    assert found.json()["code"] == "InvalidRequest"
    assert "refused" not in found.json()
