"""Checks a loaded index as clients will use it, before the alias moves to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from seealso.cluster import Cluster, indices
from seealso.config import Settings, TextSettings
from seealso.encoder import (
    Bundle,
    Encoder,
    ImageVectors,
    ItemText,
    encode_views,
    item_encoder,
)
from seealso.encoder.joined import COLD
from seealso.errors import DataError, MappingMismatch
from seealso.indexer.creation import changed_settings, narrowed_source
from seealso.indexer.documents import item_vector, read_item
from seealso.indexer.graph import EF_SEARCHES, GraphRecall, graph_ranks, is_rounded, misses
from seealso.indexer.images import images_for, open_images
from seealso.indexer.inputs import row_source
from seealso.indexer.live import name_finishing_command, open_index
from seealso.indexer.mapping import NO_PIPELINES
from seealso.indexer.recall import (
    Question,
    ask_for_items,
    ask_for_users,
    ask_for_words,
    measure_recall,
    sample_documents,
    without_exclusions,
)
from seealso.indexer.stored_items import read_stored_items
from seealso.indexer.verification import Verification
from seealso.log import say
from seealso.readers import Problems, read_events
from seealso.types import Item, Space, Vector
from seealso.wording import format_count

EventFrames: TypeAlias = Callable[[], Iterable[pl.DataFrame]]
"""Returns the events, read afresh at every call."""


@dataclass(frozen=True, slots=True)
class Thoroughness:
    """Candidates in each segment that a graph is asked with, one after the other."""

    users: Sequence[int]
    items: Sequence[int]


LEAST_COSINE = 0.999
"""Of a stored vector and the same item encoded again: int8 and batch order change it less."""


def verify(
    cluster: Cluster,
    name: str,
    encoder: Encoder,
    settings: Settings,
    images: ImageVectors | None = None,
    events: EventFrames = tuple,
    ef_searches: Thoroughness | None = None,
) -> Verification:
    """Check an index: count, fingerprint, a sample encoded again, and what its graph finds.

    Parameters
    ----------
    cluster, name
        The index.
    encoder
        With the bundle that the index should be built with.
    settings
        ``index.verify_sample``, ``recommend`` and ``profile`` are used; space, templates and bits
        of the graph are those of the index.
    images
        Image vectors, for a bundle that was fitted with images.
    events
        Of users for whom the graph is asked.
    ef_searches
        What the graph is asked with, for users and for items; where it is None, `EF_SEARCHES` are
        tried until it finds enough, unless the settings name one.

    Raises
    ------
    MappingMismatch
        One of the checks failed; the message says which.
    """
    meta = indices.meta(cluster, name)
    if meta["fingerprint"] != encoder.bundle.fingerprint:
        raise MappingMismatch(
            f"{name}: built with bundle {meta['fingerprint']}, not {encoder.bundle.fingerprint}",
            hint="build the index again",
            index=name,
        )
    _check_standing(cluster, name, meta)
    documents = indices.count(cluster, name)
    expected = meta.get("items")
    if expected is not None and documents != expected:
        raise MappingMismatch(
            f"{name}: holds {format_count(documents, 'document')}, the catalogue has "
            f"{format_count(expected, 'item')}",
            hint="build the index again",
            index=name,
        )
    hits = sample_documents(cluster, name, settings.index.verify_sample)
    text = ItemText(TextSettings.model_validate(meta["text"]))
    items = _items(name, hits, meta, settings)
    vectors = _vectors(hits, encoder.bundle)
    encoded_again = encode_views(encoder, text, items, images=images)[1] if hits else vectors
    if (part := encoder.bundle.collaborative) is not None and hits:
        # what has got events since it was encoded is not cold any more
        met = vectors[:, COLD] == 0
        encoded_again[met] = part.layout.drop_bonus(encoded_again[met])
    least = _least_cosine(name, hits, vectors, encoded_again)
    graph = Space(meta["space"]) is Space.COSINE
    found = Verification(name, documents, len(hits), least, recall=1.0)
    if graph:
        own = settings.recommend.ef_search
        tried = EF_SEARCHES if own is None else (own,)
        bundle = encoder.bundle
        users = ask_for_users(cluster, name, bundle, events, settings)
        questions = (
            [users, without_exclusions(users)] if users else [],
            [ask_for_items(vectors, bundle), ask_for_words(vectors, bundle)],
        )
        candidates = ef_searches or Thoroughness(tried, tried)
        found = _ask_graph(cluster, found, *questions, candidates, rounded=is_rounded(meta))
    ranks = graph_ranks(settings.recommend, documents, found.decisive_recall)
    if ranks and misses(found.decisive_recall):
        raise MappingMismatch(
            f"{name}: the graph finds {found.decisive_recall:.0%} of the best items",
            hint="raise index.ef_construction or index.m and build again, or leave recommend.path "
            "at auto: it ranks exactly then",
            index=name,
        )
    return replace(found, graph_ranks=ranks)


def _ask_graph(
    cluster: Cluster,
    found: Verification,
    users: Sequence[Sequence[Question]],
    items: Sequence[Sequence[Question]],
    ef_searches: Thoroughness,
    *,
    rounded: bool,
) -> Verification:
    """Return what was found, with what the graph finds for users and for items."""

    def measure(kinds: Sequence[Sequence[Question]], tried: Sequence[int]) -> GraphRecall:
        return measure_recall(cluster, found.index, kinds, tried, rounded=rounded)

    for_items = measure(items, ef_searches.items)
    for_users = measure(users, ef_searches.users) if users else None
    return replace(
        found,
        recall=for_items.share,
        item_ef_search=for_items.ef_search,
        user_recall=None if for_users is None else for_users.share,
        ef_search=(for_users or for_items).ef_search,
    )


def verify_again(cluster: Cluster, name: str, settings: Settings) -> Verification:
    """Check an index that a build has left, live or not, with the bundle that it names itself.

    Parameters
    ----------
    cluster, name
        The index.
    settings
        ``encoder`` says where its bundle should be and how it is run, ``images`` what the items
        look like.

    Raises
    ------
    ClusterError
        There is no such index.
    MappingMismatch
        It is not built to its end, or one of the checks failed.
    BundleError
        Its bundle is not in the store, is damaged, or needs images that the settings do not name.
    """
    index = open_index(cluster, settings, name)
    meta = index.meta
    if meta["state"] == "building":
        raise MappingMismatch(
            f"{name}: is building, not ready",
            hint=f"run `{name_finishing_command(meta)}` again",
            index=name,
        )
    bundle = index.bundle
    images = images_for(bundle, lambda: open_images(settings, Problems("skip")))
    # what is compared is read by the model, not by the cache of what it read once
    chosen = settings.encoder.model_copy(update={"cache": None})
    encoder = item_encoder(bundle, settings.model_copy(update={"encoder": chosen}))
    source = row_source(settings, "events", cluster)

    def events() -> Iterator[pl.DataFrame]:
        if source is None:
            return
        try:
            yield from read_events(source, settings.events, Problems("skip"))
        except DataError as exc:
            # the documents can be checked without them
            say(f"note: the graph is asked for no user: {exc.message}")

    own = settings.recommend.ef_search
    found = index.recall_for_users, index.recall_for_items
    asked_with = Thoroughness(*((own or one.ef_search,) for one in found))
    return verify(cluster, name, encoder, settings, images, events, asked_with)


def _check_standing(cluster: Cluster, name: str, meta: Mapping[str, Any]) -> None:
    """Refuse an index of ours with a pipeline, or with documents that are not kept whole."""
    if "attached" in meta:
        # its pipelines are its owner's
        return
    found = cluster.request("GET", f"/{name}", params={"flat_settings": "true"})[name]
    wrong = [
        *changed_settings({f"index.{k}": v for k, v in NO_PIPELINES.items()}, found["settings"]),
        *narrowed_source(found["mappings"]),
    ]
    if wrong:
        raise MappingMismatch(
            f"{name}: differs from what was requested: {'; '.join(wrong)}",
            hint="build the index again; find out what changed it, or what template adds to it",
            index=name,
        )


def _items(
    name: str, hits: list[dict[str, Any]], meta: Mapping[str, Any], settings: Settings
) -> list[Item]:
    """Return the items that the documents were made of."""
    documents = {hit["_id"]: hit["_source"] for hit in hits}
    if "attached" in meta and hits:
        read = read_stored_items(documents, settings.catalogue, name)
        return [read.get(item_id, Item(item_id, {})) for item_id in documents]
    return [read_item(document) for document in documents.values()]


def _least_cosine(
    name: str, hits: Sequence[Mapping[str, Any]], stored: Vector, encoded_again: Vector
) -> float:
    if not hits:
        return 1.0
    cosines = (stored * encoded_again).sum(axis=1)
    worst = int(cosines.argmin())
    if cosines[worst] < LEAST_COSINE:
        raise MappingMismatch(
            f"{name}: item {hits[worst]['_id']!r} encoded again gives another vector "
            f"(cosine {cosines[worst]:.4f})",
            hint="the bundle or the document changed since; build the index again",
            index=name,
        )
    return float(cosines[worst])


def _vectors(hits: Sequence[Mapping[str, Any]], bundle: Bundle) -> Vector:
    found = [item_vector(hit["_source"], bundle) for hit in hits]
    return np.array(found, dtype=np.float32).reshape(-1, bundle.dimension)
