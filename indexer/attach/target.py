"""Where the fields go: the index itself, an earlier copy, what a killed run left, or a new one."""

from collections.abc import Mapping
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
from seealso.indexer.build import MAPPED
from seealso.indexer.creation import create_index
from seealso.indexer.encoding import (
    DocumentMaker,
    bind_to_catalogue,
    sample_texts,
    whitening_note,
)
from seealso.indexer.images import images_for
from seealso.indexer.importance import ImportanceTable
from seealso.indexer.inputs import Inputs, event_notes, survey
from seealso.indexer.mapping import derives_safely, index_meta
from seealso.indexer.rereading import read_again
from seealso.indexer.staging import build_key, left_by
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
    """Read everything once, so that what cannot be read changes nothing; then make room.

    An index that was attached before keeps its bundle, its texts and its scale of importance.

    Parameters
    ----------
    cluster, settings
        Where and how.
    owned, plan
        The index, and how it is attached to.
    source
        Its documents as a catalogue, events and images.
    lock
        Of whoever attaches.
    allow_unmatched
        Go on where most events name items that are no documents of the index.

    Raises
    ------
    DataError, BundleError, ClusterError
        As `build` does; nothing was written.
    """
    if plan.target is not None and (meta := indices.find_meta(cluster, plan.target)):
        with progress("reading") as tick:
            read = read_again(cluster, source, meta["importance"], settings, tick)
        bundle = BundleStore(settings.encoder.store).by_fingerprint(meta["fingerprint"])
        images = images_for(bundle, source.images)
        unmatched = describe_unmatched(read.named, read.ids, place="the index")
        notes = event_notes(read.events, unmatched)
        return Target(plan.target, _maker(settings, bundle, read.importance, images, meta), notes)
    base = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    settings = with_fitted(settings, base.fitted)
    with progress("reading") as tick:
        surveyed = survey(source, settings, tick)
    if not allow_unmatched:
        surveyed.require_matched()
    images = images_for(base, source.images)
    texts = sample_texts(surveyed.sample, settings, images)
    bundle = bind_to_catalogue(base, texts, settings, open_cache(settings))
    degraded = whitening_note(base, texts, settings)
    notes = (*surveyed.notes(), *([degraded] if degraded else []))
    key = _key(settings, owned, bundle)
    meta = index_meta(settings, bundle, surveyed.importance.parameters, key)
    meta["attached"] = {"way": plan.way, "source": owned.name, "fields": sorted(owned.own)}
    maker = _maker(settings, bundle, surveyed.importance, images, meta)
    if plan.way == "in place":
        body = added_mapping(owned, settings, bundle.dimension, meta)
        cluster.request("PUT", f"/{owned.name}/_mapping", body)
        return Target(owned.name, maker, notes)
    found = indices.listing(cluster, settings.index.alias)
    copies = [one for one in found if copied_from(one.meta) == owned.name]
    name = left_by(cluster, copies, key, lock)
    if name is None:
        name = indices.new_name(settings.index.alias)
        derived = derives_safely(cluster.version())
        body = copy_body(owned, settings, bundle.dimension, meta, derived_source=derived)
        create_index(cluster, name, body)
        return Target(name, maker, notes)
    begun = indices.meta(cluster, name)
    with progress("reading") as tick:
        read = read_again(cluster, source, begun["importance"], settings, tick)
    return Target(name, replace(maker, importance=read.importance), notes)


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
