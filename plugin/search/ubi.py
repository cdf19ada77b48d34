"""Logs lists to User Behavior Insights: each is one row of ``ubi_queries``.

A client logs its clicks against the list's ``query_id`` in ``ubi_events``. Fields and types are
those of the published mapping, so that dashboards made for UBI read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

from seealso.cluster import Cluster
from seealso.config import Settings, UbiSettings
from seealso.plugin.groups.lists import GroupList, GroupRecommendation
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.search.outcomes import EXPECTED, TAIL
from seealso.plugin.search.rows import RowWriter
from seealso.readers import Pseudonyms
from seealso.types import User

ListT = TypeVar("ListT", bound=RecommendationList | GroupList)

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
"""For a cluster without UBI: the mapping that its plugin creates."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was made for, as far as its row says it.

    Attributes
    ----------
    kind
        Which call made the list.
    user
        Whom it is for. An empty user for related and popular items; for a group, a user with its
        words alone, since a click in the list is no single member's choice.
    about
        Further facts for the row: values by name.
    """

    kind: Literal["recommend", "related", "group", "popular", "rank"]
    user: User
    about: Mapping[str, str] = field(default_factory=dict)


class UbiLog:
    """Writes a row for each list, in the background: no list waits for its row.

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

    @classmethod
    def from_settings(
        cls, cluster: Cluster, settings: Settings, environ: Mapping[str, str]
    ) -> "UbiLog | None":
        """Return the log of lists, or None unless ``ubi.enabled``.

        Raises
        ------
        ConfigError
            `environ` does not hold the key of the pseudonyms.
        """
        if not settings.ubi.enabled:
            return None
        return cls(cluster, settings.ubi, Pseudonyms.from_environment(environ))

    def log(self, queries: Sequence[Query], lists: Sequence[ListT]) -> list[ListT]:
        """Return the lists, each with the ``query_id`` of its row."""
        named = [replace(one, query_id=str(uuid4())) for one in lists]
        for query, one in zip(queries, named, strict=True):
            row = query_row(query, one, self._settings, self._names)
            self._rows.write(one.query_id, row)
        return named

    def flush(self) -> None:
        """Wait until all rows are written, but only a few seconds."""
        self._rows.flush()

    def close(self) -> None:
        """Write what is left, and log what could not be written."""
        self._rows.close()


def query_row(
    query: Query, found: RecommendationList | GroupList, settings: UbiSettings, names: Pseudonyms
) -> dict[str, Any]:
    """Return the row of one list.

    Parameters
    ----------
    query
        What the list was made for. The row never holds the plain id of a user, and words only if
        the settings say so.
    found
        The list, with its ``query_id``.
    settings
        The name of the application, and whether words are stored.
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
            **_describe_places(query, found),
            **query.about,
        },
    }
    if query.user.user_id is not None:
        row["client_id"] = names.of(query.user.user_id)
    return row


def _describe_places(query: Query, found: RecommendationList | GroupList) -> dict[str, str]:
    """Return what its places say of a list, for `seealso.plugin.search.outcomes`."""
    places = [one.item if isinstance(one, GroupRecommendation) else one for one in found.items]
    described = {TAIL: str(sum(one.tail for one in places))}
    known = [one.probability for one in places if one.probability is not None]
    if query.kind == "recommend" and known and len(known) == len(places):
        described[EXPECTED] = f"{sum(known):.4f}"
    return described
