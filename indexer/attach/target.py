"""The index that gets the fields: the original, a copy that was made before, or a new copy."""

from dataclasses import dataclass, replace

from seealso.cluster import Lock, indices
from seealso.encoder import Bundle, BundleStore, find_serving_bundle
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
from seealso.readers import describe_unmatched


@dataclass(frozen=True, slots=True)
class Target:
    """The index that gets the fields, and what makes its documents."""

    name: str
    maker: DocumentMaker
    notes: tuple[str, ...]
    """What was guessed, left out or degraded, a sentence each."""
    memory: str = ""
    """What the graph needs, and what the nodes have; empty where the graph is there already."""


def read_inputs(
    owned: Owned, plan: AttachPlan, source: Inputs, *, allow_unmatched: bool
) -> Target | Preparation:
    """Read documents, events and images once, so that what cannot be read changes nothing.

    An index that was attached before keeps its bundle, its texts and its scale of importance.

    Parameters
    ----------
    owned
        The index.
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
    settings = owned.settings
    if plan.target is None or (meta := indices.find_meta(owned.cluster, plan.target)) is None:
        base = find_serving_bundle(settings)
        return prepare(base, settings, source, allow_unmatched=allow_unmatched)
    read = read_again(source, meta["importance"], settings)
    bundle = BundleStore(settings.encoder.store).by_fingerprint(meta["fingerprint"])
    images = images_for(bundle, source.images)
    maker = DocumentMaker.of_index(meta, bundle, settings, read.importance, images)
    unmatched = describe_unmatched(read.named, read.ids, place="the index")
    return Target(plan.target, maker, event_notes(read.events, unmatched))


def begin(
    owned: Owned, plan: AttachPlan, source: Inputs, lock: Lock, *, allow_unmatched: bool
) -> Target:
    """Read everything as `read_inputs` does, then make room for the fields.

    Parameters
    ----------
    owned, plan, source, allow_unmatched
        As for `read_inputs`.
    lock
        Of whoever attaches.

    Raises
    ------
    DataError, BundleError, ClusterError
        As `build` does; nothing was written.
    """
    read = read_inputs(owned, plan, source, allow_unmatched=allow_unmatched)
    if isinstance(read, Target):
        return read
    cluster, importance = owned.cluster, read.survey.importance
    memory = read.plan_memory(cluster)
    bundle = read.bind()
    settings = read.settings.model_copy(update={"index": memory.index})
    owned = replace(owned, settings=settings)
    meta = index_meta(settings, bundle, importance.parameters, _key(owned, bundle))
    meta["attached"] = {"way": plan.way, "source": owned.name, "fields": sorted(owned.own)}
    maker = DocumentMaker.of_index(meta, bundle, settings, importance, read.images)
    if plan.way == "in place":
        body = added_mapping(owned, bundle.dimension, meta)
        cluster.request("PUT", f"/{owned.name}/_mapping", body)
        return Target(owned.name, maker, read.notes, memory.summary)
    found = indices.list_indices(cluster, settings.index.alias)
    name, resumed = stage(
        cluster,
        [one for one in found if copied_from(one.meta) == owned.name],
        meta,
        lock,
        copy_body(owned, bundle.dimension, meta),
    )
    if resumed:
        begun = indices.meta(cluster, name)
        reread = read_again(source, begun["importance"], settings)
        maker = replace(maker, importance=reread.importance)
    return Target(name, maker, read.notes, memory.summary)


def _key(owned: Owned, bundle: Bundle) -> str:
    """Return a key of a copy; a killed copy with the same key is continued."""
    return build_key(
        owned.name,
        dict(owned.fields),
        bundle.fingerprint,
        owned.settings.index.model_dump(mode="json", include=MAPPED),
        owned.columns.model_dump(mode="json"),
    )
