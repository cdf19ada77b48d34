"""How OpenSearch is reached: addresses, certificates, accounts. Secrets are not settings."""

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from seealso.config.section import Section

AwsService = Literal["es", "aoss"]


class ClusterSettings(Section):
    """``[cluster]``: how to reach OpenSearch. The password comes from ``SEEALSO_PASSWORD``."""

    url: str | None = None
    """Address; without one, the embedded node."""
    hosts: tuple[str, ...] = ()
    """Addresses of more nodes of the same cluster; a node that is down is skipped."""
    sniff: bool = False
    """Ask the cluster for the addresses of its other nodes, too."""
    username: str | None = None
    """User of basic authentication."""
    ca_file: Path | None = None
    """Certificate authority that signed the cluster's certificate."""
    client_certificate: Path | None = None
    """Certificate (PEM) of this client, if the cluster requires one."""
    client_key: Path | None = None
    """Its private key (PEM), if it is in another file."""
    aws_region: str | None = Field(None, pattern=r"^[a-z0-9-]+$")
    """Sign requests for this region (Signature Version 4), as Amazon's services require."""
    aws_service: AwsService = "es"
    """The service that requests are signed for: ``es``, a domain, or ``aoss``, OpenSearch
    Serverless."""
    aws_profile: str | None = None
    """Profile of the AWS credentials; by default they are found as by AWS tools."""
    allow_plain_text: bool = False
    """Allow a password over http, where others can read it, and http beside https."""
    timeout: float = Field(30.0, gt=0)
    """Seconds to wait for an answer."""
    retries: int = Field(5, ge=0)
    """How often a request is sent again after status 429 or a lost connection."""
    deadline: float = Field(5.0, gt=0)
    """Seconds after which a query for a list ends, with an answer or an error, including its one
    retry."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        addresses = [one for one in (self.url, *self.hosts) if one is not None]
        if odd := [one for one in addresses if not one.startswith(("http://", "https://"))]:
            raise ValueError(f"{odd[0]!r} does not begin with http:// or https://")
        if self.hosts and self.url is None:
            raise ValueError("hosts are for more nodes: set url as well")
        if any(holds_secret(one) for one in addresses):
            raise ValueError("an address must not contain a user or password")
        clear = in_clear(addresses, password=self.username is not None)
        if clear is not None and not self.allow_plain_text:
            raise ValueError(f"{clear}: set https addresses, or allow_plain_text = true")
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("client_key needs client_certificate")
        files = (self.ca_file, self.client_certificate)
        if addresses and any(files) and not _secure(addresses):
            raise ValueError("ca_file and client_certificate need an https address")
        if self.aws_region is not None and self.username is not None:
            raise ValueError("set username or aws_region: requests are signed or have a password")
        return self


def holds_secret(address: str) -> bool:
    """Tell whether an address carries a user or a password, as ``https://user:word@host`` does."""
    return "@" in urlsplit(address).netloc


def in_clear(addresses: Iterable[str], *, password: bool) -> str | None:
    """Say what would go out readable for everybody on the way; None if nothing would.

    Parameters
    ----------
    addresses
        Of the nodes of one cluster.
    password
        Whether requests carry one. Over http to this very machine it stays on it.
    """
    parts = [urlsplit(one) for one in addresses]
    plain = [one for one in parts if one.scheme != "https"]
    if plain and len(plain) < len(parts):
        return f"{plain[0].netloc} is an http address beside https ones"
    if password and not all(_is_here(one.hostname or "") for one in plain):
        return "the password would go over http, in clear"
    return None


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secure(addresses: Iterable[str]) -> bool:
    return all(urlsplit(one).scheme == "https" for one in addresses)
