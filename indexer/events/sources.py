"""Where live events come from: a file, a growing file, a stream, or the UBI index."""

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster, indices
from seealso.config import EventSettings, LiveSettings, UbiSettings
from seealso.errors import ClusterError
from seealso.readers import Batch, FileSource, Pseudonyms
from seealso.readers.rows import Rows, batches, build_frame

OBJECT: Final = "event_attributes.object.object_id"

COLUMNS: Final = EventSettings(
    user="client_id", item=OBJECT, type="action_name", time="timestamp", default_type="click"
)
"""Where UBI holds what an event is made of."""

PSEUDONYM: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class WholeFile:
    """A file of any kind, read once from its start."""

    file: FileSource

    @property
    def name(self) -> str:
        """What messages call the source."""
        return self.file.name

    @property
    def key(self) -> None:
        """There is no position: events that were ingested before are recognised by their ids."""

    def read(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield all rows."""
        for rows in batches(self.file):
            yield Batch(rows)


def name_client(names: Pseudonyms, client: str) -> str:
    """Return the pseudonym of a UBI client, who may be called by it already."""
    return client if PSEUDONYM.fullmatch(client) else names.of(client)


@dataclass(frozen=True)
class UbiEvents:
    """The events of an index of User Behavior Insights, by their timestamps.

    Attributes
    ----------
    cluster, ubi, live
        Where; which actions; how late an event may come, and how many are read at once.
    """

    cluster: Cluster
    ubi: UbiSettings
    live: LiveSettings

    @property
    def name(self) -> str:
        """What messages call the source."""
        return f"index {self.ubi.events}"

    @property
    def key(self) -> str:
        """What its position is kept under."""
        return f"ubi {self.ubi.events}"

    def read(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Yield what is there, from `position` on, and end."""
        yield from self._new(_Window(position))

    def follow(self, position: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Yield what comes; an empty batch where nothing came."""
        window = _Window(position)
        while True:
            found = False
            for batch in self._new(window):
                found = True
                yield batch
            if not found:
                yield Batch(None)
            time.sleep(self.live.poll_seconds)

    def _new(self, window: "_Window") -> Iterator[Batch]:
        if not self.cluster.exists(f"/{self.ubi.events}"):
            raise ClusterError(
                f"{self.ubi.events}: no such index",
                hint="ubi.events names the index of UBI events",
                index=self.ubi.events,
            )
        indices.refresh(self.cluster, self.ubi.events)
        since, at_once = window.since(self.live.late_seconds) or 0, set[str]()
        while hits := self._page(since, at_once):
            last = int(hits[-1]["sort"][0])
            at_once = {hit["_id"] for hit in hits if hit["sort"][0] == last} | (
                at_once if last == since else set()
            )
            since = last
            fresh = [
                hit
                for hit in hits
                if window.new(hit["_id"], int(hit["sort"][0])) and self._counts(hit["_source"])
            ]
            if fresh:
                records = [
                    {**hit["_source"], "_id": f"{self.ubi.events}/{hit['_id']}",
                     "timestamp": int(hit["sort"][0])}
                    for hit in fresh
                ]  # fmt: skip
                places = range(window.read + 1, window.read + len(fresh) + 1)
                window.read += len(fresh)
                rows = Rows(build_frame(records), places, unit="document", sparse=True)
                yield Batch(rows, {"timestamp": window.newest})
        window.forget(self.live.late_seconds)

    def _counts(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row names an object, and an action that counts.

        Looked at here, not asked for: not every mapping lets these fields be searched.
        """
        found: Any = row
        for name in ("event_attributes", "object", "object_id"):
            found = found.get(name) if isinstance(found, Mapping) else None
        known = not self.ubi.actions or row.get("action_name") in self.ubi.actions
        return known and (found is not None or row.get(OBJECT) is not None)

    def _page(self, since: int, at_once: Collection[str]) -> list[dict[str, Any]]:
        """Return events from a moment on, without those of that moment that were read.

        There is no order among those: `_id` cannot be sorted by on every cluster.
        """
        time_range = {"range": {"timestamp": {"gte": since, "format": "epoch_millis"}}}
        read = {"must_not": {"ids": {"values": sorted(at_once)}}} if at_once else {}
        body: dict[str, Any] = {
            "size": self.live.batch,
            "query": {"bool": {"filter": time_range, **read}},
            "sort": [{"timestamp": "asc"}],
            "_source": ["client_id", "action_name", "query_id", OBJECT],
        }
        answer = self.cluster.request("POST", f"/{self.ubi.events}/_search", body, whole=True)
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits


class _Window:
    """How far the timestamps were read, and which events of the last while were among them.

    Timestamps are from the clocks of clients, and events come late: the last while is read again.
    """

    def __init__(self, position: Mapping[str, Any] | None) -> None:
        self.newest: int | None = None if position is None else int(position["timestamp"])
        self.read = 0
        self._seen: dict[str, int] = {}

    def since(self, late_seconds: float) -> int | None:
        return None if self.newest is None else self.newest - int(late_seconds * 1000)

    def new(self, event_id: str, timestamp: int) -> bool:
        if event_id in self._seen:
            return False
        self._seen[event_id] = timestamp
        # a clock that is ahead must not hide what comes until then
        timestamp = min(timestamp, int(time.time() * 1000))
        self.newest = timestamp if self.newest is None else max(self.newest, timestamp)
        return True

    def forget(self, late_seconds: float) -> None:
        since = self.since(late_seconds)
        if since is not None:
            self._seen = {key: t for key, t in self._seen.items() if t >= since}
