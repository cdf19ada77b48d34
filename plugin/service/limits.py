"""Bounds of what callers may send, and the id by which a request is found again."""

import re
from asyncio import timeout
from http import HTTPStatus
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seealso.cluster.request_id import request_id
from seealso.plugin.service.middleware import Middleware
from seealso.plugin.service.problems import LATER, problem

LARGEST_BODY: Final = 1_000_000
"""Bytes of a request: a history of fifty thousand ids has less."""

BODY_SECONDS: Final = 10.0
"""Seconds that a body may take to come."""

REQUEST_ID: Final = re.compile(r"[\w.:/=+-]{1,128}", re.ASCII)
"""Ids of callers that are passed on: a log must be able to hold them."""

ALWAYS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Addresses that answer however many requests are being answered: what watches must see."""


class NameRequests(Middleware):
    """Gives each request an id, that of the caller where it has one, and answers with it."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on under its id."""
        sent = Headers(scope=scope).get("x-request-id", "")
        name = sent if REQUEST_ID.fullmatch(sent) else uuid4().hex

        async def add_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = name
            await send(message)

        token = request_id.set(name)
        try:
            await self.app(scope, receive, add_name)
        finally:
            request_id.reset(token)


class LimitRequests(Middleware):
    """Answers 429 where as many requests as may be are being answered: a queue would only wait."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        super().__init__(app)
        self._most = most
        self._running = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, unless there are too many."""
        if scope["path"] in ALWAYS:
            await self.app(scope, receive, send)
            return
        if self._running >= self._most:
            refused = problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "TooManyRequests",
                f"{self._most} requests are being answered already",
                LATER,
            )
            await refused(scope, receive, send)
            return
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1


class LimitBodies(Middleware):
    """Reads a body whole, within a bound of size and of time, before anything else sees it.

    What is still on its way holds no place among the requests that are answered.
    """

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with its body, or answer 413 or 408."""
        try:
            async with timeout(BODY_SECONDS):
                body = await _read(scope, receive)
        except ClientDisconnect:
            return
        except TimeoutError:
            await _too_late()(scope, receive, send)
            return
        except _TooLarge:
            await _too_large()(scope, receive, send)
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self.app(scope, replay, send)


class _TooLarge(Exception):
    """The body has more bytes than it may."""


async def _read(scope: Scope, receive: Receive) -> bytes:
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise _TooLarge
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:
            raise _TooLarge
    return bytes(body)


def _too_large() -> Response:
    return problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "BodyTooLarge",
        f"the body has more than {LARGEST_BODY:,} bytes",
        "send less, or several requests",
    )


def _too_late() -> Response:
    return problem(
        HTTPStatus.REQUEST_TIMEOUT,
        "BodyTooLate",
        f"the body did not come within {BODY_SECONDS:g} s",
        "send it at once",
        headers={"Connection": "close"},
    )
