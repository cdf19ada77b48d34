"""What a caller tells a service: what users do."""

from collections.abc import Sequence
from uuid import uuid4

from seealso.client.connection import Connection
from seealso.client.reports import EventsReport
from seealso.client.requests import Event


class Changes(Connection):
    """The addresses that change something."""

    def ingest_events(self, events: Sequence[Event]) -> EventsReport:
        """Ingest events: the next lists of their users know of them.

        An event without an id gets one, so that it counts once however often it must be sent.

        Parameters
        ----------
        events
            At most 1,000. One that is broken is named in the answer, and keeps no other from being
            written.

        Raises
        ------
        ServiceError
            None of them could be written.
        """
        named = [{"id": uuid4().hex} | one.as_json() for one in events]
        return self._ask(EventsReport, "/v1/events", {"events": named})
