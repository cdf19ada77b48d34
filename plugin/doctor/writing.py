"""What keeps seealso from writing: blocks, closed indices, and names that are somebody else's."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.cluster.lock_index import index_of
from seealso.config import Settings
from seealso.errors import SeeAlsoError
from seealso.indexer.events_index import events_name
from seealso.indexer.users.mapping import users_alias
from seealso.plugin.doctor.finding import Finding

BLOCKS: Final = ("read_only", "read_only_allow_delete", "write")
"""Blocks of an index under which something cannot be written."""

METADATA: Final = 'lift the block: PUT INDEX/_settings {"index.blocks.metadata": null}'
"""How to lift the block under which an index says nothing of itself."""


def examine_writing(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each thing that keeps builds, users, events or locks from being written.

    Parameters
    ----------
    cluster, settings
        Where, and whose indices.

    Yields
    ------
    Finding
        One that all is well, or what is wrong, each under a name of its own.
    """
    alias = settings.index.alias
    kinds = {
        alias: None,
        users_alias(alias): "users",
        events_name(alias): "events",
        index_of(alias): "locks",
    }
    wrong: list[tuple[str, str]] = []
    unread = ""
    for name, kind in kinds.items():
        try:
            wrong += _of_name(cluster, alias, name, kind)
        except SeeAlsoError as exc:
            # not even to be read under a block on what an index says of itself
            cure = METADATA if "index metadata" in exc.message else exc.hint or ""
            wrong.append((exc.message, cure))
    try:
        wrong += _of_cluster(
            cluster.request("GET", "/_cluster/settings", params={"flat_settings": "true"})
        )
    except SeeAlsoError as exc:
        unread = f"; whether the cluster has a block could not be read: {exc.message}"
    for number, (found, cure) in enumerate(wrong, start=1):
        what = "writing" if len(wrong) == 1 else f"writing {number}"
        yield Finding(what, ok=False, found=found, cure=cure)
    if not wrong:
        yield Finding("writing", ok=True, found=f"no block, nothing closed{unread}")


def _of_name(
    cluster: Cluster, alias: str, asked: str, kind: str | None
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with what bears the name `asked`, and the cure."""
    # closed ones too: an alias leads to them
    answer = cluster.request("GET", f"/{asked}", params={"flat_settings": "true", "ignore": 404})
    for name, there in ({} if "error" in answer else answer).items():
        own = there["mappings"].get("_meta", {}).get("seealso")
        # the check of the index says so of the alias of the items
        if kind is not None and (own is None or own.get("kind") != kind):
            yield (
                f"{asked}: is somebody else's; seealso keeps its {kind} under that name",
                f"set another index.alias than {alias}, or give that one another name",
            )
            continue
        if _closed(there["settings"]):
            yield f"{name}: is closed", f"open it: POST {name}/_open"
        yield from _blocked(name, there["settings"])


def _closed(settings: Mapping[str, Any]) -> bool:
    return settings.get("index.verified_before_close") == "true"


def _blocked(name: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for block in (f"index.blocks.{one}" for one in BLOCKS):
        if settings.get(block) == "true":
            # one by one: with others in the same request, OpenSearch lets the block bar that, too
            yield (
                f"{name}: is blocked by {block}",
                f'free disk space or lift the block: PUT {name}/_settings {{"{block}": null}}',
            )


def _of_cluster(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for scope in ("persistent", "transient"):
        for one in ("read_only", "read_only_allow_delete"):
            name = f"cluster.blocks.{one}"
            if str(whole.get(scope, {}).get(name)).lower() == "true":
                lifted = f'{{"{scope}": {{"{name}": null}}}}'
                yield (
                    f"the cluster is blocked by {name}",
                    f"lift the block: PUT _cluster/settings {lifted}",
                )
