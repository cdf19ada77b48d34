"""Physical indices behind an alias: create, list, prepare for loading or serving, swap, delete.

An index of seealso is called ``<alias>-<timestamp>`` and carries ``_meta.seealso``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import sleep
from typing import Any

import orjson

from seealso.cluster.client import Cluster
from seealso.cluster.merging import merge_segments
from seealso.cluster.patience import OPENING_RETRIES
from seealso.cluster.physical import PhysicalIndex
from seealso.errors import ClusterError, MappingMismatch

NARROWING: Mapping[str, str] = {"filter": "a filter", "search_routing": "a routing"}
"""What makes an alias find a part of an index, in its definition and in words."""

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Seconds between looks for an index that is about to be there."""

ALREADY_THERE = "resource_already_exists_exception"


_TIMESTAMP = "%Y%m%d-%H%M%S-%f"


def timestamp() -> str:
    """Return the present as text in UTC; later ones sort behind earlier ones."""
    return datetime.now(UTC).strftime(_TIMESTAMP)


def read_timestamp(text: str) -> datetime:
    """Return the moment that `timestamp` wrote."""
    return datetime.strptime(text, _TIMESTAMP).replace(tzinfo=UTC)


def new_name(alias: str) -> str:
    """Return a physical name for `alias`; later names sort behind earlier ones."""
    return f"{alias}-{timestamp()}"


def create(cluster: Cluster, name: str, body: Mapping[str, Any]) -> None:
    """Create the index `name` with mappings and settings; its shards are there on return.

    Raises
    ------
    ClusterError
        OpenSearch refuses, or there is one of that name already.
    PartialAnswer
        Its shards find no place.
    """
    try:
        complete = cluster.request("PUT", f"/{name}", body)["shards_acknowledged"]
    except ClusterError as exc:
        # a request whose answer was lost is sent again, and finds the index that it made
        if ALREADY_THERE not in exc.message or not _made_of(cluster, name, body):
            raise
        complete = False
    if not complete:
        # on a busy cluster the answer comes before the index does
        for pause in PAUSES:
            if cluster.exists(f"/{name}"):
                break
            sleep(pause)
        cluster.request("GET", f"/{name}/_count", retries=OPENING_RETRIES, whole=True)


def _made_of(cluster: Cluster, name: str, body: Mapping[str, Any]) -> bool:
    own = body.get("mappings", {}).get("_meta", {}).get("seealso")
    return own is not None and orjson.loads(orjson.dumps(own)) == find_meta(cluster, name)


def find_live(cluster: Cluster, alias: str) -> str | None:
    """Return the physical index behind `alias`, or None.

    Raises
    ------
    ClusterError
        `alias` is an index of its own, points to several indices, or narrows what is found there.
    """
    names = require_whole(cluster, alias)
    if not names:
        if cluster.exists(f"/{alias}"):
            raise ClusterError(
                f"{alias}: is an index, not an alias",
                hint="choose another index.alias; seealso never writes to an index it did not make",
                index=alias,
            )
        return None
    if len(names) > 1:
        raise ClusterError(
            f"{alias}: points to {len(names)} indices ({', '.join(names)})",
            hint="let it point to one: `seealso index swap NAME`",
            alias=alias,
        )
    return names[0]


def resolve_alias(cluster: Cluster, alias: str) -> list[str]:
    """Return the physical indices that `alias` points to; one, unless others moved it."""
    return sorted(_read_alias(cluster, alias))


def require_whole(cluster: Cluster, alias: str) -> list[str]:
    """Return what `resolve_alias` does of an alias by which the whole of an index is found.

    Lists ask the index by its own name, so that they do not change while the alias moves; a filter
    of the alias would not count there.

    Raises
    ------
    ClusterError
        It has a filter or a routing.
    """
    found = _read_alias(cluster, alias)
    for name, how in found.items():
        if narrowing := [words for part, words in NARROWING.items() if part in how]:
            raise ClusterError(
                f"{alias}: is an alias of {name} with {' and '.join(narrowing)}, which "
                "recommendations would not obey",
                hint="set index.alias to an alias without it, or to a name that is free; rules "
                "and safety settings filter lists",
                alias=alias,
            )
    return sorted(found)


