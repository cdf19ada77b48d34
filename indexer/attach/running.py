"""Adds vectors and importance to an index that serves searches already, in place or in a copy.

In place, every document gets its fields by a partial update. Where the index cannot hold vectors
a copy beside it does: loaded, compared until nothing differs, verified, and only then do the
aliases move, in one step. Either way a run that was killed, or a second one, looks at every
document and writes what is not as it should be.
"""

from dataclasses import dataclass, replace
from time import perf_counter

from seealso.cluster import BulkWriter, Cluster, fetch, indices, scan_ids
from seealso.config import Settings
from seealso.errors import MappingMismatch
from seealso.indexer.attach.documents import FieldWriter, owned_inputs, read_owned
from seealso.indexer.attach.owned import alias_actions, look, serving_settings
from seealso.indexer.attach.plan import AttachPlan, plan
from seealso.indexer.attach.target import Target, begin, read_inputs
from seealso.indexer.build_report import textless_notes
from seealso.indexer.lifecycle import build_lock, record_live
from seealso.indexer.rewriting import rewriting
from seealso.indexer.verification import Verification
from seealso.indexer.verify import verify
from seealso.log import logger, progress
from seealso.readers import Problems

log = logger(__name__)

COMPARISONS = 4
"""Times that a copy is compared with an original that is being written to meanwhile."""


@dataclass(frozen=True, slots=True)
class AttachReport:
    """What attaching did.

    Attributes
    ----------
    plan
        How it was done; `index` is where the fields are now.
    written, unchanged, deleted
        Documents that were given their fields, had them, or are gone from the original.
    unreadable
        Documents that are no items by the ``catalogue`` section: kept, without a vector.
    memory
        What the graph needs, and what the nodes have; empty where the graph was there before.
    notes
        What was guessed, left out or degraded, a sentence each.
    """

    plan: AttachPlan
    index: str
    bundle: str
    fingerprint: str
    written: int
    unchanged: int
    deleted: int
    unreadable: int
    seconds: float
    verification: Verification
    memory: str = ""
    notes: tuple[str, ...] = ()


def plan_attach(
    cluster: Cluster,
    settings: Settings,
    index: str,
    problems: Problems,
    *,
    copy: bool = False,
    allow_unmatched: bool = False,
) -> AttachPlan:
    """Say how `attach` would attach to `index`: everything is read, nothing is written.

    Parameters
    ----------
    cluster, settings, index, problems, copy, allow_unmatched
        As for `attach`.

    Raises
    ------
    ClusterError, MappingMismatch, DataError, BundleError
        As for `attach`.
    """
    owned = look(cluster, settings, index)
    chosen = plan(owned, copy=copy)
    source = owned_inputs(owned, problems)
    read = read_inputs(owned, chosen, source, allow_unmatched=allow_unmatched)
    memory = "" if isinstance(read, Target) else read.plan_memory(cluster).summary
    return replace(chosen, memory=memory, notes=read.notes)


