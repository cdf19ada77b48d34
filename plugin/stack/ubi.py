"""Lists that were shown, as User Behavior Insights has them: one row of ``ubi_queries`` each.

A client logs its clicks against the list's ``query_id`` in ``ubi_events``. Fields and types are
those of the published mapping, so that dashboards made for UBI read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

from seealso.cluster import Cluster, indices
from seealso.cluster.conditional import create
from seealso.config import UbiSettings
from seealso.errors import ClusterError
from seealso.interactions import Pseudonyms
from seealso.log import logger
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.recommendations import RecommendationList
from seealso.types import User

log = logger(__name__)

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


@dataclass(frozen=True)
class UbiLog:
    """Writes lists.

    Attributes
    ----------
    cluster, settings
        Where, and what of them.
    names
        Gives the pseudonyms.
    """

    cluster: Cluster
    settings: UbiSettings
    names: Pseudonyms

    def shown(self, queries: Sequence[Query], lists: Sequence[Shown]) -> list[Shown]:
        """Write lists down and return them, each with its ``query_id``.

        A list is worth more than its row: where the cluster refuses the rows, the lists come
        without an id, and the log says why.
        """
        named = [replace(one, query_id=str(uuid4())) for one in lists]
        rows = {
            one.query_id: query_row(query, one, self.settings, self.names)
            for query, one in zip(queries, named, strict=True)
        }
        try:
            self._prepare()
            create(self.cluster, self.settings.queries, rows)
        except ClusterError as exc:
            log.warning("no rows for %s: %s", self.settings.queries, exc.message)
            return list(lists)
        return named

    def _prepare(self) -> None:
        name = self.settings.queries
        if self.cluster.exists(f"/{name}"):
            return
        try:
            indices.create(self.cluster, name, {"mappings": MAPPING})
        except ClusterError:
            # somebody else may have made it a moment ago
            if not self.cluster.exists(f"/{name}"):
                raise


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
