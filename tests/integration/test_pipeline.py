"""Plain searches become personal by the cluster's own search pipeline, and fall back to themselves.

ml-commons itself does not run here: `ml_processor` does what its sources say. The service and the
node that searches are real.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, Final

import pytest

from seealso.cli.main import main
from seealso.cluster import Cluster
from seealso.cluster.node import DEFAULT_VERSION, NodeInfo
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.attach.running import attach
from seealso.plugin import Recommender
from seealso.plugin.service.app import create_app
from seealso.readers import Problems
from tests.integration.ml_commons import DEFAULT, PRIVATE, TRUSTED, MlCommons, with_plugin
from tests.integration.owners import OpenStack, Stack
from tests.services import running

SECRET: Final = "f3a1-the-key-of-the-service"
USER: Final = "u0"
# every hit has the same score: the preference decides
SEARCH: Final[dict[str, Any]] = {
    "query": {"bool": {"filter": {"range": {"price": {"lte": 40}}}}},
    "size": 100,
}

SPELLED: Final[dict[str, Any]] = {
    "match": {
        "title": {
            "query": "sailor castle",
            "operator": "OR",
            "prefix_length": 0,
            "max_expansions": 50,
            "fuzzy_transpositions": True,
            "lenient": False,
            "zero_terms_query": "NONE",
            "auto_generate_synonyms_phrase_query": True,
            "boost": 1.0,
        }
    }
}
"""A query as it stands in the slow log of a node, 2.19.1 and 3.5.0."""

on_latest = pytest.mark.parametrize("opensearch", [DEFAULT_VERSION], indirect=True)
"""What depends on no version is tested on one."""


@pytest.fixture
def stack(opensearch: NodeInfo, open_stack: OpenStack) -> Stack:
    """An attached index whose owner has no search pipeline."""
    made = open_stack(opensearch.url, **{DEFAULT: "_none"})
    attach(made.cluster, made.settings, made.alias, Problems("stop"))
    return made


@pytest.fixture
def plugin(opensearch: NodeInfo) -> Iterator[tuple[str, MlCommons]]:
    """The same cluster, with ml-commons."""
    with with_plugin(opensearch.url, opensearch.version) as found:
        yield found


def serving(stack: Stack, *, keyed: bool = False) -> AbstractContextManager[str]:
    """Serve the stack, on an address of its own."""
    digest = sha256(SECRET.encode()).hexdigest()
    keys = [{"name": "cluster", "sha256": digest, "scopes": ["read"]}] if keyed else []
    settings = stack.shop.settings(service={"keys": keys})
    return running(create_app(Recommender.from_config(settings)))


def command(stack: Stack, url: str, *words: str) -> int:
    """Run ``seealso attach`` with ``--pipeline`` against an address of the cluster."""
    arguments = stack.shop.arguments(
        "attach", stack.alias, "--pipeline", *words, cluster={"url": url}
    )
    return ended(*arguments)


def ended(*arguments: str) -> int:
    """Run a command, and return how it ended."""
    try:
        main(arguments)
    except SystemExit as exc:
        return int(exc.code or 0)
    return 0


def found(url: str, stack: Stack, body: dict[str, Any], **params: str) -> list[tuple[str, float]]:
    """Return ids and scores of what a search finds."""
    answer = Cluster(url, retries=0).request("POST", f"/{stack.alias}/_search", body, params)
    return [(hit["_id"], hit["_score"]) for hit in answer["hits"]["hits"]]


def of_user(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**body, "ext": {"ml_inference": {"user": USER, **more}}}


def personal(stack: Stack, body: dict[str, Any]) -> list[tuple[str, float]]:
    """Return what the library itself makes of a search."""
    with Recommender.from_config(stack.settings) as recommender:
        hits = recommender.search(body, USER)["hits"]["hits"]
    return [(hit["_id"], hit["_score"]) for hit in hits]


def test_a_search_that_names_a_user_is_personal_and_falls_back_to_itself(
    stack: Stack,
    plugin: tuple[str, MlCommons],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url, ml_commons = plugin
    monkeypatch.setenv("SEEALSO_SERVICE_KEY", SECRET)
    plain = found(stack.shop.url, stack, SEARCH)
    with serving(stack, keyed=True) as address:
        assert command(stack, url, "--service-address", address) == 0
        output = "".join(capfd.readouterr())
        assert "<SEEALSO_SERVICE_KEY>" in output
        assert SECRET not in output
        mine = found(url, stack, of_user(SEARCH))
        assert mine == personal(stack, SEARCH)
        assert [one for one, _ in mine] != [one for one, _ in plain]
        assert sorted(one for one, _ in mine) == sorted(one for one, _ in plain)
        # nobody is named, it is switched off, or nothing is known of the user
        assert found(url, stack, SEARCH) == plain
        assert found(url, stack, of_user(SEARCH), search_pipeline="_none") == plain
        assert found(url, stack, {**SEARCH, "ext": {"ml_inference": {"user": "nobody"}}}) == plain
        # what cannot be personalised is answered as it is
        by_price = {**SEARCH, "sort": [{"price": "asc"}]}
        assert found(url, stack, of_user(by_price)) == found(stack.shop.url, stack, by_price)
    assert found(url, stack, of_user(SEARCH)) == plain
    # the key is where the plugin keeps it encrypted, and nowhere else
    (connector,) = ml_commons.connectors.values()
    assert connector["credential"] == {"key": SECRET}
    assert SECRET not in json.dumps([{**connector, "credential": None}, ml_commons.pipelines])


def test_words_of_a_user_are_no_variables(stack: Stack, plugin: tuple[str, MlCommons]) -> None:
    url, _ = plugin
    with serving(stack) as address:
        assert command(stack, url, "--service-address", address) == 0
        for words in (
            'sailor "castle"',
            "sailor ${body} castle",
            "sailor $${x:-y}",
            "sailor \\ é<",
        ):
            body = {**SEARCH, "query": {"match": {"title": words}}}
            assert found(url, stack, of_user(body)) == personal(stack, body)
        # as OpenSearch writes a search that it has read, which is what the plugin hands over
        body = {**SEARCH, "query": {"match": {"title": "sailor castle"}}}
        assert found(url, stack, of_user({"size": 100, "query": SPELLED})) == personal(stack, body)
        # these are variables of the connector: the search is carried out, as it is
        for words in ("sailor ${parameters.body}", "sailor ${parameters.none}"):
            body = {**SEARCH, "query": {"match": {"title": words}}}
            assert found(url, stack, of_user(body)) == found(stack.shop.url, stack, body)


@on_latest
def test_a_visit_and_a_weight_come_with_the_search(
    stack: Stack, plugin: tuple[str, MlCommons]
) -> None:
    url, _ = plugin
    with serving(stack) as address:
        assert command(stack, url, "--service-address", address) == 0
        with Recommender.from_config(stack.settings) as recommender:
            user = recommender.user(USER, session=["f10", "f2"])
            expected = recommender.search(SEARCH, user, weight=0.6)["hits"]["hits"]
        answer = found(url, stack, of_user(SEARCH, session=["f10", "f2"], weight=0.6, theirs=[1]))
        assert answer == [(hit["_id"], hit["_score"]) for hit in expected]
        assert answer != personal(stack, SEARCH)


def test_a_second_run_renews_and_removal_leaves_nothing(
    stack: Stack,
    plugin: tuple[str, MlCommons],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url, ml_commons = plugin
    plain = found(stack.shop.url, stack, SEARCH)
    with serving(stack) as address:
        assert command(stack, url, "--service-address", address) == 0
        first = (*ml_commons.connectors, *ml_commons.models, *ml_commons.pipelines)
    # another address, and a key
    monkeypatch.setenv("SEEALSO_SERVICE_KEY", SECRET)
    with serving(stack, keyed=True) as address:
        assert command(stack, url, "--service-address", address) == 0
        assert (*ml_commons.connectors, *ml_commons.models, *ml_commons.pipelines) == first
        assert found(url, stack, of_user(SEARCH)) == personal(stack, SEARCH)
        capfd.readouterr()
        assert command(stack, url, "--remove", "--dry-run") == 0
        printed = capfd.readouterr().out
        assert ml_commons.pipelines
        assert command(stack, url, "--remove") == 0
        assert capfd.readouterr().out == printed
    assert [ml_commons.connectors, ml_commons.models, ml_commons.pipelines] == [{}, {}, {}]
    assert found(url, stack, of_user(SEARCH)) == plain
    assert command(stack, url, "--remove") == 0
    assert "not installed" in capfd.readouterr().out


@on_latest
def test_the_pipeline_of_an_owner_stays(
    opensearch: NodeInfo,
    open_stack: OpenStack,
    plugin: tuple[str, MlCommons],
    capfd: pytest.CaptureFixture[str],
) -> None:
    stack = open_stack(opensearch.url)
    attach(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    url, ml_commons = plugin
    with serving(stack) as address:
        assert command(stack, url, "--service-address", address) == 0
        (name,) = ml_commons.pipelines
        assert f"search_pipeline={name}" in "".join(capfd.readouterr())
        assert found(url, stack, of_user(SEARCH)) == found(stack.shop.url, stack, SEARCH)
        mine = found(url, stack, of_user(SEARCH), search_pipeline=name)
        assert mine == personal(stack, SEARCH)


@on_latest
@pytest.mark.parametrize(
    ("changes", "reason", "setting"),
    [
        ({"trusted": ["^https://api\\.openai\\.com/.*$"]}, "does not let connectors ask", TRUSTED),
        ({"private": False}, "no private address", PRIVATE),
    ],
    ids=["untrusted", "private"],
)
def test_what_the_cluster_does_not_allow_is_said_and_printed(
    stack: Stack,
    opensearch: NodeInfo,
    capfd: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    reason: str,
    setting: str,
) -> None:
    with (
        serving(stack) as address,
        with_plugin(opensearch.url, opensearch.version, **changes) as (
            url,
            ml_commons,
        ),
    ):
        assert command(stack, url, "--service-address", address, "--json") == ClusterError.exit_code
        output, complaint = capfd.readouterr()
        assert reason in complaint
        plan = json.loads(output)
        (first,) = plan["first"]
        assert [*first["body"]["persistent"]] == [setting]
        assert len(plan["requests"]) == 5
        # no search of the index goes through what could not ask
        assert not ml_commons.pipelines
        if setting == TRUSTED:
            # the list is replaced: what was trusted stays so
            ml_commons.trusted = first["body"]["persistent"][TRUSTED]
            assert ml_commons.trusted[:-1] == changes["trusted"]
        else:
            ml_commons.private = first["body"]["persistent"][PRIVATE]
        assert command(stack, url, "--service-address", address) == 0
        assert found(url, stack, of_user(SEARCH)) == personal(stack, SEARCH)


@on_latest
def test_without_the_plugin_the_requests_are_printed(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    address = "http://recommender:8080"
    assert command(stack, stack.shop.url, "--service-address", address) == ClusterError.exit_code
    output, complaint = capfd.readouterr()
    assert "ml-commons is not installed in this cluster" in complaint
    assert command(stack, stack.shop.url, "--service-address", address, "--dry-run") == 0
    assert capfd.readouterr().out == output
    assert "PUT /_cluster/settings" in output
    assert f'"url": "{address}/v1/personalise/pipeline"' in output


@on_latest
def test_a_service_that_is_not_there_is_no_pipeline(
    stack: Stack, plugin: tuple[str, MlCommons], capfd: pytest.CaptureFixture[str]
) -> None:
    url, ml_commons = plugin
    with serving(stack, keyed=True) as address:
        # it asks for a key
        assert command(stack, url, "--service-address", address) == ClusterError.exit_code
    refusal = capfd.readouterr().err
    assert "got no answer from" in refusal
    assert "a key of this service is needed" in refusal
    assert command(stack, url, "--service-address", address) == ClusterError.exit_code
    assert "got no answer from" in capfd.readouterr().err
    assert len(ml_commons.connectors) == len(ml_commons.models) == 1
    assert not ml_commons.pipelines


@on_latest
def test_an_index_without_vectors_is_refused(
    opensearch: NodeInfo, open_stack: OpenStack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack = open_stack(opensearch.url)
    address = "http://recommender:8080"
    assert (
        command(stack, stack.shop.url, "--service-address", address, "--dry-run")
        == MappingMismatch.exit_code
    )
    assert "has no vectors" in capfd.readouterr().err
    attach(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    # the old index: the service answers from the copy
    arguments = ["attach", stack.index, "--pipeline", "--service-address", address, "--dry-run"]
    assert ended(*stack.shop.arguments(*arguments)) == MappingMismatch.exit_code
    assert "has no vectors" in capfd.readouterr().err