def _read_alias(cluster: Cluster, alias: str) -> dict[str, Any]:
    """Return the physical indices that `alias` points to, and how."""
    # without an index in the path, a block of metadata on any index of the cluster refuses it
    answer = cluster.request("GET", f"/{alias}/_alias/{alias}", params={"ignore": 404})
    return {
        name: found["aliases"][alias]
        for name, found in answer.items()
        if name not in ("error", "status")
    }


def meta(cluster: Cluster, name: str) -> dict[str, Any]:
    """Return ``_meta.seealso`` of an index.

    Raises
    ------
    ClusterError
        There is no index called `name`; it may be an alias.
    MappingMismatch
        The index carries none: seealso did not build it.
    """
    return _require_own(find_meta(cluster, name), name)


def find_meta(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """Return ``_meta.seealso`` of an index, or None where it carries none.

    Raises
    ------
    ClusterError
        There is no index called `name`; it may be an alias.
    """
    found = _whole_meta(cluster, name).get("seealso")
    return None if found is None else dict(found)


def put_meta(cluster: Cluster, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change entries of ``_meta.seealso`` and return all of it."""
    # OpenSearch replaces _meta as a whole, and an index that was attached to has an owner's too
    whole = _whole_meta(cluster, name)
    own = {**_require_own(whole.get("seealso"), name), **changes}
    cluster.request("PUT", f"/{name}/_mapping", {"_meta": {**whole, "seealso": own}})
    return own


def _whole_meta(cluster: Cluster, name: str) -> dict[str, Any]:
    answer = cluster.request("GET", f"/{name}/_mapping")
    if name not in answer:
        raise ClusterError(
            f"{name}: is not the name of an index", hint="`seealso index list` shows them"
        )
    found: dict[str, Any] = answer[name]["mappings"].get("_meta", {})
    return found


def _require_own(found: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    if found is None:
        raise MappingMismatch(
            f"{name}: not an index of seealso (no _meta.seealso in its mapping)",
            hint=f"`seealso attach {name}` adds what lists need; or choose another index.alias",
            index=name,
        )
    return dict(found)


def list_indices(cluster: Cluster, alias: str) -> list[PhysicalIndex]:
    """Return the indices that seealso built for `alias`, closed ones as well, oldest first."""
    params = {"ignore_unavailable": "true", "expand_wildcards": "open,closed"}
    answer = cluster.request("GET", f"/{alias}-*", params=params)
    # not _cat/indices, which only those may ask who see the whole cluster
    stats = cluster.request("GET", f"/{alias}-*/_stats/docs,store")["indices"]
    found = []
    for name in sorted(answer):
        own = answer[name]["mappings"].get("_meta", {}).get("seealso")
        if own is None or own.get("alias") != alias:
            continue
        primaries = stats.get(name, {}).get("primaries", {})
        closed = "verified_before_close" in answer[name]["settings"]["index"]
        found.append(
            PhysicalIndex(
                name=name,
                meta=own,
                live=alias in answer[name]["aliases"],
                documents=None if closed else int(primaries.get("docs", {}).get("count", 0)),
                size_bytes=(
                    None if closed else int(primaries.get("store", {}).get("size_in_bytes", 0))
                ),
                closed=closed,
            )
        )
    return found


def count(cluster: Cluster, name: str, query: Mapping[str, Any] | None = None) -> int:
    """Return the number of documents that a search can see, or of those that `query` matches.

    Raises
    ------
    PartialAnswer
        Some could not be counted, as their shard is missing.
    """
    body = None if query is None else {"query": dict(query)}
    return int(cluster.request("GET", f"/{name}/_count", body, whole=True)["count"])


def act_on_aliases(cluster: Cluster, actions: Sequence[Mapping[str, Any]]) -> None:
    """Add and remove aliases in one atomic step; no action is no request.

    An alias that is to be removed must be there: else somebody else has moved it meanwhile, and
    it would point to two indices.

    Raises
    ------
    ClusterError
        The aliases were not as `actions` have it; they are as they were.
    """
    if not actions:
        return
    strict = [
        {kind: {**one, "must_exist": True} if kind == "remove" else one}
        for action in actions
        for kind, one in action.items()
    ]
    try:
        cluster.request("POST", "/_aliases", {"actions": strict})
    except ClusterError as exc:
        # a request whose answer was lost is sent again, and finds that everything is done
        if not _carried_out(cluster, actions):
            aliases = sorted({one["alias"] for action in actions for one in action.values()})
            raise ClusterError(
                f"{', '.join(aliases)}: the alias could not be moved: {exc.message}",
                hint=exc.hint
                or "`seealso index list` shows where it points; run the same command again",
            ) from exc


def _carried_out(cluster: Cluster, actions: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the aliases are as after `actions`."""
    return all(
        (one["index"] in resolve_alias(cluster, one["alias"])) == (kind == "add")
        for action in actions
        for kind, one in action.items()
    )


def refresh(cluster: Cluster, name: str) -> None:
    """Make what was written visible to searches.

    Raises
    ------
    PartialAnswer
        A shard is missing.
    """
    # asked before: OpenSearch would wait a minute for the shard, and then not tell it from a
    # replica that has no node
    count(cluster, name)
    cluster.request("POST", f"/{name}/_refresh")


def finish_loading(cluster: Cluster, name: str, *, replicas: int, merge: bool) -> None:
    """Merge a loaded index and give it the settings that it serves with."""
    refresh(cluster, name)
    if merge:
        merge_segments(cluster, name)
        refresh(cluster, name)
    # replicas last: they copy the merged segments instead of merging a second time
    settings = {
        "refresh_interval": None,
        "translog.flush_threshold_size": None,
        "number_of_replicas": replicas,
    }
    cluster.request("PUT", f"/{name}/_settings", {"index": settings})


def point_alias(cluster: Cluster, alias: str, name: str) -> None:
    """Let `alias` point to `name` alone, in one atomic step.

    Raises
    ------
    ClusterError
        Somebody else moves it at the same time.
    """
    actions: list[dict[str, Any]] = [
        {"remove": {"index": before, "alias": alias}}
        for before in resolve_alias(cluster, alias)
        if before != name
    ]
    actions.append({"add": {"index": name, "alias": alias}})
    act_on_aliases(cluster, actions)
    if (found := resolve_alias(cluster, alias)) != [name]:
        raise ClusterError(
            f"{alias}: somebody else has moved the alias just now, to {', '.join(found)}",
            hint="`seealso index list` shows where it points, `seealso index swap NAME` moves it",
            alias=alias,
        )


def delete_unless_live(cluster: Cluster, alias: str, name: str) -> bool:
    """Delete the index `name`, unless `alias` now points to it; return whether it was deleted."""
    if name in resolve_alias(cluster, alias):
        return False
    cluster.request("DELETE", f"/{name}", params={"ignore": 404})
    return True


def delete(cluster: Cluster, name: str) -> None:
    """Delete an index; one that is not there is no error."""
    cluster.request("DELETE", f"/{name}", params={"ignore": 404})


def delete_by_query(cluster: Cluster, name: str, query: Mapping[str, Any], **params: str) -> int:
    """Delete the documents that `query` finds, but for those that change meanwhile; say how many.

    Deletions by a query find a document on whichever shard it was put.
    """
    path = f"/{name}/_delete_by_query"
    answer = cluster.request("POST", path, {"query": query}, {"conflicts": "proceed", **params})
    return int(answer["deleted"])
