"""Indices that may hold documents of a user, and how these are found, whatever the mapping is.

If the mapping lets a query find exactly the rows with a value, a query is used. Otherwise (text,
which is split into words; numbers; a field that is not indexed) every document is read and
compared.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster, scan
from seealso.config import Settings
from seealso.errors import MappingMismatch
from seealso.indexer.events.store import EventStore
from seealso.indexer.events_index import find_events
from seealso.indexer.mapping import keeps_documents
from seealso.indexer.users.live import check_key, user_indices
from seealso.readers import Pseudonyms

CLIENT: Final = "client_id"
"""Where rows of UBI say who it was."""


@dataclass(frozen=True, slots=True)
class Place:
    """An index that may hold something of a user.

    Attributes
    ----------
    index
        The physical index.
    query
        Finds what is held; more than that where `compared` is set.
    compared
        The field with the user of a document; empty if the query selects the user.
    called
        What the user may be called there.
    """

    index: str
    query: Mapping[str, Any]
    compared: str = ""
    called: frozenset[str] = frozenset()

    def documents(self, cluster: Cluster) -> Iterator[dict[str, Any]]:
        """Yield what is held, as hits."""
        yield from self._scan(cluster, True, lambda: None)

    def ids(self, cluster: Cluster, tick: Callable[[], object]) -> list[str]:
        """Return the ids of what is held; `tick` is called again and again meanwhile."""
        source = [self.compared] if self.compared else False
        return [hit["_id"] for hit in self._scan(cluster, source, tick)]

    def _scan(
        self, cluster: Cluster, source: list[str] | bool, tick: Callable[[], object]
    ) -> Iterator[dict[str, Any]]:
        for hits in scan(cluster, self.index, query=self.query, source=source):
            tick()
            for hit in hits:
                if not self.compared or self._of_user(hit["_source"].get(self.compared)):
                    yield hit

    def _of_user(self, value: object) -> bool:
        values = value if isinstance(value, list) else [value]
        return any(str(one).strip() in self.called for one in values)


def places_of(cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str) -> list[Place]:
    """Return every place that may hold something of a user.

    Raises
    ------
    ConfigError
        The users index or the events have another key.
    MappingMismatch
        In one of them users cannot be found.
    """
    pseudonym = names.of(user_id)
    found = []
    # half-built ones as well
    for one in user_indices(cluster, settings):
        check_key(names, one.name, one.meta)
        found.append(Place(one.name, {"ids": {"values": [pseudonym]}}))
    if find_events(cluster, settings.index.alias):
        store = EventStore.open(cluster, settings, names)
        found.append(Place(store.name, {"term": {"user": pseudonym}}))
    # a front end of its own may have written the id itself
    called = frozenset({pseudonym, user_id})
    for rows in dict.fromkeys((settings.ubi.events, settings.ubi.queries)):
        params = {"ignore": 404, "expand_wildcards": "open,closed"}
        mappings = cluster.request("GET", f"/{rows}/_mapping", params=params)
        if "error" not in mappings:
            found += [row_place(name, one["mappings"], called) for name, one in mappings.items()]
    return found


def row_place(index: str, mapping: Mapping[str, Any], called: frozenset[str]) -> Place:
    """Return how rows of a user are found in an index of UBI.

    Parameters
    ----------
    index
        The physical index.
    mapping
        Its mapping.
    called
        What the user may be called.

    Raises
    ------
    MappingMismatch
        The mapping cannot be searched, and the documents are not kept.
    """
    field = mapping.get("properties", {}).get(CLIENT, {})
    longest = max(map(len, called))
    if _exact(field, longest):
        return Place(index, {"terms": {CLIENT: sorted(called)}})
    for name, inner in field.get("fields", {}).items():
        if _exact(inner, longest):
            return Place(index, {"terms": {f"{CLIENT}.{name}": sorted(called)}})
    if not keeps_documents(mapping):
        kind = field.get("type", "no field")
        raise MappingMismatch(
            f"{index}: it cannot be found out what is stored about a user there: {CLIENT} is "
            f"mapped as {kind}, "
            "and the documents are not kept (_source)",
            hint=f"reindex it with {CLIENT} as keyword, or delete the rows yourself",
            index=index,
            field=CLIENT,
        )
    return Place(index, {"match_all": {}}, CLIENT, called)


def _exact(field: Mapping[str, Any], longest: int) -> bool:
    """Tell whether a field is a keyword that holds values of this length as they are."""
    return (
        field.get("type") == "keyword"
        and field.get("index", True) is True
        and "normalizer" not in field
        and longest <= field.get("ignore_above", longest)
    )
