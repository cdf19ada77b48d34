"""How an index of others would be attached: in place or by a copy, and what moves."""

from dataclasses import dataclass

from seealso.cluster import indices
from seealso.cluster.addresses import require_free, write_alias
from seealso.indexer.attach.obstacles import require_attachable, require_passable
from seealso.indexer.attach.owned import Owned, Way, check_alias, moving, way
from seealso.indexer.live import require_movable


@dataclass(frozen=True, slots=True)
class AttachPlan:
    """How an index would be attached to; made without writing anything.

    Attributes
    ----------
    index, documents
        The index, and how many documents it has.
    way, reason
        In place or by a copy, and why so.
    target
        The index that gets the fields; None for a copy that is not there yet.
    alias, aliases
        What recommendations will ask, and the owner's aliases that will move to a copy.
    added
        The hidden alias that an index gets which is written to in place.
    note
        What the owner should know.
    memory
        What the graph would need, and what the nodes have; empty where the graph is there.
    notes
        What would be guessed, left out or degraded, a sentence each.
    """

    index: str
    documents: int
    way: Way
    reason: str
    target: str | None
    alias: str
    aliases: tuple[str, ...]
    added: str | None
    note: str
    memory: str = ""
    notes: tuple[str, ...] = ()


def plan(owned: Owned, *, copy: bool) -> AttachPlan:
    """Decide how to attach `owned`; `copy` forces a new copy.

    Raises
    ------
    MappingMismatch
        It cannot be attached to.
    ClusterError
        ``index.alias`` points to something else.
    """
    require_attachable(owned)
    cluster, alias = owned.cluster, owned.settings.index.alias
    pointed_to = check_alias(owned)
    chosen, reason = way(owned)
    target: str | None = owned.name
    # of what is not the index itself, `check_alias` lets nothing but copies of it pass
    earlier = [name for name in pointed_to if name != owned.name]
    if copy:
        chosen, reason, target = "copy", "a new copy is requested", None
    elif earlier and not owned.attached:
        chosen, reason, target = "copy", f"{alias} already points to its copy", earlier[0]
    elif owned.attached:
        chosen, reason = "in place", "it was attached before"
    elif chosen == "copy":
        target = None
    require_passable(owned, chosen)
    if earlier and target is None:
        require_movable(cluster, alias)
    if chosen == "in place":
        require_free(cluster, owned.name)
    note = ""
    if chosen == "copy" and not moving(owned):
        note = (
            f"{owned.name} is an index, not an alias, and continues to answer searches: documents "
            f"that are written to it reach the copy when it is attached again; use {alias} for "
            f"searches and lists"
        )
    return AttachPlan(
        index=owned.name,
        documents=indices.count(cluster, owned.name),
        way=chosen,
        reason=reason,
        target=target,
        alias=alias,
        aliases=moving(owned) if chosen == "copy" else (),
        added=write_alias(owned.name) if chosen == "in place" else None,
        note=note,
    )
