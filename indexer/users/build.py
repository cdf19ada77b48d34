"""Builds the users index beside the live one, or changes the live one where users changed.

A build that was killed leaves an index in state ``building``; the next one continues it. After
the alias has moved, the index before it is deleted: no old copy of any user is kept.
"""

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from seealso.cluster import Cluster, Lock, hold, indices
from seealso.config import Settings
from seealso.errors import MappingMismatch
from seealso.indexer.lifecycle import go_live
from seealso.indexer.live import require_movable
from seealso.indexer.rewriting import rewriting
from seealso.indexer.staging import build_key, stage
from seealso.indexer.users.graph import measure_graph
from seealso.indexer.users.live import LiveUsers, check_key, live_users, user_indices
from seealso.indexer.users.mapping import KIND, users_alias, users_body, users_meta
from seealso.indexer.users.writing import UsersWriter, WriteCounts
from seealso.indexer.writing import finish_loading
from seealso.log import progress
from seealso.readers import Pseudonyms
from seealso.wording import format_count


@dataclass(frozen=True, slots=True)
class UsersReport:
    """What a build or an update did; of a dry run, what it would do.

    Attributes
    ----------
    index, alias
        Where the users are.
    users
        How many there are.
    written, unchanged, deleted
        Documents.
    vectorless
        Of those written: users of whom no vector can be made. Not counted by a dry run.
    resumed
        Whether a killed build was continued.
    graph_recall
        Of a build: which share of the users most like some of them the graph finds; None where the
        cluster does not allow the queries that would tell.
    seconds
        How long it took.
    notes
        What events and users name that is not there, a sentence each.
    """

    index: str
    alias: str
    users: int
    written: int
    unchanged: int
    deleted: int
    vectorless: int
    resumed: bool
    seconds: float
    graph_recall: float | None = None
    notes: tuple[str, ...] = ()


def build_users(writer: UsersWriter, *, new_key: bool = False) -> UsersReport:
    """Build a users index and let the alias point to it.

    Parameters
    ----------
    writer
        Who is written, where and how.
    new_key
        The key may be another one than that of the index that is live.

    Raises
    ------
    ConfigError
        The live index has another key.
    ClusterError
        Another build runs, the cluster refused, or the alias cannot be moved; it is as it was.
    MappingMismatch
        The alias was not made by seealso; nothing was written.
    """
    started = perf_counter()
    cluster, settings = writer.cluster, writer.settings
    alias = users_alias(settings.index.alias)
    # before the lock, which is written as well
    require_replaceable(cluster, settings, writer.names, new_key=new_key)
    with users_lock(cluster, settings) as lock:
        require_replaceable(cluster, settings, writer.names, new_key=new_key)
        name, resumed = _stage(writer, lock)
        users = len(writer.people.ids)
        with progress("encoding and writing", users) as tick:
            done = writer.write(name, tick, fresh=not resumed)
        done.deleted = writer.delete_others(name) if resumed else 0
        finish_loading(cluster, name, settings.index, users)
        _check_count(cluster, name, users)
        graph = measure_graph(cluster, name, settings)
        found = {"graph_recall": graph.share, "ef_search": graph.ef_search}
        indices.put_meta(cluster, name, {"state": "ready", **found})
        go_live(cluster, alias, name, lock)
        for old in user_indices(cluster, settings):
            if old.name != name:
                indices.delete_unless_live(cluster, alias, old.name)
    report = _report(done, name, alias, started, resumed=resumed)
    return replace(report, graph_recall=graph.share)


def update_users(writer: UsersWriter) -> UsersReport:
    """Write the users that are new or changed to the live index, and delete who is no more.

    Raises
    ------
    ClusterError
        There is no users index, another build runs, or the cluster refused.
    ConfigError
        The index was built with another key.
    MappingMismatch
        It was built with another bundle than the items.
    """
    started = perf_counter()
    with users_lock(writer.cluster, writer.settings):
        live = _find_live(writer)
        with rewriting(writer.cluster, live.name) as run:
            with progress("updating", len(writer.people.ids)) as tick:
                done = writer.write(live.name, tick, fresh=False)
            done.deleted = writer.delete_others(live.name)
            indices.refresh(writer.cluster, live.name)
            run.lost = bool(done.written or done.deleted)
    return _report(done, live.name, live.meta["alias"], started)


def refresh_users(writer: UsersWriter) -> UsersReport:
    """Update the live users index; where there is none of the bundle of the items, build one.

    Raises what `update_users` and `build_users` raise.
    """
    live = indices.find_live(writer.cluster, users_alias(writer.settings.index.alias))
    meta = {} if live is None else indices.meta(writer.cluster, live)
    current = meta.get("fingerprint") == writer.user_encoder.fingerprint
    return update_users(writer) if current else build_users(writer)


