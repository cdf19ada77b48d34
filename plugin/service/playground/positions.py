"""A map of the catalogue: items and users by the two directions in which the items differ most."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np

from seealso.cluster import Cluster, fetch
from seealso.indexer.documents import item_vector
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.playground.catalogue import OWN, describe_own
from seealso.plugin.serving import Live
from seealso.types import User, Vector

MOST_SAMPLED: Final = 5_000
"""Items that the directions are found by, and that a map can show."""

SEED: Final = 20
"""Of the sample: the same items again, as long as the index stays as it is."""

LEAST_VARIANCE: Final = 1e-9
"""Below it, vectors are the same but for rounding."""

DIGITS: Final = 5
"""Of x and y, behind the point: vectors have a length of 1."""

MOST_MAPS: Final = 4
"""Maps that are kept: of the live index, and of those that it is compared with."""


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The two directions in which vectors differ most.

    Attributes
    ----------
    mean
        Their centre, shape (d,).
    directions
        Of x and y, unit length, shape (d, 2); zero where there is no variance.
    explained
        Share of the variance in x and in y; nothing where there is none.
    """

    mean: Vector
    directions: Vector
    explained: tuple[float, ...] = ()

    @classmethod
    def of(cls, vectors: Vector) -> "Axes":
        """Return the principal components of vectors, shape (n, d).

        The largest component of each is positive, so that the same vectors give the same map.
        """
        dimension = vectors.shape[1]
        directions = np.zeros((dimension, 2), dtype=np.float32)
        if not len(vectors):
            return cls(np.zeros(dimension, dtype=np.float32), directions)
        mean = vectors.mean(axis=0)
        centred = (vectors - mean).astype(np.float64)
        values, found = np.linalg.eigh(centred.T @ centred)
        whole = values.sum()
        if whole <= LEAST_VARIANCE:
            return cls(mean, directions)
        best = found[:, ::-1][:, :2]
        strongest = np.abs(best).argmax(axis=0)
        signs = np.sign(best[strongest, np.arange(best.shape[1])])
        directions[:, : best.shape[1]] = best * signs
        shares = np.maximum(values[::-1][:2], 0.0) / whole
        return cls(mean, directions, tuple(shares.tolist()))

    def place(self, vectors: Vector) -> list[tuple[float, float]]:
        """Return x and y of each of some vectors, shape (n, d), as exactly as a screen can be."""
        placed = ((vectors - self.mean) @ self.directions).astype(np.float64).round(DIGITS)
        return [(x, y) for x, y in placed.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class CatalogueMap:
    """Where items are.

    Attributes
    ----------
    axes
        By which whatever has a vector of the same bundle is placed.
    items
        Those of the sample that have a vector, as the page shows them.
    documents
        How many the index has.
    without_vector
        How many of the sample have no vector.
    """

    axes: Axes
    items: tuple[Mapping[str, Any], ...]
    documents: int
    without_vector: int

    def describe(self, size: int) -> dict[str, Any]:
        """Return the map with at most `size` items."""
        whole = len(self.items) + self.without_vector
        lacking = f"{self.without_vector:,} of {whole:,} items have no vector: left out"
        return {
            "items": self.items[:size],
            "documents": self.documents,
            "explained": self.axes.explained,
            "degraded": lacking if self.without_vector else None,
        }


class Maps:
    """Makes maps, and keeps one for each state of an index; safe to share between threads.

    Parameters
    ----------
    cluster
        Where the indices are, for what may take a while.
    title
        The field that names an item, if there is one.
    """

    def __init__(self, cluster: Cluster, title: str | None) -> None:
        self._cluster = cluster
        self._title = title
        self._maps: OrderedDict[str, CatalogueMap] = OrderedDict()
        self._lock = Lock()

    def of(self, live: Live) -> CatalogueMap:
        """Return the map of an index.

        Raises
        ------
        ClusterError
            OpenSearch does not answer.
        """
        with self._lock:
            found = self._maps.pop(live.generation, None) or self._draw(live)
            self._maps[live.generation] = found
            if len(self._maps) > MOST_MAPS:
                self._maps.popitem(last=False)
            return found

    def place(
        self, view: Recommender, user: User, ids: Sequence[str]
    ) -> tuple[dict[str, float] | None, list[Mapping[str, Any]], list[str]]:
        """Return where a user and items are on the map of an index.

        Parameters
        ----------
        view
            Who asks the index.
        user, ids
            Who and what is to be placed.

        Returns
        -------
        tuple
            Where the user is, None without a vector; the items, as on the map; and the ids that
            have no place there.
        """
        live = view.check()
        axes = self.of(live).axes
        placed = self._placed(axes, live, self._read(live, ids))
        (profile,) = view.profiles([user])
        where = None
        if profile.vector is not None:
            ((x, y),) = axes.place(_direction(profile.vector, live)[None])
            where = {"x": x, "y": y}
        there = {one["item_id"] for one in placed}
        return where, placed, [one for one in dict.fromkeys(ids) if one not in there]

    def _draw(self, live: Live) -> CatalogueMap:
        documents = self._read(live, self._sample(live))
        vectors = [_vector(one, live) for one in documents.values()]
        known = [one for one in vectors if one is not None]
        nothing = np.zeros((0, live.encoder.bundle.dimension), dtype=np.float32)
        axes = Axes.of(np.stack(known) if known else nothing)
        items = tuple(self._placed(axes, live, documents))
        return CatalogueMap(axes, items, live.documents, len(vectors) - len(known))

    def _sample(self, live: Live) -> list[str]:
        """Return the ids of random items, the same ones for the same state of the index."""
        order = {"random_score": {"seed": SEED, "field": "_seq_no"}}
        body = {"size": MOST_SAMPLED, "_source": False, "query": {"function_score": order}}
        answer = self._cluster.request("POST", f"/{live.name}/_search", body, whole=True)
        return [hit["_id"] for hit in answer["hits"]["hits"]]

    def _read(self, live: Live, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the documents of `ids` that exist: their vectors, and what the map shows."""
        source = ["vector", *OWN, *([self._title] if self._title else [])]
        found = fetch(self._cluster, live.name, list(dict.fromkeys(ids)), source=source)
        return {item_id: hit["_source"] for item_id, hit in found.items()}

    def _placed(
        self, axes: Axes, live: Live, documents: Mapping[str, Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """Return those of some items that have a vector, as the page shows them."""
        vectors = {one: _vector(document, live) for one, document in documents.items()}
        known = {one: vector for one, vector in vectors.items() if vector is not None}
        if not known:
            return []
        places = axes.place(np.stack([*known.values()]))
        return [
            {
                "item_id": item_id,
                "title": documents[item_id].get(self._title) if self._title else None,
                "x": x,
                "y": y,
                **describe_own(documents[item_id]),
            }
            for item_id, (x, y) in zip(known, places, strict=True)
        ]


def _vector(document: Mapping[str, Any], live: Live) -> Vector | None:
    vector = item_vector(document, live.encoder.bundle)
    return None if vector is None else _direction(vector, live)


def _direction(vector: Vector, live: Live) -> Vector:
    """Return what a vector of an item or a user says of likes: neither bonus nor norm padding."""
    return live.encoder.bundle.item_query(vector)
