"""Reads what an alias points to, beside queries: one reading serves all that wait for its begin."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final, TypeAlias

from seealso.cluster import Cluster

AliasState: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The ``_meta.seealso`` of each index that an alias points to, by index."""

READINGS_AT_ONCE: Final = 2
"""Most readings under way: one that hangs does not hold up the next."""

ALIAS_STATE: Final = {
    "filter_path": "*.mappings._meta,*.mappings.properties.*.type",
    "local": "true",
}
"""Query parameters: the metadata of each index and little else, from the asked node alone."""


class AliasReader:
    """Reads the state of an alias in threads of its own; safe to share between threads.

    Parameters
    ----------
    cluster
        Where the alias is.
    alias
        Its name.
    """

    def __init__(self, cluster: Cluster, alias: str) -> None:
        self._cluster = cluster
        self._alias = alias
        self._threads = ThreadPoolExecutor(READINGS_AT_ONCE, thread_name_prefix="seealso-alias")
        self._lock = Lock()
        self._next: Future[AliasState] | None = None

    def read(self) -> AliasState:
        """Return the state of the alias, as the asked node itself knows it.

        Raises
        ------
        ClusterError
            OpenSearch does not answer, or there is no such alias.
        """
        answer = self._cluster.request("GET", f"/{self._alias}/_mapping", None, ALIAS_STATE)
        return {
            name: one["mappings"].get("_meta", {}).get("seealso", {})
            for name, one in answer.items()
        }

    def begin(self) -> "Future[AliasState]":
        """Return the result of a reading that begins now, or as soon as a thread is free.

        Whoever asks before it has begun gets the same one: under load, it serves many queries.
        """
        with self._lock:
            if self._next is None:
                self._next = self._threads.submit(self._read_next)
            return self._next

    def close(self) -> None:
        """End the threads, once they have read what they began."""
        self._threads.shutdown(wait=False)

    def _read_next(self) -> AliasState:
        with self._lock:
            self._next = None  # it begins: who asks from here on may want a newer state
        return self.read()
