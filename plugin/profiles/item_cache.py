"""What the index holds of items in histories: read once for each state of the index."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from seealso.cluster import Cluster
from seealso.indexer.documents import item_vector
from seealso.plugin.serving import Live
from seealso.types import Vector

FETCHED_AT_ONCE: Final = 500
"""Documents of one request: with their vectors, some megabytes."""


@dataclass(frozen=True, slots=True)
class KnownItem:
    """What the index holds of one item: E_i (None without text) and its rendered text."""

    vector: Vector | None
    text: str


class ItemCache:
    """Vectors and texts of items, read from the index and kept while it stays as it is.

    Parameters
    ----------
    cluster
        Where the index is.
    capacity
        Most items kept; the least recently used go first.
    """

    def __init__(self, cluster: Cluster, capacity: int = 50_000) -> None:
        self._cluster = cluster
        self._capacity = capacity
        self._items: OrderedDict[tuple[str, str], KnownItem] = OrderedDict()
        self._lock = Lock()

    def get(self, live: Live, ids: Iterable[str]) -> tuple[dict[str, KnownItem], frozenset[str]]:
        """Return the items of `ids` that the index holds, and the ids that could not be read."""
        generation = live.generation
        found: dict[str, KnownItem] = {}
        absent: list[str] = []
        with self._lock:
            for item_id in dict.fromkeys(ids):
                if (item := self._items.get((generation, item_id))) is None:
                    absent.append(item_id)
                else:
                    found[item_id] = item
                    self._items.move_to_end((generation, item_id))
        fresh, unread = self._fetch(live, absent)
        with self._lock:
            self._items.update(((generation, item_id), item) for item_id, item in fresh.items())
            while len(self._items) > self._capacity:
                self._items.popitem(last=False)
        return found | fresh, unread

    def keep(self, live: Live, items: Mapping[str, KnownItem]) -> None:
        """Keep items that were read already, so that no history is read a second time."""
        generation = live.generation
        with self._lock:
            self._capacity = max(self._capacity, len(items))
            self._items.update(((generation, item_id), item) for item_id, item in items.items())

    def _fetch(self, live: Live, ids: Sequence[str]) -> tuple[dict[str, KnownItem], frozenset[str]]:
        fresh: dict[str, KnownItem] = {}
        unread: set[str] = set()
        for start in range(0, len(ids), FETCHED_AT_ONCE):
            some = {"ids": list(ids[start : start + FETCHED_AT_ONCE])}
            params = {"_source_includes": "vector,text"}
            for one in self._cluster.request("POST", f"/{live.name}/_mget", some, params)["docs"]:
                if "error" in one:
                    unread.add(one["_id"])
                elif one["found"]:
                    document = one["_source"]
                    vector = item_vector(document, live.encoder.bundle)
                    fresh[one["_id"]] = KnownItem(vector, document.get("text", ""))
        return fresh, frozenset(unread)
