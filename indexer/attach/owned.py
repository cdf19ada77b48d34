"""An index of others: whether it can be attached, where, and the body of its copy.

Every function but `look` is pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from seealso.cluster import Cluster, indices
from seealso.cluster.addresses import write_alias
from seealso.config import CatalogueSettings, Settings
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.mapping import (
    DERIVED_SOURCE,
    LARGEST_SEGMENT,
    LOADING_LOG,
    LOG_LIMIT,
    SEGMENT_LIMIT,
    derives_safely,
    own_fields,
)
from seealso.readers import RESERVED

Way = Literal["in place", "copy"]

FIELDS_LIMIT = "index.mapping.total_fields.limit"
"""How many fields a mapping may have; 1,000 where nothing is set."""

SHARED = frozenset({"updated_at"})
"""Own fields that are left to the owner where the index has them already: nothing reads them."""

DROPPED = (
    "index.uuid",
    "index.version",
    "index.creation_date",
    "index.provided_name",
    "index.history",
    "index.resize",
    "index.shrink",
    "index.remote_store",
    "index.routing.allocation.initial_recovery",
    "index.verified_before_close",
    "index.blocks",
)
"""Settings that an index gets by itself, and blocks, which would refuse the copy."""

SERVING = (
    "index.refresh_interval",
    "index.number_of_replicas",
    "index.auto_expand_replicas",
    "index.default_pipeline",
    "index.final_pipeline",
    "index.search.default_pipeline",
    LOG_LIMIT,
)
"""Settings that a copy gets once it is loaded: what is copied went through the pipelines before."""


@dataclass(frozen=True)
class Owned:
    """An index that its owner made.

    Attributes
    ----------
    cluster, settings
        Where it is, and what its fields mean.
    requested
        The name in the request: its own, or an alias.
    name
        Its own name.
    mappings, flat_settings, aliases
        As OpenSearch gives them.
    stream
        The data stream that it is a part of, if of any.
    """

    cluster: Cluster
    settings: Settings
    requested: str
    name: str
    mappings: Mapping[str, Any]
    flat_settings: Mapping[str, str]
    aliases: Mapping[str, Mapping[str, Any]]
    stream: str | None = None

    @property
    def meta(self) -> Mapping[str, Any] | None:
        """``_meta.seealso``, where seealso has been here."""
        found: Mapping[str, Any] | None = self.mappings.get("_meta", {}).get("seealso")
        return found

    @property
    def attached(self) -> bool:
        """Whether seealso added its fields to this index, in place or as a copy."""
        return self.meta is not None and "attached" in self.meta

    @property
    def mapped(self) -> frozenset[str]:
        """Names of all fields that are mapped by now."""
        return frozenset(self.mappings.get("properties", {}))

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The owner's own fields by name."""
        properties: Mapping[str, Any] = self.mappings.get("properties", {})
        if not self.attached:
            return properties
        remaining = SHARED - set((self.meta or {})["attached"]["fields"])
        return {k: v for k, v in properties.items() if k not in RESERVED or k in remaining}

    @cached_property
    def own(self) -> frozenset[str]:
        """Names of the fields that seealso writes here."""
        return RESERVED - (SHARED & self.fields.keys())

    @property
    def columns(self) -> CatalogueSettings:
        """How the documents are read as items: the id of an item is that of its document."""
        changes = {"index": self.name, "path": None, "id": "_id"}
        return self.settings.catalogue.model_copy(update=changes)

    def obstacle(self, what: str, hint: str) -> MappingMismatch:
        """Return the error that says why this index cannot be attached to."""
        return MappingMismatch(f"{self.name}: {what}", hint=hint, index=self.name)


def look(cluster: Cluster, settings: Settings, name: str) -> Owned:
    """Return the index that `name`, of an index or an alias, points to.

    Raises
    ------
    ClusterError
        There is none, or it points to several, or it is blank.
    """
    if not name.strip():
        raise ClusterError("the name of the index is empty", hint="name an index or an alias")
    found = cluster.request("GET", f"/{name}", params={"flat_settings": "true"})
    if len(found) != 1:
        raise ClusterError(
            f"{name}: points to {len(found)} indices ({', '.join(sorted(found))})",
            hint="attach to one of them by its own name",
            alias=name,
        )
    ((physical, body),) = found.items()
    return Owned(
        cluster=cluster,
        settings=settings,
        requested=name,
        name=physical,
        mappings=body["mappings"],
        flat_settings=body["settings"],
        aliases=body["aliases"],
        stream=body.get("data_stream"),
    )


