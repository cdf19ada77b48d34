"""Who may ask: keys of callers, of which the settings hold the hashes alone."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from seealso.config import ServiceKey
from seealso.plugin.service.middleware import Middleware
from seealso.plugin.service.problems import problem

OPEN: Final = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Addresses that need no key: what restarts and balances has none."""

bearer = HTTPBearer(auto_error=False, description="A key of `service.keys`.")
"""Describes in OpenAPI what `RequireKey` demands."""


class RequireKey(Middleware):
    """Answers 401 to whoever has none of the keys, before anything of the request is read."""

    def __init__(self, app: ASGIApp, keys: Sequence[ServiceKey]) -> None:
        super().__init__(app)
        self._keys = keys

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, if it has a key or needs none."""
        if self._keys and scope["path"] not in OPEN:
            kind, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not self._knows(key.strip()):
                refused = problem(
                    HTTPStatus.UNAUTHORIZED,
                    "Unauthorized",
                    "a key of this service is needed",
                    "send it in a header: Authorization: Bearer KEY",
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _knows(self, key: str) -> bool:
        if not key:
            return False
        digest = sha256(key.encode()).hexdigest()
        # every key is compared: how long it takes tells nothing
        matches = [hmac.compare_digest(digest, one.sha256) for one in self._keys]
        return any(matches)