def require_replaceable(
    cluster: Cluster, settings: Settings, names: Pseudonyms, *, new_key: bool = False
) -> None:
    """Refuse an alias that cannot be moved, or another key than that of the live index.

    Raises
    ------
    ConfigError
        The live index has another key.
    ClusterError, MappingMismatch
        The alias cannot be moved, or was not made by seealso.
    """
    require_movable(cluster, users_alias(settings.index.alias), KIND)
    if new_key:
        return
    for one in user_indices(cluster, settings):
        if one.live:
            check_key(names, one.name, one.meta)


def plan_build(writer: UsersWriter, *, new_key: bool = False) -> UsersReport:
    """Say what `build_users` would do; nothing is encoded or written.

    Of an index that a killed build has left, users who are no more are counted from its last
    refresh only.

    Raises
    ------
    ConfigError
        The live index has another key.
    ClusterError, MappingMismatch
        The alias cannot be moved, or was not made by seealso.
    """
    started = perf_counter()
    cluster, alias = writer.cluster, users_alias(writer.settings.index.alias)
    require_replaceable(cluster, writer.settings, writer.names, new_key=new_key)
    users = len(writer.people.ids)
    begun = _find_begun(writer)
    if begun is None:
        return _report(WriteCounts(written=users), f"{alias}-...", alias, started)
    with progress("comparing", users) as tick:
        done = writer.compare(begun, tick)
    return _report(done, begun, alias, started, resumed=True)


def plan_update(writer: UsersWriter) -> UsersReport:
    """Count what `update_users` would do; nothing is encoded or written.

    Raises what `update_users` raises.
    """
    started = perf_counter()
    live = _find_live(writer)
    with progress("comparing", len(writer.people.ids)) as tick:
        done = writer.compare(live.name, tick)
    return _report(done, live.name, live.meta["alias"], started)


def _find_live(writer: UsersWriter) -> LiveUsers:
    """Return the live users index, which must be of the bundle that makes the vectors."""
    live = live_users(writer.cluster, writer.settings, writer.names)
    live.require(writer.user_encoder.fingerprint)
    return live


def users_lock(cluster: Cluster, settings: Settings) -> AbstractContextManager[Lock]:
    """Keep whatever changes the users index from doing so twice at a time.

    Raises
    ------
    Busy
        Somebody else does.
    """
    complaint = "the users index is being changed by another run"
    return hold(cluster, settings.index.alias, "users", complaint)


def _check_count(cluster: Cluster, name: str, users: int) -> None:
    found = indices.count(cluster, name)
    if found != users:
        raise MappingMismatch(
            f"{name}: holds {format_count(found, 'document')} for {format_count(users, 'user')}",
            hint="run `seealso users build` again",
            index=name,
        )


def _report(
    done: WriteCounts, name: str, alias: str, started: float, *, resumed: bool = False
) -> UsersReport:
    return UsersReport(
        index=name,
        alias=alias,
        users=done.written + done.unchanged,
        resumed=resumed,
        seconds=perf_counter() - started,
        **asdict(done),
    )


def _stage(writer: UsersWriter, lock: Lock) -> tuple[str, bool]:
    """Return the index to write to and whether it was begun by an earlier, killed build."""
    cluster, settings, user_encoder = writer.cluster, writer.settings, writer.user_encoder
    for one in user_indices(cluster, settings):
        # the alias was never moved to it: it is continued or deleted, like an unfinished one
        if one.state == "ready" and not one.live:
            indices.put_meta(cluster, one.name, {"state": "building"})
    alias, key = users_alias(settings.index.alias), _build_key(writer)
    meta = users_meta(alias, settings.users, writer.names, user_encoder.fingerprint, key)
    body = users_body(settings.index, meta, user_encoder.dimension)
    return stage(cluster, user_indices(cluster, settings), meta, lock, body)


def _find_begun(writer: UsersWriter) -> str | None:
    """Return the index that `_stage` would continue, or None."""
    key = _build_key(writer)
    for one in user_indices(writer.cluster, writer.settings):
        if not (one.live or one.closed) and one.meta.get("build_key") == key:
            return one.name
    return None


def _build_key(writer: UsersWriter) -> str:
    mapped = {"shards", "engine", "m", "ef_construction"}
    return build_key(
        writer.names.check,
        writer.user_encoder.made_with,
        writer.settings.index.model_dump(mode="json", include=mapped),
        writer.settings.users.model_dump(mode="json", include={"history_items", "seen_items"}),
    )
