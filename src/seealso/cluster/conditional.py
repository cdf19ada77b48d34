"""Writes that depend on what is there: documents created once, others rewritten unless changed.

OpenSearch compares sequence numbers: who was overtaken reads again, and nobody's write is lost.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from seealso.cluster.addresses import write_address
from seealso.cluster.blocks import cure_of
from seealso.cluster.bulk import ABSENT
from seealso.cluster.client import Cluster
from seealso.cluster.failures import busy, deepest_cause, too_large
from seealso.cluster.scan import fetch
from seealso.errors import BulkWriteError, ClusterError

ATTEMPTS: Final = 12
"""Times that documents are read and written again which somebody else is writing as well."""

CONFLICT: Final = 409

AT_ONCE: Final = 500
"""Documents of one request."""

_ENCODE = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a document: another one (``index``), or a script on it (``update``)."""

    kind: Literal["index", "update"]
    body: Mapping[str, Any]


Derive = Callable[[Mapping[str, Mapping[str, Any] | None]], Mapping[str, Change]]
"""From documents by id, None where there is none, to the changes; those left out stay."""


def create(cluster: Cluster, index: str, documents: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Write those of `documents` whose ids are not taken, and return the ids that are.

    Raises
    ------
    ClusterError
        There is no such index: writing never creates one.
    BulkWriteError
        OpenSearch refused some for another reason.
    """
    operations = {
        key: _line({"create": {"_id": key}}) + _line(body) for key, body in documents.items()
    }
    taken = _send(cluster, index, operations)
    # a request whose answer was lost is sent again, and finds what it has written itself
    found = fetch(cluster, index, taken, source=["*"])
    return {
        key
        for key in taken
        if found.get(key, {}).get("_source") != _decode_as_stored(documents[key])
    }


def rewrite(
    cluster: Cluster, index: str, ids: Sequence[str], fields: Sequence[str], derive: Derive
) -> int:
    """Change documents by what they hold, and return how many were changed.

    Parameters
    ----------
    cluster, index
        Where: a physical index. An alias may come to stand for another one between reading and
        writing, whose documents can bear the same sequence numbers.
    ids
        Of the documents.
    fields
        Of ``_source`` that `derive` reads.
    derive
        Says what becomes of them; asked again of those that changed meanwhile. Whatever else it
        reads, it reads when it is asked: what was written before it was asked is then found, and
        whoever writes later meets the conflict.

    Raises
    ------
    BulkWriteError
        OpenSearch refused some, or others never stop changing them.
    """
    changed = 0
    for start in range(0, len(ids), AT_ONCE):
        changed += _rewrite(cluster, index, list(ids[start : start + AT_ONCE]), fields, derive)
    return changed


def _rewrite(
    cluster: Cluster, index: str, ids: list[str], fields: Sequence[str], derive: Derive
) -> int:
    changed = 0
    for attempt in range(ATTEMPTS):
        found = fetch(cluster, index, ids, source=fields)
        changes = derive({key: found[key]["_source"] if key in found else None for key in ids})
        operations = {
            key: _operation(key, found.get(key), change) for key, change in changes.items()
        }
        if not operations:
            return changed
        ids = _send(cluster, index, operations)
        changed += len(operations) - len(ids)
        if not ids:
            return changed
        time.sleep(min(0.02 * 2**attempt, 1.0))
    raise BulkWriteError(
        f"{index}: {len(ids)} documents are being changed by somebody else all the time",
        failed=[(key, "changed meanwhile") for key in ids],
        written=changed,
        hint="run the same command again",
    )


def _operation(key: str, found: Mapping[str, Any] | None, change: Change) -> bytes:
    if found is None:
        return _line({"create": {"_id": key}}) + _line(change.body)
    guard = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
    return _line({change.kind: {"_id": key, **guard}}) + _line(change.body)


def _send(cluster: Cluster, index: str, operations: Mapping[str, bytes]) -> list[str]:
    """Send operations, those again that met a busy cluster; return the ids that conflicted."""
    conflicts: list[str] = []
    left = dict(operations)
    for attempt in range(ATTEMPTS):
        answers = dict(_send_bulk(cluster, index, left))
        conflicts += [key for key, one in answers.items() if _conflicts(one)]
        refused = {
            key: deepest_cause(one["error"])
            for key, one in answers.items()
            if "error" in one and not _conflicts(one)
        }
        later = [key for key, reason in refused.items() if busy(answers[key]["status"], reason)]
        failed = [(key, reason) for key, reason in refused.items() if key not in later]
        if failed or (later and attempt + 1 == ATTEMPTS):
            _, reason = (failed or [(later[0], "the cluster stays busy")])[0]
            raise BulkWriteError(
                f"{index}: {len(failed) or len(later)} of {len(operations)} documents were "
                f"refused: {reason}",
                failed=failed or [(one, reason) for one in later],
                written=len(operations) - len(failed) - len(later) - len(conflicts),
                hint=cure_of(reason) or "run the same command again",
            )
        if not later:
            break
        left = {key: left[key] for key in later}
        time.sleep(min(0.1 * 2**attempt, 10.0))
    return conflicts


def _send_bulk(
    cluster: Cluster, index: str, operations: Mapping[str, bytes]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not operations:
        return
    address, params = write_address(cluster, index)
    filtered = {"filter_path": "items.*.status,items.*.error", **params}
    try:
        body = b"".join(operations.values())
        answer = cluster.request("POST", f"/{address}/_bulk", body, filtered)
    except ClusterError as exc:
        if not too_large(exc.__cause__) or len(operations) == 1:
            raise
        keys = list(operations)
        for half in keys[: len(keys) // 2], keys[len(keys) // 2 :]:
            yield from _send_bulk(cluster, index, {key: operations[key] for key in half})
        return
    for key, entry in zip(operations, answer["items"], strict=True):
        (outcome,) = entry.values()
        yield key, outcome


def _conflicts(outcome: Mapping[str, Any]) -> bool:
    """Tell whether the document is another one by now, or gone."""
    absent = outcome.get("error", {}).get("type") == ABSENT
    return absent or bool(outcome["status"] == CONFLICT)


def _decode_as_stored(body: Mapping[str, Any]) -> Any:
    return orjson.loads(orjson.dumps(body, option=_ENCODE))


def _line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=_ENCODE)
