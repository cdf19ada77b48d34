"""Which address a request is for: known before anything else is, so that each is counted there."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from seealso.plugin.service.middleware import Middleware

UNKNOWN: Final = "unknown"
"""The address of requests to none of the service's: what callers invent must not become a label."""

address: ContextVar[str] = ContextVar("address", default=UNKNOWN)
"""The address that is being answered, as ``/openapi.json`` writes it: without what was put in."""


class FindAddress(Middleware):
    """Finds out which address a request is for, whatever becomes of it.

    Parameters
    ----------
    app
        What comes next.
    routes
        Of all addresses.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        super().__init__(app)
        self._routes = routes

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with its address."""
        matching = (one for one in self._routes if one.matches(scope)[0] is not Match.NONE)
        token = address.set(getattr(next(matching, None), "path_format", UNKNOWN))
        try:
            await self.app(scope, receive, send)
        finally:
            address.reset(token)


class AnswerHead(Middleware):
    """Answers HEAD as GET: the server itself leaves out the body."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
