"""What a request of the service gets wrong is said: where, and what its caller can do."""

import logging
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from seealso.cluster import Cluster
from seealso.log import configure
from seealso.plugin.service.app import create_app
from seealso.plugin.service.limits import LARGEST_BODY
from seealso.plugin.service.problems import LATER, REPORT
from tests.integration.services import problem
from tests.library import Library
from tests.services import running

OPERATING = re.compile(r"seealso |seealso\.toml|SEEALSO|docs/|_cat/|\b(cluster|index|users)\.\w")
"""What is for those who run the service: commands, settings, pages, addresses of OpenSearch."""

SECRET = "ann-of-10-mill-lane"


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    """Asks the service over the library."""
    with TestClient(create_app(library.recommender()), raise_server_exceptions=False) as made:
        yield made


def counted(client: TestClient, **headers: str) -> dict[str, float]:
    """Return how many requests were counted, by their labels."""
    lines = client.get("/metrics", headers=headers).text.splitlines()
    prefix = "seealso_request_seconds_count"
    found = (line.removeprefix(prefix).rsplit(" ", 1) for line in lines if line.startswith(prefix))
    return {labels: float(count) for labels, count in found}


def test_no_address_takes_parameters_without_a_word(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    asked = [(method, path) for path, methods in paths.items() for method in methods]
    assert len(asked) >= 19
    for method, path in [*asked, ("head", "/healthz")]:
        address = re.sub(r"\{\w+\}", "b7", path)
        answer = client.request(method, f"{address}?size=2", json={"user": "u1"})
        assert answer.status_code == 422, path
        if method != "head":
            found = problem(answer, 422, "InvalidRequest")
            assert [one["field"] for one in found["refused"]] == ["size"]
            assert found["detail"].startswith("size: ")
    assert client.post("/v1/related/b7?").status_code == 200
    problem(client.post("/v1/nothing?size=2"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("address", "body", "fields"),
    [
        ("/v1/recommend", {"filters": 7}, ["filters"]),
        ("/v1/recommend", {"filters": [7], "sise": 1}, ["filters.0", "sise"]),
        ("/v1/recommend/batch", {"users": ["u1", {"sise": 1}]}, ["users.1.sise"]),
        ("/v1/group", {"members": [7]}, ["members.0"]),
        ("/v1/items", {"items": [7]}, [""]),
        ("/v1/events", {"events": [{"user": "u1"}]}, ["item"]),
    ],
)
def test_fields_are_called_as_they_were_sent(
    client: TestClient, address: str, body: dict[str, Any], fields: list[str]
) -> None:
    found = problem(client.post(address, json=body), 422, "InvalidRequest")
    assert [one["field"] for one in found["refused"]] == fields


def test_head_is_answered_as_get(library: Library) -> None:
    with running(create_app(library.recommender())) as address:
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            found, expected = (
                httpx.request(method, f"{address}{path}", timeout=30) for method in ("HEAD", "GET")
            )
            assert found.status_code == expected.status_code == 200
            assert found.headers["content-type"] == expected.headers["content-type"]
            assert int(found.headers["content-length"]) > 0
            assert found.content == b""
        assert httpx.head(f"{address}/v1/recommend", timeout=30).status_code == 405


def test_what_is_refused_is_counted_where_it_would_have_been_answered(library: Library) -> None:
    keys = [{"name": "shop", "sha256": sha256(b"shop").hexdigest()}]
    recommender = library.recommender(service={"keys": keys})
    key = {"Authorization": "Bearer shop"}
    with TestClient(create_app(recommender), raise_server_exceptions=False) as client:
        client.get("/openapi.json")
        client.post("/v1/related/b7")
        client.post("/v1/related/b8")
        client.post("/v1/invented/by/callers")
        client.post("/v1/recommend", content=b"a" * (LARGEST_BODY + 1), headers=key)
        client.post("/v1/recommend?size=2", headers=key)
        client.get("/v1/recommend", headers=key)
        found = counted(client, **key)
    assert found == {
        '{code="200",endpoint="/openapi.json"}': 1.0,
        '{code="401",endpoint="/v1/related/{item_id}"}': 2.0,
        '{code="401",endpoint="unknown"}': 1.0,
        '{code="413",endpoint="/v1/recommend"}': 1.0,
        '{code="422",endpoint="/v1/recommend"}': 1.0,
        '{code="405",endpoint="/v1/recommend"}': 1.0,
    }


@pytest.mark.parametrize(
    ("address", "body", "status", "hint", "logged"),
    [
        ("neighbours", {"user": "u1"}, 422, REPORT, "`seealso users build`"),
        ("related/b999", {}, 404, "ask about items of lists", "`seealso index update`"),
        ("recommend", {"size": 0}, 422, "leave it out for the default", "docs/reference"),
        ("recommend", {"filters": {"sing": {}}}, 422, "a filter must be valid query DSL", "doctor"),
        ("popular", {"filters": {"term": {"knd": 1}}}, 422, "`fields` of the items", "catalogue."),
        ("recommend", {"exclude": [""]}, 422, None, ""),
    ],
)
def test_a_hint_is_for_callers_and_the_log_has_that_of_the_operator(
    client: TestClient,
    caplog: pytest.LogCaptureFixture,
    address: str,
    body: dict[str, Any],
    status: int,
    hint: str | None,
    logged: str,
) -> None:
    caplog.set_level("INFO", "seealso")
    answer = client.post(f"/v1/{address}", json=body, headers={"X-Request-Id": "cart-9"})
    assert answer.status_code == status, answer.text
    found = answer.json()["hint"]
    assert (found or "").startswith(hint or "")
    assert not OPERATING.search(found or "")
    lines = [one.getMessage() for one in caplog.records if "cart-9" in one.getMessage()]
    assert [logged in line for line in lines] == ([True] if logged else [])


@pytest.fixture
def _logging() -> Iterator[None]:
    """Log as the command does, and as before in the end."""
    root = logging.getLogger("seealso")
    before = (root.level, list(root.handlers), root.propagate)
    configure("INFO")
    yield
    root.setLevel(before[0])
    root.handlers, root.propagate = before[1], before[2]


@pytest.mark.usefixtures("_logging")
def test_what_is_logged_names_nobody(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEEALSO_USERS_KEY", raising=False)
    recommender = library.recommender(service={"stand_in": "none"})
    app = create_app(recommender)
    with TestClient(app, raise_server_exceptions=False) as one:
        # there is no key of pseudonyms: the settings are at fault
        found = problem(one.get(f"/v1/users/{SECRET}"), 500, "ConfigError")
        assert found["hint"] == REPORT
        # no node listens at port 9: what a stopped one looks like
        monkeypatch.setattr(
            recommender._index, "_cluster", Cluster("http://127.0.0.1:9", retries=0)
        )
        for address, body in (
            ("recommend", {"user": SECRET, "words": SECRET}),
            (f"related/{SECRET}", {}),
            ("group", {"members": [SECRET]}),
        ):
            found = problem(one.post(f"/v1/{address}", json=body), 503, "Unavailable")
            assert found["hint"] == LATER
        # an error that nobody foresaw, with their name in its message
        monkeypatch.setattr(recommender, "user", lambda name, **_: {}[name])
        problem(one.post("/v1/recommend", json={"user": SECRET}), 500, "Unexpected")
    printed = capsys.readouterr().err
    lines = printed.splitlines()
    assert any("/v1/users/{user_id}: SEEALSO_USERS_KEY is not set" in line for line in lines)
    assert any("/v1/related/{item_id}: " in line and "node start" in line for line in lines)
    assert any(line.endswith("/v1/recommend: an error that nobody foresaw") for line in lines)
    assert lines[-1] == "KeyError"
    assert SECRET not in printed
