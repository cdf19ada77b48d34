"""The client: a method for each address of a service, its answers as values, problems as errors."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Signal
from threading import Thread
from time import monotonic, sleep
from typing import Any, Final, get_args, get_type_hints

import httpx
import orjson
import pytest

from seealso.client import Client, Event, ServiceError, User
from seealso.client.requests import UserListOptions
from seealso.cluster import Cluster
from seealso.errors import ConfigError, DataError
from seealso.plugin import Recommender
from seealso.plugin.service.app import create_app
from tests.integration.catalogues import Shop, films
from tests.library import Library
from tests.live import forgotten
from tests.members import FILMS, asking, built
from tests.services import running

WHO: Final = {"user", "history", "session", "words", "attributes"}

METHODS: Final[Mapping[tuple[str, str], tuple[Callable[..., Any], ...]]] = {
    ("POST", "/v1/recommend"): (Client.recommend,),
    ("POST", "/v1/recommend/batch"): (Client.recommend_batch,),
    ("POST", "/v1/related/{item_id}"): (Client.related,),
    ("POST", "/v1/popular"): (Client.popular,),
    ("POST", "/v1/rank"): (Client.rank,),
    ("POST", "/v1/validate"): (Client.plan_recommend,),
    ("POST", "/v1/group"): (Client.recommend_group,),
    ("POST", "/v1/explain"): (Client.reasons,),
    ("POST", "/v1/neighbours"): (Client.neighbours,),
    ("POST", "/v1/personalise"): (Client.personalise, Client.search),
    ("POST", "/v1/events"): (Client.ingest_events,),
    ("POST", "/v1/items"): (Client.upsert_items,),
    ("DELETE", "/v1/items"): (Client.delete_items,),
    ("DELETE", "/v1/items/{item_id}"): (Client.delete_item,),
    ("GET", "/v1/users/{user_id}"): (Client.export_user,),
    ("DELETE", "/v1/users/{user_id}"): (Client.forget_user,),
}
"""What asks each address."""

OF_CLUSTERS: Final = {("POST", "/v1/personalise/pipeline")}
"""What clusters ask, and no program."""

SENT_AS: Final[Mapping[str, Mapping[str, set[str]]]] = {
    "": {
        "user_id": {"user"},
        "user": WHO,
        "item_ids": {"items"},
        "members": {"members", "group"},
    },
    "/v1/items": {"item_ids": {"ids"}},
    "/v1/users/{user_id}": {},
}
"""Fields that a parameter of another name becomes: everywhere, and where it differs."""

CHOSEN: Final[Mapping[str, set[str]]] = {
    "/v1/personalise": {"send"},
    # reasons are read of a list that is there
    "/v1/validate": {"explain"},
}
"""Fields that are chosen by the method."""


@pytest.fixture(scope="module")
def address(library: Library) -> Iterator[str]:
    """Where a service over the library answers."""
    with running(create_app(library.recommender())) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address, retries=0) as made:
        yield made


@contextmanager
def recorded(client: Client) -> Iterator[list[Any]]:
    """Write down what comes over the wire."""
    answers: list[Any] = []

    def record(answer: httpx.Response) -> None:
        answers.append(orjson.loads(answer.read()))

    client._sender._http.event_hooks = {"response": [record]}
    yield answers
    client._sender._http.event_hooks = {}


def as_sent(value: Any, plain: Any) -> Any:
    """Return the part of a value that a service has sent: of a value, that is all of it."""
    if is_dataclass(value):
        return {name: as_sent(getattr(value, name), one) for name, one in plain.items()}
    if isinstance(value, Mapping):
        return {name: as_sent(one, plain[name]) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_sent(*pair) for pair in zip(value, plain, strict=True)]
    return value


def parameters_of(path: str, call: Callable[..., Any]) -> set[str]:
    """Return what a method sends, by the names of the service."""
    found = dict(inspect.signature(call).parameters)
    names = set(found) - {"self", "options"}
    if "options" in found:
        (options,) = get_args(found["options"].annotation)
        names |= {*get_type_hints(options)}
    sent_as = SENT_AS.get(path, SENT_AS[""])
    return set().union(*(sent_as.get(name, {name}) for name in names))


def fields_of(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> set[str]:
    """Return what an address takes: the parts of its address, and the fields of its body."""
    expected = {one["name"] for one in operation.get("parameters", ())}
    if "requestBody" not in operation:
        return expected
    content = operation["requestBody"]["content"]["application/json"]["schema"]
    (reference,) = [one for one in content.get("anyOf", [content]) if "$ref" in one]
    return {*expected, *schemas[reference["$ref"].rpartition("/")[2]]["properties"]}


def test_every_address_has_a_method_with_its_fields(library: Library) -> None:
    described = create_app(library.recommender()).openapi()
    operations = {
        (method.upper(), path): operation
        for path, one in described["paths"].items()
        if path.startswith("/v1/")
        for method, operation in one.items()
    }
    assert operations.keys() == METHODS.keys() | OF_CLUSTERS
    for method, path in METHODS:
        operation = operations[method, path]
        sent = set().union(*(parameters_of(path, one) for one in METHODS[method, path]))
        expected = fields_of(operation, described["components"]["schemas"])
        assert sent == expected - CHOSEN.get(path, set()), path


def test_an_event_is_described_as_the_service_describes_one(library: Library) -> None:
    described = create_app(library.recommender()).openapi()["components"]["schemas"]["Event"]
    assert {one.name for one in fields(Event)} == described["properties"].keys()


def test_a_user_is_described_as_the_service_describes_one() -> None:
    user = User("ann", ["b3"], ["b4"], "castle", {"age": 40})
    assert user.as_json().keys() == WHO
    assert {one.name for one in fields(User)} == {*WHO - {"user"}, "user_id"}
    assert User().as_json() == {}


def test_lists_are_those_of_the_library(client: Client, recommender: Recommender) -> None:
    options: UserListOptions = {
        "size": 4,
        "tail_share": 0.0,
        "diversity": 0.6,
        "filters": {"range": {"year": {"gte": 1910}}},
    }
    with recorded(client) as answers:
        described = User(history=["b3"], session=["b9"], words="castle")
        alone = client.recommend("u1", explain=True, **options)
        lists = client.recommend_batch(["u2", described], size=3)
        related = client.related("b7", fields=["title"], size=2)
        popular = client.popular(size=3, exclude=["b4"])
        group = client.recommend_group(["u1", described], strategy="average", size=3)
    assert alone.ids == recommender.recommend("u1", **options).ids
    assert [one.item_id for one in alone.reasons] == [one.item_id for one in alone]
    assert alone.bundle == recommender.live.fingerprint
    assert alone.took_ms["total"] > 0
    user = recommender.user(history=["b3"], session=["b9"], words="castle")
    assert [one.ids for one in lists] == [
        one.ids for one in recommender.recommend_batch(["u2", user], size=3)
    ]
    assert related.ids == recommender.related("b7", size=2).ids
    assert [set(one.fields) for one in related] == [{"title"}] * len(related)
    assert popular.ids == recommender.popular(size=3, exclude=["b4"]).ids
    expected = recommender.recommend_group(["u1", user], strategy="average", size=3)
    assert group.ids == expected.ids
    assert group.members == expected.members
    assert group[0].members.keys() == {*expected.members}
    # nothing that was sent is lost
    assert as_sent(alone, answers[0]) == answers[0]
    assert as_sent(lists, answers[1]["lists"]) == answers[1]["lists"]
    assert as_sent(related, answers[2]) == answers[2]
    assert as_sent(popular, answers[3]) == answers[3]
    assert as_sent(group, answers[4]) == answers[4]


def test_other_answers_are_those_of_the_library(client: Client, recommender: Recommender) -> None:
    body = {"query": {"match": {"title": "castle"}}}
    with recorded(client) as answers:
        one = client.explain(User("u1", words="castle"), "b40")
        two = client.reasons("u1", ["b7", "b8"])
        personal = client.personalise(body, "u1", weight=0.5)
        hits = client.search(body, "u1", window=50)
    assert as_sent([one], answers[0]["reasons"]) == answers[0]["reasons"]
    assert as_sent(two, answers[1]["reasons"]) == answers[1]["reasons"]
    assert [each.item_id for each in two] == ["b7", "b8"]
    assert two[0].raw == pytest.approx(recommender.explain("u1", "b7").raw, abs=1e-5)
    assert personal == recommender.personalise(body, "u1", weight=0.5)
    assert hits["hits"]["hits"]
    nobody = client.recommend("nobody")
    assert nobody.degraded


def test_named_items_come_in_the_order_of_the_library(
    client: Client, recommender: Recommender
) -> None:
    with recorded(client) as answers:
        ranked = client.rank("u1", ["b7", "b3", "nothing", "b8"], fields=["title"])
        planned = client.plan_recommend("u1", size=3, exclude=["b4"])
    expected = recommender.rank("u1", ["b7", "b3", "nothing", "b8"])
    assert (ranked.ids, ranked.unknown) == (expected.ids, ("nothing",))
    assert {name for one in ranked for name in one.fields} == {"title"}
    assert planned.index == recommender.live.name
    assert planned.requests[0]["body"]["size"] == 3
    assert as_sent(ranked, answers[0]) == answers[0]
    assert as_sent(planned, answers[1]) == answers[1]


def test_neighbours_are_those_of_the_users_index(peopled: Shop) -> None:
    built(peopled)
    recommender = asking(peopled)
    with running(create_app(recommender)) as address, Client(address) as client:
        with recorded(client) as answers:
            near = client.neighbours("ann-3", size=4)
        expected = asking(peopled).neighbours("ann-3", size=4)
    assert [one.pseudonym for one in near] == [one.pseudonym for one in expected]
    assert len(near) == 4
    assert near[0].latest == expected[0].latest
    assert as_sent(near, answers[0]) == answers[0]


def test_events_reach_the_history_of_their_user(peopled: Shop, users_key: None) -> None:
    built(peopled)
    recommender = asking(peopled, users={"enabled": True})
    now = datetime.now(UTC)
    events = [
        Event(user="ann-1", item="f31", type="click", time=now, query_id="list-7"),
        Event(user="ann-1", item="f32", id="once"),
        Event(user=None, item="f33"),
        Event(user="ann-2", item="no such item", value=2.5),
        Event(user="ann-2", item="f31", time="yesterday"),
    ]
    with running(create_app(recommender)) as address, Client(address) as client:
        with recorded(client) as answers:
            report = client.ingest_events(events)
        again = client.ingest_events(events[1:2])
        with pytest.raises(ServiceError) as caught:
            client.ingest_events(events[4:])
        assert {"f31", "f32"}.isdisjoint(client.recommend("ann-1", size=40).ids)
    assert as_sent(report, answers[0]) == answers[0]
    assert (report.written, report.nobody, report.unknown) == (4, 1, ("no such item",))
    assert [(one.event, one.field) for one in report.refused] == [(4, "time")]
    assert (again.written, again.repeated) == (0, 1)
    assert (caught.value.status, caught.value.refused[0]["field"]) == (422, "time")
    forgotten(peopled)


def test_items_and_users_are_written_and_deleted(peopled: Shop, users_key: None) -> None:
    built(peopled)
    recommender = asking(peopled, users={"enabled": True})
    new = films(1, start=FILMS)[0]
    with running(create_app(recommender)) as address, Client(address) as client:
        client.ingest_events([Event(user="ann-1", item="f31")])
        with recorded(client) as answers:
            done = [
                client.upsert_items([new, films(1)[0], {"title": "an item without an id"}]),
                client.delete_items([new["item_id"], "nothing"]),
                client.delete_item("f39"),
                client.export_user("ann-1"),
                client.forget_user("ann-1"),
            ]
        with pytest.raises(ServiceError) as caught:
            client.delete_item("nothing")
    assert [as_sent(*pair) for pair in zip(done, answers, strict=True)] == answers
    written, deleted, one, export, forgot = done
    assert (written.written, written.unchanged, written.refused[0].item) == (1, 1, 2)
    assert (deleted.deleted, deleted.absent, one.deleted) == (1, ("nothing",), 1)
    assert export.documents.keys() == forgot.deleted.keys()
    assert caught.value.status == 404
    forgotten(peopled)


def test_what_deletes_is_not_sent_again_once_it_was_begun() -> None:
    busy = (503, {"Retry-After": "0"}, {"code": "Unavailable", "detail": "gone"})
    full = (429, {"Retry-After": "0"}, {"code": "TooManyRequests", "detail": "later"})
    with scripted(full, busy) as (client, names), pytest.raises(ServiceError) as caught:
        client.forget_user("ann")
    assert (caught.value.status, len(names)) == (503, 2)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda client, ids: client.delete_items(ids), "item_ids"),
        (lambda client, ids: client.rank("u1", ids), "item_ids"),
        (lambda client, ids: client.reasons("u1", ids), "item_ids"),
        (lambda client, ids: client.recommend_batch(ids), "users"),
        (lambda client, ids: client.upsert_items(ids), "items"),
        (lambda client, ids: client.ingest_events(ids), "events"),
    ],
)
def test_the_letters_of_a_text_are_no_list_of_ids(
    call: Callable[[Client, Any], object], named: str
) -> None:
    # no service listens at port 9: whatever is sent fails otherwise
    with Client("http://127.0.0.1:9", retries=0) as client:
        for ids in ("cl2", b"cl2", {"cl2": 1}, None):
            with pytest.raises(DataError, match=f"^{named}: must be a list, not "):
                call(client, ids)
        with pytest.raises(DataError, match="members: must be a list"):
            client.recommend_group({"ann": "bob"})  # type: ignore[arg-type]


def test_an_id_may_hold_anything(client: Client) -> None:
    for item_id in ("a/b", "a?b", "ü{{x}}", "..", "b 7#"):
        with pytest.raises(ServiceError) as caught:
            client.related(item_id)
        assert (caught.value.status, caught.value.code) == (404, "DataError")
        assert item_id in caught.value.message


def test_a_problem_is_an_error_that_programs_can_read(client: Client) -> None:
    with pytest.raises(ServiceError, match="size") as caught:
        client.recommend("u1", size=0)
    refused = caught.value
    assert (refused.status, refused.code) == (422, "ConfigError")
    assert refused.hint
    assert len(refused.request_id) == 32
    assert refused.retry_after is None
    with pytest.raises(ServiceError) as caught:
        client.recommend(7)  # type: ignore[arg-type]
    assert caught.value.code == "InvalidRequest"
    assert [one["field"] for one in caught.value.refused] == ["user"]
    with pytest.raises(TypeError, match="sise"):
        client.recommend("u1", sise=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="tail_share"):
        client.related("b7", tail_share=0.5)  # type: ignore[call-arg]


def test_a_key_is_sent_and_not_shown(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "a7d1f0c2"
    keys = [{"name": "shop", "sha256": sha256(key.encode()).hexdigest()}]
    with running(create_app(library.recommender(service={"keys": keys}))) as address:
        monkeypatch.delenv("SEEALSO_SERVICE_KEY", raising=False)
        with Client(address) as client, pytest.raises(ServiceError) as caught:
            client.recommend("u1")
        assert (caught.value.status, caught.value.code) == (401, "Unauthorized")
        with Client(address, key=key) as client:
            assert client.recommend("u1").ids
            assert key not in repr(client)
        monkeypatch.setenv("SEEALSO_SERVICE_KEY", key)
        with Client(address) as client:
            assert client.recommend("u1").ids
    assert caplog.text
    assert key not in caplog.text


@pytest.mark.parametrize(
    ("url", "key", "what"),
    [
        ("127.0.0.1:8080", None, "url"),
        ("ftp://example.org", None, "url"),
        ("http://", None, "url"),
        ("http://ann:sesame@example.org", None, "url"),
        ("http://127.0.0.1:8080", "sesame\n", "key"),
        ("http://127.0.0.1:8080", "sésame", "key"),
    ],
)
def test_what_cannot_be_sent_is_said_at_once(url: str, key: str | None, what: str) -> None:
    with pytest.raises(ConfigError, match=f"^{what}: ") as caught:
        Client(url, key=key)
    assert "same" not in caught.value.message


def test_a_busy_service_is_asked_again_after_the_time_that_it_names(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = library.recommender(service={"requests": 1})
    begun, go_on = Signal(), Signal()
    related = recommender.related

    def wait(*args: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return related(*args, **more)

    monkeypatch.setattr(recommender, "related", wait)
    with (
        running(create_app(recommender)) as address,
        ThreadPoolExecutor() as pool,
        Client(address, retries=0) as client,
        Client(address, retries=5) as patient,
    ):
        first = pool.submit(client.related, "b7")
        assert begun.wait(30)
        with pytest.raises(ServiceError) as caught:
            client.recommend("u1")
        assert (caught.value.status, caught.value.retry_after) == (429, 1.0)
        started = monotonic()
        second = pool.submit(patient.recommend, "u1")
        sleep(0.2)
        go_on.set()
        assert first.result(30).ids
        assert second.result(30).ids
        assert monotonic() - started >= 1


def test_a_cluster_that_is_gone_is_an_error_with_a_status(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender = library.recommender()
    with running(create_app(recommender)) as address, Client(address, retries=1) as client:
        # no node listens at port 9
        gone = Cluster("http://127.0.0.1:9", retries=0)
        monkeypatch.setattr(recommender._index, "_cluster", gone)
        monkeypatch.setattr(recommender, "_cluster", gone)
        with pytest.raises(ServiceError) as caught:
            client.related("b7")
        assert (caught.value.status, caught.value.code) == (503, "Unavailable")
        assert caught.value.retry_after == 1


LIST: Final = {
    "query_id": None, "index": "i", "bundle": "b", "path": "exact", "took_ms": {"total": 1.5},
    "degraded": None, "items": [],
}  # fmt: skip

Step = tuple[int, dict[str, str], Any] | None
"""Status, headers and content of an answer; None for a connection that ends without one."""


@contextmanager
def scripted(*steps: Step) -> Iterator[tuple[Client, list[str]]]:
    """Ask a server that answers one step after the other, and write down the ids of requests."""
    names: list[str] = []
    left = [*steps]

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            names.append(self.headers["x-request-id"])
            step = left.pop(0)
            if step is None:
                self.close_connection = True
                return
            status, headers, content = step
            body = content if isinstance(content, bytes) else orjson.dumps(content)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            with Client(f"http://127.0.0.1:{server.server_address[1]}/recs/") as client:
                yield client, names
        finally:
            server.shutdown()
            thread.join(30)


def test_a_newer_service_may_say_more() -> None:
    newer = {**LIST, "mood": "sunny", "items": [
        {"item_id": "b1", "probability": 0.5, "raw": 0.1, "score": 1.0, "source": "by tea leaves",
         "importance": 1.0, "tail": False, "aroma": {"of": "tea"}},
    ]}  # fmt: skip
    with scripted((200, {}, newer)) as (client, _):
        found = client.recommend("ann")
    assert found.ids == ["b1"]
    assert found[0].source == "by tea leaves"


def test_what_is_no_answer_of_the_service_is_said() -> None:
    page = b"<html>Bad Gateway</html>"
    with scripted((502, {}, page), (200, {}, page), (200, {}, {**LIST, "items": 7})) as (client, _):
        for status in (502, 200, 200):
            with pytest.raises(ServiceError) as caught:
                client.recommend("ann")
            assert (caught.value.status, caught.value.code) == (status, "UnknownAnswer")
    assert "items" in caught.value.message


def test_what_passes_is_asked_again_under_the_same_id() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    busy = {"code": "Unavailable", "detail": "gone"}
    with scripted((503, {"Retry-After": soon}, busy), None, (200, {}, LIST)) as (client, names):
        assert client.recommend("ann").ids == []
    assert len(names) == 3
    assert len(set(names)) == 1


def test_nobody_waits_for_a_service_that_is_gone_for_long() -> None:
    busy = {"code": "Unavailable", "detail": "gone"}
    with scripted((503, {"Retry-After": "120"}, busy)) as (client, names):
        with pytest.raises(ServiceError) as caught:
            client.recommend("ann")
        assert caught.value.retry_after == 120
    assert len(names) == 1


def test_a_service_that_is_not_there_is_said() -> None:
    with Client("http://127.0.0.1:9", retries=1) as client, pytest.raises(ServiceError) as caught:
        client.recommend("ann")
    assert (caught.value.status, caught.value.code) == (None, "Unreachable")
    assert "http://127.0.0.1:9" in caught.value.message


def test_nobody_waits_longer_than_the_timeout() -> None:
    hold = Signal()

    class Silent(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hold.wait(30)

    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            with Client(address, timeout=0.3) as client, pytest.raises(ServiceError) as caught:
                client.recommend("ann")
            assert (caught.value.status, caught.value.code) == (None, "TooLate")
        finally:
            hold.set()
            server.shutdown()
            thread.join(30)
