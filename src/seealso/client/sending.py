"""Sends requests over HTTP, reads answers and problems, and asks again where that is safe."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx
from pydantic import TypeAdapter, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    before_sleep_log,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from seealso.errors import ConfigError, ServiceError
from seealso.version import __version__

T = TypeVar("T")

UNREACHABLE: Final = "Unreachable"
LOST: Final = "ConnectionLost"
TOO_LATE: Final = "TooLate"
UNKNOWN: Final = "UnknownAnswer"

LONGEST_WAIT: Final = 10.0
"""Seconds: a service that says to come back later than that is not waited for."""

PASSING: Final = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT})
"""Of what may be right a moment later, though a part may have been carried out."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes
    ----------
    method, path
        Where it goes.
    body
        What is sent as JSON.
    repeatable
        Whether it may be sent again although it may have been carried out.
    request_id
        The same, however often it is sent.
    """

    method: str
    path: str
    body: Any = None
    repeatable: bool = True
    request_id: str = ""


class Sender:
    """Sends calls to one service; safe to share between threads.

    Parameters
    ----------
    url, key, timeout, retries
        As for `seealso.client.Client`.

    Raises
    ------
    ConfigError
        The address is none, or the key cannot be sent in a header.
    """

    def __init__(self, url: str, key: str | None, timeout: float, retries: int) -> None:
        headers = {"User-Agent": f"seealso/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {_checked_key(key)}"
        self._http = httpx.Client(base_url=_checked_url(url), headers=headers, timeout=timeout)
        self._attempts = 1 + retries
        self.url = url

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def send(self, kind: type[T], call: Call) -> T:
        """Return the answer to a call, read as a value of `kind`.

        Raises
        ------
        ServiceError
            The service refuses, does not answer, or answers what is no `kind`.
        """
        named = Call(call.method, call.path, call.body, call.repeatable, uuid4().hex)
        retrying = Retrying(
            retry=retry_if_exception(lambda exc: _may_repeat(exc, named)),
            wait=_seconds_to_wait,
            stop=stop_after_attempt(self._attempts),
            before_sleep=before_sleep_log(log, logging.INFO),
            reraise=True,
        )
        return _read(kind, retrying(self._once, named), named)

    def _once(self, call: Call) -> httpx.Response:
        request = self._http.build_request(
            call.method, call.path, json=call.body, headers={"X-Request-Id": call.request_id}
        )
        try:
            answer = self._http.send(request)
        except httpx.TransportError as exc:
            raise self._no_answer(exc, call) from exc
        if answer.is_success:
            return answer
        raise _problem(answer, call)

    def _no_answer(self, exc: httpx.TransportError, call: Call) -> ServiceError:
        # a subclass of both: a connection that is not there in time was not used
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
            code, what, hint = UNREACHABLE, "cannot be reached", "`seealso serve`, or its gateway"
        elif isinstance(exc, httpx.TimeoutException):
            code, what, hint = TOO_LATE, "did not answer in time", "raise `timeout`"
        else:
            code, what, hint = LOST, "ended the connection", None
        reason = f": {exc}" if str(exc) else ""
        return ServiceError(
            f"{self.url} {what}{reason}", code=code, request_id=call.request_id, hint=hint
        )


def _checked_url(url: str) -> httpx.URL:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise ConfigError(f"url: {url!r} is no address: {exc}") from exc
    if read.scheme not in ("http", "https") or not read.host:
        raise ConfigError(f"url: {url!r} is no address", hint="for instance http://127.0.0.1:8080")
    if read.userinfo:
        raise ConfigError("url: holds a user or a password", hint="give the key as `key`")
    return read


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            "key: holds a blank, the end of a line or a letter that is not ASCII",
            hint="a key that is read from a file may need .strip()",
        )
    return key


def _problem(answer: httpx.Response, call: Call) -> ServiceError:
    """Return the error that an answer is: the service's own problem, or that of a gateway."""
    try:
        plain = answer.json()
    except ValueError:
        plain = None
    request_id = answer.headers.get("X-Request-Id", call.request_id)
    retry_after = _read_retry_after(answer.headers.get("Retry-After"))
    if not isinstance(plain, Mapping) or not isinstance(plain.get("code"), str):
        return ServiceError(
            f"{answer.url}: {answer.status_code} {answer.reason_phrase}, and no problem of seealso",
            hint="something else than the service has answered",
            code=UNKNOWN,
            status=answer.status_code,
            retry_after=retry_after,
            request_id=request_id,
        )
    return ServiceError(
        str(plain.get("detail")),
        hint=plain.get("hint"),
        code=plain["code"],
        status=answer.status_code,
        retry_after=retry_after,
        request_id=request_id,
        refused=plain.get("refused", ()),
    )


def _read_retry_after(value: str | None) -> float | None:
    """Return seconds: HTTP allows a number of them, or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        there = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (there - datetime.now(UTC)).total_seconds())


def _may_repeat(exc: BaseException, call: Call) -> bool:
    if not isinstance(exc, ServiceError) or (exc.retry_after or 0.0) > LONGEST_WAIT:
        return False
    if exc.code == UNREACHABLE or exc.status == HTTPStatus.TOO_MANY_REQUESTS:
        # nothing was begun
        return True
    return call.repeatable and (exc.code == LOST or exc.status in PASSING)


_backoff = wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT)


def _seconds_to_wait(state: RetryCallState) -> float:
    """Return what the service says, and a bit: those who were refused must not return at once."""
    exc = state.outcome.exception() if state.outcome else None
    least = exc.retry_after if isinstance(exc, ServiceError) else None
    return (least or 0.0) + _backoff(state)


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _read(kind: type[T], answer: httpx.Response, call: Call) -> T:
    try:
        # mypy takes no class for hashable
        found: T = _reader(kind).validate_json(answer.content)  # type: ignore[arg-type]
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the answer"
        raise ServiceError(
            f"{answer.url}: {place}: {first['msg']}",
            hint="client and service should be of the same version",
            code=UNKNOWN,
            status=answer.status_code,
            request_id=answer.headers.get("X-Request-Id", call.request_id),
        ) from exc
    return found
