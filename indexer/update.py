"""Changes a live index in place: items that are new, changed or gone from the catalogue."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from seealso.cluster import BulkWriter, Cluster, fetch, indices, scan
from seealso.config import ImportanceSettings, Settings, TextSettings
from seealso.encoder import Bundle, BundleStore, ItemText
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.build import build_lock
from seealso.indexer.encoding import DocumentMaker, Tick, item_encoder, open_cache
from seealso.indexer.importance import apply_importance, count_events
from seealso.indexer.inputs import Inputs, numbers_of
from seealso.indexer.writing import changed, write_catalogue
from seealso.log import progress
from seealso.types import Item, Space


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What an update changed."""

    index: str
    written: int
    unchanged: int
    deleted: int


@dataclass(frozen=True, slots=True)
class LiveIndex:
    """The index behind an alias, what it says of itself, and the bundle that fits it."""

    name: str
    meta: Mapping[str, Any]
    bundle: Bundle

    @property
    def space(self) -> Space:
        """Similarity that the index was built for."""
        return Space(self.meta["space"])

    @property
    def text(self) -> TextSettings:
        """Text templates that the index was built with."""
        return TextSettings.model_validate(self.meta["text"])


def live_index(cluster: Cluster, settings: Settings) -> LiveIndex:
    """Return the index behind ``index.alias``, with its bundle.

    Raises
    ------
    ClusterError
        Nothing was built yet.
    BundleError
        The bundle that the index was built with is not in the store.
    """
    alias = settings.index.alias
    name = indices.live_name(cluster, alias)
    if name is None:
        raise ClusterError(
            f"{alias}: no index was built yet", hint="run `seealso index build`", alias=alias
        )
    meta = indices.meta(cluster, name)
    bundle = BundleStore(settings.encoder.store).by_fingerprint(meta["fingerprint"])
    return LiveIndex(name, meta, bundle)


def update(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    *,
    delete: Collection[str] = (),
    delete_missing: bool = False,
) -> UpdateReport:
    """Write the items that are new or changed, and delete others, in the live index.

    The bundle, the text templates and the importance parameters are those that the index was
    built with, whatever the settings say by now.

    Parameters
    ----------
    cluster, settings
        Where and how.
    source
        Items to compare with the index (all of them or only changed ones), and events.
    delete
        Ids to delete.
    delete_missing
        Delete what is in the index but not in `source`, which is then the whole catalogue.

    Raises
    ------
    DataError, ClusterError, BundleError
        As `build` does.
    """
    with build_lock(settings):
        live = live_index(cluster, settings)
        maker = _maker(live, settings, source)
        # read to the end before anything is written: a broken last row must change nothing
        with progress("reading") as tick:
            present = _ids_of(source.items(), tick)
        with progress("updating", len(present)) as tick:
            done = write_catalogue(
                cluster,
                live.name,
                source.items(),
                maker,
                settings.index,
                tick,
                fresh=False,
            )
        gone = _gone(cluster, live, delete, present if delete_missing else None)
        with BulkWriter(cluster, live.name) as writer:
            for item_id in gone:
                writer.delete(item_id)
        indices.refresh(cluster, live.name)
        indices.put_meta(cluster, live.name, {"items": indices.count(cluster, live.name)})
    return UpdateReport(live.name, done.written, done.unchanged, len(gone))


def plan_update(
    cluster: Cluster,
    settings: Settings,
    source: Inputs,
    *,
    delete: Collection[str] = (),
    delete_missing: bool = False,
) -> UpdateReport:
    """Count what `update` would write and delete; nothing is encoded or written."""
    live = live_index(cluster, settings)
    maker = _maker(live, settings, source)
    present: set[str] = set()
    write = 0
    with progress("comparing") as tick:
        for batch in source.items():
            keyed = list(zip(batch, maker.digests(batch), strict=True))
            present.update(item.item_id for item in batch)
            write += len(changed(cluster, live.name, keyed))
            tick(len(batch))
    gone = _gone(cluster, live, delete, present if delete_missing else None)
    return UpdateReport(live.name, write, len(present) - write, len(gone))


def _maker(live: LiveIndex, settings: Settings, source: Inputs) -> DocumentMaker:
    _refuse_other_space(live, settings)
    fitted = live.meta["importance"]
    # the record holds more than the settings it was made with
    made_with = {k: v for k, v in fitted.items() if k in ImportanceSettings.model_fields}
    counts = count_events(source.events(), ImportanceSettings.model_validate(made_with))
    numbers = None
    if fitted["kind"] == "expression":
        rows = [numbers_of(item, settings) for batch in source.items() for item in batch]
        numbers = pl.DataFrame(rows, infer_schema_length=None)
    return DocumentMaker(
        item_encoder(live.bundle, settings, open_cache(settings)),
        ItemText(live.text),
        apply_importance(counts, fitted, numbers),
        live.space,
    )


def _gone(
    cluster: Cluster, live: LiveIndex, delete: Collection[str], catalogue: set[str] | None
) -> list[str]:
    """Return the ids to delete that are in the index."""
    doomed = set(delete)
    if catalogue is not None:
        doomed |= set(_ids(cluster, live.name)) - catalogue
    return sorted(fetch(cluster, live.name, sorted(doomed), source=["item_id"]))


def _refuse_other_space(live: LiveIndex, settings: Settings) -> None:
    if live.space is not settings.index.space:
        raise MappingMismatch(
            f"{live.name}: was built for {live.space}, the settings say {settings.index.space}",
            hint="run `seealso index build`",
            index=live.name,
        )


def _ids_of(batches: Iterator[list[Item]], tick: Tick) -> set[str]:
    ids: set[str] = set()
    for batch in batches:
        ids.update(item.item_id for item in batch)
        tick(len(batch))
    return ids


def _ids(cluster: Cluster, name: str) -> Iterator[str]:
    for hits in scan(cluster, name, source=False, batch=5000):
        yield from (hit["_id"] for hit in hits)