def way(owned: Owned) -> tuple[Way, str]:
    """Return how `owned` can be attached to, and why so."""
    if owned.flat_settings.get("index.knn") != "true":
        return "copy", "index.knn is not set, and cannot be set on an existing index"
    derives = owned.flat_settings.get(DERIVED_SOURCE, "false") != "false"
    version = owned.cluster.version()
    if derives and not derives_safely(version):
        number = ".".join(map(str, version))
        return "copy", (
            f"{DERIVED_SOURCE} cannot be changed, and on {number} makes vectors "
            "unreadable after a scroll"
        )
    return "in place", "index.knn is set"


def added_mapping(owned: Owned, dimension: int, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping that is put on the index to attach in place; nothing of it is lost."""
    fields = own_fields(owned.settings, dimension)
    return {
        "_meta": {**owned.mappings.get("_meta", {}), "seealso": dict(meta)},
        "properties": {name: fields[name] for name in fields if name in owned.own},
    }


def copy_body(owned: Owned, dimension: int, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return mappings and settings of a copy of `owned`, ready for loading.

    Parameters
    ----------
    owned
        The index.
    dimension
        Length of the vectors.
    meta
        What goes to ``_meta.seealso``.
    """
    added = added_mapping(owned, dimension, meta)
    dropped = (*DROPPED, *SERVING)
    remaining = {k: v for k, v in owned.flat_settings.items() if not k.startswith(dropped)}
    return {
        "settings": {
            # what the owner set about merges is obeyed
            SEGMENT_LIMIT: LARGEST_SEGMENT,
            **remaining,
            "index.knn": True,
            "index.number_of_replicas": 0,
            "index.refresh_interval": "-1",
            LOG_LIMIT: LOADING_LOG,
            # the owner's fields keep the room that they have
            FIELDS_LIMIT: int(remaining.get(FIELDS_LIMIT, 1000)) + len(owned.own - owned.mapped),
        },
        "mappings": {
            **owned.mappings,
            "_meta": added["_meta"],
            "properties": {**owned.fields, **added["properties"]},
        },
    }


def serving_settings(owned: Owned) -> dict[str, Any]:
    """Return the settings that a loaded copy serves with: those of its original."""
    return {
        name: owned.flat_settings.get(name)
        for name in SERVING
        # replicas have no "as by default" that would be that of the original
        if name in owned.flat_settings or not name.endswith("replicas")
    }


def moving(owned: Owned) -> tuple[str, ...]:
    """Return the owner's aliases, which a copy takes over: not the one by which we write."""
    return tuple(name for name in owned.aliases if name != write_alias(owned.name))


def alias_actions(owned: Owned, target: str) -> list[dict[str, Any]]:
    """Return the actions of one atomic step after which clients see `target`.

    Every alias of the original moves with its filter and routing; ``index.alias``, which
    recommendations ask, is added where it is none of them.

    Parameters
    ----------
    owned
        The original.
    target
        The copy, or the original itself.
    """
    actions: list[dict[str, Any]] = []
    if target != owned.name:
        for name in moving(owned):
            actions.append({"remove": {"index": owned.name, "alias": name}})
            actions.append({"add": {"index": target, "alias": name, **owned.aliases[name]}})
    if (alias := owned.settings.index.alias) not in owned.aliases:
        pointed_to = indices.resolve_alias(owned.cluster, alias)
        removed = [name for name in pointed_to if name != target]
        actions += [{"remove": {"index": name, "alias": alias}} for name in removed]
        if target not in pointed_to:
            actions.append({"add": {"index": target, "alias": alias}})
    return actions


def check_alias(owned: Owned) -> list[str]:
    """Return the indices that ``index.alias`` points to, refusing what is not of `owned`.

    Raises
    ------
    ClusterError
        It is an index, points to another one, or has a filter.
    """
    cluster, alias = owned.cluster, owned.settings.index.alias
    pointed_to = indices.require_whole(cluster, alias)
    if not pointed_to and cluster.exists(f"/{alias}"):
        raise ClusterError(
            f"{alias}: is an index, and recommendations ask an alias",
            hint=f"choose a name for it: --set index.alias={alias}-seealso",
            index=alias,
        )
    for name in pointed_to:
        if name != owned.name and copied_from(indices.find_meta(cluster, name)) != owned.name:
            raise ClusterError(
                f"{alias}: points to {name} already, which is not {owned.name}",
                hint="set index.alias to an alias of the index, or to a name that is free",
                alias=alias,
            )
    return pointed_to


def copied_from(meta: Mapping[str, Any] | None) -> str | None:
    """Return which index the index with this ``_meta.seealso`` is a copy of, if of any."""
    attached = (meta or {}).get("attached") or {}
    return None if attached.get("way") != "copy" else str(attached["source"])
