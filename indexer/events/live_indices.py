"""The indices of items and users that the aliases point to: events change their documents."""

from dataclasses import dataclass

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.live import LiveIndex, live_index
from seealso.indexer.rewriting import CLOSED, OPEN, Mark, mark_of
from seealso.indexer.users.live import LiveUsers, live_users
from seealso.indexer.users.mapping import users_alias
from seealso.readers import Pseudonyms


@dataclass(frozen=True, slots=True)
class LiveIndices:
    """The indices that were live at one moment.

    Attributes
    ----------
    items, users
        What the aliases pointed to.
    """

    items: LiveIndex
    users: LiveUsers

    @classmethod
    def find(cls, cluster: Cluster, settings: Settings, names: Pseudonyms) -> "LiveIndices":
        """Return what is live now.

        Parameters
        ----------
        cluster, settings
            Where; ``index.alias`` is used.
        names
            Tells which key the users have.

        Raises
        ------
        ClusterError
            There is no index, or no users index.
        ConfigError
            The users index has another key.
        MappingMismatch
            The users were built with another bundle than the items.
        """
        items = live_index(cluster, settings)
        users = live_users(cluster, settings, names)
        users.require(items.fingerprint)
        return cls(items, users)

    @property
    def marks(self) -> dict[str, Mark]:
        """What ``items`` and ``users`` say of documents that were written again."""
        items, users = self.items, self.users
        return {"items": mark_of(items.name, items.meta), "users": mark_of(users.name, users.meta)}

    @property
    def mark_texts(self) -> list[str]:
        """The marks as text, for others to compare."""
        return [mark.text for mark in self.marks.values()]

    def moved(self, cluster: Cluster, alias: str) -> bool:
        """Tell whether other indices are live by now, or one of these is being written again."""
        entries = ",".join(f"*.mappings._meta.seealso.{one}" for one in ("alias", OPEN, CLOSED))
        found = cluster.request(
            "GET", f"/{alias},{users_alias(alias)}", params={"filter_path": entries}
        )
        now = {
            name: mark_of(name, one["mappings"]["_meta"]["seealso"]) for name, one in found.items()
        }
        return now != {mark.index: mark for mark in self.marks.values()}
