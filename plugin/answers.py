"""What OpenSearch answered becomes recommendations: scores to probabilities, two lists to one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from seealso.indexer.documents import item_vector
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.scores import logit, raw_value

from seealso.errors import ClusterError
from seealso.interactions import RESERVED
from seealso.types import Calibration, Path, Source, Space, Vector

Hit = Mapping[str, Any]


def hits_of(response: Mapping[str, Any]) -> list[Hit]:
    """Return the hits of one response of an ``_msearch``.

    Raises
    ------
    ClusterError
        That search failed.
    """
    if "error" in response:
        cause = response["error"]
        while isinstance(cause.get("caused_by"), dict):
            cause = cause["caused_by"]
        reason = (cause.get("root_cause") or [cause])[0]
        raise ClusterError(
            f"OpenSearch refused the search: {reason.get('type')}: {reason.get('reason')}",
            hint="a filter must be valid query DSL; `seealso doctor` checks the index",
            status=response.get("status"),
        )
    found: list[Hit] = response["hits"]["hits"]
    return found


def index_names(hits: Iterable[Hit]) -> set[str]:
    """Return the physical indices that the hits came from."""
    return {hit["_index"] for hit in hits}


def vector_items(hits: Sequence[Hit], path: Path, calibration: Calibration) -> list[Recommendation]:
    """Return the vector list: probabilities computed here, in double precision."""
    items = []
    for hit in hits:
        score = hit["_score"]
        raw = logit(_inside(score), calibration) if path is Path.REFERENCE else raw_value(score)
        items.append(_recommendation(hit, raw, Source.VECTOR, calibration))
    return items


def tail_items(
    hits: Sequence[Hit],
    profile: Vector,
    space: Space,
    calibration: Calibration,
    min_probability: float,
) -> list[Recommendation]:
    """Return the tail list, without items whose known probability is too low.

    BM25 found them; each hit brings its vector along, from which its probability is computed
    here. Items without a vector have none.

    Parameters
    ----------
    hits
        In BM25 order.
    profile
        E_u, unit length, shape (dimension,).
    space, calibration
        Of the index.
    min_probability
        In [0, 1).
    """
    items = []
    for hit in hits:
        vector = item_vector(hit["_source"])
        raw = None
        if vector is not None:
            raw = float(hit["_source"]["importance"]) * similarity(profile, vector, space)
        item = _recommendation(hit, raw, Source.TAIL, calibration)
        if item.probability is None or item.probability >= min_probability:
            items.append(item)
    return items


def similarity(u: Vector, e: Vector, space: Space) -> float:
    """Return the similarity of two unit vectors, shape (dimension,): cosine or 1 / (1 + d)."""
    if space is Space.COSINE:
        return float(u @ e)
    order = 2 if space is Space.EUCLIDEAN else 1
    return 1.0 / (1.0 + float(np.linalg.norm(u - e, ord=order)))


def importance_items(hits: Sequence[Hit]) -> list[Recommendation]:
    """Return the list for an unknown user; nothing is known of its probabilities."""
    return [_recommendation(hit, None, Source.IMPORTANCE, Calibration()) for hit in hits]


def _recommendation(
    hit: Hit, raw: float | None, source: Source, calibration: Calibration
) -> Recommendation:
    document = hit["_source"]
    return Recommendation(
        item_id=hit["_id"],
        probability=None if raw is None else float(calibration.probability(raw)),
        raw=raw,
        score=hit["_score"],
        source=source,
        importance=float(document["importance"]),
        tail=bool(document["tail"]),
        fields={name: value for name, value in document.items() if name not in RESERVED},
    )


def _inside(p: float) -> float:
    # a 32-bit probability can reach 0 or 1, where the logit is infinite
    return min(max(p, 1e-7), 1.0 - 1e-7)
