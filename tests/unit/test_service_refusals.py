"""What the service says of a request that is wrong: names as sent, hints for who sent it."""

import ast
import re
import signal
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from seealso.errors import ConfigError, DataError, SeeAlsoError, Unavailable
from seealso.plugin.search.rows import without_value
from seealso.plugin.service.addresses import AnswerHead, FindAddress, address
from seealso.plugin.service.bodies.lists import BatchBody, RecommendBody
from seealso.plugin.service.bodies.pipelines import PipelineBody, Searcher
from seealso.plugin.service.parameters import refuse_parameters
from seealso.plugin.service.problems import LATER, REPORT, add_problems, hint_for_caller
from seealso.plugin.service.refused import refused_fields
from seealso.plugin.service.server import GRACE_SECONDS, describe_end

ROOT: Final = Path(__file__).parents[2]


def named(model: type[BaseModel], body: Any) -> dict[str, str]:
    """Return the fields of a body that are refused, with the reasons."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(model).validate_python(body)
    found = refused_fields(caught.value.errors(), body)
    assert len({one["field"] for one in found}) == len(found)
    return {one["field"]: one["reason"] for one in found}


@pytest.mark.parametrize(
    ("model", "body", "fields"),
    [
        (RecommendBody, {"filters": 7}, ["filters"]),
        (RecommendBody, {"filters": [{"term": {}}, 7]}, ["filters.1"]),
        (RecommendBody, {"user": 7, "sise": 1}, ["user", "sise"]),
        (RecommendBody, {"path": "fast"}, ["path"]),
        (RecommendBody, [], [""]),
        (BatchBody, {"users": [7]}, ["users.0"]),
        (BatchBody, {"users": ["u1", {"sise": 1, "words": 3}]}, ["users.1.words", "users.1.sise"]),
        (BatchBody, {}, ["users"]),
    ],
)
def test_a_field_is_called_as_it_was_sent(
    model: type[BaseModel], body: Any, fields: list[str]
) -> None:
    assert [*named(model, body)] == fields


def test_of_a_choice_between_types_each_is_said() -> None:
    reason = named(RecommendBody, {"filters": 7})["filters"]
    assert reason == "Input should be an object or Input should be a valid list"


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (RecommendBody, []),
        (RecommendBody, {"rules": [3]}),
        (BatchBody, {"users": [3]}),
        (PipelineBody, {"body": 3}),
        (Searcher, None),
    ],
)
def test_what_should_be_an_object_is_called_so(model: type[BaseModel], body: Any) -> None:
    for reason in named(model, body).values():
        assert "an object" in reason
        assert not re.search("dictionary|instance|Searcher", reason)


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Asks an application that knows three addresses."""
    router = APIRouter()

    async def show(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.method} {address.get()}")

    async def count(size: int = 1) -> PlainTextResponse:
        return PlainTextResponse(f"{size} {address.get()}")

    router.add_api_route("/things", show, methods=["POST"])
    router.add_api_route("/counted", count)
    router.add_api_route("/things/{thing:path}", show)
    app = FastAPI(dependencies=[Depends(refuse_parameters)])
    app.include_router(router)
    app.add_middleware(FindAddress, routes=router.routes)
    app.add_middleware(AnswerHead)
    add_problems(app)
    with TestClient(app) as made:
        yield made


def test_an_address_is_known_without_what_was_put_in(client: TestClient) -> None:
    assert client.get("/things/ann/1").text == "GET /things/{thing}"
    assert client.post("/things").text == "POST /things"
    assert address.get() == "unknown"


def test_head_is_answered_as_get(client: TestClient) -> None:
    found, expected = client.head("/things/a"), client.get("/things/a")
    assert found.status_code == 200
    assert found.headers["content-length"] == expected.headers["content-length"]
    assert client.head("/things").status_code == client.get("/things").status_code == 405


