"""The service is sent what nobody thought of, made from its own description, and never breaks."""

from http import HTTPStatus

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from seealso.plugin.service.app import create_app
from tests.integration.catalogues import Shop
from tests.members import asking

OPERATIONS = [
    ("POST", "/v1/recommend"),
    ("POST", "/v1/recommend/batch"),
    ("POST", "/v1/related/{item_id}"),
    ("POST", "/v1/rank"),
    ("POST", "/v1/popular"),
    ("POST", "/v1/validate"),
    ("POST", "/v1/group"),
    ("POST", "/v1/explain"),
    ("POST", "/v1/neighbours"),
    ("POST", "/v1/personalise"),
    ("POST", "/v1/personalise/pipeline"),
    ("POST", "/v1/events"),
    ("POST", "/v1/items"),
    ("DELETE", "/v1/items"),
    ("DELETE", "/v1/items/{item_id}"),
    ("GET", "/v1/users/{user_id}"),
    ("DELETE", "/v1/users/{user_id}"),
]
"""Those that take a body or a part of an address."""

FINE = {
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


@pytest.fixture(scope="module")
def service(served: Shop) -> FastAPI:
    """The service over a shop with a users index."""
    return create_app(asking(served))


def test_all_operations_are_there(service: FastAPI) -> None:
    described = service.openapi()["paths"]
    there = {(method.upper(), path) for path, all_ in described.items() for method in all_}
    watched = {("GET", path) for path in ("/healthz", "/readyz", "/metrics")}
    assert there == {*OPERATIONS, *watched}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nothing_that_is_sent_breaks_it(
    service: FastAPI, method: str, path: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", service)

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Case) -> None:
        answer = case.call()
        assert answer.status_code in FINE, answer.text
        if answer.status_code != HTTPStatus.OK:
            assert answer.json()["detail"], answer.text

    send()
