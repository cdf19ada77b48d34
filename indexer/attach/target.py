"""The index that gets the fields: the original, a copy that was made before, or a new copy."""

from dataclasses import dataclass, replace

from seealso.cluster import Cluster, Lock, indices
from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore, find_serving_bundle
from seealso.indexer.attach.documents import columns_of
from seealso.indexer.attach.owned import Owned, added_mapping, copied_from, copy_body
from seealso.indexer.attach.plan import AttachPlan
from seealso.indexer.build import MAPPED
from seealso.indexer.documents import DocumentMaker
from seealso.indexer.images import images_for
from seealso.indexer.inputs import Inputs, event_notes
from seealso.indexer.mapping import index_meta
from seealso.indexer.preparation import Preparation, prepare
from seealso.indexer.rereading import read_again
from seealso.indexer.staging import build_key, stage
from seealso.log import progress
from seealso.readers import describe_unmatched


@dataclass(frozen=True, slots=True)
class Target:
    """The index that gets the fields, and what makes its documents."""

    name: str
    maker: DocumentMaker
    notes: tuple[str, ...]
    """What was guessed, left out or degraded, a sentence each."""


def read_inputs(
    cluster: Cluster, settings: Settings, plan: AttachPlan, source: Inputs, *, allow_unmatched: bool
) -> Target | Preparation:
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

    Returns
    -------
    Target or Preparation
        An index that was attached before is the target; else what a new one is made with.
    """
    store = BundleStore(settings.encoder.store)
    if plan.target is None or (meta := indices.find_meta(cluster, plan.target)) is None:
        base = find_serving_bundle(settings)
        return prepare(base, settings, source, allow_unmatched=allow_unmatched)
    with progress("reading") as tick:
        read = read_again(source, meta["importance"], settings, tick)
    bundle = store.by_fingerprint(meta["fingerprint"])
    images = images_for(bundle, source.images)
    maker = DocumentMaker.of_index(meta, bundle, settings, read.importance, images)
    unmatched = describe_unmatched(read.named, read.ids, place="the index")
    return Target(plan.target, maker, event_notes(read.events, unmatched))


def begin(
    cluster: Cluster,
    settings: Settings,
    owned: Owned,
    plan: AttachPlan,
    source: Inputs,
    lock: Lock,
    *,
    allow_unmatched: bool,
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
    if isinstance(read, Target):
        return read
    settings, importance, bundle = read.settings, read.survey.importance, read.bind()
    meta = index_meta(settings, bundle, importance.parameters, _key(settings, owned, bundle))
    meta["attached"] = {"way": plan.way, "source": owned.name, "fields": sorted(owned.own)}
    maker = DocumentMaker.of_index(meta, bundle, settings, importance, read.images)
    if plan.way == "in place":
        body = added_mapping(owned, settings, bundle.dimension, meta)
        cluster.request("PUT", f"/{owned.name}/_mapping", body)
        return Target(owned.name, maker, read.notes)
    found = indices.list_indices(cluster, settings.index.alias)
    name, resumed = stage(
        cluster,
        [one for one in found if copied_from(one.meta) == owned.name],
        meta,
        lock,
        lambda derived: copy_body(owned, settings, bundle.dimension, meta, derived_source=derived),
    )
    if resumed:
        begun = indices.meta(cluster, name)
        with progress("reading") as tick:
            reread = read_again(source, begun["importance"], settings, tick)
        maker = replace(maker, importance=reread.importance)
    return Target(name, maker, read.notes)


def _key(settings: Settings, owned: Owned, bundle: Bundle) -> str:
    """Return a key of a copy; a killed copy with the same key is continued."""
    return build_key(
        owned.name,
        dict(owned.fields),
        bundle.fingerprint,
        settings.index.model_dump(mode="json", include=MAPPED),
        columns_of(owned, settings).model_dump(mode="json"),
    )
