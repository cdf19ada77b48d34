"""One index of seealso: whether it is ready, live, closed, or its owner's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seealso.cluster.blocks import index_closed


@dataclass(frozen=True, slots=True)
class PhysicalIndex:
    """One physical index and what it says of itself in ``_meta.seealso``.

    Attributes
    ----------
    name, meta
        Its name and ``_meta.seealso``.
    live
        Whether the alias points to it.
    documents, size_bytes
        What it holds; None while it is closed.
    closed
        Whether it is closed, so that nothing in it can be read.
    """

    name: str
    meta: Mapping[str, Any]
    live: bool
    documents: int | None
    size_bytes: int | None
    closed: bool = False

    @property
    def state(self) -> str:
        """``building``, ``ready``, ``rejected`` by its verification, or ``closed``."""
        return "closed" if self.closed else str(self.meta.get("state", "building"))

    @property
    def borrowed(self) -> bool:
        """Whether its owner made it, and seealso only added to it: it is never deleted."""
        return (self.meta.get("attached") or {}).get("way") == "in place"

    @property
    def incomplete(self) -> bool:
        """Whether a build of seealso left it behind, or is still at it."""
        return self.state not in ("ready", "closed") and not (self.live or self.borrowed)

    @property
    def live_since(self) -> str | None:
        """When the alias came to it last, as `timestamp` writes it; None if it never did."""
        found = self.meta.get("live_since")
        return None if found is None else str(found)

    @property
    def rolled_back(self) -> bool:
        """Whether a rollback has left it since."""
        return bool(self.meta.get("rolled_back", False))


def require_open(found: Iterable[PhysicalIndex]) -> None:
    """Make sure that all of `found` can be read: the contents of a closed index are unknown.

    Raises
    ------
    ClusterError
        One of them is closed.
    """
    for one in found:
        if one.closed:
            raise index_closed(one.name)
