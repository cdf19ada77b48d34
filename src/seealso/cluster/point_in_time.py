"""An index as it was at one moment, for reading all of it, page by page.

Pages are sorted by ``_seq_no``, the number of the last write to a document. That needs no field of
the index and no ``_id`` in memory, and it is still valid when the point in time is lost. Then
another one is opened, and reading continues behind the last page. No document is left out; one that
was rewritten meanwhile may come a second time (`PointInTime.reopened`). Scrolls cannot do that: a
page whose answer was lost is gone, and a reader that is slower than the keep-alive starts again.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from opensearchpy.exceptions import NotFoundError

from seealso.cluster.client import Cluster
from seealso.cluster.failures import not_all
from seealso.errors import ClusterError, PartialAnswer
from seealso.log import logger

log = logger(__name__)

KEEP_ALIVES: Final = ("5m", "1m", "10s")
"""Asked for in this order: operators may set a limit, and each request begins a new one."""

BY_WRITES: Final = [{"_seq_no": {"unmapped_type": "long"}}]
"""An index without any mapping, in which there is no document yet, lacks that field as well."""

TOO_LONG: Final = "Keep alive for request"


class PointInTime:
    """Pages of an index, or of what an alias points to.

    Parameters
    ----------
    cluster, index
        What to read.

    Attributes
    ----------
    reopened
        Whether it was lost, so that documents may come a second time.

    Raises
    ------
    ClusterError
        There is no such index, or it may not be read.
    PartialAnswer
        A shard is missing.
    """

    def __init__(self, cluster: Cluster, index: str) -> None:
        self._cluster = cluster
        self._index = index
        self.reopened = False
        self._uuids: Mapping[str, Any] | None = None
        self._keep_alive, self._id = self._open()

    def page(self, body: Mapping[str, Any], after: list[Any] | None) -> Mapping[str, Any]:
        """Return the answer to a search, sorted by ``_seq_no``, behind `after`.

        Raises
        ------
        PartialAnswer
            A shard is missing, or another index has taken the name meanwhile.
        """
        if after is None:
            return self._search(body)
        if self._uuids is None:
            self._uuids = self._standing()
        body = {**body, "search_after": after}
        try:
            return self._search(body)
        except PartialAnswer:
            log.info("%s: the point in time was lost; reading continues in another", self._index)
            self._open_again()
            return self._search(body)

    def close(self) -> None:
        """Let the cluster forget it; it does so by itself, too, a little later."""
        # a cluster that is gone has been reported already
        with suppress(ClusterError):
            body = {"pit_id": [self._id]}
            path = "/_search/point_in_time"
            self._cluster.request("DELETE", path, body, {"ignore": 404}, retries=0)

    def _search(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        point = {"id": self._id, "keep_alive": self._keep_alive}
        request = {**body, "pit": point, "sort": BY_WRITES, "track_total_hits": False}
        try:
            answer: Mapping[str, Any] = self._cluster.request(
                "POST", "/_search", request, {"allow_partial_search_results": "false"}, whole=True
            )
        except ClusterError as exc:
            # the path of such a search does not say what is read
            if isinstance(exc.__cause__, NotFoundError):
                raise not_all(self._index, "it was deleted during reading") from exc
            if isinstance(exc, PartialAnswer):
                raise not_all(self._index, exc.message.partition("read: ")[2]) from exc
            raise
        self._id = answer["pit_id"]
        return answer

    def _open(self) -> tuple[str, str]:
        path = f"/{self._index}/_search/point_in_time"
        for keep_alive in KEEP_ALIVES:
            params = {"keep_alive": keep_alive, "allow_partial_pit_creation": "false"}
            try:
                return keep_alive, self._cluster.request("POST", path, params=params)["pit_id"]
            except ClusterError as exc:
                if TOO_LONG not in exc.message or keep_alive == KEEP_ALIVES[-1]:
                    raise
        raise AssertionError  # pragma: no cover - the last one returned or raised

    def _open_again(self) -> None:
        self.close()
        self._keep_alive, self._id = self._open()
        uuids = self._standing()
        if not uuids or uuids != self._uuids:
            raise not_all(self._index, "it was replaced, or may have been, during reading")
        self.reopened = True

    def _standing(self) -> Mapping[str, Any]:
        """Return what the name points to, with the unique id of each index; empty if unknown."""
        path = f"/{self._index}/_settings/index.uuid"
        answer: Mapping[str, Any] = self._cluster.request("GET", path, params={"ignore": 403})
        return {} if "error" in answer else answer
