"""The check of signatures is right itself: examples that AWS published."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.gateways import Request
from tests.integration.signatures import ALGORITHM, refusal

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}

EXAMPLES = [
    (
        "/", "service", {"host": "example.amazonaws.com"},
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "/?Param2=value2&Param1=value1", "service", {"host": "example.amazonaws.com"},
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "/?Action=ListUsers&Version=2010-05-08", "iam", {"host": "iam.amazonaws.com", **FORM},
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
]  # fmt: skip


def example(target: str, service: str, headers: dict[str, str], signature: str) -> Request:
    sent = {**headers, "x-amz-date": "20150830T123600Z"}
    said = (
        f"{ALGORITHM} Credential={KEY_ID}/20150830/us-east-1/{service}/aws4_request, "
        f"SignedHeaders={';'.join(sorted(sent))}, Signature={signature}"
    )
    return Request("GET", target, {**sent, "authorization": said})


def check(request: Request, service: str = "service", late: timedelta = timedelta()) -> str | None:
    return refusal(request, {KEY_ID: SECRET}, "us-east-1", service, MOMENT + late)


@pytest.mark.parametrize(("target", "service", "headers", "signature"), EXAMPLES)
def test_published_examples_are_good(
    target: str, service: str, headers: dict[str, str], signature: str
) -> None:
    request = example(target, service, headers, signature)
    assert check(request, service) is None
    for other in (
        Request("POST", request.target, request.headers),
        Request("GET", request.target + "x", request.headers),
        Request("GET", request.target, {**request.headers, "host": "elsewhere"}),
        Request("GET", request.target, request.headers, b"a body"),
    ):
        assert "does not match" in str(check(other, service))


def test_signatures_hold_for_five_minutes() -> None:
    request = example(*EXAMPLES[0])
    for minutes, says in ((4, None), (6, "expired"), (-4, None), (-6, "not yet current")):
        reason = check(request, late=timedelta(minutes=minutes))
        assert reason is None if says is None else says in str(reason)


def test_serverless_wants_the_hash_of_the_body_signed() -> None:
    request = example("/", "aoss", {"host": "example.amazonaws.com"}, "0" * 64)
    assert check(request, "aoss") == "Forbidden"
    empty = hashlib.sha256(b"").hexdigest()
    unsigned = Request("GET", "/", {**request.headers, "x-amz-content-sha256": empty})
    assert check(unsigned, "aoss") == "Forbidden"
