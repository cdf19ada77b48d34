"""Builds an index beside the live one, verifies it, and only then moves the alias.

A build that was killed leaves an index in state ``building``, which no alias points to. The
next build of the same catalogue and settings continues it (documents whose digest is right
stay as they are); any other build clears it. An index is ``ready`` once it is verified; one that
did not pass is ``rejected``, and the next build deletes it as well.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from seealso.cluster import Cluster, Lock, indices
from seealso.config import Settings
from seealso.encoder import Bundle, find_serving_bundle
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.ahead import EncodeAhead
from seealso.indexer.build_report import BuildPlan, BuildReport, textless_notes
from seealso.indexer.documents import DocumentMaker
from seealso.indexer.inputs import Inputs, Survey
from seealso.indexer.lifecycle import build_lock, go_live
from seealso.indexer.live import find_replaceable
from seealso.indexer.mapping import index_body, index_meta
from seealso.indexer.preparation import prepare
from seealso.indexer.staging import build_key, stage
from seealso.indexer.verification import Verification
from seealso.indexer.verify import verify
from seealso.indexer.writing import finish_loading, write_catalogue
from seealso.log import progress

MAPPED = {"alias", "space", "analyzer", "shards", "engine", "m", "ef_construction", "vector_bits"}
"""Settings that an index cannot change once it is there."""


Judge = Callable[[str, str], object]
"""Is asked of the live index and the new one before the alias moves: raises where it must not."""


def plan(
    cluster: Cluster, settings: Settings, source: Inputs, *, allow_unmatched: bool = False
) -> BuildPlan:
    """Read the inputs and say what `build` would do with them; nothing is written."""
    base = find_serving_bundle(settings)
    live = find_replaceable(cluster, settings.index.alias)
    ready = prepare(base, settings, source, allow_unmatched=allow_unmatched)
    memory = ready.plan_memory(cluster)
    found = indices.list_indices(cluster, settings.index.alias)
    return BuildPlan(
        alias=settings.index.alias,
        live=live,
        bundle=base.name,
        items=ready.survey.items,
        tail=ready.survey.tail,
        memory=memory.summary,
        importance=ready.survey.importance.parameters,
        half_built=tuple(index.name for index in found if index.incomplete),
        events=ready.survey.events,
        unmatched=ready.survey.unmatched,
        notes=ready.notes,
    )


def build(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    *,
    swap: bool = True,
    judge: Judge | None = None,
    allow_unmatched: bool = False,
    encode_ahead: EncodeAhead | None = None,
) -> BuildReport:
    """Build an index from `source` and let the alias point to it.

    Parameters
    ----------
    cluster
        Where to build.
    settings
        All sections but ``profile`` and ``recommend``.
    source
        Catalogue and events.
    swap
        Move the alias once the index is verified.
    judge
        Is asked before that, where an index is live. The new index is ready by then, and stays
        so, whatever the judge says.
    allow_unmatched
        Go on where more than half of the events name items that the catalogue does not have.
    encode_ahead
        Fills the cache of vectors once the catalogue has been read. What it leaves out is encoded
        here.

    Returns
    -------
    BuildReport
        What was done.

    Raises
    ------
    DataError
        The catalogue or its images cannot be used, most items have no text, or most events name
        other items; nothing was written.
    BundleError
        The bundle was fitted with images, and `source` has none or others.
    ClusterError
        Another build of the alias runs, or the cluster refused; the alias is as it was.
    MappingMismatch
        The new index is not what it should be; the alias is as it was.
    SeeAlsoError
        The judge refuses; the alias is as it was.
    """
    started = perf_counter()
    alias = settings.index.alias
    base = find_serving_bundle(settings)
    # before the lock, which is written as well
    find_replaceable(cluster, alias)
    with build_lock(cluster, alias) as lock:
        live = find_replaceable(cluster, alias)
        ready = prepare(base, settings, source, allow_unmatched=allow_unmatched)
        settings, surveyed, images = ready.settings, ready.survey, ready.images
        memory = ready.plan_memory(cluster)
        settings = settings.model_copy(update={"index": memory.index})
        if encode_ahead is not None:
            encode_ahead(base, settings, surveyed.items)
        bundle = ready.bind()
        meta = _describe(settings, surveyed, bundle)
        name, resumed = stage(
            cluster,
            indices.list_indices(cluster, alias),
            meta,
            lock,
            index_body(settings, meta, bundle.dimension),
        )
        maker = DocumentMaker.of_index(meta, bundle, settings, surveyed.importance, images)
        with progress("encoding and writing", surveyed.items) as tick:
            done = write_catalogue(
                cluster, name, source.items(), maker, settings.index, tick, fresh=not resumed
            )
        finish_loading(cluster, name, settings.index, surveyed.items)
        indices.put_meta(cluster, name, {"items": surveyed.items})
        textless = surveyed.items - indices.count(cluster, name, {"exists": {"field": "vector"}})
        verification = _verify(cluster, name, maker, settings, source)
        indices.put_meta(cluster, name, {"state": "ready", **verification.as_meta()})
        verdict = None if judge is None else _judge(cluster, alias, name, judge)
        if swap:
            _go_live(cluster, alias, name, lock)
    return BuildReport(
        broken_rows=source.problems.count,
        broken_values=source.problems.values,
        index=name,
        alias=alias,
        fingerprint=bundle.fingerprint,
        bundle=bundle.name,
        items=surveyed.items,
        written=done.written,
        unchanged=done.unchanged,
        tail=surveyed.tail,
        seconds=perf_counter() - started,
        resumed=resumed,
        swapped=swap,
        previous=live,
        verification=verification,
        events=surveyed.events,
        unmatched=surveyed.unmatched,
        verdict=verdict,
        memory=memory.summary,
        with_image=done.with_image,
        unmatched_images=0 if images is None else len(images) - done.with_image,
        notes=(*ready.notes, *textless_notes(textless), *verification.notes),
    )


def _describe(settings: Settings, surveyed: Survey, bundle: Bundle) -> dict[str, Any]:
    """Return the metadata of the new index, with the key of this build."""
    importance = surveyed.importance.parameters
    key = build_key(
        bundle.fingerprint,
        surveyed.signature,
        settings.index.model_dump(mode="json", include=MAPPED),
        settings.catalogue.model_dump(mode="json"),
        dict(importance),
    )
    return index_meta(settings, bundle, importance, key)


def _verify(
    cluster: Cluster, name: str, maker: DocumentMaker, settings: Settings, source: Inputs
) -> Verification:
    try:
        return verify(cluster, name, maker.encoder, settings, maker.images, source.events)
    except MappingMismatch as exc:
        # a build that continued it would find all documents unchanged, and the same fault again
        indices.put_meta(cluster, name, {"state": "rejected"})
        exc.hint = f"{exc.hint}; `seealso index swap {name} --force` makes it live anyway"
        raise


def _judge(cluster: Cluster, alias: str, name: str, judge: Judge) -> object | None:
    # whoever moved the alias during the build is compared with what it points to now
    live = indices.find_live(cluster, alias)
    return None if live is None else judge(live, name)


def _go_live(cluster: Cluster, alias: str, name: str, lock: Lock) -> None:
    try:
        go_live(cluster, alias, name, lock)
    except ClusterError as exc:
        ready = f"{name} is ready: `seealso index swap {name}` makes it live without another build"
        exc.hint = ready if exc.hint is None else f"{exc.hint}; {ready}"
        raise
