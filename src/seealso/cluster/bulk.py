"""Bulk loading: encoded operations go to ``_bulk`` on several threads with back-pressure.

``opensearchpy.helpers.parallel_bulk`` neither sends refused documents again nor takes encoded
bodies; on vectors, encoding is most of the work (benchmarks/loading.py has the ratio).
"""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import Any, Self

import orjson

from seealso.cluster.addresses import write_address
from seealso.cluster.blocks import cure_of
from seealso.cluster.client import Cluster
from seealso.cluster.failures import busy, deepest_cause, too_large
from seealso.errors import BulkWriteError, ClusterError
from seealso.log import logger

log = logger(__name__)

ABSENT = "document_missing_exception"
"""An update of a document that somebody has deleted meanwhile: there is nothing to write."""

_ENCODE = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


@dataclass(slots=True)
class _Chunk:
    operations: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0

    def add(self, item_id: str, operation: bytes) -> None:
        self.operations.append((item_id, operation))
        self.size += len(operation)


class BulkWriter:
    """Writes operations to one index; use it as a context manager.

    Leaving the block waits for everything to be written.

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
        self._cluster = cluster
        self._index = index
        self._address = write_address(cluster, index)
        self._chunk_bytes = chunk_bytes
        self._retries = retries
        self._chunk = _Chunk()
        self._failed: list[tuple[str, str]] = []
        self._counting = Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="seealso-bulk")
        # one body waits for each that is being sent: enough to keep the threads busy,
        # little enough that a slow cluster slows the reader down instead of filling memory
        self._places = BoundedSemaphore(2 * threads)
        self._sent: list[Future[None]] = []

    def index(self, item_id: str, document: Mapping[str, Any]) -> None:
        """Write `document`, in place of one with the same id."""
        action = orjson.dumps({"index": {"_id": item_id}}, option=_ENCODE)
        self._add(item_id, action + orjson.dumps(document, option=_ENCODE))

    def delete(self, item_id: str) -> None:
        """Delete a document; one that is not there is no error."""
        self._add(item_id, orjson.dumps({"delete": {"_id": item_id}}, option=_ENCODE))

    def update(self, item_id: str, body: Mapping[str, Any]) -> None:
        """Update a document by `body`, a ``script`` or a partial ``doc``."""
        action = orjson.dumps({"update": {"_id": item_id, "retry_on_conflict": 3}}, option=_ENCODE)
        self._add(item_id, action + orjson.dumps(body, option=_ENCODE))

    def _add(self, item_id: str, operation: bytes) -> None:
        if self._chunk.operations and self._chunk.size + len(operation) > self._chunk_bytes:
            self.flush()
        self._chunk.add(item_id, operation)

    def flush(self) -> None:
        """Send what is gathered, without waiting for it to be written."""
        if not self._chunk.operations:
            return
        chunk, self._chunk = self._chunk, _Chunk()
        self._raise_first_error()
        self._places.acquire()
        self._sent.append(self._pool.submit(self._send, chunk))

    def _raise_first_error(self) -> None:
        done = [future for future in self._sent if future.done()]
        self._sent = [future for future in self._sent if not future.done()]
        for future in done:
            future.result()

    def _send(self, chunk: _Chunk) -> None:
        try:
            operations = chunk.operations
            for attempt in range(self._retries + 1):
                operations = self._send_once(operations, last=attempt == self._retries)
                if not operations:
                    return
                time.sleep(min(0.1 * 2**attempt, 10.0))
        finally:
            self._places.release()

    def _send_once(
        self, operations: list[tuple[str, bytes]], *, last: bool
    ) -> list[tuple[str, bytes]]:
        """Send once; return the operations that met a busy cluster and may be sent again."""
        address, params = self._address
        try:
            answer = self._cluster.request(
                "POST",
                f"/{address}/_bulk",
                b"".join(operation for _, operation in operations),
                params={"filter_path": "errors,items.*.status,items.*.error", **params},
            )
        except ClusterError as exc:
            if not too_large(exc.__cause__):
                raise
            return self._send_in_halves(operations, exc, last=last)
        if not answer["errors"]:
            self._count(len(operations))
            return []
        again, written = [], 0
        for operation, entry in zip(operations, answer["items"], strict=True):
            (outcome,) = entry.values()
            error = outcome.get("error")
            if error is None or error.get("type") == ABSENT:
                written += 1
            elif busy(outcome["status"], deepest_cause(error)) and not last:
                again.append(operation)
            else:
                self._failed.append((operation[0], deepest_cause(error)))
        self._count(written)
        return again

    def _send_in_halves(
        self, operations: list[tuple[str, bytes]], exc: ClusterError, *, last: bool
    ) -> list[tuple[str, bytes]]:
        """Send what was refused for its size in two requests, and smaller ones from then on."""
        size = sum(len(operation) for _, operation in operations)
        log.info("a request of %d bytes was too large: smaller ones from now on", size)
        self._chunk_bytes = min(self._chunk_bytes, size // 2)
        if len(operations) == 1:
            self._failed.append((operations[0][0], f"{size} bytes: {exc.message}"))
            return []
        middle = len(operations) // 2
        return [
            *self._send_once(operations[:middle], last=last),
            *self._send_once(operations[middle:], last=last),
        ]

    def _count(self, written: int) -> None:
        with self._counting:
            self.written += written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
    return "mend these items and run the same command again"
