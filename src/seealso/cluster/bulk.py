"""Bulk loading: encoded operations go to ``_bulk`` on several threads with back-pressure.

``opensearchpy.helpers.parallel_bulk`` does not send refused documents again.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from typing import Any, Self

from seealso.cluster.blocks import cure_of
from seealso.cluster.client import Cluster
from seealso.cluster.operations import Operation, OperationSender, encode
from seealso.errors import BulkWriteError


class BulkWriter:
    """Writes operations to one index; use it as a context manager.

    Leaving the block waits for everything to be written. An update of a document that somebody
    has deleted meanwhile counts as written: there is nothing to write.

    Parameters
    ----------
    cluster, index
        Where to write.
    threads
        Requests on the way at once.
    chunk_bytes
        Most bytes of one body (a single larger document goes alone).
    retries
        Times that a document refused with 429 is sent again.

    Raises
    ------
    ClusterError
        There is no such index: writing never creates one.
    BulkWriteError
        On leaving the block: some documents were refused for good.
    """

    def __init__(
        self,
        cluster: Cluster,
        index: str,
        *,
        threads: int = 2,
        chunk_bytes: int = 4_000_000,
        retries: int = 8,
    ) -> None:
        self.written = 0
        self._index = index
        self._sender = OperationSender(cluster, index, retries=retries)
        self._chunk_bytes = chunk_bytes
        self._chunk: list[Operation] = []
        self._size = 0
        self._failed: list[tuple[str, str]] = []
        self._counting = Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="seealso-bulk")
        # one body waits for each that is being sent: enough to keep the threads busy,
        # little enough that a slow cluster slows the reader down instead of filling memory
        self._places = BoundedSemaphore(2 * threads)
        self._sent: list[Future[None]] = []

    def index(self, item_id: str, document: Mapping[str, Any]) -> None:
        """Write `document`, in place of one with the same id."""
        self._add(encode("index", item_id, document))

    def delete(self, item_id: str) -> None:
        """Delete a document; one that is not there is no error."""
        self._add(encode("delete", item_id))

    def update(self, item_id: str, body: Mapping[str, Any]) -> None:
        """Update a document by `body`, a ``script`` or a partial ``doc``."""
        self._add(encode("update", item_id, body, retry_on_conflict=3))

    def _add(self, operation: Operation) -> None:
        size = len(operation.lines)
        if self._size + size > min(self._chunk_bytes, self._sender.most_bytes):
            self.flush()
        self._chunk.append(operation)
        self._size += size

    def flush(self) -> None:
        """Send what is gathered, without waiting for it to be written."""
        if not self._chunk:
            return
        chunk, self._chunk, self._size = self._chunk, [], 0
        self._raise_first_error()
        self._places.acquire()
        self._sent.append(self._pool.submit(self._send, chunk))

    def _raise_first_error(self) -> None:
        done = [future for future in self._sent if future.done()]
        self._sent = [future for future in self._sent if not future.done()]
        for future in done:
            future.result()

    def _send(self, chunk: list[Operation]) -> None:
        try:
            for outcome in self._sender.send(chunk):
                with self._counting:
                    if outcome.refused and not outcome.absent:
                        self._failed.append((outcome.item_id, outcome.refused))
                    else:
                        self.written += 1
        finally:
            self._places.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if exc is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            return
        with self._pool:
            self.flush()
        self._raise_first_error()
        if self._failed:
            item_id, reason = self._failed[0]
            raise BulkWriteError(
                f"{self._index}: {len(self._failed)} of {self.written + len(self._failed)} "
                f"documents were refused, the first is {item_id!r}: {reason}",
                failed=self._failed,
                written=self.written,
                hint=cure_of(reason) or _hint(reason),
            )


def _hint(reason: str) -> str:
    if "index_not_found" in reason:
        return "somebody has deleted the index meanwhile; run the same command again"
    return "correct these items and run the same command again"
