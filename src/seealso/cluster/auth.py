"""Authorisation: headers that are computed for each request. Nothing here is ever printed."""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from opensearchpy import Urllib3AWSV4SignerAuth

from seealso.config.cluster import AwsService
from seealso.errors import ConfigError, MissingExtraError


class Authorisation(Protocol):
    """Authenticates requests."""

    def __call__(self, method: str, url: str, body: Any, /) -> Mapping[str, str]:
        """Return the headers that a request needs."""
        ...


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password, in UTF-8 as OpenSearch reads them (RFC 7617)."""

    username: str
    password: str = field(repr=False)

    def __call__(self, *_: object) -> Mapping[str, str]:
        """Return the ``authorization`` header."""
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"authorization": f"Basic {credentials}"}


class Signed:
    """Signature Version 4, computed by botocore.

    Credentials are looked for where every AWS tool looks: variables, profiles, the role of a
    container or machine; those that expire are fetched again.

    Parameters
    ----------
    region, service
        What the signature holds for: ``es``, a domain, or ``aoss``, OpenSearch Serverless.
    profile
        A profile of the credentials file, instead of the default one.

    Raises
    ------
    MissingExtraError
        botocore is not installed.
    ConfigError
        There are no credentials.
    """

    def __init__(self, region: str, service: AwsService, profile: str | None = None) -> None:
        try:
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session
        except ImportError as exc:
            raise MissingExtraError.of("botocore", "aws") from exc
        # at DEBUG it writes what it signs, session tokens among it
        logging.getLogger("botocore").setLevel(logging.INFO)
        self.region, self.service = region, service
        try:
            credentials = Session(profile=profile).get_credentials()
        except BotoCoreError as exc:
            raise ConfigError(f"AWS credentials: {exc}", hint="check cluster.aws_profile") from exc
        if credentials is None:
            raise ConfigError(
                "requests are to be signed, but there are no AWS credentials",
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or cluster.aws_profile",
            )
        self._sign = Urllib3AWSV4SignerAuth(credentials, region, service)

    def __call__(self, method: str, url: str, body: Any) -> Mapping[str, str]:
        """Return the headers of a signed request."""
        found: Mapping[str, str] = self._sign(method, url, body)
        return found

    def __repr__(self) -> str:
        return f"Signed(region={self.region!r}, service={self.service!r})"
