"""The index as it is created: mappings, settings and what it says of itself in ``_meta``.

Every function here is pure: it builds a request and sends nothing.
"""

from collections.abc import Mapping
from typing import Any

from seealso.config import WHOLE_BITS, IndexSettings, Settings
from seealso.encoder import Bundle
from seealso.types import Space
from seealso.version import __version__

NO_PIPELINES: Mapping[str, str] = {
    "default_pipeline": "_none",
    "final_pipeline": "_none",
    "search.default_pipeline": "_none",
}
"""Settings that switch off pipelines; written out, they overrule those of index templates."""

WHOLE_SOURCE: Mapping[str, Any] = {"enabled": True, "includes": [], "excludes": []}
"""The mapping of a ``_source`` that keeps whole documents, whatever a template says of it."""

DERIVED_SOURCE = "index.knn.derived_source.enabled"

LOG_LIMIT = "index.translog.flush_threshold_size"

LOADING_LOG = "2gb"
"""Size of the log of writes at which an index that is loaded closes its segments; 512 MB where
nothing is set. Larger segments need fewer merges, each of which makes their graphs anew."""

SEGMENT_LIMIT = "index.merge.policy.max_merged_segment"

LARGEST_SEGMENT = "500mb"
"""Size up to which OpenSearch merges segments by itself; 5 GB where nothing is set. A larger graph
finds less with as many candidates: what a build measured would no longer be so after a merge."""

LONGEST_KEYWORD = 8191
"""Characters of a keyword that are indexed: Lucene refuses terms over 32766 bytes."""


def index_body(settings: Settings, meta: Mapping[str, Any], dimension: int) -> dict[str, Any]:
    """Return mappings and settings of a new index, ready for loading (no refresh, no replicas).

    Parameters
    ----------
    settings
        Their ``index`` and ``catalogue`` sections are used.
    meta
        What goes to ``_meta.seealso``.
    dimension
        Length of the vectors.
    """
    fields = {**_catalogue_fields(settings), **own_fields(settings, dimension)}
    return loading_body(settings.index, meta, fields)


def loading_body(
    index: IndexSettings, meta: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what `index_body` does, of an index with these fields, whatever is stored there."""
    return {
        "settings": {
            "index.knn": True,
            "index.number_of_shards": index.shards,
            "index.number_of_replicas": 0,
            "index.refresh_interval": "-1",
            LOG_LIMIT: LOADING_LOG,
            SEGMENT_LIMIT: LARGEST_SEGMENT,
            # the segments of a shard beside each other, which 3.0 and later do anyway
            "index.search.concurrent_segment_search.mode": "auto",
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"seealso": dict(meta)},
            "properties": dict(fields),
        },
    }


def keeps_documents(mappings: Mapping[str, Any]) -> bool:
    """Tell whether an index with these mappings keeps whole documents in ``_source``."""
    source = mappings.get("_source", {})
    return source.get("enabled", True) and not (source.get("includes") or source.get("excludes"))


def derives_safely(version: tuple[int, ...]) -> bool:
    """Tell whether the k-NN plugin of this OpenSearch survives a scroll over derived vectors.

    On 3.5.0 the first scroll (a reindex is one, too) closes the vector files of a merged
    segment for good: docs/decisions/0001-derived-source.md.
    """
    return version < (3,)


def derive_vectors(body: Mapping[str, Any], version: tuple[int, ...]) -> dict[str, Any]:
    """Return the body of an index whose vectors are derived on reading, if `version` does it right.

    They are not in the stored ``_source`` then, which takes a third of the size.
    """
    return {**body, "settings": {**body["settings"], DERIVED_SOURCE: derives_safely(version)}}


def own_fields(settings: Settings, dimension: int) -> dict[str, Any]:
    """Return the mapping of the fields that seealso itself writes, by name."""
    index = settings.index
    # the order of w * cos(u, E) is that of the inner product of u with w * E;
    # the other spaces rank by script, the graph is there for the mapping alone
    space = "innerproduct" if index.space is Space.COSINE else "l2"
    return {
        "item_id": {"type": "keyword"},
        "text": {"type": "text", "analyzer": index.analyzer},
        "vector": vector_field(index, dimension, space, rounded=index.rounded),
        "importance": {"type": "float"},
        "interactions": {"type": "integer"},
        "counted": {"type": "object", "enabled": False},
        "tail": {"type": "boolean"},
        "digest": {"type": "keyword", "index": False},
        "updated_at": {"type": "date"},
    }


def vector_field(
    index: IndexSettings, dimension: int, space_type: str, *, rounded: bool = False
) -> dict[str, Any]:
    """Return the mapping of vectors in a graph whose edges OpenSearch measures by `space_type`.

    Where it is `rounded`, the graph has copies of ``vector_bits``; scripts read whole vectors.
    """
    parameters: dict[str, Any] = {"m": index.m, "ef_construction": index.ef_construction}
    if rounded:
        # by default, the largest numbers are clipped to what most are: with importance and
        # behaviour in a vector, these are the ones that matter
        unclipped = {"bits": index.vector_bits, "confidence_interval": 1.0}
        parameters["encoder"] = {"name": "sq", "parameters": unclipped}
    return {
        "type": "knn_vector",
        "dimension": dimension,
        "method": {
            "name": "hnsw",
            "engine": index.engine,
            "space_type": space_type,
            "parameters": parameters,
        },
    }


def _catalogue_fields(settings: Settings) -> dict[str, Any]:
    catalogue = settings.catalogue
    keyword = {"type": "keyword", "ignore_above": LONGEST_KEYWORD}
    return {
        **{name: {"type": "text", "analyzer": settings.index.analyzer} for name in catalogue.text},
        **dict.fromkeys((*catalogue.keywords, *catalogue.lists), keyword),
        **{name: {"type": "double"} for name in catalogue.numbers},
    }


def index_meta(
    settings: Settings, bundle: Bundle, importance: Mapping[str, Any], build_key: str
) -> dict[str, Any]:
    """Return what a new index says of itself.

    Parameters
    ----------
    settings
        Of the build.
    bundle
        The bundle, bound to the catalogue.
    importance
        Parameters that the weights were computed with.
    build_key
        Says which build this is, so that a killed one is found again.
    """
    return {
        "version": __version__,
        "alias": settings.index.alias,
        "state": "building",
        "build_key": build_key,
        "fingerprint": bundle.fingerprint,
        "model_fingerprint": bundle.model_fingerprint,
        "bundle": bundle.name,
        "dimension": bundle.dimension,
        "space": settings.index.space.value,
        "vector_bits": settings.index.vector_bits or WHOLE_BITS,
        "collaborative": bundle.collaborative is not None,
        "images": None
        if bundle.images is None
        else {"weight": bundle.images.weight, "dimension": bundle.images.dimension},
        "text": settings.text.model_dump(mode="json"),
        "importance": dict(importance),
        "calibration": {"b": bundle.calibration.b, "t": bundle.calibration.t},
    }
