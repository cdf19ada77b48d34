"""Requests that are signed, checked by a gateway that computes each signature itself."""

import base64
import io
import logging
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.encoder import Bundle
from seealso.errors import ClusterError, SeeAlsoError
from tests.integration.gateways import gateway
from tests.integration.papers import (
    KEY_ID,
    PASSWORD,
    REGION,
    SECRET,
    TOKEN,
    USER,
    Papers,
    complaint,
    connected,
    password_checked,
    signature_checked,
)
from tests.library import Library


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
