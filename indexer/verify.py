"""Checks a loaded index as clients will use it, before the alias moves to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seealso.cluster import Cluster, indices
from seealso.config import RecommendSettings, Settings, TextSettings
from seealso.encoder import (
    Bundle,
    Encoder,
    ImageVectors,
    ItemText,
    encode_views,
    item_encoder,
)
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.creation import changed_settings, narrowed_source
from seealso.indexer.documents import item_vector, read_item
from seealso.indexer.images import images_for, open_images
from seealso.indexer.inputs import read_stored_items
from seealso.indexer.live import open_index
from seealso.indexer.mapping import NO_PIPELINES
from seealso.query_templates import render
from seealso.readers import Problems
from seealso.types import COLLABORATIVE_LIMIT, Item, Path, Space, Vector

LEAST_COSINE = 0.999
"""Of a stored vector and the same item encoded again: int8 and batch order change it less."""

LEAST_RECALL = 0.9
"""Of the ten exact neighbours of the sample, a graph that ranks must find this share."""

PROBES = 8
"""Vectors whose neighbours are searched."""

EXPENSIVE = "search.allow_expensive_queries"
"""The cluster's setting without which nothing is ranked by script: the exact search is."""

SAME_SCORE = 1e-5
"""Scores are 32-bit sums, which the two paths add up in different orders."""


ITEMS_PER_USER = 5
"""Items that each user chose who is made up to ask the graph."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what came out.

    Attributes
    ----------
    index
        Its name.
    documents, sample
        Of the index, and how many of them were encoded again.
    least_cosine
        Of a stored vector and the same item encoded again.
    recall
        Which share of the ten items nearest to an item the graph finds; None where the cluster
        does not allow the queries that would tell (``search.allow_expensive_queries``).
    user_recall
        The same for users who are made up from items of the sample; None where behaviour is not
        joined, so that users look from where items are.
    graph_ranks
        Whether lists come from the graph; otherwise its recall is no reason to reject the index.
    """

    index: str
    documents: int
    sample: int
    least_cosine: float
    recall: float | None
    user_recall: float | None = None
    graph_ranks: bool = True

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user of the index should know."""
        if self.graph_ranks or self.recall is None or self.recall >= LEAST_RECALL:
            return ()
        return (
            f"the graph finds {self.recall:.0%} of the exact neighbours: lists are ranked exactly, "
            "so it does not matter; `path` ann would miss items",
        )

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        if self.recall is None:
            graph = f"graph recall not measured ({EXPENSIVE} is false)"
        else:
            graph = f"graph recall {self.recall:.2f}"
        users = "" if self.user_recall is None else f", for users {self.user_recall:.2f}"
        return f"{self.documents:,} documents, cosine >= {self.least_cosine:.4f}, {graph}{users}"


def graph_ranks(settings: RecommendSettings, documents: int, *, collaborative: bool) -> bool:
    """Return whether lists come from the graph of an index, or every document is scored.

    Parameters
    ----------
    settings
        ``path`` and ``exact_limit`` are used.
    documents
        How many the index has.
    collaborative
        Whether vectors hold behaviour.
    """
    if settings.path != "auto":
        return settings.path == Path.ANN
    # the graph of texts gives the candidates of groups in an index of any size
    limit = COLLABORATIVE_LIMIT if settings.exact_limit is None else settings.exact_limit
    return not collaborative or documents > limit


def verify(
    cluster: Cluster,
    name: str,
    encoder: Encoder,
    settings: Settings,
    images: ImageVectors | None = None,
) -> Verification:
    """Check an index: count, fingerprint, a sample encoded again, and a probe query.

    Parameters
    ----------
    cluster, name
        The index.
    encoder
        With the bundle that the index should be built with.
    settings
        ``index.verify_sample`` is used; space and templates are those of the index.
    images
        Image vectors, for a bundle that was fitted with images.

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
            f"{name}: holds {documents} documents, the catalogue has {expected} items",
            hint="build the index again",
            index=name,
        )
    hits = _sample(cluster, name, settings.index.verify_sample)
    text = ItemText(TextSettings.model_validate(meta["text"]))
    items = _items(name, hits, meta, settings)
    vectors = _vectors(hits)
    encoded_again = encode_views(encoder, text, items, images=images)[1] if hits else vectors
    least = _least_cosine(name, hits, vectors, encoded_again)
    graph = Space(meta["space"]) is Space.COSINE
    recall = _probe(cluster, name, vectors[:PROBES]) if graph else 1.0
    joined = graph and encoder.bundle.collaborative is not None
    ranks = graph_ranks(settings.recommend, documents, collaborative=joined)
    if ranks and recall is not None and recall < LEAST_RECALL:
        raise MappingMismatch(
            f"{name}: the graph finds {recall:.0%} of the exact neighbours",
            hint="raise index.ef_construction or index.m and build again",
            index=name,
        )
    users = _probe(cluster, name, _make_users(encoder.bundle, vectors)) if joined else None
    return Verification(name, documents, len(hits), least, recall, users, graph_ranks=ranks)


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
            f"{name}: is building, not ready", hint="run `seealso index build` again", index=name
        )
    bundle = index.bundle
    images = images_for(bundle, lambda: open_images(settings, Problems("skip")))
    # what is compared is read by the model, not by the cache of what it read once
    chosen = settings.encoder.model_copy(update={"cache": None})
    encoder = item_encoder(bundle, settings.model_copy(update={"encoder": chosen}))
    return verify(cluster, name, encoder, settings, images)


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


