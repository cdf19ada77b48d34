"""Reasons why an index cannot be attached to, found before anything is written.

A dry run and the run itself refuse with the same messages. Every function is pure.
"""

from collections.abc import Mapping
from typing import Any

from seealso.cluster.blocks import Block, describe_cure
from seealso.indexer.attach.owned import FIELDS_LIMIT, SHARED, Owned, Way
from seealso.indexer.mapping import keeps_documents
from seealso.readers import RESERVED

WINDOW = 5000
"""Hits that are read at once, where ids are read: see `seealso.cluster.scan`."""

BLOCKS: Mapping[str, tuple[Way, ...]] = {
    "index.blocks.read": ("in place", "copy"),
    "index.blocks.metadata": ("in place", "copy"),
    # the aliases of the original cannot be moved to the copy
    "index.blocks.read_only": ("in place", "copy"),
    "index.blocks.read_only_allow_delete": ("in place", "copy"),
    "index.blocks.write": ("in place",),
}
"""Blocks, and the ways that each of them bars."""

ANOTHER = "build an index of its own from the catalogue: `seealso index build`"


def require_attachable(owned: Owned) -> None:
    """Refuse an index that cannot be attached to, neither in place nor by a copy.

    Raises
    ------
    MappingMismatch
        The message says why, the hint what to do.
    """
    if owned.meta is not None and not owned.attached:
        raise owned.obstacle(
            "seealso built this index itself, so that nothing has to be attached",
            "`seealso index update` brings changes into it",
        )
    if owned.stream is not None:
        raise owned.obstacle(
            f"is a part of the data stream {owned.stream}: its documents are added and never "
            "changed",
            ANOTHER,
        )
    if owned.flat_settings.get("index.verified_before_close") == "true":
        raise owned.obstacle("is closed", f"open it: POST {owned.name}/_open")
    clash = sorted(owned.fields.keys() & (RESERVED - SHARED))
    if clash:
        raise owned.obstacle(
            f"has fields of its own called {', '.join(clash)}, which seealso needs",
            "reindex with another name for them, or build an index of its own from this one: "
            f"`seealso --set catalogue.index={owned.requested} index build`",
        )
    if not keeps_documents(owned.mappings):
        raise owned.obstacle(
            "does not keep whole documents (_source in its mapping), so that they can be neither "
            "changed nor copied",
            ANOTHER,
        )
    joins = any(field.get("type") == "join" for field in owned.fields.values())
    if joins or owned.mappings.get("_routing", {}).get("required"):
        raise owned.obstacle(
            "its documents are found by routing (a join field, or _routing required), and seealso "
            "finds items by id alone",
            ANOTHER,
        )


def require_passable(owned: Owned, way: Way) -> None:
    """Refuse an index that cannot be attached to in this way, with the settings it has now.

    Raises
    ------
    MappingMismatch
        The message says why, the hint what to do.
    """
    for block, barred in BLOCKS.items():
        if owned.flat_settings.get(block) == "true" and way in barred:
            cure = describe_cure([Block(block, owned.name)])
            raise owned.obstacle(f"is blocked by {block}", cure)
    window = int(owned.flat_settings.get("index.max_result_window", 10_000))
    if window < WINDOW:
        raise owned.obstacle(
            f"answers with {window:,} hits at most (index.max_result_window), and is read "
            f"{WINDOW:,} at a time",
            f'PUT {owned.name}/_settings {{"index.max_result_window": {WINDOW}}}',
        )
    limit = int(owned.flat_settings.get(FIELDS_LIMIT, 1000))
    needed = fields_of(owned.mappings) + len(owned.own - owned.mapped)
    if way == "in place" and needed > limit:
        raise owned.obstacle(
            f"would have {needed:,} fields, and may have {limit:,} ({FIELDS_LIMIT})",
            f'PUT {owned.name}/_settings {{"{FIELDS_LIMIT}": {needed}}}, or attach a copy: --copy',
        )


def fields_of(mapping: Mapping[str, Any]) -> int:
    """Return how many fields OpenSearch counts in a mapping: objects and parts of fields, too."""
    return sum(
        1 + fields_of(field) + len(field.get("fields", {}))
        for field in mapping.get("properties", {}).values()
    )
