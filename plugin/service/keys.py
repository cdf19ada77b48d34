"""Who may ask what: keys of callers, of which the settings hold the hashes alone."""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final, get_args

from fastapi import Depends, Request, Security
from fastapi.params import Security as Requirement
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from seealso.choices import KeyScope
from seealso.config import ServiceKey
from seealso.plugin.service.middleware import Middleware
from seealso.plugin.service.problems import Refusal, problem

OPEN: Final = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Addresses that need no key: what restarts and balances has none."""

PAGES: Final = re.compile(r"/(playground/.*)?")
"""The playground's files, which are the same for everybody: a browser asks for them without a key,
and what they ask for needs one."""

bearer = HTTPBearer(auto_error=False, description="A key of `service.keys`.")
"""Describes in OpenAPI what `RequireKey` demands."""


ALL: Final[frozenset[KeyScope]] = frozenset(get_args(KeyScope))
"""What ``admin`` allows, and who needs no key."""

SCOPES: Final = "scopes"
"""Where the state of a request says what its key allows."""


def require_scope(scope: KeyScope) -> Requirement:
    """Return what addresses depend on that need a scope: OpenAPI names it, the others get 403."""
    requirement: Requirement = Security(_refuse_others, scopes=[scope])
    return requirement


async def _refuse_others(
    request: Request,
    needed: SecurityScopes,
    _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    allowed = getattr(request.state, SCOPES)
    if lacking := [one for one in needed.scopes if one not in allowed]:
        raise Refusal(
            problem(
                HTTPStatus.FORBIDDEN,
                "Forbidden",
                f"this address needs the scope {lacking[0]}, and the key has "
                f"{', '.join(sorted(allowed))}",
                "send a key with that scope: those who run the service make them",
            )
        )


class RequireKey(Middleware):
    """Answers 401 to whoever has none of the keys, before anything of the request is read."""

    def __init__(self, app: ASGIApp, keys: Sequence[ServiceKey]) -> None:
        super().__init__(app)
        self._keys = keys

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, if it has a key or needs none."""
        allowed = ALL
        if self._keys and not (scope["path"] in OPEN or PAGES.fullmatch(scope["path"])):
            kind, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
            allowed = self._allowed(key.strip()) if kind.lower() == "bearer" else frozenset()
            if not allowed:
                refused = problem(
                    HTTPStatus.UNAUTHORIZED,
                    "Unauthorized",
                    "a key of this service is needed",
                    "send it in a header: Authorization: Bearer KEY",
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refused(scope, receive, send)
                return
        scope.setdefault("state", {})[SCOPES] = allowed
        await self.app(scope, receive, send)

    def _allowed(self, key: str) -> frozenset[KeyScope]:
        """Return what a key allows; nothing, where it is none."""
        digest = sha256(key.encode()).hexdigest()
        # every key is compared: how long it takes tells nothing
        known = [one for one in self._keys if hmac.compare_digest(digest, one.sha256)]
        scopes = frozenset(scope for one in known for scope in one.scopes)
        return ALL if "admin" in scopes else scopes
