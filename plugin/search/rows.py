"""Writes rows in the background, so that no user waits for them: one thread, a bounded queue.

While the index takes no rows (a full disk, a cluster that is down) they wait and are sent again;
when more wait than the queue holds, the oldest are dropped. Each is logged once.
"""

import weakref
from collections import deque
from collections.abc import Mapping
from threading import Condition, Thread
from typing import Any, Final

import orjson

from seealso.cluster import Cluster, indices
from seealso.errors import ClusterError
from seealso.log import logger

log = logger(__name__)

WAITING: Final = 10_000
"""Most rows that wait; a row has about one kilobyte."""

AT_ONCE: Final = 500
"""Rows of one request."""

PAUSE_SECONDS: Final = 5.0
"""Until rows that the index did not take are sent again."""

FLUSH_SECONDS: Final = 5.0
"""Longest wait for rows when the writer is closed."""

ANSWER_SECONDS: Final = 10.0
"""Longest wait for one answer."""

WRITTEN: Final = frozenset({200, 201, 409})
"""A row that already exists was written by a request whose answer was lost."""

RETRIED: Final = frozenset({403, 429, 502, 503, 504})
"""Statuses that end by themselves, or when an operator lifts a block."""

Row = tuple[str, Mapping[str, Any]]


class RowWriter:
    """Writes rows to one index, each under an id of its own.

    Safe to share between threads; the thread that writes is started with the first row, and what
    is left is written at the end of the process, as far as `FLUSH_SECONDS` allow.

    Parameters
    ----------
    cluster, index
        Where.
    mappings
        Of the index, for a cluster that does not have it.
    """

    def __init__(self, cluster: Cluster, index: str, mappings: Mapping[str, Any]) -> None:
        self._queue = _Queue(cluster.hurry(ANSWER_SECONDS), index, mappings)
        # also for a caller that never closes it
        self._end = weakref.finalize(self, self._queue.close)

    def write(self, row_id: str, row: Mapping[str, Any]) -> None:
        """Have a row written soon."""
        self._queue.put((row_id, row))

    def flush(self) -> None:
        """Wait until no row waits, or `FLUSH_SECONDS` are over."""
        self._queue.flush()

    def close(self) -> None:
        """Flush, end the thread, and say how many rows were not written."""
        self._end()


class _Queue:
    """Rows that wait, and the thread that writes them."""

    def __init__(self, cluster: Cluster, index: str, mappings: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._index = index
        self._mappings = mappings
        self._rows: deque[Row] = deque()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._closed = False
        self._failing = False
        self._dropped = 0

    def put(self, row: Row) -> None:
        with self._changed:
            if self._closed:
                self._dropped += 1
                return
            if len(self._rows) >= WAITING:
                self._rows.popleft()
                self._drop(1, "more than the queue holds")
            self._rows.append(row)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="seealso-rows", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._rows or self._failing, FLUSH_SECONDS)

    def close(self) -> None:
        self.flush()
        with self._changed:
            self._closed = True
            self._dropped += len(self._rows)
            self._rows.clear()
            self._changed.notify_all()
            if self._dropped:
                log.warning("%s: %d rows were not written", self._index, self._dropped)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._rows or self._closed)
                if self._closed:
                    return
                some = [self._rows[place] for place in range(min(AT_ONCE, len(self._rows)))]
            left = self._write(some)
            with self._changed:
                sent = {row_id for row_id, _ in some} - left
                self._rows = deque(row for row in self._rows if row[0] not in sent)
                self._changed.notify_all()
                if left and not self._closed:
                    self._changed.wait_for(lambda: self._closed, PAUSE_SECONDS)

    def _write(self, rows: list[Row]) -> set[str]:
        """Write rows, and return the ids of those that have to be sent again."""
        try:
            self._prepare()
            answers = self._send(rows)
        except ClusterError as exc:
            self._fail(exc.message)
            return {row_id for row_id, _ in rows}
        left = {key for key, one in answers.items() if one["status"] in RETRIED}
        refused = [one for one in answers.values() if one["status"] not in WRITTEN | RETRIED]
        if refused:
            self._drop(len(refused), without_value(refused[0]["error"]["reason"]))
        if left:
            self._fail(without_value(answers[next(iter(left))]["error"]["reason"]))
        else:
            self._failing = False
        return left

    def _send(self, rows: list[Row]) -> dict[str, Mapping[str, Any]]:
        body = b"".join(
            orjson.dumps({"create": {"_id": row_id}}) + b"\n" + orjson.dumps(row) + b"\n"
            for row_id, row in rows
        )
        params = {"filter_path": "items.*.status,items.*.error.reason"}
        answer = self._cluster.request("POST", f"/{self._index}/_bulk", body, params)
        return {
            row_id: one["create"] for (row_id, _), one in zip(rows, answer["items"], strict=True)
        }

    def _prepare(self) -> None:
        if self._cluster.exists(f"/{self._index}"):
            return
        try:
            indices.create(self._cluster, self._index, {"mappings": self._mappings})
        except ClusterError:
            # somebody else may have made it a moment ago
            if not self._cluster.exists(f"/{self._index}"):
                raise

    def _fail(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            log.warning("%s cannot be written now, rows wait: %s", self._index, reason)

    def _drop(self, count: int, reason: str) -> None:
        with self._changed:
            if not self._dropped:
                log.warning("%s: rows are dropped: %s", self._index, reason)
            self._dropped += count


def without_value(reason: str) -> str:
    """Return why OpenSearch refuses a row, without the words of a user that it quotes."""
    return reason.partition(" Preview of field's value")[0]
