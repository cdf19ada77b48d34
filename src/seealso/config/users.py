"""Users in the index: what is kept of each, and how far their neighbours lift an item."""

from pathlib import Path

from pydantic import Field

from seealso.config.inputs import FormatSettings
from seealso.config.section import Section


class UsersSettings(Section):
    """``[users]``: the users index. Its key comes from ``SEEALSO_USERS_KEY``."""

    enabled: bool = False
    """Recommend from the users index instead of reading the events at each call."""
    path: Path | None = None
    """A file with attributes of users: CSV, TSV, JSON or Parquet, which may be compressed; or a
    folder or pattern of such files."""
    id: str = "user_id"
    """Its column with the user id."""
    attributes: tuple[str, ...] = ()
    """Its columns that are stored; without any, all of them."""
    format: FormatSettings = FormatSettings()
    """How the file is written."""
    history_items: int = Field(100, ge=1)
    """Most history items that are stored, the newest."""
    seen_items: int = Field(10_000, ge=1)
    """Most seen items that are stored, the newest; older ones may be recommended again."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that are read; None for all."""
        return (self.id, *self.attributes) if self.attributes else None


class NeighbourSettings(Section):
    """``[neighbours]``: votes of a user's neighbours for items; needs ``users.enabled``."""

    share: float = Field(0.0, ge=0)
    """What is added to an item that all neighbours chose, in the units of w * cos; `seealso fit`
    chooses it. 0 switches neighbours off."""
    k: int = Field(50, ge=1, le=1000)
    """Number of neighbours, the most similar users."""
    latest: int = Field(20, ge=1, le=100)
    """Newest items of each neighbour that count as chosen lately."""
    candidates: int = Field(100, ge=1, le=1000)
    """Items that may come into a list only by votes: those with most votes."""
