"""Synthetic catalogues, written to an index: clustered vectors, or joined ones of films multiplied.

An index that an earlier run wrote with the same parameters is used again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np

from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import IndexSettings, Settings
from seealso.indexer.mapping import derive_vectors, index_body
from seealso.log import progress
from seealso.types import Vector

DIMENSION = 384
CLUSTERS = 1000
NOISE = 0.7
"""Length of the noise on a unit centre: items of one cluster have a cosine of about 0.67."""
SPREAD = 0.5
"""Sigma of the lognormal weights, which are bounded to `BOUNDS` as importance is."""
BOUNDS = (0.5, 2.0)
SEED = 7
AT_ONCE = 50_000


VARIETY = 0.4
"""Length of the noise on a copied vector, relative to its own: copies have a cosine of about 0.93
with their original, and 0.86 with each other."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Items without texts.

    Attributes
    ----------
    key
        Names what it was made of; another one is another catalogue.
    vectors
        v_i = w_i * E_i, shape (n, dimension).
    weights
        w_i, shape (n,).
    queries
        What is asked for, shape (queries, dimension).
    """

    key: str
    vectors: Vector
    weights: Vector
    queries: Vector

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """Length of its vectors."""
        return int(self.vectors.shape[1])


def make_catalogue(items: int, *, queries: int = 100) -> Catalogue:
    """Return the synthetic catalogue of that many items; the same every time."""
    random = np.random.default_rng(SEED)
    centres = _unit(random.standard_normal((CLUSTERS, DIMENSION), dtype=np.float32))
    weights = np.exp(SPREAD * random.standard_normal(items, dtype=np.float32)).clip(*BOUNDS)
    asked = _near(centres, queries, random)
    vectors = np.empty((items, DIMENSION), dtype=np.float32)
    for start in range(0, items, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, items))
        vectors[part] = _near(centres, part.stop - start, random) * weights[part, None]
    key = f"{items} {DIMENSION} {CLUSTERS} {NOISE} {SPREAD} {BOUNDS} {SEED}"
    return Catalogue(key, vectors, weights, asked)


def multiply(few: Catalogue, items: int) -> Iterator[tuple[Vector, Vector]]:
    """Make that many items of those of `few`, each copied with noise as often.

    What is zero in a vector stays zero in its copies, for instance the coordinate of cold items.

    Yields
    ------
    vectors, weights
        Of up to `AT_ONCE` items, shapes (n, dimension) and (n,); the same every time.
    """
    random = np.random.default_rng(SEED)
    for start in range(0, items, AT_ONCE):
        copied = random.integers(len(few), size=min(AT_ONCE, items - start))
        some = few.vectors[copied]
        noise = random.standard_normal(some.shape, dtype=np.float32) * (some != 0)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        lengths = np.linalg.norm(some, axis=1, keepdims=True)
        yield some + np.float32(VARIETY) * lengths * noise, few.weights[copied]


def multiply_catalogue(few: Catalogue, items: int) -> Catalogue:
    """Return a catalogue of that many items, those of `few` as `multiply` copies them."""
    vectors = np.empty((items, few.dimension), dtype=np.float32)
    weights = np.empty(items, dtype=np.float32)
    for number, (some, theirs) in enumerate(multiply(few, items)):
        vectors[number * AT_ONCE :][: len(some)] = some
        weights[number * AT_ONCE :][: len(some)] = theirs
    return Catalogue(f"{few.key} x {items} {VARIETY} {SEED}", vectors, weights, few.queries)


def _near(centres: Vector, count: int, random: np.random.Generator) -> Vector:
    noise = random.standard_normal((count, DIMENSION), dtype=np.float32)
    noise *= np.float32(NOISE / np.sqrt(DIMENSION))
    return _unit(noise + centres[random.integers(len(centres), size=count)])


def _unit(rows: Vector) -> Vector:
    unit: Vector = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def fresh_index(
    cluster: Cluster,
    name: str,
    meta: Mapping[str, Any],
    dimension: int = DIMENSION,
    vector_bits: Literal[7, 32] = 32,
) -> None:
    """Create the index `name` as the indexer creates one, in place of one of that name."""
    settings = Settings(index=IndexSettings(alias="bench", vector_bits=vector_bits))
    indices.delete(cluster, name)
    body = index_body(settings, meta, dimension)
    indices.create(cluster, name, derive_vectors(body, cluster.version()))


def document(number: int, catalogue: Catalogue) -> dict[str, Any]:
    """Return the document of one item, with the fields that ranking needs."""
    return ranked_document(number, catalogue.vectors[number], catalogue.weights[number])


def ranked_document(number: int, vector: Vector, weight: float) -> dict[str, Any]:
    """Return the document of the item of that number, with the fields that ranking needs."""
    return {
        "item_id": str(number),
        "importance": float(weight),
        "interactions": 0,
        "tail": False,
        "vector": vector,
    }


def ensure_index(cluster: Cluster, catalogue: Catalogue) -> tuple[str, Mapping[str, Any]]:
    """Return the name of a merged index of `catalogue` and how long writing it took."""
    name, key = f"synthetic-{len(catalogue)}-{catalogue.dimension}", catalogue.key
    if cluster.exists(f"/{name}"):
        there = indices.meta(cluster, name)
        if there.get("build_key") == key and there["state"] == "ready":
            return name, there["written"]
    meta = {"build_key": key, "state": "building"}
    fresh_index(cluster, name, meta, catalogue.dimension)
    written = _write(cluster, name, catalogue)
    indices.put_meta(cluster, name, {"state": "ready", "written": written})
    return name, written


def _write(cluster: Cluster, name: str, catalogue: Catalogue) -> dict[str, Any]:
    started = perf_counter()
    with (
        progress("writing", len(catalogue)) as tick,
        BulkWriter(cluster, name, threads=IndexSettings().threads) as writer,
    ):
        for number in range(len(catalogue)):
            writer.index(str(number), document(number, catalogue))
            if number % 1000 == 999:
                tick(1000)
    loaded = perf_counter() - started
    with progress("merging"):
        indices.finish_loading(cluster, name, replicas=0, merge=True)
    return {
        "load_s": round(loaded, 1),
        "docs_per_s": round(len(catalogue) / loaded),
        "merge_s": round(perf_counter() - started - loaded, 1),
    }
