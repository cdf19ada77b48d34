"""Live events: how they are read and told apart, and what goes to and comes from UBI."""

from pydantic import Field

from seealso.config.section import Section


class LiveSettings(Section):
    """``[live]``: events as they come. Their columns are those of ``[events]``."""

    id: str | None = None
    """The column with an event's own id; without one, an event is told from others by user, item,
    type, time and value."""
    future_seconds: float = Field(300.0, ge=0)
    """How far a clock may be ahead; an event from later than that is broken."""
    batch: int = Field(500, ge=1, le=5000)
    """Most events whose effects are worked out together."""
    poll_seconds: float = Field(0.2, gt=0)
    """``events follow``: how often to look for more."""
    keep_days: float | None = Field(None, gt=0)
    """Events older than that are deleted once the index has counted them; none keeps all."""
    late_seconds: float = Field(60.0, ge=0)
    """UBI: how much later than its timestamp an event may come to the index."""


class UbiSettings(Section):
    """``[ubi]``: OpenSearch's User Behavior Insights."""

    enabled: bool = False
    """Write every list, and who it was for, to ``queries``."""
    store_words: bool = False
    """Write what a user said, too; else ``user_query`` stays empty."""
    application: str = "seealso"
    """What the rows say they are from."""
    queries: str = "ubi_queries"
    """The index that lists are written to."""
    events: str = "ubi_events"
    """The index that live events are read from."""
    actions: tuple[str, ...] = ()
    """The actions that count as events; without any, all of them that name an object."""
