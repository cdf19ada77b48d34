"""Who asks, and whom: passwords, certificates and hosts, checked by a real gateway."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from seealso.cli.main import main
from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.config import load_settings
from seealso.encoder import Bundle
from seealso.errors import ConfigError, Unavailable
from tests.integration.gateways import Gateway, Refusal, Request, everyone, gateway
from tests.integration.papers import (
    AWS,
    PASSWORD,
    REGION,
    USER,
    Papers,
    complaint,
    connected,
    password_checked,
    signature_checked,
)
from tests.library import Library

Way = tuple[Gateway, dict[str, Any], dict[str, str]]


@pytest.fixture(params=["password", "certificate", "locked key", "es", "aoss", "both"])
def way(
    request: pytest.FixtureRequest,
    opensearch: NodeInfo,
    papers: Papers,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Way]:
    """Each way to be let in: a gateway, the settings and the variables."""
    trusted = {"ca_file": papers["ca.pem"]}
    shown = {"client_certificate": papers["client.pem"], "client_key": papers["client.key"]}
    signed = {"aws_region": REGION}
    admit, tls, settings, variables = {
        "password": (password_checked, papers.server(), {"username": USER},
                     {"SEEALSO_PASSWORD": PASSWORD}),
        "certificate": (everyone, papers.demanding(), shown, {}),
        "locked key": (everyone, papers.demanding(), shown | {"client_key": papers["locked.key"]},
                       {"SEEALSO_CLIENT_KEY_PASSWORD": PASSWORD}),
        "es": (signature_checked("es"), papers.server(), signed, AWS),
        "aoss": (signature_checked("aoss"), papers.server(), signed | {"aws_service": "aoss"}, AWS),
        "both": (password_checked, papers.demanding(), {
            "username": USER, "client_certificate": papers["client-both.pem"],
        }, {"SEEALSO_PASSWORD": PASSWORD}),
    }[request.param]  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with gateway(opensearch.url, admit, tls) as running:
        yield running, {"url": running.url, **trusted, **settings}, variables


def test_every_way_in_answers(way: Way, index_name: str) -> None:
    running, settings, variables = way
    with connected(settings, variables) as cluster:
        listed = {"h": "index,docs.count", "format": "json"}
        assert isinstance(cluster.request("GET", "/_cat/indices", params=listed), list)
        # odd names, parameters and bodies are signed, too
        path = f"/{index_name}-ä b*+c"
        assert cluster.request("GET", path, params={"ignore_unavailable": "true"}) == {}
        query = {"query": {"match": {"title": "Größe 无线 \"'"}}, "size": 0}
        # of no index: a shard of another test may be starting, and that would refuse the search
        found = cluster.request(
            "POST",
            f"/{index_name}-*/_search",
            query,
            params={"filter_path": "hits.total,hits.*.x", "q": "a+c~*"},
        )
        assert "hits" in found
        assert not cluster.exists(f"/{index_name}")
    assert len(running.seen) == 4


@pytest.mark.parametrize("way", ["password", "certificate", "es"], indirect=True)
def test_build_and_recommend_over_it(
    way: Way, tiny: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running, settings, _ = way
    library = Library.found(tmp_path, running.url, f"books-{uuid4().hex[:8]}", tiny)
    options = [part for name, value in settings.items() if name != "url"
               for part in ("--set", f"cluster.{name}={json.dumps(value)}")]  # fmt: skip

    def run(*command: str) -> Any:
        main(["--config", str(library.config), *options, *command, "--json"])
        return json.loads(capsys.readouterr().out)

    try:
        assert run("index", "build")["items"] == 60
        assert len(run("recommend", "u1", "--words", "a castle")["items"]) == 10
    finally:
        name = run("index", "list")[0]["name"]
        with connected(settings, way[2]) as cluster:
            cluster.request("DELETE", f"/{name}")


def test_passwords_that_are_not_right(opensearch_latest: NodeInfo, papers: Papers) -> None:
    with gateway(opensearch_latest.url, password_checked, papers.server()) as running:
        settings = {"url": running.url, "ca_file": papers["ca.pem"]}
        for given in ({}, {"SEEALSO_PASSWORD": ""}, {"SEEALSO_PASSWORD": "Sesam"}):
            said = complaint({**settings, "username": USER}, given)
            assert said.message == f"{running.url}: wrong user or password"
            assert "SEEALSO_PASSWORD" in str(said.hint)
        said = complaint(settings, {"SEEALSO_PASSWORD": PASSWORD})
        assert said.message == f"{running.url}: requires a user and a password"
        assert running.seen == []


PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("server", "trusted", "says", "cure"),
    [
        ({}, "other-ca.pem", "the TLS certificate is not trusted", "cluster.ca_file"),
        ({}, None, "the TLS certificate is not trusted", "cluster.ca_file"),
        (
            {"not_before": PAST, "not_after": PAST + timedelta(days=9)},
            "ca.pem",
            "the TLS certificate has expired",
            "renew it",
        ),
        (
            {"not_before": datetime.now(UTC) + timedelta(days=2)},
            "ca.pem",
            "the TLS certificate is not valid yet",
            "clocks",
        ),
        ({"name": "search.example.org"}, "ca.pem", "for another host", "cluster.url"),
    ],
)
def test_certificates_that_are_not_to_be_trusted(
    opensearch_latest: NodeInfo,
    papers: Papers,
    server: dict[str, Any],
    trusted: str | None,
    says: str,
    cure: str,
) -> None:
    with gateway(opensearch_latest.url, everyone, papers.server(**server)) as running:
        chosen = {} if trusted is None else {"ca_file": papers[trusted]}
        said = complaint({"url": running.url, **chosen}, {})
        assert isinstance(said, Unavailable)
        assert said.message.startswith(f"{running.url}: ")
        assert says in said.message
        assert cure in str(said.hint)
        assert running.seen == []


def test_an_address_that_speaks_no_tls(opensearch_latest: NodeInfo) -> None:
    url = opensearch_latest.url.replace("http:", "https:")
    said = complaint({"url": url}, {})
    assert said.message.startswith(f"{url}: no secure connection could be made: ")
    assert "speaks TLS" in str(said.hint)


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (None, "the cluster requires a client certificate"),
        ("stranger", "the cluster does not trust the client certificate"),
        ("former", "the client certificate has expired"),
    ],
)
def test_clients_that_are_not_let_in(
    opensearch_latest: NodeInfo, papers: Papers, shown: str | None, says: str
) -> None:
    with gateway(opensearch_latest.url, everyone, papers.demanding()) as running:
        settings = {"url": running.url, "ca_file": papers["ca.pem"]}
        if shown is not None:
            settings["client_certificate"] = papers[f"{shown}-both.pem"]
        said = complaint(settings, {})
        assert said.message == f"{running.url}: {says}"
        assert running.seen == []


@pytest.mark.parametrize(
    ("given", "says", "cure"),
    [
        ({"ca_file": "absent.pem"}, "absent.pem: No such file", "cluster.ca_file"),
        ({"ca_file": "client.key"}, "client.key: no certificate", "cluster.ca_file"),
        (
            {"client_certificate": "absent.pem", "client_key": "client.key"},
            "No such file",
            "cluster.client",
        ),
        ({"client_certificate": "client.pem"}, "client.pem: no certificate or key", "client_cert"),
        (
            {"client_certificate": "client.pem", "client_key": "stranger.key"},
            "stranger.key: is not the key of the certificate",
            "cluster.client_key",
        ),
        (
            {"client_certificate": "client.pem", "client_key": "locked.key"},
            "locked.key: the key is encrypted",
            "SEEALSO_CLIENT_KEY_PASSWORD",
        ),
    ],
)
def test_files_that_are_of_no_use(
    papers: Papers, given: dict[str, str], says: str, cure: str
) -> None:
    files = {name: papers[file] for name, file in given.items()}
    said = complaint({"url": "https://127.0.0.1:1", **files}, {})
    assert isinstance(said, ConfigError)
    assert says in said.message
    assert cure in str(said.hint)


def test_a_passphrase_that_does_not_open_the_key(papers: Papers) -> None:
    chosen = {
        "url": "https://127.0.0.1:1",
        "client_certificate": papers["client.pem"],
        "client_key": papers["locked.key"],
    }
    said = complaint(chosen, {"SEEALSO_CLIENT_KEY_PASSWORD": "nothing-opens"})
    assert "locked.key: no certificate or key" in said.message
    assert "nothing-opens" not in f"{said.message}{said.hint}"


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_node_that_is_down_is_passed_over(opensearch_latest: NodeInfo, dead: str) -> None:
    for _ in range(5):
        chosen = {"url": dead, "hosts": [opensearch_latest.url], "retries": 0}
        with connected(chosen, {}) as cluster:
            assert cluster.info()["version"]["number"] == opensearch_latest.version
    said = complaint({"url": dead, "hosts": ["http://127.0.0.1:1"]}, {})
    assert said.message == f"{dead}, http://127.0.0.1:1: OpenSearch does not answer"


def test_nodes_are_asked_for_only_where_that_is_wanted(
    opensearch_latest: NodeInfo, dead: str
) -> None:
    with gateway(opensearch_latest.url) as running:
        with connected({"url": running.url}, {}) as cluster:
            cluster.info()
        assert [one.target for one in running.seen] == ["/"]
        running.seen.clear()
        with connected({"url": running.url, "sniff": True}, {}) as cluster:
            assert cluster.info()["version"]["number"] == opensearch_latest.version
        # what the cluster named is asked from then on, not the gateway
        assert [one.target for one in running.seen] == ["/_nodes/_all/http"]
    said = complaint({"url": dead, "sniff": True}, {})
    assert "OpenSearch does not answer" in said.message


def test_nodes_that_the_cluster_names_are_asked_over_tls(
    opensearch_latest: NodeInfo, papers: Papers
) -> None:
    """With the same authority, client certificate and password: nothing goes out in clear."""
    chosen = {
        "ca_file": papers["ca.pem"],
        "client_certificate": papers["client-both.pem"],
        "username": USER,
        "sniff": True,
    }
    node = opensearch_latest.url
    with gateway(node, password_checked, papers.demanding()) as second:
        named = {"roles": ["data"], "http": {"publish_address": second.url.split("//")[1]}}
        nodes = json.dumps({"nodes": {"n": named}}).encode()

        def naming(request: Request) -> Refusal | None:
            return password_checked(request) or (200, nodes)

        with gateway(node, naming, papers.demanding()) as first:
            settings = {**chosen, "url": first.url}
            with connected(settings, {"SEEALSO_PASSWORD": PASSWORD}) as cluster:
                assert cluster.info()["version"]["number"] == opensearch_latest.version
    assert [one.target for one in second.seen] == ["/"]


def test_a_node_that_speaks_no_tls_hears_no_password(
    opensearch_latest: NodeInfo, papers: Papers
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as ear:
        named = {"http": {"publish_address": f"127.0.0.1:{ear.getsockname()[1]}"}}
        nodes = json.dumps({"nodes": {"n": named}}).encode()
        with gateway(opensearch_latest.url, lambda _: (200, nodes), papers.server()) as running:
            chosen = {"url": running.url, "ca_file": papers["ca.pem"], "username": USER,
                      "sniff": True}  # fmt: skip
            secrets = {"SEEALSO_PASSWORD": PASSWORD}
            with connected(chosen, secrets) as cluster, pytest.raises(Unavailable):
                cluster.request("GET", "/", timeout=0.5)
        caller, _ = ear.accept()
        with caller:
            heard = caller.recv(65536)
    # a TLS handshake begins so
    assert heard[:2] == b"\x16\x03"
    assert b"uthorization" not in heard


CLEAR = "the password would go over http, in clear"


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"url": "http://search.example.org:9200", "username": USER}, CLEAR),
        ({"url": "http://10.0.0.7:9200", "username": USER}, CLEAR),
        ({"url": "http://localhost", "hosts": ["http://h"], "username": USER}, CLEAR),
        ({"url": "https://h", "hosts": ["http://i"], "username": USER}, "beside https"),
        ({"url": "https://h", "hosts": ["http://localhost"]}, "beside https"),
    ],
)
def test_what_would_go_out_in_clear_is_refused(chosen: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(None, {"cluster": chosen})
    assert "allow_plain_text = true" in f"{caught.value.message}{caught.value.hint}"
    url, hosts = chosen["url"], chosen.get("hosts", ())
    with pytest.raises(ConfigError, match=says):
        Cluster(url, hosts=hosts, username=chosen.get("username"), password=PASSWORD)
    allowed = {**chosen, "allow_plain_text": True}
    assert load_settings(None, {"cluster": allowed}).cluster.url == url
    Cluster(url, hosts=hosts, username=USER, allow_plain_text=True).close()


@pytest.mark.parametrize("here", ["http://localhost:9200", "http://127.0.0.2", "http://[::1]:9200"])
def test_a_password_that_stays_on_the_machine_is_no_matter(here: str) -> None:
    assert load_settings(None, {"cluster": {"url": here, "username": USER}}).cluster.url == here


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"url": "https://reader:open@h"}, "must not contain a user or password"),
        ({"url": "https://h", "hosts": ["https://reader:open@h"]}, "must not contain a user"),
        ({"hosts": ["https://h"]}, "set url as well"),
        ({"url": "https://h", "client_key": "x"}, "client_key needs client_certificate"),
        ({"url": "http://h", "ca_file": "x"}, "need an https address"),
        ({"url": "https://h", "username": "x", "aws_region": "eu-west-1"}, "username or aws_"),
        ({"url": "https://h", "aws_region": "eu west"}, "must be lower-case letters, digits and -"),
        (
            {"url": "https://h", "aws_region": "eu-west-1", "aws_service": "s3"},
            "must be one of es, aoss",
        ),
        ({"url": "https://h", "password": "open"}, "no such setting"),
    ],
)
def test_settings_that_contradict_themselves(chosen: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(None, {"cluster": chosen})
    assert "open" not in caught.value.message
    assert "reader" not in f"{caught.value.message}{caught.value.hint}{caught.value.context}"


def test_a_password_in_the_address_is_refused_in_python_too() -> None:
    with pytest.raises(ConfigError, match="must not contain a user or password") as caught:
        Cluster("https://reader:open@127.0.0.1:1")
    assert "reader" not in caught.value.message
