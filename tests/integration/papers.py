"""Passwords, certificates and keys of the tests, and gateways that check them."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from seealso.cluster import Cluster, connect
from seealso.config import load_settings
from seealso.errors import SeeAlsoError
from tests.integration.gateways import Refusal, Request
from tests.integration.signatures import refusal

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
