"""The users index that the alias points to: finds it, compares its key, reads users by id."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from seealso.cluster import Cluster, PhysicalIndex, fetch, indices, require_open
from seealso.config import Settings
from seealso.errors import ClusterError, ConfigError, MappingMismatch
from seealso.indexer.graph import GraphRecall, recall_for_users
from seealso.indexer.live import require_current
from seealso.indexer.users.documents import READ, user_of
from seealso.indexer.users.mapping import KIND, users_alias
from seealso.readers import Pseudonyms
from seealso.readers.pseudonyms import KEY
from seealso.types import User


@dataclass(frozen=True, slots=True)
class LiveUsers:
    """The physical index behind the alias of the users.

    Attributes
    ----------
    name
        Of the physical index.
    meta
        Its ``_meta.seealso``.
    """

    name: str
    meta: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the bundle that the vectors were made with."""
        return str(self.meta["fingerprint"])

    @property
    def recall(self) -> GraphRecall:
        """What its graph was found to find of the users who are most alike."""
        return recall_for_users(self.meta)

    def require(self, fingerprint: str) -> None:
        """Compare the bundle with that of the item index.

        Raises
        ------
        MappingMismatch
            It is another one.
        """
        if self.fingerprint != fingerprint:
            raise MappingMismatch(
                f"{self.name}: made with bundle {self.fingerprint}, the items with {fingerprint}",
                hint="rebuild the users: `seealso users build`",
                index=self.name,
            )


def live_users(cluster: Cluster, settings: Settings, names: Pseudonyms) -> LiveUsers:
    """Return the users index that belongs to ``index.alias``.

    Raises
    ------
    ClusterError
        None was built yet.
    MappingMismatch
        What bears its name is no users index.
    ConfigError
        It was built with another key.
    """
    alias = users_alias(settings.index.alias)
    name = indices.find_live(cluster, alias)
    if name is None:
        raise ClusterError(
            f"{alias}: no users index was built yet", hint="run `seealso users build`", alias=alias
        )
    meta = indices.meta(cluster, name)
    if meta.get("kind") != KIND:
        raise MappingMismatch(
            f"{name}: holds items, not users", hint="choose another index.alias", index=name
        )
    require_current(name, meta, "seealso users build")
    check_key(names, name, meta)
    return LiveUsers(name, meta)


def user_indices(cluster: Cluster, settings: Settings) -> list[PhysicalIndex]:
    """Return every users index that seealso built for ``index.alias``, oldest first.

    Raises
    ------
    ClusterError
        One of them is closed: its users are unknown.
    """
    found = [
        one
        for one in indices.list_indices(cluster, users_alias(settings.index.alias))
        if one.meta.get("kind") == KIND
    ]
    require_open(found)
    return found


def check_key(names: Pseudonyms, index: str, meta: Mapping[str, Any]) -> None:
    """Compare the key with that which `index` was built with.

    Raises
    ------
    ConfigError
        It is another one: no user would be found.
    """
    if meta.get("key_check") != names.check:
        raise ConfigError(
            f"{KEY} is not the key that {index} was built with",
            hint="set the key that was used then; `seealso users build --new-key` begins with "
            "another one",
            index=index,
        )


def read_users(
    cluster: Cluster, settings: Settings, names: Pseudonyms, user_ids: Collection[str]
) -> dict[str, User]:
    """Return those of `user_ids` that the index knows, in one request."""
    ids = {names.of(user_id): user_id for user_id in user_ids}
    found = fetch(cluster, users_alias(settings.index.alias), list(ids), source=READ)
    return {ids[key]: user_of(ids[key], hit["_source"]) for key, hit in found.items()}
