"""Everything that is stored of one user: exported, or deleted and searched for again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.errors import ClusterError, DataError
from seealso.indexer.events_index import find_events
from seealso.indexer.places import Place, places_of
from seealso.indexer.turns import hold_turns
from seealso.indexer.users.build import users_lock
from seealso.readers import Pseudonyms, parse_named_id
from seealso.wording import format_count

ATTEMPTS: Final = 4
"""Times that a user is looked for: what was written during a deletion is deleted as well."""

AT_ONCE: Final = 1000
"""Documents of one deletion."""


@dataclass(frozen=True, slots=True)
class UserDocuments:
    """All that is stored of one user.

    Attributes
    ----------
    pseudonym
        What the user is called there.
    documents
        By index; an index without any is left out.
    """

    pseudonym: str
    documents: Mapping[str, list[dict[str, Any]]]

    @property
    def counts(self) -> dict[str, int]:
        """Number of documents by index."""
        return {index: len(found) for index, found in self.documents.items()}


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """What was deleted.

    Attributes
    ----------
    pseudonym
        Whose.
    deleted
        Documents by index; searched for again, there are none left.
    remains
        Where a later build or update would find the user again.
    """

    pseudonym: str
    deleted: Mapping[str, int]
    remains: tuple[str, ...]


def export_user(
    cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str
) -> UserDocuments:
    """Return all that is stored of a user.

    Parameters
    ----------
    cluster, settings
        Where; ``index.alias`` says which indices.
    names
        Gives the pseudonym.
    user_id
        Whose.

    Raises
    ------
    ConfigError
        The users index was built with another key.
    DataError
        `user_id` is empty.
    """
    user_id = _read_id(user_id)
    found: dict[str, list[dict[str, Any]]] = {}
    for place in places_of(cluster, settings, names, user_id):
        # what was written a moment ago counts, too
        indices.refresh(cluster, place.index)
        hits = [{"_id": hit["_id"], **hit["_source"]} for hit in place.documents(cluster)]
        if hits:
            found[place.index] = hits
    return UserDocuments(names.of(user_id), found)


def forget(cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str) -> ForgetReport:
    """Delete all that is stored of a user, and search for it again.

    Raises
    ------
    ConfigError
        The users index was built with another key.
    ClusterError
        Something is still there.
    Busy
        The users index is being changed by another run, or another user is being forgotten.
    DataError
        `user_id` is empty.
    """
    user_id = _read_id(user_id)
    no_ingest = _no_ingest(cluster, settings, names.of(user_id))
    with users_lock(cluster, settings), no_ingest as tick:
        places = places_of(cluster, settings, names, user_id)
        deleted = {place.index: _delete(cluster, place, tick) for place in places}
    sources = (settings.events.path, settings.events.index, settings.users.path)
    return ForgetReport(
        names.of(user_id),
        {index: count for index, count in deleted.items() if count},
        tuple(str(one) for one in sources if one is not None),
    )


def _read_id(user_id: str) -> str:
    """Return an id as events were read with it."""
    found = parse_named_id(user_id)
    if not found:
        raise DataError(f"user: must be an id, not {user_id!r:.60}", field="user")
    return found


@contextmanager
def _no_ingest(cluster: Cluster, settings: Settings, user: str) -> Iterator[Callable[[], object]]:
    """Keep events from being ingested: what was read of the user must not be written again."""
    events = find_events(cluster, settings.index.alias)
    if events is None:
        yield lambda: None
    else:
        with hold_turns(cluster, events, user) as stay:
            yield stay


def _delete(cluster: Cluster, place: Place, tick: Callable[[], object]) -> int:
    deleted = 0
    for _ in range(ATTEMPTS):
        # what was written a moment ago must be found, too
        indices.refresh(cluster, place.index)
        left = place.ids(cluster, tick)
        if not left:
            return deleted
        for start in range(0, len(left), AT_ONCE):
            tick()
            query = {"ids": {"values": left[start : start + AT_ONCE]}}
            deleted += indices.delete_by_query(cluster, place.index, query)
    raise ClusterError(
        f"{place.index}: still holds {format_count(len(left), 'document')} of the user",
        hint="they are being written: stop what writes them and forget the user again",
        index=place.index,
    )
