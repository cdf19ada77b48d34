"""Writes that depend on what is there: documents created once, others rewritten unless changed.

OpenSearch compares sequence numbers: if a document has changed, it is read again, and no write is
lost.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from seealso.cluster.blocks import cure_of
from seealso.cluster.client import Cluster
from seealso.cluster.operations import Operation, OperationSender, encode, encode_line
from seealso.cluster.scan import fetch
from seealso.errors import BulkWriteError

ATTEMPTS: Final = 12
"""How often documents are read and written again that another process writes as well."""

AT_ONCE: Final = 500
"""Documents of one request."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a document: another one (``index``), or a script on it (``update``)."""

    kind: Literal["index", "update"]
    body: Mapping[str, Any]


Derive = Callable[[Mapping[str, Mapping[str, Any] | None]], Mapping[str, Change]]
"""From documents by id, None where there is none, to the changes; those left out stay."""


def create(
    cluster: Cluster, index: str, documents: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Write those of `documents` whose ids are free, and return the others as they are stored.

    Raises
    ------
    ClusterError
        There is no such index: writing never creates one.
    BulkWriteError
        OpenSearch refused some for another reason.
    """
    created = [encode("create", key, body) for key, body in documents.items()]
    stored = fetch(cluster, index, _send(cluster, index, created), source=["*"])
    # a request whose answer was lost is sent again, and finds what it has written itself
    return {
        key: found["_source"]
        for key, found in stored.items()
        if found["_source"] != orjson.loads(encode_line(documents[key]))
    }


def rewrite(
    cluster: Cluster, index: str, ids: Sequence[str], fields: Sequence[str], derive: Derive
) -> int:
    """Change documents by what they hold, and return how many were changed.

    Parameters
    ----------
    cluster, index
        Where: a physical index. An alias may come to point to another one between reading and
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
        ids = _send(
            cluster, index, [_operation(key, found.get(key), one) for key, one in changes.items()]
        )
        changed += len(changes) - len(ids)
        if not ids:
            return changed
        time.sleep(min(0.02 * 2**attempt, 1.0))
    raise BulkWriteError(
        f"{index}: {len(ids)} documents are changed by another process all the time",
        failed=[(key, "changed meanwhile") for key in ids],
        written=changed,
        hint="run the same command again",
    )


def _operation(key: str, found: Mapping[str, Any] | None, change: Change) -> Operation:
    if found is None:
        return encode("create", key, change.body)
    version = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
    return encode(change.kind, key, change.body, **version)


def _send(cluster: Cluster, index: str, operations: Sequence[Operation]) -> list[str]:
    """Send operations; return the ids of documents that are others by now, or gone."""
    if not operations:
        return []
    outcomes = list(OperationSender(cluster, index, retries=ATTEMPTS - 1).send(operations))
    overtaken = [one.item_id for one in outcomes if one.conflict or one.absent]
    failed = [
        (one.item_id, one.refused)
        for one in outcomes
        if one.refused and not (one.conflict or one.absent)
    ]
    if failed:
        _, reason = failed[0]
        raise BulkWriteError(
            f"{index}: {len(failed)} of {len(operations)} documents were refused: {reason}",
            failed=failed,
            written=len(operations) - len(failed) - len(overtaken),
            hint=cure_of(reason) or "run the same command again",
        )
    return overtaken
