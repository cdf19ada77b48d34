"""The items of the benchmarks of lists: titles of films, each several times with a little noise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.measure import machine
from benchmarks.node import ROOT, running_node
from benchmarks.synthetic import BOUNDS, SPREAD
from seealso.api import export_model
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import EncoderSettings, IndexSettings, Settings
from seealso.encoder import Bundle, BundleStore, item_encoder
from seealso.indexer.binding import bind_to_catalogue
from seealso.indexer.documents import stored_vector
from seealso.indexer.mapping import derive_vectors, index_body, index_meta
from seealso.log import progress
from seealso.readers import FileSource, Problems, read_items
from seealso.types import Item, Space, Vector

CATALOGUE = "examples/ml-latest-small/movies.csv.gz"
ALIAS = "recommending"
NOISE = 0.3
"""Length of the noise that tells the copies of a title apart."""
TAIL_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Films:
    """A real catalogue: titles, what is kept of each, and vectors, shape (films, dimension)."""

    titles: list[str]
    genres: list[list[str]]
    vectors: Vector
    bundle: Bundle


def read_films(settings: Settings) -> Films:
    """Read the films and bind the bundle to them."""
    source = FileSource(settings.catalogue.path) if settings.catalogue.path else None
    if source is None:
        raise AssertionError("the benchmark names its catalogue")
    items: list[Item] = []
    for batch in read_items(source, settings.catalogue, Problems("skip")):
        items += batch
    base = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    titles = [str(item.fields["title"]) for item in items]
    bundle = bind_to_catalogue(base, titles, settings)
    genres = [list(item.fields.get("genres", ())) for item in items]
    with progress("encoding titles", len(items)) as tick:
        vectors = item_encoder(bundle, settings).encode_items(titles, tick=tick)
    return Films(titles, genres, vectors, bundle)


def write_index(cluster: Cluster, settings: Settings, films: Films, items: int) -> None:
    """Write the index behind the alias, merged, with the bundle's fingerprint."""
    random = np.random.default_rng(7)
    name = indices.new_name(ALIAS)
    for old in indices.list_indices(cluster, ALIAS):
        indices.delete(cluster, old.name)
    meta = index_meta(settings, films.bundle, {}, "recommending")
    body = index_body(settings, meta, films.bundle.dimension)
    indices.create(cluster, name, derive_vectors(body, cluster.version()))
    with progress("writing", items) as tick, BulkWriter(cluster, name) as writer:
        for number in range(items):
            writer.index(str(number), _document(number, films, random))
            tick(1)
    with progress("merging"):
        indices.finish_loading(cluster, name, replicas=0, merge=True)
    indices.put_meta(cluster, name, {"state": "ready"})
    indices.point_alias(cluster, ALIAS, name)


def _document(number: int, films: Films, random: np.random.Generator) -> dict[str, Any]:
    place = number % len(films.titles)
    dimension = films.bundle.dimension
    noise = random.standard_normal(dimension, dtype=np.float32) * NOISE / np.sqrt(dimension)
    vector = (films.vectors[place] + noise).astype(np.float32)
    weight = float(np.exp(SPREAD * random.standard_normal()).clip(*BOUNDS))
    return {
        "item_id": str(number),
        "title": films.titles[place],
        "genres": films.genres[place],
        "text": films.titles[place],
        "importance": weight,
        "interactions": 1,
        "tail": bool(random.random() < TAIL_SHARE),
        "vector": stored_vector(vector / np.linalg.norm(vector), weight, Space.COSINE),
    }


@dataclass(frozen=True, eq=False)
class Stage:
    """A node with an index of films, and what it was made with.

    Attributes
    ----------
    cluster, settings
        Where, and how.
    films
        What the items are made of.
    machine
        What it ran on.
    """

    cluster: Cluster
    settings: Settings
    films: Films
    machine: Mapping[str, Any]


@contextmanager
def film_index(items: int) -> Iterator[Stage]:
    """Start a node, write so many items to it, and stop it in the end."""
    settings = Settings.model_validate(
        {
            "catalogue": {
                "path": CATALOGUE,
                "rename": {"movieId": "item_id"},
                "lists": {"genres": "|"},
            },
            "text": {"item": "{{ title }}"},
            "index": IndexSettings(alias=ALIAS),
            "encoder": EncoderSettings(cache=ROOT / "vectors.sqlite"),
        }
    )
    ROOT.mkdir(parents=True, exist_ok=True)
    if not BundleStore(settings.encoder.store).has(settings.encoder.bundle):
        export_model(settings)
    films = read_films(settings)
    with running_node("2g") as (cluster, facts):
        known = machine(facts)
        write_index(cluster, settings, films, items)
        yield Stage(cluster, settings, films, known)
