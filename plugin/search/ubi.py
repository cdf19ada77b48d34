"""Lists that were shown, as User Behavior Insights has them: one row of ``ubi_queries`` each.

A client logs its clicks against the list's ``query_id`` in ``ubi_events``. Fields and types are
those of the published mapping, so that dashboards made for UBI read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

from seealso.cluster import Cluster
from seealso.config import UbiSettings
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.search.rows import RowWriter
from seealso.readers import Pseudonyms
from seealso.types import User

Shown = TypeVar("Shown", RecommendationList, GroupList)

OBJECT_ID_FIELD: Final = "item_id"
"""The field of the items that clicks name."""

_ID: Final = {"type": "keyword", "ignore_above": 100}

MAPPING: Final = {
    "dynamic": False,
    "properties": {
        "timestamp": {"type": "date", "format": "strict_date_time"},
        "query_id": _ID,
        "query": {"type": "text"},
        "query_response_id": _ID,
        "query_response_hit_ids": {"type": "keyword"},
        "user_query": {
            "type": "text",
            "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
        },
        "query_attributes": {"type": "flat_object"},
        "client_id": _ID,
        "application": _ID,
        "object_id_field": _ID,
    },
}
"""For a cluster where UBI was not set up: what its plugin would have made."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for with, as far as its row tells it.

    Attributes
    ----------
    kind
        Of what sort the list is.
    user
        Whom it is for. Nobody for related items; for a group, its words alone: what is clicked in
        the list is nobody's choice by itself.
    about
        More that tells it from others: values by name.
    """

    kind: Literal["recommend", "related", "group"]
    user: User
    about: Mapping[str, str] = field(default_factory=dict)


class UbiLog:
    """Writes lists down, behind them: no list waits for its row.

    Parameters
    ----------
    cluster, settings
        Where, and what of them.
    names
        Gives the pseudonyms.
    """

    def __init__(self, cluster: Cluster, settings: UbiSettings, names: Pseudonyms) -> None:
        self._settings = settings
        self._names = names
        self._rows = RowWriter(cluster, settings.queries, MAPPING)

    def shown(self, queries: Sequence[Query], lists: Sequence[Shown]) -> list[Shown]:
        """Return lists, each with the ``query_id`` that its row will have."""
        named = [replace(one, query_id=str(uuid4())) for one in lists]
        for query, one in zip(queries, named, strict=True):
            row = query_row(query, one, self._settings, self._names)
            self._rows.write(one.query_id, row)
        return named

    def flush(self) -> None:
        """Wait until all rows are written, or as long as anybody should have to wait."""
        self._rows.flush()

    def close(self) -> None:
        """Write what is left, and say what could not be written."""
        self._rows.close()


def query_row(
    query: Query, found: RecommendationList | GroupList, settings: UbiSettings, names: Pseudonyms
) -> dict[str, Any]:
    """Return the row of one list.

    Parameters
    ----------
    query
        What it was asked for with; the plain id of a user does not get into the row, words only
        where asked for.
    found
        The list, with its ``query_id``.
    settings
        What the row says it is from, and whether words are written.
    names
        Gives the pseudonym.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row: dict[str, Any] = {
        "application": settings.application,
        "query_id": found.query_id,
        "timestamp": now,
        "user_query": query.user.words if settings.store_words else "",
        "query_response_id": found.query_id,
        "query_response_hit_ids": found.ids,
        "object_id_field": OBJECT_ID_FIELD,
        "query_attributes": {
            "kind": query.kind,
            "path": found.path.value,
            "index": found.index,
            "fingerprint": found.fingerprint,
            **query.about,
        },
    }
    if query.user.user_id is not None:
        row["client_id"] = names.of(query.user.user_id)
    return row
