"""Checks Signature Version 4 as AWS describes it, with none of the code that signs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from tests.integration.gateways import Request

ALGORITHM = "AWS4-HMAC-SHA256"
HOLDS_FOR = timedelta(minutes=5)
FORM = re.compile(
    ALGORITHM + r" Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signature:
    """What an ``authorization`` header says."""

    key_id: str
    day: str
    region: str
    service: str
    headers: Sequence[str]
    signature: str

    @classmethod
    def of(cls, header: str) -> "Signature | None":
        """Return what the header says, or None where it says something else."""
        found = FORM.fullmatch(header)
        if found is None:
            return None
        key_id, day, region, service, names, signature = found.groups()
        return cls(key_id, day, region, service, names.split(";"), signature)


def encoded(text: str, safe: str = "") -> str:
    """Return `text` percent-encoded as RFC 3986 says: all but A-Z a-z 0-9 - . _ ~."""
    return quote(text, safe="-._~" + safe)


def canonical_query(query: str) -> str:
    """Return the parameters, decoded once, encoded anew and in order."""
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((encoded(unquote(n)), encoded(unquote(v))) for n, v in pairs)
    )


def canonical_request(request: Request, signed: Sequence[str], payload: str) -> str:
    """Return what is hashed: every service but S3 encodes the path once more than it came."""
    path, _, query = request.target.partition("?")
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed]
    return "\n".join(
        (
            request.method,
            encoded(path or "/", "/"),
            canonical_query(query),
            "".join(lines),
            ";".join(signed),
            payload,
        )
    )


def signature(secret: str, said: Signature, moment: str, canonical: str) -> str:
    """Return the signature in hexadecimal."""
    scope = f"{said.day}/{said.region}/{said.service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join((ALGORITHM, moment, scope, hashed))
    key = f"AWS4{secret}".encode()
    for part in (said.day, said.region, said.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def refusal(
    request: Request, secrets: Mapping[str, str], region: str, service: str, now: datetime
) -> str | None:
    """Return why a service refuses `request`, in the words of AWS, or None for a good one."""
    said = Signature.of(request.headers.get("authorization", ""))
    if said is None:
        return "Missing Authentication Token"
    if said.key_id not in secrets:
        return "The security token included in the request is invalid."
    if said.region != region:
        return f"Credential should be scoped to a valid region, not '{said.region}'."
    if said.service != service:
        return f"Credential should be scoped to correct service: '{service}'."
    if not {"host", "x-amz-date"} <= set(said.headers):
        return "'Host' and 'X-Amz-Date' must be 'SignedHeaders' in the AWS Authorization."
    moment = request.headers.get("x-amz-date", "")
    sent = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if said.day != moment[:8]:
        return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date."
    if sent < now - HOLDS_FOR:
        return f"Signature expired: {moment} is now earlier than {now:%Y%m%dT%H%M%SZ}"
    if sent > now + HOLDS_FOR:
        return f"Signature not yet current: {moment} is still later than {now:%Y%m%dT%H%M%SZ}"
    payload = hashlib.sha256(request.body).hexdigest()
    declared = request.headers.get("x-amz-content-sha256")
    if service == "aoss" and (declared is None or "x-amz-content-sha256" not in said.headers):
        return "Forbidden"
    canonical = canonical_request(request, said.headers, payload)
    right = signature(secrets[said.key_id], said, moment, canonical)
    if declared not in (None, payload) or not hmac.compare_digest(right, said.signature):
        return (
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.\n\n"
            f"The Canonical String for this request should have been\n'{canonical}'"
        )
    return None
