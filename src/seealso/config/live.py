"""Live events: how they are read and recognised, and what goes to and comes from UBI."""

from pydantic import Field

from seealso.config.section import Section


class LiveSettings(Section):
    """``[live]``: events as they happen. Their columns are those of ``[events]``."""

    id: str | None = None
    """The column with an event's own id; without it, events are the same if user, item, type, time
    and value are."""
    query_id: str | None = None
    """The column with the id of the list that the event happened in, kept with the event."""
    future_seconds: float = Field(300.0, ge=0)
    """How far a clock may be ahead; an event from further in the future is broken."""
    batch: int = Field(500, ge=1, le=5000)
    """Most events in one batch."""
    poll_seconds: float = Field(0.2, gt=0)
    """``events follow``: seconds between looking for new events."""
    keep_days: float | None = Field(None, gt=0)
    """Events older than that are deleted once the index has counted them; none keeps all."""
    late_seconds: float = Field(60.0, ge=0)
    """UBI: how much later than its timestamp an event may arrive in the index."""


class UbiSettings(Section):
    """``[ubi]``: OpenSearch's User Behavior Insights."""

    enabled: bool = False
    """Log every list, with the pseudonym of its user, in ``queries``."""
    store_words: bool = False
    """Log the user's own words, too; otherwise ``user_query`` is empty."""
    application: str = "seealso"
    """The name of the application in the rows."""
    queries: str = "ubi_queries"
    """The index that lists are written to."""
    events: str = "ubi_events"
    """The index that live events are read from."""
    actions: tuple[str, ...] = ()
    """The actions that count as events; without any, all actions with an object."""
