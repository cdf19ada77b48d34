"""Who asks, and whom: passwords, certificates and signatures, checked by a real gateway."""

import base64
import io
import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from seealso.cli.main import main
from seealso.cluster import Cluster, connect
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.encoder import Bundle
from seealso.errors import ClusterError, ConfigError, SeeAlsoError, Unavailable
from tests.integration.gateways import Gateway, Refusal, Request, everyone, gateway
from tests.integration.signatures import refusal
from tests.library import Library

USER, PASSWORD = "lesende", "Sésam-öffne-芝麻开门:!"
KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "not/a/real+secret+key", "session-token-of-nobody"
REGION = "eu-central-1"
AWS = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": TOKEN,
    # no credentials but these: nobody's files, nobody's machine role
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


@dataclass(frozen=True)
class Papers:
    """Authorities and certificates, made for one test session.

    Attributes
    ----------
    folder
        Where ``ca.pem``, ``client.pem``, ``client.key`` and the others lie.
    ours, others
        The authority that both sides trust, and one that nobody does.
    """

    folder: Path
    ours: trustme.CA
    others: trustme.CA

    def server(self, *, name: str = "127.0.0.1", **dates: datetime) -> ssl.SSLContext:
        """Return TLS of a server; `dates` say from and until when its certificate holds."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ours.issue_cert(name, **dates).configure_cert(context)
        return context

    def demanding(self) -> ssl.SSLContext:
        """Return TLS of a server that wants a certificate of our authority."""
        context = self.server()
        self.ours.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    made = Papers(folder, trustme.CA(), trustme.CA())
    made.ours.cert_pem.write_to_path(folder / "ca.pem")
    made.others.cert_pem.write_to_path(folder / "other-ca.pem")
    past = datetime.now(UTC) - timedelta(days=1)
    for name, authority, dates in (
        ("client", made.ours, {}),
        ("stranger", made.others, {}),
        ("former", made.ours, {"not_before": past - timedelta(days=1), "not_after": past}),
    ):
        one = authority.issue_cert("reader@example.org", **dates)
        one.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        one.private_key_pem.write_to_path(folder / f"{name}.key")
        one.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}-both.pem")
    key = load_pem_private_key((folder / "client.key").read_bytes(), None)
    (folder / "locked.key").write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode())
        )
    )
    return made


def password_checked(request: Request) -> Refusal | None:
    right = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if request.headers.get("authorization") == f"Basic {right}":
        return None
    return 401, b"Unauthorized"


def signature_checked(
    service: str = "es", *, late: timedelta = timedelta(), tampered: bytes = b"", **more: Any
) -> Callable[[Request], Refusal | None]:
    """Return a check whose clock goes `late`, of requests that had `tampered` added on the way."""

    def check(request: Request) -> Refusal | None:
        came = replace(request, body=request.body + tampered)
        asked = {"secrets": {KEY_ID: SECRET}, "region": REGION, **more}
        reason = refusal(came, service=service, now=datetime.now(UTC) + late, **asked)
        if reason is None:
            return None
        said = {"error": {"reason": reason, "type": "Forbidden"}} if service == "aoss" else {
            "message": reason
        }  # fmt: skip
        return 403, json.dumps(said).encode()

    return check


@contextmanager
def connected(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Cluster]:
    cluster = connect(load_settings(None, {"cluster": {"retries": 0, **settings}}), environ)
    try:
        yield cluster
    finally:
        cluster.close()


def complaint(settings: Mapping[str, Any], environ: Mapping[str, str]) -> SeeAlsoError:
    """Return what a request ends with."""
    with pytest.raises(SeeAlsoError) as caught, connected(settings, environ) as cluster:
        cluster.request("GET", "/_cat/indices", params={"format": "json"})
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, as every AWS tool finds them."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)


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
        found = cluster.request(
            "POST", "/_search", query, params={"filter_path": "hits.total,hits.*.x", "q": "a+c~*"}
        )
        assert "hits" in found
        assert not cluster.exists(f"/{index_name}")
    assert len(running.seen) == 4


@pytest.mark.usefixtures("aws")
def test_what_serverless_lacks_is_said_before_it_is_asked(
    opensearch_latest: NodeInfo, tiny: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gateway(opensearch_latest.url, signature_checked("aoss")) as running:
        library = Library.found(tmp_path, running.url, f"books-{uuid4().hex[:8]}", tiny)
        options = ["--set", f"cluster.aws_region={REGION}", "--set", "cluster.aws_service=aoss"]
        for command in (["index", "build"], ["templates", "install"]):
            with pytest.raises(SystemExit) as ended:
                main(["--config", str(library.config), *options, *command])
            said = capsys.readouterr().err
            assert ended.value.code == 7
            assert f"error: {running.url}: OpenSearch Serverless does not offer " in said
            assert 'cluster.aws_service = "es"' in " ".join(said.split())
        assert not [one for one in running.seen if one.method not in ("GET", "HEAD")]


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
        assert said.message == f"{running.url}: wants a user and a password"
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
        (None, "the cluster wants a client certificate"),
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


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("service", "gate", "chosen", "says", "cure"),
    [
        ("es", {"secrets": {KEY_ID: "another"}}, {}, "does not match", "credentials"),
        ("es", {"secrets": {}}, {}, "security token", "credentials"),
        ("es", {}, {"aws_region": "us-east-1"}, "valid region", "(now us-east-1)"),
        ("es", {}, {"aws_service": "aoss"}, "correct service", "aws_service"),
        ("es", {"late": timedelta(minutes=10)}, {}, "Signature expired", "clock"),
        ("es", {"late": -timedelta(minutes=10)}, {}, "not yet current", "clock"),
        ("es", {"tampered": b" "}, {}, "does not match", "credentials"),
        ("aoss", {"tampered": b" "}, {"aws_service": "aoss"}, "does not match", "credentials"),
        ("aoss", {}, {"aws_service": "es"}, "correct service", "aws_service"),
    ],
)
def test_signatures_that_do_not_hold(
    opensearch_latest: NodeInfo,
    service: str,
    gate: dict[str, Any],
    chosen: dict[str, Any],
    says: str,
    cure: str,
) -> None:
    with gateway(opensearch_latest.url, signature_checked(service, **gate)) as running:
        said = complaint({"url": running.url, "aws_region": REGION, **chosen}, {})
        assert isinstance(said, ClusterError)
        assert said.message.startswith(f"{running.url}: the signed request was refused: ")
        assert says in said.message
        assert cure in str(said.hint)
        assert running.seen == []
        for secret in (SECRET, TOKEN, "Canonical"):
            assert secret not in f"{said.message}{said.hint}{said.context}"


def test_requests_without_signature_are_refused(opensearch_latest: NodeInfo) -> None:
    with gateway(opensearch_latest.url, signature_checked()) as running:
        said = complaint({"url": running.url}, {})
        assert "Missing Authentication Token" in said.message


def test_no_credentials_to_sign_with(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    said = complaint({"url": "http://127.0.0.1:1", "aws_region": REGION}, {})
    assert "no AWS credentials" in said.message
    assert "AWS_ACCESS_KEY_ID" in str(said.hint)
    said = complaint(
        {"url": "http://127.0.0.1:1", "aws_region": REGION, "aws_profile": "nobody"}, {}
    )
    assert "nobody" in said.message
    assert "aws_profile" in str(said.hint)


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


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"url": "https://reader:open@h"}, "must not hold a user or password"),
        ({"url": "https://h", "hosts": ["https://reader:open@h"]}, "must not hold a user"),
        ({"hosts": ["https://h"]}, "set url as well"),
        ({"url": "https://h", "client_key": "x"}, "client_key needs client_certificate"),
        ({"url": "http://h", "ca_file": "x"}, "need an https address"),
        ({"url": "https://h", "username": "x", "aws_region": "eu-west-1"}, "username or aws_"),
        ({"url": "https://h", "aws_region": "eu west"}, "pattern"),
        ({"url": "https://h", "aws_region": "eu-west-1", "aws_service": "s3"}, "'es' or 'aoss'"),
        ({"url": "https://h", "password": "open"}, "no such setting"),
    ],
)
def test_settings_that_contradict_themselves(chosen: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(None, {"cluster": chosen})
    assert "open" not in caught.value.message
    assert "reader" not in f"{caught.value.message}{caught.value.hint}{caught.value.context}"


def test_a_password_in_the_address_is_refused_in_python_too() -> None:
    with pytest.raises(ConfigError, match="must not hold a user or password") as caught:
        Cluster("https://reader:open@127.0.0.1:1")
    assert "reader" not in caught.value.message


def told(exc: BaseException | None) -> str:
    """Return everything that an error and its causes say of themselves."""
    return "" if exc is None else f"{exc!r} {exc} {exc.args} {vars(exc)} {told(exc.__cause__)}"


@pytest.mark.usefixtures("aws")
def test_secrets_are_nowhere_to_be_read(
    opensearch_latest: NodeInfo,
    papers: Papers,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    written = io.StringIO()
    everything = logging.StreamHandler(written)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "seealso")
    monkeypatch.setattr(logging.getLogger("seealso"), "propagate", True)
    monkeypatch.setenv("SEEALSO_PASSWORD", PASSWORD)
    with ExitStack() as stack:
        stack.callback(logging.getLogger().removeHandler, everything)
        logging.getLogger().addHandler(everything)
        tls = papers.server()
        guarded = stack.enter_context(gateway(opensearch_latest.url, password_checked, tls))
        signed = stack.enter_context(gateway(opensearch_latest.url, signature_checked()))
        wary = stack.enter_context(
            gateway(opensearch_latest.url, signature_checked(secrets={KEY_ID: "another"}))
        )
        environ = {"SEEALSO_PASSWORD": PASSWORD, "SEEALSO_CLIENT_KEY_PASSWORD": PASSWORD}
        shown = {
            "ca_file": papers["ca.pem"],
            "client_certificate": papers["client.pem"],
            "client_key": papers["locked.key"],
        }
        ways: list[dict[str, Any]] = [
            {"url": guarded.url, "username": USER, **shown},
            {"url": guarded.url, "username": "nobody", **shown},
            {"url": signed.url, "aws_region": REGION},
            {"url": wary.url, "aws_region": REGION},
        ]
        for settings in ways:
            with connected(settings, environ) as cluster:
                try:
                    cluster.info()
                    cluster.request("GET", "/absent")
                except SeeAlsoError as exc:
                    written.write(told(exc))
                parts = (cluster, cluster.auth, vars(cluster), cluster._certificates)
                written.write("".join(map(repr, parts)))
        settings_shown: Settings = load_settings(None, {"cluster": ways[0]})
        written.write(f"{settings_shown!r} {settings_shown.model_dump_json()}")
    text = written.getvalue()
    assert "GET /absent" in text
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, encoded, SECRET, TOKEN):
        assert secret not in text
