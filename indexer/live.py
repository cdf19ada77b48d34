"""The index that an alias points to, what its `_meta` says, and whether the alias may move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster, indices
from seealso.cluster.blocks import Block, describe_cure
from seealso.config import Settings, TextSettings
from seealso.encoder import Bundle, BundleStore
from seealso.encoder.joined import COLD
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.graph import GraphRecall, is_rounded, recall_for_items, recall_for_users
from seealso.types import Calibration, Space

OLDEST: Final = (0, 2)
"""The first version whose indices are read."""

FIXED: Final = ("index.blocks.read_only", "index.blocks.read_only_allow_delete")
"""Blocks under which an index keeps its aliases."""


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """The physical index behind an alias.

    Attributes
    ----------
    name
        Of the physical index.
    meta
        Its ``_meta.seealso``.
    store
        Where its bundle should be.
    """

    name: str
    meta: Mapping[str, Any]
    store: BundleStore

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the bundle that the index was built with."""
        return str(self.meta["fingerprint"])

    @property
    def space(self) -> Space:
        """Similarity that the index was built for."""
        return Space(self.meta["space"])

    @property
    def half_attached(self) -> bool:
        """Whether attaching it has begun and not ended: some documents have no vector yet.

        An index that is attached in place is behind its alias from the first document on.
        """
        return self.meta.get("state") == "building"

    @property
    def rounded(self) -> bool:
        """Whether its graph has rounded vectors."""
        return is_rounded(self.meta)

    @property
    def cold_coordinate(self) -> int | None:
        """Where a vector says that its item is cold; None where no vector does."""
        # an index of an earlier version does not say; its items stay cold until the next build
        return int(self.meta["dimension"]) + COLD if self.meta.get("collaborative") else None

    @property
    def recall_for_users(self) -> GraphRecall:
        """What its graph was found to find of the best items of users."""
        return recall_for_users(self.meta)

    @property
    def recall_for_items(self) -> GraphRecall:
        """What it was found to find of the items that are nearest to an item, or to words."""
        return recall_for_items(self.meta)

    @property
    def text(self) -> TextSettings:
        """Text templates that the index was built with."""
        return TextSettings.model_validate(self.meta["text"])

    @property
    def calibration(self) -> Calibration:
        """Parameters of the sigmoid, as the index records them."""
        return Calibration(**self.meta["calibration"])

    @property
    def bundle(self) -> Bundle:
        """The bundle that fits, read and checked at each access.

        Raises
        ------
        BundleError
            It is not in the store, or it is damaged.
        """
        return self.store.by_fingerprint(self.fingerprint)


def live_index(cluster: Cluster, settings: Settings) -> LiveIndex:
    """Return the index that ``index.alias`` points to.

    Raises
    ------
    ClusterError
        Nothing was built yet, or somebody has removed the alias.
    MappingMismatch
        The index is not one of seealso's, or was built by an earlier version.
    """
    alias = settings.index.alias
    name = indices.find_live(cluster, alias)
    if name is None:
        raise _nothing_live(alias, find_ready(cluster, alias))
    return open_index(cluster, settings, name)


def find_ready(cluster: Cluster, alias: str) -> list[str]:
    """Return the indices that `alias` could point to, oldest first."""
    try:
        return [one.name for one in indices.list_indices(cluster, alias) if one.state == "ready"]
    except ClusterError:
        # who may only search is not told what there is
        return []


def _nothing_live(alias: str, ready: Sequence[str]) -> ClusterError:
    if not ready:
        return ClusterError(
            f"{alias}: no such index or alias: no index was built yet",
            hint="run `seealso index build`",
            alias=alias,
        )
    return ClusterError(
        f"{alias}: no such index or alias, but its index {ready[-1]} is ready",
        hint=f"`seealso index swap {ready[-1]}` lets the alias point to it",
        alias=alias,
    )


def open_index(cluster: Cluster, settings: Settings, name: str) -> LiveIndex:
    """Return an index that seealso built, by its own name.

    Raises
    ------
    ClusterError
        There is none of that name.
    MappingMismatch
        It is not one of seealso's, or was built by an earlier version.
    """
    meta = indices.meta(cluster, name)
    attached = f"seealso attach {settings.index.alias}"
    require_current(name, meta, attached if "attached" in meta else "seealso index build")
    return LiveIndex(name, meta, BundleStore(settings.encoder.store))


def name_finishing_command(meta: Mapping[str, Any]) -> str:
    """Return what ends the making of an index that says this of itself in ``_meta.seealso``."""
    attached = meta.get("attached")
    return f"seealso attach {attached['source']}" if attached else "seealso index build"


def require_current(name: str, meta: Mapping[str, Any], command: str) -> None:
    """Refuse an index of an earlier version, whose fields this one would misread.

    Parameters
    ----------
    name, meta
        The index, and what it says of itself.
    command
        What builds it again.

    Raises
    ------
    MappingMismatch
        The index is of an earlier version.
    """
    version = str(meta["version"]) if "version" in meta else None
    if version and tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise MappingMismatch(
            f"{name}: was built by seealso {version}, which this one does not read",
            hint=f"renew it: `{command}`",
            index=name,
            version=version,
        )


def find_replaceable(cluster: Cluster, alias: str) -> str | None:
    """Return the index behind `alias` that a build may put another in the place of, or None.

    Raises
    ------
    MappingMismatch
        It holds documents of its owner, whose searches would find a catalogue in their place.
    ClusterError
        `alias` is an index of its own, points to several, or a block keeps it where it is.
    """
    live = indices.find_live(cluster, alias)
    if live is not None and "attached" in (indices.find_meta(cluster, live) or {}):
        raise MappingMismatch(
            f"{alias}: points to {live}, which was attached, not built",
            hint=f"`seealso attach {alias}` brings it up to date; "
            "to build an index beside it, set another index.alias",
            index=live,
        )
    require_movable(cluster, alias)
    return live


def require_movable(cluster: Cluster, alias: str, kind: str | None = None) -> None:
    """Make sure that a build may move `alias`: it is free, or points to an index of seealso.

    Parameters
    ----------
    cluster, alias
        The alias that a build moves at its end.
    kind
        What ``_meta.seealso.kind`` says of the indices that it points to; None of items.

    Raises
    ------
    ClusterError
        The alias is an index, or a block keeps it where it is.
    MappingMismatch
        It points to an index that seealso did not build, or that holds something else.
    """
    params = {"flat_settings": "true", "ignore": 404}
    answer = cluster.request("GET", f"/{alias}", params=params)
    pointed_to = {} if "error" in answer else answer
    # raises where it is an index of its own
    if alias in pointed_to:
        indices.find_live(cluster, alias)
    for name, found in pointed_to.items():
        own = found["mappings"].get("_meta", {}).get("seealso")
        if own is None or own.get("kind") != kind:
            holds = "which seealso did not build" if own is None else "which holds something else"
            raise MappingMismatch(
                f"{alias}: is an alias of {name}, {holds}: a build would move it away",
                hint="choose another index.alias, or give that index another alias",
                index=name,
            )
        require_unblocked(name, found["settings"])


def require_unblocked(name: str, settings: Mapping[str, Any]) -> None:
    """Make sure that the index `name` with these flat settings may lose an alias.

    Raises
    ------
    ClusterError
        A block keeps its aliases.
    """
    for block in FIXED:
        if settings.get(block) == "true":
            raise ClusterError(
                f"{name}: is blocked by {block}: no alias can be moved from it",
                hint=describe_cure([Block(block, name)]),
                index=name,
            )
