"""What a caller tells a service: what users do, which items there are, whom to forget."""

from collections.abc import Sequence
from uuid import uuid4

from seealso.client.connection import Connection, part
from seealso.client.reports import (
    DeletedItems,
    EventsReport,
    ForgottenUser,
    UpsertedItems,
    UserExport,
)
from seealso.client.requests import Event, JsonObject, read_list


class Changes(Connection):
    """The addresses that change something, or show what is kept of a user."""

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
        named = [{"id": uuid4().hex} | one.as_json() for one in read_list("events", events)]
        return self._ask(EventsReport, "/v1/events", {"events": named})

    def upsert_items(self, items: Sequence[JsonObject]) -> UpsertedItems:
        """Write items that are new or changed to the live index.

        Parameters
        ----------
        items
            At most 1,000 rows with the columns of the catalogue, each a whole item: what it lacks,
            the item has no more. One that is broken is named in the answer, and keeps no other from
            being written.

        Raises
        ------
        ServiceError
            None of them could be written.
        """
        return self._ask(UpsertedItems, "/v1/items", {"items": read_list("items", items)})

    def delete_items(self, item_ids: Sequence[str], *, allow: bool = False) -> DeletedItems:
        """Delete items from the live index; ids that it does not hold are named in the answer.

        Parameters
        ----------
        item_ids
            At most 1,000.
        allow
            Delete more than 5 % of the index, too.
        """
        body = {"ids": read_list("item_ids", item_ids), "allow": allow}
        return self._ask_once(DeletedItems, "DELETE", "/v1/items", body)

    def delete_item(self, item_id: str) -> DeletedItems:
        """Delete one item from the live index.

        Raises
        ------
        ServiceError
            The index does not hold it.
        """
        return self._ask_once(DeletedItems, "DELETE", f"/v1/items/{part(item_id)}")

    def export_user(self, user_id: str) -> UserExport:
        """Return all that is kept of a user, by index."""
        return self._ask_once(UserExport, "GET", f"/v1/users/{part(user_id)}")

    def forget_user(self, user_id: str) -> ForgottenUser:
        """Delete all that is kept of a user, and say where a later build would find them again."""
        return self._ask_once(ForgottenUser, "DELETE", f"/v1/users/{part(user_id)}")