def test_parameters_are_refused_by_name(client: TestClient) -> None:
    for address_ in ("/things/a?size=2&user=ann&size=3", "/things/a?size=&user"):
        answer = client.get(address_)
        assert answer.status_code == 422
        found = answer.json()
        assert found["detail"] == "size: this address has no such parameter"
        assert "body" in found["hint"]
        assert [one["field"] for one in found["refused"]] == ["size", "user"]
        assert "ann" not in answer.text
    assert client.get("/things/a?").status_code == 200
    assert client.get("/things/a%3Fsize=2").status_code == 200
    assert client.get("/nothing?size=2").status_code == 404
    assert client.get("/counted?size=2").text == "2 /counted"
    refused = client.get("/counted?size=2&sise=3").json()
    assert refused["detail"].startswith("sise: ")
    assert refused["hint"] == "it has size"
    odd = client.get("/counted?size=many").json()
    assert [one["field"] for one in odd["refused"]] == ["size"]


def test_a_hint_is_for_who_reads_it() -> None:
    both = DataError("no", hint="name an item")
    apart = ConfigError("no", hint="set x.y", caller_hint="name another field")
    theirs = ConfigError("no", hint="set x.y", caller_hint="")
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    assert [hint_for_caller(one, status) for one in (both, apart, theirs)] == [
        "name an item",
        "name another field",
        REPORT,
    ]
    assert hint_for_caller(DataError("no"), status) is None
    assert hint_for_caller(SeeAlsoError("no", hint="a"), HTTPStatus.BAD_GATEWAY) == REPORT
    assert hint_for_caller(Unavailable("no", hint="a"), HTTPStatus.SERVICE_UNAVAILABLE) == LATER


OPERATING: Final = re.compile(
    r"seealso |seealso\.toml|\[\w+\]|--\w|docs/|SEEALSO|_cat/|_cluster/"
    r"|\b(catalogue|cluster|encoder|events|fit|groups|index|recommend|safety|service|users)\.\w"
)
"""What only somebody can follow who runs seealso: commands, settings, pages, the cluster."""

ANSWERING: Final = (
    *(f"plugin/{room}" for room in ("explanations", "groups", "profiles", "ranking", "rules")),
    *("plugin/search", "plugin/service", "src/seealso/encoder/templates.py"),
    *(f"indexer/{name}.py" for name in ("deletions", "items", "privacy")),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "plugin").glob("*.py"))),
)
"""What answers requests."""

OF_REQUESTS: Final = {"ConfigError", "DataError", "TemplateError"}
"""Errors that callers are told as their own."""


def hints() -> Iterator[tuple[str, str, bool]]:
    """Yield where an error of a request is raised, its hint, and whether callers have another."""
    files = [
        file
        for name in ANSWERING
        for file in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).rglob("*.py")))
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in OF_REQUESTS:
                given = {one.arg: one.value for one in node.keywords}
                parts = ast.walk(given["hint"]) if "hint" in given else ()
                text = "".join(
                    one.value
                    for one in parts
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )
                place = f"{file.relative_to(ROOT)}:{node.lineno}"
                yield place, text, "caller_hint" in given


def test_no_hint_sends_callers_to_settings() -> None:
    found = list(hints())
    assert sum(1 for _, hint, apart in found if OPERATING.search(hint) and apart) >= 8
    # where the service listens is settled before anybody asks
    starting = "plugin/service/server.py"
    assert [
        place
        for place, hint, apart in found
        if OPERATING.search(hint) and not apart and not place.startswith(starting)
    ] == []


def test_how_a_worker_ended() -> None:
    assert describe_end(3) == "ended with exit code 3"
    assert describe_end(-signal.SIGSEGV) == "was ended by SIGSEGV"
    assert f"did not answer for {GRACE_SECONDS} s" in describe_end(-signal.SIGKILL)


def test_what_opensearch_quotes_of_a_row_is_not_logged() -> None:
    reason = "failed to parse field [user_query] of type [date] in document with id 'q1'."
    assert without_value(f"{reason} Preview of field's value: 'my words'") == reason
    assert without_value("disk full") == "disk full"
