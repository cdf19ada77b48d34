"""The id of the request that is being answered: OpenSearch logs it as ``X-Opaque-Id``.

Whoever answers requests of others sets it, so that one id leads from the caller through the slow
logs and the list of tasks of the cluster.
"""

from contextvars import ContextVar
from typing import Final

request_id: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""None outside of such a request."""


def opaque_id() -> dict[str, str]:
    """Return the header that names the request, or nothing outside of one."""
    current = request_id.get()
    return {} if current is None else {"X-Opaque-Id": current}
