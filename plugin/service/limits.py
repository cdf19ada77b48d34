"""Bounds of what a caller may send."""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seealso.plugin.service.problems import problem

LARGEST_BODY: Final = 1_000_000
"""Bytes of a request: a history of fifty thousand ids has less."""


class LimitBodies:
    """Answers 413 to a body that is too large, before anything parses it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the bound, and hand the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                refused = problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    "BodyTooLarge",
                    f"the body has more than {LARGEST_BODY:,} bytes",
                    "send less, or several requests",
                )
                await refused(scope, receive, send)
                return
        whole: Message = {"type": "http.request", "body": bytes(body), "more_body": False}
        unread = [whole]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, replay, send)
