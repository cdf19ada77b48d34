"""``seealso index``: which indices there are, which of them is live, and which are deleted."""

from seealso.cluster import PhysicalIndex, connect, indices
from seealso.config import Settings
from seealso.indexer import lifecycle
from seealso.indexer.lifecycle import AliasMove


def list_indices(settings: Settings) -> list[PhysicalIndex]:
    """Return the indices of the alias, oldest first."""
    with connect(settings) as cluster:
        return indices.list_indices(cluster, settings.index.alias)


def swap_index(settings: Settings, name: str, *, force: bool = False) -> AliasMove:
    """Let the alias point to another index.

    Parameters
    ----------
    settings
        Sections ``index`` and ``cluster`` are used.
    name
        An index of `list_indices` that is ready.
    force
        Take one that its verification rejected, too.

    Raises
    ------
    MappingMismatch
        It is half built, or did not pass its verification.
    """
    with connect(settings) as cluster:
        return lifecycle.swap(cluster, settings.index.alias, name, force=force)


def plan_swap_index(settings: Settings, name: str, *, force: bool = False) -> AliasMove:
    """Say what `swap_index` would do; nothing is written."""
    with connect(settings) as cluster:
        return lifecycle.plan_swap(cluster, settings.index.alias, name, force=force)


def rollback_index(settings: Settings) -> AliasMove:
    """Let the alias point to the index that was live before."""
    with connect(settings) as cluster:
        return lifecycle.rollback(cluster, settings.index.alias)


def plan_rollback_index(settings: Settings) -> AliasMove:
    """Say what `rollback_index` would do; nothing is written."""
    with connect(settings) as cluster:
        return lifecycle.plan_rollback(cluster, settings.index.alias)


def prune_indices(settings: Settings, *, keep: int | None = None) -> list[PhysicalIndex]:
    """Delete old and half-built indices, and return them.

    Parameters
    ----------
    settings
        Sections ``index`` and ``cluster`` are used.
    keep
        Indices to keep, the live one included; ``index.keep`` by default.
    """
    with connect(settings) as cluster:
        return lifecycle.prune(cluster, settings.index.alias, keep or settings.index.keep)


def plan_prune_indices(settings: Settings, *, keep: int | None = None) -> list[PhysicalIndex]:
    """Return what `prune_indices` would delete; nothing is written."""
    with connect(settings) as cluster:
        return lifecycle.find_prunable(cluster, settings.index.alias, keep or settings.index.keep)
