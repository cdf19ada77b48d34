"""Operations of bulk requests: encoded one by one, sent together, and told apart by their outcome.

``opensearchpy.helpers`` takes no encoded bodies; on vectors, encoding is most of the work
(benchmarks/loading.py has the ratio).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from seealso.cluster.addresses import write_address
from seealso.cluster.client import Cluster
from seealso.cluster.failures import TOO_LARGE, busy, deepest_cause, too_large
from seealso.errors import ClusterError
from seealso.log import logger

log = logger(__name__)

CONFLICT: Final = 409

ABSENT: Final = "document_missing_exception"

_ENCODE = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to one document, encoded as a bulk request takes it."""

    item_id: str
    lines: bytes


def encode(
    kind: Literal["index", "create", "update", "delete"],
    item_id: str,
    body: Mapping[str, Any] | None = None,
    **guard: int,
) -> Operation:
    """Encode an operation.

    Parameters
    ----------
    kind, item_id
        What is done to which document.
    body
        The document, or for ``update`` a ``script`` or a partial ``doc``.
    guard
        The version that the document must have: ``if_seq_no`` and ``if_primary_term``.
    """
    action = encode_line({kind: {"_id": item_id, **guard}})
    return Operation(item_id, action if body is None else action + encode_line(body))


def encode_line(value: Mapping[str, Any]) -> bytes:
    """Return a line of JSON."""
    return orjson.dumps(value, option=_ENCODE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation.

    Attributes
    ----------
    item_id
        Of the document.
    refused
        Why OpenSearch refused it; empty where it was carried out.
    conflict
        Whether the document is another one by now.
    absent
        Whether the document of an update is not there.
    """

    item_id: str
    refused: str = ""
    conflict: bool = False
    absent: bool = False


class OperationSender:
    """Sends operations to one index; those that meet a busy cluster again, more and more slowly.

    Attributes
    ----------
    most_bytes
        Size of a request that is not too large, as far as is known.

    Raises
    ------
    ClusterError
        There is no such index: writing never creates one.
    """

    def __init__(self, cluster: Cluster, index: str, *, retries: int) -> None:
        self.most_bytes = float("inf")
        self._cluster = cluster
        self._alias, self._params = write_address(cluster, index)
        self._retries = retries

    def send(self, operations: Sequence[Operation]) -> Iterator[Outcome]:
        """Yield the outcome of each operation, of those sent again the last one."""
        for attempt in range(self._retries + 1):
            later = []
            for operation, answer in self._send_once(operations):
                error: Mapping[str, Any] = answer.get("error") or {}
                reason = deepest_cause(error) if error else ""
                if error and attempt < self._retries and busy(answer["status"], reason):
                    later.append(operation)
                else:
                    conflict, absent = answer["status"] == CONFLICT, error.get("type") == ABSENT
                    yield Outcome(operation.item_id, reason, conflict, absent)
            if not later:
                return
            operations = later
            time.sleep(min(0.1 * 2**attempt, 10.0))

    def _send_once(
        self, operations: Sequence[Operation]
    ) -> Iterator[tuple[Operation, Mapping[str, Any]]]:
        """Yield what OpenSearch answers to each, in several requests if one is too large."""
        if not operations:
            return
        body = b"".join(one.lines for one in operations)
        params = {"filter_path": "items.*.status,items.*.error", **self._params}
        try:
            answer = self._cluster.request("POST", f"/{self._alias}/_bulk", body, params)
        except ClusterError as exc:
            if not too_large(exc.__cause__):
                raise
            log.info("a request of %d bytes was too large: smaller ones from now on", len(body))
            self.most_bytes = min(self.most_bytes, len(body) // 2)
            if len(operations) == 1:
                error = {"type": f"{len(body)} bytes", "reason": exc.message}
                yield operations[0], {"status": TOO_LARGE, "error": error}
                return
            middle = len(operations) // 2
            yield from self._send_once(operations[:middle])
            yield from self._send_once(operations[middle:])
            return
        for operation, entry in zip(operations, answer["items"], strict=True):
            (found,) = entry.values()
            yield operation, found
