"""What OpenSearch answered becomes recommendations: scores to probabilities."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seealso.cluster.blocks import blocked
from seealso.cluster.failures import first_cause
from seealso.errors import ClusterError
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.scores import logit, raw_value
from seealso.plugin.serving import EXPENSIVE, ScriptsRefused
from seealso.readers import RESERVED
from seealso.types import Calibration, Path, Source

Hit = Mapping[str, Any]

REFUSED = "a filter must be valid query DSL; `seealso doctor` checks the index"

ALLOW = (
    f"let the cluster allow it (PUT _cluster/settings, {EXPENSIVE}: true), or rank by path auto or "
    "ann, without prefixes, ranges of keywords and scripts in filters"
)


def hits_of(response: Mapping[str, Any]) -> list[Hit]:
    """Return the hits of one response of an ``_msearch``.

    Raises
    ------
    ScriptsRefused
        The cluster runs no scripts in searches.
    ClusterError
        That search failed.
    """
    if "error" in response:
        if (error := blocked("the index", first_cause(response["error"]))) is not None:
            raise error
        cause = response["error"]
        while isinstance(cause.get("caused_by"), dict):
            cause = cause["caused_by"]
        reason = (cause.get("root_cause") or [cause])[0]
        message = f"OpenSearch refused the search: {reason.get('type')}: {reason.get('reason')}"
        if EXPENSIVE in message:
            raise scripts_refused(message)
        raise ClusterError(message, hint=REFUSED, status=response.get("status"))
    found: list[Hit] = response["hits"]["hits"]
    return found


def scripts_refused(message: str) -> ScriptsRefused:
    """Return the error of a cluster that runs no scripts, nor other expensive queries."""
    return ScriptsRefused(message, hint=ALLOW, setting=EXPENSIVE)


def missing_part(responses: Iterable[Mapping[str, Any]]) -> str:
    """Return what a person should know of answers that are not whole; empty where all are.

    A list of what could be searched is better than none, if it says so.
    """
    lost = total = 0
    late = False
    for one in responses:
        shards = one.get("_shards", {})
        missing = shards.get("total", 0) - shards.get("successful", 0)
        if missing > lost:
            lost, total = missing, shards["total"]
        late = late or bool(one.get("timed_out"))
    found = [f"{lost} of {total} shards did not answer"] if lost else []
    found += ["the search ran out of time"] if late else []
    return f"a part is missing: {' and '.join(found)}" if found else ""


def vector_items(hits: Sequence[Hit], path: Path, calibration: Calibration) -> list[Recommendation]:
    """Return the vector list: probabilities computed here, in double precision."""
    return [
        recommendation(hit, raw_of(hit["_score"], path, calibration), Source.VECTOR, calibration)
        for hit in hits
    ]


def raw_of(score: float, path: Path, calibration: Calibration) -> float:
    """Return x = w * similarity for a score of the vector list."""
    return logit(_inside(score), calibration) if path is Path.REFERENCE else raw_value(score)


def tail_items(
    hits: Sequence[Hit], calibration: Calibration, min_probability: float
) -> list[Recommendation]:
    """Return the tail list in BM25 order, without items whose known probability is too low.

    The template's script field ``x`` is each item's w * similarity; items without a vector have
    none, and no probability.
    """
    items = [recommendation(hit, _script_value(hit), Source.TAIL, calibration) for hit in hits]
    return keep_likely(items, min_probability)


def keep_likely(items: Iterable[Recommendation], least: float) -> list[Recommendation]:
    """Return the items without those whose probability is known to be too low."""
    return [item for item in items if item.probability is None or item.probability >= least]


def _script_value(hit: Hit) -> float | None:
    (value,) = hit.get("fields", {}).get("x", [None])
    return None if value is None else float(value)


def importance_items(hits: Sequence[Hit]) -> list[Recommendation]:
    """Return the list for an unknown user; nothing is known of its probabilities."""
    return [recommendation(hit, None, Source.IMPORTANCE, Calibration()) for hit in hits]


def recommendation(
    hit: Hit, raw: float | None, source: Source, calibration: Calibration
) -> Recommendation:
    """Return the recommendation that a hit stands for; `raw` is None where no x is known."""
    document = hit["_source"]
    return Recommendation(
        item_id=hit["_id"],
        probability=None if raw is None else float(calibration.probability(raw)),
        raw=raw,
        score=hit["_score"],
        source=source,
        # what an owner wrote since an index was attached has neither yet
        importance=float(document.get("importance", 0.0)),
        tail=is_tail(hit),
        fields={name: value for name, value in document.items() if name not in RESERVED},
    )


def is_tail(hit: Hit) -> bool:
    """Return whether a hit is of the long tail; what was never counted is."""
    return bool(hit["_source"].get("tail", True))


def _inside(p: float) -> float:
    # a 32-bit probability can reach 0 or 1, where the logit is infinite
    return min(max(p, 1e-7), 1.0 - 1e-7)
