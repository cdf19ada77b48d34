"""The users index at query time: users by id, many at once, and the users most like one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seealso.cluster import Cluster
from seealso.config import NeighbourSettings, Settings
from seealso.errors import MappingMismatch
from seealso.indexer.graph import GraphRecall
from seealso.indexer.users.live import LiveUsers, live_users, read_users
from seealso.indexer.users.mapping import users_alias
from seealso.log import logger
from seealso.plugin.neighbours import NeighbourBoosts, NeighbourList, read_neighbours
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.ranking.answers import hits_of, missing_part
from seealso.plugin.ranking.searches import Search
from seealso.query_templates import msearch
from seealso.readers import Pseudonyms
from seealso.types import User, Vector

log = logger(__name__)


class UsersIndex:
    """The users index that belongs to ``index.alias``.

    Safe to share between threads.

    Parameters
    ----------
    cluster, settings
        Where; sections ``index`` and ``recommend`` are used.
    names
        Gives the pseudonyms.

    Raises
    ------
    ClusterError
        There is none.
    ConfigError
        It was built with another key.
    """

    def __init__(self, cluster: Cluster, settings: Settings, names: Pseudonyms) -> None:
        self._cluster = cluster.hurry(settings.cluster.deadline)
        self._settings = settings
        self._names = names
        self._live = live_users(self._cluster, settings, names)
        self._reported = ""

    @classmethod
    def from_settings(
        cls, cluster: Cluster, settings: Settings, environ: Mapping[str, str]
    ) -> "UsersIndex | None":
        """Return the users index, or None unless ``users.enabled``.

        Raises
        ------
        ClusterError, ConfigError
            As for the class, or `environ` does not hold the key of the pseudonyms.
        """
        if not settings.users.enabled:
            return None
        return cls(cluster, settings, Pseudonyms.from_environment(environ))

    @property
    def live(self) -> LiveUsers:
        """The index that answered last."""
        return self._live

    def users(self, user_ids: Collection[str]) -> dict[str, User]:
        """Return those of `user_ids` that are known, in one request.

        Raises
        ------
        ConfigError
            The index was built anew meanwhile, with another key.
        """
        found = read_users(self._cluster, self._settings, self._names, user_ids)
        if len(found) < len(set(user_ids)):
            # under another key everybody would seem to be unknown
            self._live = live_users(self._cluster, self._settings, self._names)
        return found

    def neighbours(
        self, profiles: Sequence[Profile], size: int, fingerprint: str
    ) -> list[NeighbourList]:
        """Return the users most like each of those with a vector, in one request.

        Parameters
        ----------
        profiles
            Whose neighbours; of those without a vector, there are none.
        size
            How many of each.
        fingerprint
            Of the bundle that the profiles were made with.

        Raises
        ------
        MappingMismatch
            The vectors of the index were made with another bundle.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        known = [
            (one.vector, one.seen, self._pseudonym(one.user))
            for one in profiles
            if one.vector is not None
        ]
        if not known:
            return []
        if self._live.fingerprint != fingerprint:
            self._refresh(fingerprint)
        graph, own = self._live.recall, self._settings.recommend.ef_search
        if own is not None:
            graph = replace(graph, ef_search=own)
        bodies = [
            neighbours_search(vector, pseudonym, size, graph).body()
            for vector, _, pseudonym in known
        ]
        index, responses = self._search(bodies, fingerprint)
        note = missing_part(responses)
        return [
            NeighbourList(read_neighbours(hits_of(found), seen), pseudonym, index, note)
            for (_, seen, pseudonym), found in zip(known, responses, strict=True)
        ]

    def _pseudonym(self, user: User) -> str | None:
        return None if user.user_id is None else self._names.of(user.user_id)

    def _search(
        self, bodies: Sequence[bytes], fingerprint: str
    ) -> tuple[str, list[Mapping[str, Any]]]:
        """Return which users index answered, and its responses."""
        lines = msearch(users_alias(self._settings.index.alias), bodies)
        while True:
            live = self._live
            answer = self._cluster.request("POST", "/_msearch", lines)
            responses: list[Mapping[str, Any]] = answer["responses"]
            if all("error" not in one and _indices_of(one) == {live.name} for one in responses):
                return live.name, responses
            # built anew meanwhile, perhaps with another bundle; or nobody was found
            self._refresh(fingerprint)
            if self._live.name == live.name:
                return live.name, responses

    def boosts(
        self, profiles: Sequence[Profile], settings: NeighbourSettings, fingerprint: str
    ) -> list[NeighbourBoosts]:
        """Return what the neighbours of each user add to items, with a note on what is missing.

        Where the items were built anew a moment ago, and the users not yet, a list without
        neighbours is better than none.

        Parameters
        ----------
        profiles
            Whose neighbours.
        settings
            Share, number of neighbours and so on, as set or fitted.
        fingerprint
            Of the bundle that the profiles were made with.
        """
        if not settings.share:
            return [NeighbourBoosts()] * len(profiles)
        try:
            lists = iter(self.neighbours(profiles, settings.k, fingerprint))
        except MappingMismatch as exc:
            # each list says what it lacks; what to do about it is for whoever runs this, once
            if self._reported != exc.message:
                self._reported = exc.message
                log.warning("%s; %s", exc.message, exc.hint)
            note = f"without neighbours: {exc.message}"
            return [NeighbourBoosts(note=note)] * len(profiles)
        return [
            NeighbourBoosts()
            if one.vector is None
            else NeighbourBoosts.of(next(lists), one.seen, settings)
            for one in profiles
        ]

    def _refresh(self, fingerprint: str) -> None:
        self._live = live_users(self._cluster, self._settings, self._names)
        self._live.require(fingerprint)


def _indices_of(response: Mapping[str, Any]) -> set[str]:
    return {hit["_index"] for hit in response["hits"]["hits"]}


def neighbours_search(vector: Vector, exclude: str | None, size: int, graph: GraphRecall) -> Search:
    """Return the query for the users most like a vector: of the graph, unless that misses many.

    Parameters
    ----------
    vector
        E_u, unit length, shape (dimension,).
    exclude
        Pseudonym to leave out: the user's own.
    size
        How many.
    graph
        What the graph finds, and how thoroughly it is asked.
    """
    params: dict[str, Any] = {
        "vector": vector,
        "size": size,
        "k": size,
        "ef_search": max(graph.ef_search, size),
        "source": ["latest"],
    }
    if exclude is not None:
        params["exclude"] = [exclude]
    return Search("exact" if graph.misses else "ann", params)
