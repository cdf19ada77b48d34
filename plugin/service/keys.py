"""Who may ask: keys of callers, of which the settings hold the hashes alone."""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from seealso.config import ServiceKey

bearer = HTTPBearer(auto_error=False, description="A key of `service.keys`.")

Credentials: TypeAlias = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def require_key(keys: Sequence[ServiceKey]) -> Callable[[Credentials], None]:
    """Return what refuses a request without one of `keys`; without any, everybody may ask."""

    def check(credentials: Credentials) -> None:
        if not keys:
            return
        sent = "" if credentials is None else credentials.credentials
        digest = sha256(sent.encode()).hexdigest()
        # every key is compared: how long it takes tells nothing
        matches = [hmac.compare_digest(digest, key.sha256) for key in keys]
        if not any(matches):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "no key of this service" if sent else "a key is needed: Authorization: Bearer KEY",
                {"WWW-Authenticate": "Bearer"},
            )

    return check
