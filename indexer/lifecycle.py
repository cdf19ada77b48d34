"""Which index the alias stands for: list, swap, roll back, prune; a move is one atomic step."""

from dataclasses import dataclass

from seealso.cluster import Cluster, PhysicalIndex, indices
from seealso.errors import ClusterError, MappingMismatch


@dataclass(frozen=True, slots=True)
class Moved:
    """The alias moved from one index to another."""

    alias: str
    before: str | None
    after: str


def listing(cluster: Cluster, alias: str) -> list[PhysicalIndex]:
    """Return the indices built for `alias`, oldest first."""
    return indices.listing(cluster, alias)


def plan_swap(cluster: Cluster, alias: str, name: str) -> Moved:
    """Return what `swap` would do; nothing is changed.

    Raises
    ------
    ClusterError
        There is no such index of this alias.
    MappingMismatch
        It is half built, or did not pass its verification.
    """
    found = {index.name: index for index in indices.listing(cluster, alias)}
    if name not in found:
        raise ClusterError(
            f"{name}: no index of alias {alias}",
            hint=f"`seealso index list` shows them: {', '.join(found) or 'there is none'}",
            index=name,
        )
    if found[name].state != "ready":
        raise MappingMismatch(
            f"{name}: is {found[name].state}, not ready",
            hint="run `seealso index build` again",
            index=name,
        )
    return Moved(alias, ", ".join(indices.standing(cluster, alias)) or None, name)


def swap(cluster: Cluster, alias: str, name: str) -> Moved:
    """Let `alias` stand for the index `name`; raises what `plan_swap` raises."""
    return _move(cluster, plan_swap(cluster, alias, name))


def plan_rollback(cluster: Cluster, alias: str) -> Moved:
    """Return what `rollback` would do; nothing is changed.

    Raises
    ------
    ClusterError
        There is no older index.
    """
    live = indices.live_name(cluster, alias)
    older = [
        index.name
        for index in indices.listing(cluster, alias)
        if index.state == "ready" and (live is None or index.name < live)
    ]
    if not older:
        raise ClusterError(
            f"{alias}: there is no older index to go back to",
            hint="`seealso index list` shows what there is",
            alias=alias,
        )
    return Moved(alias, live, older[-1])


def rollback(cluster: Cluster, alias: str) -> Moved:
    """Let `alias` stand for the newest ready index older than the live one."""
    return _move(cluster, plan_rollback(cluster, alias))


def _move(cluster: Cluster, moved: Moved) -> Moved:
    indices.point(cluster, moved.alias, moved.after)
    return moved


def prunable(cluster: Cluster, alias: str, keep: int) -> list[PhysicalIndex]:
    """Return the indices that `prune` deletes.

    These are those that are not ready and, of the ready ones, all but the live one and the
    newest others up to `keep` in all.
    """
    found = indices.listing(cluster, alias)
    ready = [index for index in found if index.state == "ready" and not index.live]
    live = sum(index.live for index in found)
    kept = {index.name for index in ready[max(0, len(ready) - (keep - live)) :]}
    return [index for index in found if not index.live and index.name not in kept]


def prune(cluster: Cluster, alias: str, keep: int) -> list[PhysicalIndex]:
    """Delete what `prunable` names and return it."""
    doomed = prunable(cluster, alias, keep)
    for index in doomed:
        indices.delete(cluster, index.name)
    return doomed
