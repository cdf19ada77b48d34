"""What is held of one user, wherever it is: shown, or deleted and looked for again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster, indices, scan
from seealso.config import Settings
from seealso.errors import ClusterError
from seealso.indexer.events.store import events_name
from seealso.indexer.users.build import users_lock
from seealso.indexer.users.live import check_key, user_indices
from seealso.interactions import Pseudonyms

ATTEMPTS: Final = 3
"""Times that what was written during a deletion is deleted as well."""


@dataclass(frozen=True, slots=True)
class Place:
    """An index that may hold something of a user, and the query that finds it."""

    index: str
    query: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """All that is held of one user.

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
class Forgotten:
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


def held(cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str) -> Held:
    """Return all that is held of a user.

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
    """
    found = {}
    for place in _places(cluster, settings, names, user_id):
        # what was written a moment ago is held, too
        indices.refresh(cluster, place.index)
        found[place.index] = [
            {"_id": hit["_id"], **hit["_source"]}
            for hits in scan(cluster, place.index, query=place.query)
            for hit in hits
        ]
    return Held(names.of(user_id), {index: one for index, one in found.items() if one})


def forget(cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str) -> Forgotten:
    """Delete all that is held of a user, and search for it again.

    Raises
    ------
    ConfigError
        The users index was built with another key.
    ClusterError
        Something is still there, or the users index is being changed by another run.
    """
    with users_lock(cluster, settings):
        places = _places(cluster, settings, names, user_id)
        deleted = {place.index: _delete(cluster, place) for place in places}
    sources = (settings.events.path, settings.events.index, settings.users.path)
    return Forgotten(
        names.of(user_id),
        {index: count for index, count in deleted.items() if count},
        tuple(str(one) for one in sources if one is not None),
    )


def _places(cluster: Cluster, settings: Settings, names: Pseudonyms, user_id: str) -> list[Place]:
    pseudonym = names.of(user_id)
    places = []
    # half-built ones as well
    for one in user_indices(cluster, settings):
        check_key(names, one.name, one.meta)
        places.append(Place(one.name, {"ids": {"values": [pseudonym]}}))
    # a front end of its own may have written the id itself
    called = [pseudonym, user_id]
    events = events_name(settings.index.alias)
    ubi = (settings.ubi.events, settings.ubi.queries)
    fields = {events: "user", **dict.fromkeys(ubi, "client_id")}
    for index, field in fields.items():
        if cluster.exists(f"/{index}"):
            places.append(Place(index, {"terms": {field: called}}))
    return places


def _delete(cluster: Cluster, place: Place) -> int:
    deleted = 0
    for _ in range(ATTEMPTS):
        # what was written a moment ago must be found, too
        indices.refresh(cluster, place.index)
        left = _count(cluster, place)
        if not left:
            return deleted
        answer = cluster.request(
            "POST",
            f"/{place.index}/_delete_by_query",
            {"query": place.query},
            params={"refresh": "true", "conflicts": "proceed"},
        )
        deleted += int(answer["deleted"])
    if left := _count(cluster, place):
        raise ClusterError(
            f"{place.index}: {left} documents of the user are still there",
            hint="they are being written: stop what writes them and forget the user again",
            index=place.index,
        )
    return deleted


def _count(cluster: Cluster, place: Place) -> int:
    found = cluster.request("POST", f"/{place.index}/_count", {"query": place.query})
    return int(found["count"])
