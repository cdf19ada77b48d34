"""What one index of seealso says of itself: whether it is ready, live, or its owner's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PhysicalIndex:
    """One physical index and what it says of itself in ``_meta.seealso``."""

    name: str
    meta: Mapping[str, Any]
    live: bool
    documents: int
    size_bytes: int

    @property
    def state(self) -> str:
        """``building``, ``ready``, or ``rejected`` by its verification."""
        return str(self.meta.get("state", "building"))

    @property
    def borrowed(self) -> bool:
        """Whether its owner made it, and seealso only added to it: it is never deleted."""
        return (self.meta.get("attached") or {}).get("way") == "in place"

    @property
    def unfinished(self) -> bool:
        """Whether a build of seealso left it behind, or is still at it."""
        return self.state != "ready" and not (self.live or self.borrowed)

    @property
    def live_since(self) -> str | None:
        """When the alias came to it last, as `moment` writes it; None if it never did."""
        found = self.meta.get("live_since")
        return None if found is None else str(found)

    @property
    def rolled_back(self) -> bool:
        """Whether a rollback has left it since."""
        return bool(self.meta.get("rolled_back", False))
