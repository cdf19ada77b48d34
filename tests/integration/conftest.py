"""Plain HTTP for the integration tests: what OpenSearch really answers, past our own client."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.catalogues import open_shop  # noqa: F401
from tests.integration.complaints import complain, kept_shop  # noqa: F401
from tests.integration.libraries import library, other_space, recommender  # noqa: F401
from tests.integration.owners import open_stack  # noqa: F401
from tests.integration.papers import aws, papers  # noqa: F401
from tests.integration.services import caller, client, served, writer  # noqa: F401
from tests.members import peopled, users_key  # noqa: F401
from tests.training_data import board, gpt2_board, one_thread, xlmr_board  # noqa: F401

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Send a request to a node and return the JSON it answers."""

    def send(url: str, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    return send
