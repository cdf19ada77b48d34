"""One user becomes one document without a name, and a document becomes a user again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from seealso.indexer.documents import hash_content
from seealso.types import HistoryEntry, User, Vector

LATEST: Final = 100
"""Newest items of the history that have a field of their own, for the vote of neighbours."""

READ: Final = ("history", "seen", "attributes")
"""Fields that a user is made of."""


def user_document(user: User, vector: Vector | None, digest: str) -> dict[str, Any]:
    """Return the document of `user` as it is indexed; neither id nor words are in it.

    Parameters
    ----------
    user
        With as much of history and seen items as is kept.
    vector
        E_u, shape (dimension,), unit length, or None where nothing is known to make one of.
    digest
        As `digest_of` gives it.
    """
    body: dict[str, Any] = {
        "history": [_entry(one) for one in user.history],
        "latest": [one.item_id for one in user.history[:LATEST]],
        "seen": sorted(user.seen),
        "attributes": dict(user.attributes),
        "digest": digest,
        "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if vector is not None:
        body["vector"] = vector
    return body


def user_of(user_id: str, document: Mapping[str, Any]) -> User:
    """Return the user of a document, with the requested id."""
    history = tuple(
        HistoryEntry(
            one["item"],
            datetime.fromisoformat(one["time"]) if "time" in one else None,
            one["value"],
            one["type"],
        )
        for one in document["history"]
    )
    return User(user_id, history, frozenset(document["seen"]), dict(document["attributes"]))


def digest_of(user: User, made_with: str) -> str:
    """Return 32 hex digits over all that a document depends on.

    Parameters
    ----------
    user
        What is kept of the user.
    made_with
        Tells one way of making the vector from another.
    """
    entries = [_entry(one) for one in user.history]
    return hash_content(entries, sorted(user.seen), dict(user.attributes), made_with)


def _entry(one: HistoryEntry) -> dict[str, Any]:
    timed = {} if one.time is None else {"time": one.time.isoformat()}
    return {"item": one.item_id, "type": one.type, "value": one.value, **timed}