def _sample(cluster: Cluster, name: str, size: int) -> list[dict[str, Any]]:
    body = {
        "size": size,
        "query": {
            "function_score": {
                "query": {"exists": {"field": "vector"}},
                "random_score": {"seed": 17, "field": "_seq_no"},
            }
        },
    }
    answer = cluster.request("POST", f"/{name}/_search", body, whole=True)
    return list(answer["hits"]["hits"])


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


def _vectors(hits: Sequence[Mapping[str, Any]]) -> Vector:
    return np.array([item_vector(hit["_source"]) for hit in hits], dtype=np.float32)


def _make_users(bundle: Bundle, vectors: Vector) -> list[Vector]:
    """Return E_u of users who each chose a few of the items whose vectors are given."""
    users = []
    for start in range(0, min(len(vectors), PROBES * ITEMS_PER_USER), ITEMS_PER_USER):
        chosen = vectors[start : start + ITEMS_PER_USER]
        content = bundle.content_vectors(chosen).sum(axis=0)
        text = content / np.linalg.norm(content)
        users.append(bundle.user_vector(text, list(chosen), range(len(chosen))))
    return [one for one in users if one is not None]


def _probe(cluster: Cluster, name: str, vectors: Iterable[Vector]) -> float | None:
    """Return which share of the exact neighbours the graph finds, or None where none may be asked.

    The graph itself is asked in any case.
    """
    found = exact_hits = 0
    for vector in vectors:
        params = {"vector": vector, "size": 10, "k": 10, "ef_search": 100, "source": ["item_id"]}
        near = _scores(cluster, name, "ann", params)
        try:
            exact = _scores(cluster, name, "exact", params)
        except ClusterError as exc:
            if EXPENSIVE not in exc.message:
                raise
            return None
        exact_hits += len(exact)
        # by score, not by id: of items with the same text, any is as good as the other
        found += sum(score >= exact[-1] - SAME_SCORE for score in near)
    return found / exact_hits if exact_hits else 1.0


def _scores(cluster: Cluster, name: str, path: str, params: Mapping[str, Any]) -> list[float]:
    answer = cluster.request("POST", f"/{name}/_search", render(path, params), whole=True)
    return [hit["_score"] for hit in answer["hits"]["hits"]]
