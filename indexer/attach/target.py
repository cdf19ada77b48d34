"""Where the fields go: the index itself, an earlier copy, what a killed run left, or a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seealso.cluster import Cluster, Lock, indices
from seealso.config import Settings, TextSettings, with_fitted
from seealso.encoder import (
    Bundle,
    BundleStore,
    ImageVectors,
    ItemText,
    item_encoder,
    open_cache,
)
from seealso.indexer.attach.documents import columns_of
from seealso.indexer.attach.owned import Owned, added_mapping, copied_from, copy_body
from seealso.indexer.attach.plan import AttachPlan
from seealso.indexer.binding import bind_to_catalogue, sample_texts, whitening_note
from seealso.indexer.build import MAPPED
from seealso.indexer.creation import create_index
from seealso.indexer.documents import DocumentMaker
from seealso.indexer.images import images_for
from seealso.indexer.importance import ImportanceTable
from seealso.indexer.inputs import Inputs, event_notes, survey
from seealso.indexer.mapping import derives_safely, index_meta
from seealso.indexer.rereading import read_again
from seealso.indexer.staging import build_key, find_resumable
from seealso.log import progress
from seealso.readers import describe_unmatched
from seealso.types import Space


@dataclass(frozen=True, slots=True)
class Target:
    """Where the fields go, and what they are made with."""

    name: str
    maker: DocumentMaker
    notes: tuple[str, ...] = ()
    """What was guessed, left out or degraded, a sentence each."""


@dataclass(frozen=True)
class Reading:
    """Everything that an index would be attached to with, read once; nothing is written.

    Attributes
    ----------
    meta
        What the target says of itself; None of an index that gets its fields for the first time.
    bundle
        The one that the target was built with, or else the one of the settings, which is still to
        be bound to the texts.
    texts
        Of a sample of the documents, where the bundle is still to be bound.
    importance, images
        Of the documents.
    notes
        What was guessed, left out or degraded, a sentence each.
    """

    meta: Mapping[str, Any] | None
    bundle: Bundle
    texts: Sequence[str]
    importance: ImportanceTable
    images: ImageVectors | None
    notes: tuple[str, ...]


def read_inputs(
    cluster: Cluster, settings: Settings, plan: AttachPlan, source: Inputs, *, allow_unmatched: bool
) -> Reading:
    """Read documents, events and images once, so that what cannot be read changes nothing.

    An index that was attached before keeps its bundle, its texts and its scale of importance.

    Parameters
    ----------
    cluster, settings
        Where and how.
    plan
        How the index is attached to.
    source
        Its documents as a catalogue, events and images.
    allow_unmatched
        Go on where most events name items that are no documents of the index.

    Raises
    ------
    DataError, BundleError, ClusterError
        As `build` does.
    """
    store = BundleStore(settings.encoder.store)
    if plan.target is not None and (meta := indices.find_meta(cluster, plan.target)):
        with progress("reading") as tick:
            read = read_again(source, meta["importance"], settings, tick)
        bundle = store.by_fingerprint(meta["fingerprint"])
        images = images_for(bundle, source.images)
        unmatched = describe_unmatched(read.named, read.ids, place="the index")
        notes = event_notes(read.events, unmatched)
        return Reading(meta, bundle, (), read.importance, images, notes)
    base = store.find(settings.encoder.bundle)
    settings = with_fitted(settings, base.fitted)
    with progress("reading") as tick:
        surveyed = survey(source, settings, tick)
    if not allow_unmatched:
        surveyed.require_matched()
    images = images_for(base, source.images)
    texts = sample_texts(surveyed.sample, settings, images)
    degraded = whitening_note(base, texts, settings)
    notes = (*surveyed.notes(), *([degraded] if degraded else []))
    return Reading(None, base, texts, surveyed.importance, images, notes)


def begin(
    cluster: Cluster,
    settings: Settings,
    owned: Owned,
    plan: AttachPlan,
    source: Inputs,
    lock: Lock,
    *,
    allow_unmatched: bool = False,
) -> Target:
    """Read everything as `read_inputs` does, then make room for the fields.

    Parameters
    ----------
    cluster, settings, plan, source, allow_unmatched
        As for `read_inputs`.
    owned
        The index.
    lock
        Of whoever attaches.

    Raises
    ------
    DataError, BundleError, ClusterError
        As `build` does; nothing was written.
    """
    read = read_inputs(cluster, settings, plan, source, allow_unmatched=allow_unmatched)
    importance, images, notes = read.importance, read.images, read.notes
    if plan.target is not None and read.meta is not None:
        return Target(
            plan.target, _maker(settings, read.bundle, importance, images, read.meta), notes
        )
    settings = with_fitted(settings, read.bundle.fitted)
    bundle = bind_to_catalogue(read.bundle, read.texts, settings, open_cache(settings))
    key = _key(settings, owned, bundle)
    meta = index_meta(settings, bundle, importance.parameters, key)
    meta["attached"] = {"way": plan.way, "source": owned.name, "fields": sorted(owned.own)}
    maker = _maker(settings, bundle, importance, images, meta)
    if plan.way == "in place":
        body = added_mapping(owned, settings, bundle.dimension, meta)
        cluster.request("PUT", f"/{owned.name}/_mapping", body)
        return Target(owned.name, maker, notes)
    found = indices.list_indices(cluster, settings.index.alias)
    copies = [one for one in found if copied_from(one.meta) == owned.name]
    name = find_resumable(cluster, copies, key, lock)
    if name is None:
        name = indices.new_name(settings.index.alias)
        derived = derives_safely(cluster.version())
        body = copy_body(owned, settings, bundle.dimension, meta, derived_source=derived)
        create_index(cluster, name, body)
        return Target(name, maker, notes)
    begun = indices.meta(cluster, name)
    with progress("reading") as tick:
        again = read_again(source, begun["importance"], settings, tick)
    return Target(name, replace(maker, importance=again.importance), notes)


def _maker(
    settings: Settings,
    bundle: Bundle,
    importance: ImportanceTable,
    images: ImageVectors | None,
    meta: Mapping[str, Any],
) -> DocumentMaker:
    return DocumentMaker(
        item_encoder(bundle, settings, open_cache(settings)),
        ItemText(TextSettings.model_validate(meta["text"])),
        importance,
        Space(meta["space"]),
        images,
    )


def _key(settings: Settings, owned: Owned, bundle: Bundle) -> str:
    """Return what tells one copy from another; a killed one with the same key is gone on with."""
    return build_key(
        owned.name,
        dict(owned.fields),
        bundle.fingerprint,
        settings.index.model_dump(mode="json", include=MAPPED),
        columns_of(owned, settings).model_dump(mode="json"),
    )
