"""The users index as it is created, and what it says of itself; pure, as for the items."""

from collections.abc import Mapping
from typing import Any, Final

from seealso.config import IndexSettings, UsersSettings
from seealso.indexer.mapping import loading_body, vector_field
from seealso.readers import Pseudonyms
from seealso.version import __version__

KIND: Final = "users"
"""What ``_meta.seealso.kind`` says of a users index."""


def users_alias(alias: str) -> str:
    """Return the alias of the users beside the alias of the items."""
    return f"{alias}-users"


def users_body(index: IndexSettings, meta: Mapping[str, Any], dimension: int) -> dict[str, Any]:
    """Return mappings and settings of a new users index, ready for loading.

    Parameters
    ----------
    index
        Engine, graph and shards are those of the items.
    meta
        What goes to ``_meta.seealso``.
    dimension
        Length of E_u.
    """
    hidden = {"type": "object", "enabled": False}
    fields = {
        "history": hidden,
        "latest": {"type": "keyword"},
        # thousands of values that nobody searches for
        "seen": {"type": "keyword", "index": False, "doc_values": False},
        "attributes": hidden,
        # of unit vectors: the cosine of two users
        "vector": vector_field(index, dimension, "innerproduct"),
        "digest": {"type": "keyword", "index": False},
        "updated_at": {"type": "date"},
    }
    return loading_body(index, meta, fields)


def users_meta(
    alias: str, limits: UsersSettings, names: Pseudonyms, fingerprint: str, build_key: str
) -> dict[str, Any]:
    """Return what a new users index says of itself.

    Parameters
    ----------
    alias
        Of the users.
    limits
        How much of each user is kept.
    names
        Their key is recognised by its check.
    fingerprint
        Of the bundle that the vectors are made with.
    build_key
        Says which build this is, so that a killed one is found again.
    """
    return {
        "version": __version__,
        "kind": KIND,
        "alias": alias,
        "state": "building",
        "build_key": build_key,
        "fingerprint": fingerprint,
        "key_check": names.check,
        "history_items": limits.history_items,
        "seen_items": limits.seen_items,
    }
