"""Checks what keeps seealso from writing: blocks, closed indices, and names that others use."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.cluster.blocks import Block, describe_cure
from seealso.cluster.lock_index import lock_index_name
from seealso.config import Settings
from seealso.errors import SeeAlsoError
from seealso.indexer.events_index import events_name
from seealso.indexer.users.mapping import users_alias
from seealso.plugin.doctor.finding import Finding

BLOCKS: Final = ("read_only", "read_only_allow_delete", "write")
"""Blocks of an index under which something cannot be written."""


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
        lock_index_name(alias): "locks",
    }
    wrong: list[Finding] = []
    unread = ""
    for name, kind in kinds.items():
        try:
            wrong += _check_name(cluster, alias, name, kind)
        except SeeAlsoError as exc:
            wrong.append(_wrong(exc.message, exc.hint or ""))
    try:
        flat = cluster.request("GET", "/_cluster/settings", params={"flat_settings": "true"})
        wrong += _check_cluster(flat)
    except SeeAlsoError as exc:
        unread = f"; whether the cluster has a block could not be read: {exc.message}"
    if not wrong:
        yield Finding("writing", ok=True, found=f"no block, nothing closed{unread}")
    elif len(wrong) == 1:
        yield from wrong
    else:
        for number, finding in enumerate(wrong, start=1):
            yield replace(finding, what=f"writing {number}")


def _wrong(found: str, cure: str) -> Finding:
    return Finding("writing", ok=False, found=found, cure=cure)


def _check_name(cluster: Cluster, alias: str, name: str, kind: str | None) -> Iterator[Finding]:
    """Yield what is wrong with the index or alias `name`."""
    # closed ones too: an alias leads to them
    answer = cluster.request("GET", f"/{name}", params={"flat_settings": "true", "ignore": 404})
    for index, there in ({} if "error" in answer else answer).items():
        own = there["mappings"].get("_meta", {}).get("seealso")
        # for the alias of the items, the check of the index says it
        if kind is not None and (own is None or own.get("kind") != kind):
            yield _wrong(
                f"{name}: was not made by seealso, which needs that name for its {kind}",
                f"set another index.alias than {alias}, or give that one another name",
            )
            continue
        # OpenSearch sets this when it closes an index
        if there["settings"].get("index.verified_before_close") == "true":
            yield _wrong(f"{index}: is closed", f"open it: POST {index}/_open")
        yield from _check_blocks(index, there["settings"])


def _check_blocks(index: str, settings: Mapping[str, Any]) -> Iterator[Finding]:
    for block in (f"index.blocks.{one}" for one in BLOCKS):
        if settings.get(block) == "true":
            yield _wrong(f"{index}: is blocked by {block}", describe_cure([Block(block, index)]))


def _check_cluster(flat: Mapping[str, Any]) -> Iterator[Finding]:
    for scope in ("persistent", "transient"):
        for one in ("read_only", "read_only_allow_delete"):
            block = f"cluster.blocks.{one}"
            if str(flat.get(scope, {}).get(block)).lower() == "true":
                body = f'{{"{scope}": {{"{block}": null}}}}'
                yield _wrong(
                    f"the cluster is blocked by {block}",
                    f"lift the block: PUT _cluster/settings {body}",
                )
