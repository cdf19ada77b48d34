"""Which index the alias points to: list, swap, roll back, prune; a move is one atomic step.

Whatever moves the alias, or writes or deletes an index behind it, holds one lock meanwhile: a
build on another host, too.

An index records since when it is live and whether a rollback left it. A rollback goes to the
index that was live before, passing over those that were rolled back from.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from seealso.cluster import Cluster, Lock, PhysicalIndex, hold, indices, require_open
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.live import require_current


@dataclass(frozen=True, slots=True)
class AliasMove:
    """The alias moved from one index to another."""

    alias: str
    before: str | None
    after: str


def build_lock(cluster: Cluster, alias: str) -> AbstractContextManager[Lock]:
    """Keep whatever changes the indices of `alias` from doing so twice at a time.

    Raises
    ------
    Busy
        Somebody else does, on this host or on another.
    """
    return hold(cluster, alias, "build", "another build or update is running")


def plan_swap(cluster: Cluster, alias: str, name: str, *, force: bool = False) -> AliasMove:
    """Return what `swap` would do; nothing is changed.

    Raises
    ------
    ClusterError
        There is no such index of this alias, or it is closed.
    MappingMismatch
        It is half built, or did not pass its verification.
    """
    found = {index.name: index for index in indices.list_indices(cluster, alias)}
    if name not in found:
        raise ClusterError(
            f"{name}: no index of alias {alias}",
            hint=f"`seealso index list` shows them: {', '.join(found) or 'there is none'}",
            index=name,
        )
    require_open([found[name]])
    require_current(name, found[name].meta, "seealso index build")
    state = found[name].state
    if state != "ready" and not (force and state == "rejected"):
        forced = f", or use it anyway: `seealso index swap {name} --force`"
        raise MappingMismatch(
            f"{name}: is {state}, not ready",
            hint="run `seealso index build` again" + (forced if state == "rejected" else ""),
            index=name,
        )
    return AliasMove(alias, ", ".join(indices.resolve_alias(cluster, alias)) or None, name)


def swap(cluster: Cluster, alias: str, name: str, *, force: bool = False) -> AliasMove:
    """Let `alias` point to the index `name`; raises what `plan_swap` and `build_lock` raise.

    With `force` it may be one that its verification rejected.
    """
    with build_lock(cluster, alias) as lock:
        moved = plan_swap(cluster, alias, name, force=force)
        if force:
            # what is rejected is deleted by the next build
            indices.put_meta(cluster, name, {"state": "ready"})
        go_live(cluster, alias, name, lock)
    return moved


def plan_rollback(cluster: Cluster, alias: str) -> AliasMove:
    """Return what `rollback` would do; nothing is changed.

    Raises
    ------
    ClusterError
        There is no index to go back to, or it is closed.
    """
    live = indices.find_live(cluster, alias)
    earlier = [
        one
        for one in indices.list_indices(cluster, alias)
        if one.state in ("ready", "closed")
        and not one.live
        and one.live_since is not None
        and not one.rolled_back
    ]
    if not earlier:
        raise ClusterError(
            f"{alias}: there is no older index to go back to",
            hint="`seealso index list` shows what there is, `seealso index swap NAME` makes any "
            "of them live",
            alias=alias,
        )
    chosen = max(earlier, key=lambda one: (one.live_since or "", one.name))
    require_open([chosen])
    require_current(chosen.name, chosen.meta, "seealso index build")
    return AliasMove(alias, live, chosen.name)


def rollback(cluster: Cluster, alias: str) -> AliasMove:
    """Let `alias` point to the index that was live before.

    Raises what `plan_rollback` and `build_lock` raise.
    """
    with build_lock(cluster, alias) as lock:
        moved = plan_rollback(cluster, alias)
        go_live(cluster, alias, moved.after, lock)
        if moved.before is not None:
            indices.put_meta(cluster, moved.before, {"rolled_back": True})
    return moved


def go_live(cluster: Cluster, alias: str, name: str, lock: Lock) -> None:
    """Let `alias` point to the index `name`, which must be ready, and record when it did.

    Raises
    ------
    ClusterError
        The lock was lost, or somebody else moves the alias, without the lock; it is as it was.
    """
    lock.require()
    indices.point_alias(cluster, alias, name)
    # after the move: an index that says it was live must have been
    record_live(cluster, name)


def record_live(cluster: Cluster, name: str) -> None:
    """Write down that an alias has come to the index `name` just now."""
    indices.put_meta(cluster, name, {"live_since": indices.timestamp(), "rolled_back": False})


def find_prunable(cluster: Cluster, alias: str, keep: int) -> list[PhysicalIndex]:
    """Return the indices that `prune` deletes.

    These are those that are not ready and, of the ready ones, all but the live one and others
    up to `keep` in all: the newest first, what was rolled back from last. Newest is what was
    live last, or was built last if it never was. An index that its owner made is none of them.

    Raises
    ------
    ClusterError
        One of the indices is closed: whoever closed it may need it.
    """
    found = indices.list_indices(cluster, alias)
    require_open(found)
    ready = [index for index in found if index.state == "ready" and not index.live]
    ready.sort(key=lambda one: (not one.rolled_back, one.live_since or _built_at(one, alias)))
    live = sum(index.live for index in found)
    newest = {index.name for index in ready[max(0, len(ready) - (keep - live)) :]}
    spared = [index.name for index in found if index.live or index.borrowed]
    return [index for index in found if index.name not in (*spared, *newest)]


def _built_at(index: PhysicalIndex, alias: str) -> str:
    """Return when the build of `index` began, as `indices.timestamp` writes it."""
    return index.name.removeprefix(f"{alias}-")


def prune(cluster: Cluster, alias: str, keep: int) -> list[PhysicalIndex]:
    """Delete what `find_prunable` names and return it; raises what `build_lock` raises."""
    deleted = []
    # an index that is being built looks like one that was left half-built
    with build_lock(cluster, alias) as lock:
        for index in find_prunable(cluster, alias, keep):
            lock.require()
            if indices.delete_unless_live(cluster, alias, index.name):
                deleted.append(index)
    return deleted