def attach(
    cluster: Cluster,
    settings: Settings,
    index: str,
    problems: Problems,
    *,
    copy: bool = False,
    allow_unmatched: bool = False,
) -> AttachReport:
    """Give the documents of `index` vectors, importance and texts, so that they are recommended.

    Parameters
    ----------
    cluster
        Where the index is.
    settings
        ``catalogue`` says which fields items are read from (an item's id is that of its
        document), ``events``, ``importance``, ``text``, ``encoder`` as for a build,
        ``index.alias`` what recommendations ask. An index that was attached before keeps the
        bundle, the texts and the scale of importance that it has.
    index
        Its name, or an alias that points to it alone.
    problems
        Takes documents that are no items; such a document is kept, without a vector.
    copy
        Make a new copy, with the settings of now, even where none would be needed.
    allow_unmatched
        Go on where most events name items that are no documents of the index.

    Raises
    ------
    MappingMismatch
        The index cannot be attached to, or a copy does not hold what the original holds; the
        aliases are as they were.
    DataError
        Its documents cannot be read as items, or most events name others; nothing was written.
    ClusterError, BundleError
        As `build` raises them.
    """
    started = perf_counter()
    # before the lock, which is written as well
    plan(look(cluster, settings, index), copy=copy)
    with build_lock(cluster, settings.index.alias) as lock:
        owned = look(cluster, settings, index)
        chosen = plan(owned, copy=copy)
        indices.refresh(cluster, owned.name)
        source = owned_inputs(owned, problems)
        target = begin(owned, chosen, source, lock, allow_unmatched=allow_unmatched)
        with rewriting(cluster, target.name) as run:
            fields = FieldWriter(owned, target.name, target.maker)
            done = _write(fields)
            run.lost = done.written > 0
            if not fields.in_place:
                _serve(fields)
            maker = target.maker
            verification = verify(
                cluster, target.name, maker.encoder, settings, maker.images, source.events
            )
            vectors = indices.count(cluster, target.name, {"exists": {"field": "vector"}})
            textless = done.seen - done.unreadable - vectors
            run.meta |= {"state": "ready", **verification.as_meta()}
        lock.require()
        if actions := alias_actions(owned, target.name):
            indices.act_on_aliases(cluster, actions)
            record_live(cluster, target.name)
    bundle = target.maker.encoder.bundle
    return AttachReport(
        plan=chosen,
        index=target.name,
        bundle=bundle.name,
        fingerprint=bundle.fingerprint,
        written=done.written,
        unchanged=max(0, done.seen - done.written),
        deleted=done.deleted,
        unreadable=done.unreadable,
        seconds=perf_counter() - started,
        verification=verification,
        memory=target.memory,
        notes=(*target.notes, *textless_notes(textless), *verification.notes),
    )


@dataclass(slots=True)
class _Counts:
    """Documents: seen by the last comparison, no items among them, written and deleted so far."""

    seen: int = 0
    unreadable: int = 0
    written: int = 0
    deleted: int = 0


def _write(fields: FieldWriter) -> _Counts:
    """Give every document its fields; a copy is compared until nothing differs.

    Raises
    ------
    MappingMismatch
        The original changes faster than it can be copied.
    """
    done = _Counts()
    for attempt in range(COMPARISONS):
        before = done.written + done.deleted
        _compare(fields, done)
        indices.refresh(fields.owned.cluster, fields.target)
        if fields.in_place or done.written + done.deleted == before:
            return done
        log.info("comparison %d: %s", attempt + 1, done)
    raise MappingMismatch(
        f"{fields.target}: differs from {fields.owned.name} after {COMPARISONS} comparisons: that "
        "is being written to",
        hint="run the command again while nothing writes to it; it continues where it was",
        index=fields.target,
    )


def _compare(fields: FieldWriter, done: _Counts) -> None:
    """Compare every document, and write those that are not as they should be."""
    owned, target = fields.owned, fields.target
    cluster, chosen = owned.cluster, owned.settings.index
    ids: set[str] = set()
    done.unreadable = 0
    with (
        progress("encoding and writing", indices.count(cluster, owned.name)) as tick,
        BulkWriter(
            cluster, target, threads=chosen.threads, chunk_bytes=chosen.bulk_bytes
        ) as writer,
    ):
        for batch in read_owned(owned, Problems("skip"), target=target):
            done.written += fields.write(batch, writer, tick)
            done.unreadable += len(batch.documents) - len(batch.items)
            ids |= batch.documents.keys()
        done.seen = len(ids)
        if not fields.in_place:
            indices.refresh(cluster, target)
            for item_id in set(scan_ids(cluster, target)) - ids:
                writer.delete(item_id)
                done.deleted += 1


def _serve(fields: FieldWriter) -> None:
    """Give a loaded copy the settings of its original, and compare a sample of the two."""
    owned, target = fields.owned, fields.target
    cluster = owned.cluster
    cluster.request("PUT", f"/{target}/_settings", serving_settings(owned))
    body = {
        "size": owned.settings.index.verify_sample,
        "_source": {"excludes": sorted(owned.own)},
        "query": {"function_score": {"random_score": {}}},
    }
    hits = cluster.request("POST", f"/{owned.name}/_search", body, whole=True)["hits"]["hits"]
    copies = fetch(cluster, target, [hit["_id"] for hit in hits], source=["*"])
    for hit in hits:
        copied = copies.get(hit["_id"], {}).get("_source", {})
        if {k: v for k, v in copied.items() if k not in owned.own} != hit["_source"]:
            raise MappingMismatch(
                f"{target}: document {hit['_id']!r} is not what it is in {owned.name}",
                hint="run the command again while nothing writes to it",
                index=target,
            )
