"""Reads all items of an index for those who ask for lists of very many users."""

from functools import lru_cache
from itertools import chain
from threading import Lock
from time import monotonic
from typing import Any, Final, TypeAlias

import numpy as np
import orjson

from seealso.cluster import Cluster
from seealso.cluster.scan import scan, scan_ids
from seealso.errors import ClusterError
from seealso.log import logger
from seealso.plugin.profiles.item_cache import ItemCache, KnownItem
from seealso.plugin.ranking.in_memory import ItemsInMemory, Mask
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.serving import Live
from seealso.types import Path, Vector

log = logger(__name__)

READ_FOR_A_LIST: Final = 32
"""Documents that are read in about the time that one list takes through the index."""

READ_AGAIN_SECONDS: Final = 300.0
"""How old items may be at most: live events change what they weigh."""

MOST_BYTES: Final = 2**30
"""Most memory that vectors may take."""

AT_ONCE: Final = 500
"""Documents of one request: with their vectors, some megabytes."""

MOST_MASKS: Final = 200
"""Clauses that are kept: rules have a few, and safety one for each age and region."""

OWN: Final = ("item_id", "importance", "tail", "text", "vector")
"""Fields that every ranking reads."""

FORBIDDEN: Final = 403

Fields: TypeAlias = tuple[str, ...] | None
"""Fields that hits bring; all but the vector for None."""


class ItemReader:
    """Reads the items of the index that is asked, once lists for enough users were asked of it.

    Safe to share between threads: one of them reads, the others wait.

    Parameters
    ----------
    cluster
        Where the index is.
    cache
        Gets what was read, so that histories need not be read a second time.
    """

    def __init__(self, cluster: Cluster, cache: ItemCache) -> None:
        self._cluster = cluster
        self._cache = cache
        self._lock = Lock()
        self._users = 0
        self._forbidden = False
        self._read: tuple[tuple[str, Fields, int], ItemsInMemory] | None = None

    def items(
        self, live: Live, context: RankingContext, fields: Fields, users: int
    ) -> ItemsInMemory | None:
        """Return the items; None where the index itself has to rank, or is quicker for so few.

        Parameters
        ----------
        live, context
            The index, and how it ranks.
        fields
            What hits bring.
        users
            How many are asked about now.

        Raises
        ------
        PartialAnswer
            A shard does not answer.
        """
        size = live.documents * live.encoder.bundle.dimension * 4
        with self._lock:
            before, self._users = self._users, self._users + users
            few = before * READ_FOR_A_LIST < live.documents
            if few or context.path is not Path.EXACT or size > MOST_BYTES or self._forbidden:
                return None
            state = (live.generation, fields, int(monotonic() / READ_AGAIN_SECONDS))
            if self._read is None or self._read[0] != state:
                self._read = None  # two of them need not be in memory
                try:
                    self._read = state, self._read_items(live, fields)
                except ClusterError as exc:
                    if getattr(exc.__cause__, "status_code", None) != FORBIDDEN:
                        raise
                    log.warning("every list is asked of the index, more slowly: %s", exc.message)
                    self._forbidden = True
                    return None
            return self._read[1]

    def _read_items(self, live: Live, fields: Fields) -> ItemsInMemory:
        """Return all items; their documents have the vector only where it is among the fields."""
        source = True if fields is None else list(dict.fromkeys((*OWN, *fields)))
        nothing = np.zeros(live.encoder.bundle.dimension, dtype=np.float32)
        documents: dict[str, dict[str, Any]] = {}
        rows: dict[str, Vector] = {}
        pages = scan(self._cluster, live.name, source=source, batch=AT_ONCE)
        for hit in chain.from_iterable(pages):
            document = documents[hit["_id"]] = hit["_source"]
            vector = document.pop("vector", None)
            rows[hit["_id"]] = np.array(nothing if vector is None else vector, dtype=np.float32)
        vectors = np.stack([*rows.values(), nothing])[:-1]
        with_vector = fields is not None and not {"vector", "*"}.isdisjoint(fields)
        known = {}
        bundle = live.encoder.bundle
        for (item_id, document), row in zip(documents.items(), vectors, strict=True):
            there = bool(row.any())
            vector = bundle.restore(row) if there else None
            known[item_id] = KnownItem(vector, document.get("text", ""))
            if there and with_vector:
                document["vector"] = row
        self._cache.keep(live, known)
        place = {item_id: row for row, item_id in enumerate(documents)}

        @lru_cache(MOST_MASKS)
        def mask_of(clause: bytes) -> Mask:
            query = {"bool": {"filter": [orjson.loads(clause)]}}
            ids = scan_ids(self._cluster, live.name, query=query)
            found = np.zeros(len(place), dtype=np.bool_)
            found[[place[one] for one in ids if one in place]] = True
            return found

        return ItemsInMemory(place, vectors, [*documents.values()], mask_of)
