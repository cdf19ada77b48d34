"""The index of live events, ``<alias>-events``: events by id, and positions in their sources.

Documents of users and items are derived from it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from seealso.cluster import Cluster, fetch, indices
from seealso.cluster.conditional import create
from seealso.config import IndexSettings, Settings
from seealso.errors import ClusterError, ConfigError, MappingMismatch
from seealso.indexer.creation import create_index
from seealso.indexer.events_index import KIND, find_mapping, holds_events
from seealso.indexer.events_index import events_name as events_name
from seealso.query_templates import msearch
from seealso.readers import LiveEvent, Pseudonyms
from seealso.readers.live.reader import RESERVED
from seealso.readers.pseudonyms import KEY
from seealso.version import __version__

MOST: Final = 10_000
"""Events of one user that are read, the newest ones: as many as one search may return."""

FIELDS: Final = ("user", "item", "type", "value", "time", "micros")
"""Fields that an event is made of."""

QUERY_ID: Final = {"query_id": {"type": "keyword"}}
"""The field with the id of the list that an event happened in; an earlier version had none."""

PAGE: Final = 1000
"""Users or items that are listed at once."""

SEARCHES: Final = 100
"""Users whose events are read in one request."""


def events_body(settings: IndexSettings, names: Pseudonyms) -> dict[str, Any]:
    """Return mappings and settings of a new index of events; pure."""
    keyword = {"type": "keyword"}
    return {
        "settings": {"index": {"number_of_shards": 1, "number_of_replicas": settings.replicas}},
        "mappings": {
            "dynamic": False,
            "_meta": {
                "seealso": {
                    "version": __version__,
                    "kind": KIND,
                    "alias": events_name(settings.alias),
                    "key_check": names.check,
                }
            },
            "properties": {
                "user": keyword,
                "item": keyword,
                "type": keyword,
                "value": {"type": "double"},
                "time": {"type": "date"},
                # what is compared: dates are rounded
                "micros": {"type": "long"},
                **QUERY_ID,
                "ingested_at": {"type": "date"},
                "position": {"type": "object", "enabled": False},
            },
        },
    }


@dataclass(frozen=True)
class EventStore:
    """The stored events.

    Attributes
    ----------
    cluster, name
        Where they are.
    """

    cluster: Cluster
    name: str

    @classmethod
    def open(cls, cluster: Cluster, settings: Settings, names: Pseudonyms) -> "EventStore":
        """Return the store that belongs to ``index.alias``, made where there is none.

        Raises
        ------
        MappingMismatch, ConfigError
            As `find` raises them.
        """
        found = cls.find(cluster, settings, names)
        if found is None:
            name = events_name(settings.index.alias)
            try:
                create_index(cluster, name, events_body(settings.index, names))
            except ClusterError:
                # somebody else may have made it a moment ago
                if not cluster.exists(f"/{name}"):
                    raise
            return cls(cluster, name)
        mapping = find_mapping(cluster, found.name) or {}
        if "query_id" not in mapping.get("properties", {}):
            cluster.request("PUT", f"/{found.name}/_mapping", {"properties": QUERY_ID})
        return found

    @classmethod
    def find(cls, cluster: Cluster, settings: Settings, names: Pseudonyms) -> "EventStore | None":
        """Return the store as `open` does, or None where there is none.

        Raises
        ------
        MappingMismatch
            What bears its name holds something else, or was made by an earlier version.
        ConfigError
            It was made with another key.
        """
        alias = settings.index.alias
        name = events_name(alias)
        mapping = find_mapping(cluster, name)
        if mapping is None:
            return None
        if not holds_events(mapping):
            raise MappingMismatch(
                f"{name}: was not made by seealso, and live events of {alias} would have that name",
                hint="set another index.alias, or give that index another name",
                index=name,
            )
        if "micros" not in mapping["properties"]:
            raise MappingMismatch(
                f"{name}: was made by seealso 0.1, and its events lack the field micros",
                hint="delete it and take the log in again, or add the field: "
                "docs/how-to/live-events.md, "
                '"Events of version 0.1"',
                index=name,
            )
        if mapping["_meta"]["seealso"].get("key_check") != names.check:
            raise ConfigError(
                f"{KEY} is not the key that {name} was made with",
                hint=f"set the key that was used then, or delete {name}: with another key its "
                f"events have no "
                f"user",
                index=name,
            )
        return cls(cluster, name)

    def add(self, events: Collection[LiveEvent]) -> dict[str, LiveEvent]:
        """Store events, the first of each id for good; return those stored before, by id.

        Searches find them afterwards.
        """
        written = {"ingested_at": datetime.now(UTC).isoformat()}
        known = create(
            self.cluster, self.name, {one.event_id: {**one.body(), **written} for one in events}
        )
        indices.refresh(self.cluster, self.name)
        return {key: LiveEvent.of(key, source) for key, source in known.items()}

    def present(self, ids: Sequence[str]) -> dict[str, LiveEvent]:
        """Return those events that are held, by id."""
        found = fetch(self.cluster, self.name, ids, source=FIELDS)
        return {key: LiveEvent.of(key, hit["_source"]) for key, hit in found.items()}

    def of_users(self, users: Sequence[str]) -> dict[str, list[LiveEvent]]:
        """Return the newest events of each user, newest first, in one request for many."""
        found: dict[str, list[LiveEvent]] = {}
        for start in range(0, len(users), SEARCHES):
            batch = users[start : start + SEARCHES]
            bodies = [
                {
                    "size": MOST,
                    "query": {"term": {"user": user}},
                    "sort": [{"micros": "desc"}],
                    "_source": FIELDS,
                    "track_total_hits": False,
                }
                for user in batch
            ]
            body = msearch(self.name, [orjson.dumps(one) for one in bodies])
            answer = self.cluster.request("POST", "/_msearch", body, whole=True)
            for user, response in zip(batch, answer["responses"], strict=True):
                events = [LiveEvent.of(h["_id"], h["_source"]) for h in response["hits"]["hits"]]
                # the index leaves ties to chance
                events.sort(key=lambda one: (one.time, one.event_id), reverse=True)
                found[user] = events
        return found

    def all_of(self, field: str) -> Iterator[list[str]]:
        """Yield every value of a field (``user`` or ``item``) among the events."""
        source = [{field: {"terms": {"field": field}}}]
        after: Mapping[str, Any] | None = None
        while True:
            pages: dict[str, Any] = {"size": PAGE, "sources": source}
            if after is not None:
                pages["after"] = after
            body = {"size": 0, "aggs": {"all": {"composite": pages}}}
            found = self.cluster.request("POST", f"/{self.name}/_search", body, whole=True)
            buckets = found["aggregations"]["all"]["buckets"]
            if not buckets:
                return
            yield [bucket["key"][field] for bucket in buckets]
            after = found["aggregations"]["all"]["after_key"]

    def position(self, key: str) -> dict[str, Any] | None:
        """Return how far a source was read, or None."""
        name = _position_id(key)
        found = fetch(self.cluster, self.name, [name], source=["position"])
        return found[name]["_source"]["position"] if name in found else None

    def put_position(self, key: str, position: Mapping[str, Any]) -> None:
        """Store how far a source was read."""
        self.cluster.request(
            "PUT", f"/{self.name}/_doc/{_position_id(key)}", {"position": dict(position)}
        )


def _position_id(key: str) -> str:
    return f"{RESERVED}position-{blake2b(key.encode(), digest_size=12).hexdigest()}"
