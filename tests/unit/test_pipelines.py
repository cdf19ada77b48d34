"""What lets a cluster personalise searches: bodies of requests, addresses, what must be trusted."""

import json
import re
from typing import Any

import pytest

from seealso.errors import ConfigError
from seealso.plugin.pipelines.recipe import DEFAULT_PIPELINE, KEY, ClusterRequest, Recipe
from seealso.plugin.pipelines.trust import PRIVATE, TRUSTED, Trust, is_private

SAFE = re.compile(r"[\w\s.,!?():@\-/'\"]*")
"""What ml-commons 3.x takes in a name or a description (``StringUtils.SAFE_INPUT_PATTERN``)."""


def test_the_requests_are_those_of_ml_commons() -> None:
    recipe = Recipe.of("shop", "http://recommender:8080/", keyed=True)
    create, register, deploy, pipeline, setting = recipe.requests("shop-1", default=True)
    assert create.path == "/_plugins/_ml/connectors/_create"
    assert create.body is not None
    (action,) = create.body["actions"]
    assert action["url"] == "http://recommender:8080/v1/personalise/pipeline"
    assert action["headers"]["Authorization"] == "Bearer ${credential.key}"
    assert action["request_body"] == '{"body": ${parameters.body}}'
    assert create.body["credential"] == {"key": KEY}
    # in seconds: a search waits no longer
    assert create.body["client_config"] == {"connection_timeout": 1, "read_timeout": 1}
    assert register == ClusterRequest(
        "POST", "/_plugins/_ml/models/_register", recipe.model("<connector_id>")
    )
    assert deploy == ClusterRequest("POST", "/_plugins/_ml/models/<model_id>/_deploy")
    assert pipeline.path == "/_search/pipeline/seealso-personalise-shop"
    assert pipeline.body is not None
    ((kind, processor),) = pipeline.body["request_processors"][0].items()
    assert kind == "ml_inference"
    assert processor["input_map"] == [{"user": "ext.ml_inference.user", "body": "$"}]
    assert processor["output_map"] == [{"body": "body"}]
    assert processor["query_template"] == "${body}"
    assert processor["ignore_failure"] is True
    # it would carry out a search without a user twice
    assert "ignore_missing" not in processor
    assert setting == ClusterRequest(
        "PUT", "/shop-1/_settings", {DEFAULT_PIPELINE: "seealso-personalise-shop"}
    )
    for body in (create.body, recipe.model()):
        assert SAFE.fullmatch(body["name"])
        assert SAFE.fullmatch(body["description"])


def test_no_key_is_sent_where_none_is_needed() -> None:
    recipe = Recipe.of("shop", "https://recommender.example.org/shop", keyed=False)
    connector = recipe.connector()
    (action,) = connector["actions"]
    assert action["url"] == "https://recommender.example.org/shop/v1/personalise/pipeline"
    assert "Authorization" not in action["headers"]
    # ml-commons refuses a connector without a credential
    assert connector["credential"]
    assert len(recipe.requests("shop-1", default=False)) == 4


@pytest.mark.parametrize(
    "address",
    ["recommender:8080", "ftp://recommender", "http://", "http://a/?b=1", "http://a/#b", ""],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a service"):
        Recipe.of("shop", address, keyed=False)


def test_an_address_holds_no_password() -> None:
    with pytest.raises(ConfigError, match="must not contain a user or password") as refused:
        Recipe.of("shop", "http://anna:secret@recommender", keyed=False)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.4", True), ("::1", True),
        ("localhost", True), ("recommender", True),
        ("recommender.example.org", False), ("8.8.8.8", False),
    ],
)  # fmt: skip
def test_private_addresses_are_known(host: str, private: bool) -> None:
    assert is_private(host) is private


def test_what_an_administrator_must_allow_keeps_what_is_allowed() -> None:
    recipe = Recipe.of("shop", "http://recommender:8080", keyed=False)
    known = ["^https://api\\.openai\\.com/.*$"]
    trust = Trust.of({"defaults": {TRUSTED: known, PRIVATE: "false"}})
    ((first,),) = (trust.lacking(recipe),)
    assert first.body is not None
    settings: dict[str, Any] = first.body["persistent"]
    assert settings[PRIVATE] is True
    assert settings[TRUSTED][:-1] == known
    assert re.fullmatch(settings[TRUSTED][-1], recipe.url)
    assert not re.fullmatch(settings[TRUSTED][-1], recipe.url.replace("recommender", "elsewhere"))
    # then nothing is lacking
    assert Trust.of({"persistent": settings, "defaults": {TRUSTED: known}}).lacking(recipe) == ()


def test_a_public_address_that_is_trusted_lacks_nothing() -> None:
    recipe = Recipe.of("shop", "https://recommender.example.org", keyed=False)
    # a form that Java alone knows says nothing
    patterns = ["^(?<broken.*$", "^https://recommender\\.example\\.org/.*$"]
    assert Trust.of({"persistent": {TRUSTED: patterns}}).lacking(recipe) == ()


def test_what_is_printed_is_json() -> None:
    recipe = Recipe.of("shop", "http://recommender:8080", keyed=True)
    for one in recipe.requests("shop-1", default=True):
        assert json.loads(json.dumps(one.body)) == one.body
