"""What live events add to the importance of an item, on the scale that the index was built with.

Decay runs forward: an item of the build keeps its score, and an event after the build weighs
2 ** (time since the build / half-life). That ranks as halving all older events would, and changes
no item that nobody chose (Cormode et al. 2009, Forward Decay).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from seealso.cluster.conditional import Change
from seealso.indexer.events.store import EventStore
from seealso.indexer.importance import weights_of
from seealso.indexer.refresh import LEAST_CHANGE, rescaling
from seealso.interactions.live import micros

DOUBLINGS: Final = 60.0
"""Most half-lives that an event can be after the build: by then it outweighs all that was."""

TYPES: Final = 200
"""Most event types that are told apart."""

FIELDS: Final = ("importance", "interactions", "counted", "tail")
"""Fields that a new importance is made from."""

WEIGHED = """
Math.pow(2.0, Math.min(params.most,
  (doc['micros'].value - params.since) / params.half_life))
"""

DAY: Final = 86_400_000_000.0
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What the live events of one item add up to.

    Attributes
    ----------
    interactions
        Events of a type that counts.
    score
        Sum of their weights, forward-decayed.
    values
        Sum of their values.
    """

    interactions: int = 0
    score: float = 0.0
    values: float = 0.0


NOTHING: Final = Gain()


def newer(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query for the events that the build has not counted: those after its newest."""
    as_of = parameters.get("as_of")
    if as_of is None:
        return {"exists": {"field": "item"}}
    return {"range": {"micros": {"gt": micros(datetime.fromisoformat(as_of))}}}


def gains(
    store: EventStore, items: Sequence[str], parameters: Mapping[str, Any]
) -> dict[str, Gain]:
    """Add up the live events of some items, in the cluster and in one request.

    Parameters
    ----------
    store
        Where they are.
    items
        At most some thousand.
    parameters
        Of the importance, as the index records them.
    """
    if not items:
        return {}
    per_type: dict[str, Any] = {"values": {"sum": {"field": "value"}}}
    if parameters.get("half_life_days") and parameters.get("as_of"):
        since = micros(datetime.fromisoformat(parameters["as_of"]))
        params = {
            "most": DOUBLINGS,
            "since": since,
            "half_life": float(parameters["half_life_days"]) * DAY,
        }
        per_type["decayed"] = {"sum": {"script": {"source": WEIGHED, "params": params}}}
    body = {
        "size": 0,
        "query": {"bool": {"filter": [{"terms": {"item": list(items)}}, newer(parameters)]}},
        "aggs": {
            "items": {
                "terms": {"field": "item", "size": len(items)},
                "aggs": {"types": {"terms": {"field": "type", "size": TYPES}, "aggs": per_type}},
            }
        },
    }
    found = store.cluster.request("POST", f"/{store.name}/_search", body)
    weights = parameters.get("weights", {})
    return {
        bucket["key"]: _gain(bucket["types"]["buckets"], weights)
        for bucket in found["aggregations"]["items"]["buckets"]
    }


def _gain(types: Sequence[Mapping[str, Any]], weights: Mapping[str, float]) -> Gain:
    total = NOTHING
    for one in types:
        weight = float(weights.get(one["key"], 1.0))
        if weight:
            count = int(one["doc_count"])
            decayed = one["decayed"]["value"] if "decayed" in one else count
            total = Gain(
                total.interactions + count,
                total.score + weight * decayed,
                total.values + one["values"]["value"],
            )
    return total


def raised(weight: float, interactions: int, gain: Gain, parameters: Mapping[str, Any]) -> float:
    """Return w with live events on top of it.

    An expression is left alone: what it was made of is not in the index. So is an index without
    any event at its build: it has no scale yet.

    Parameters
    ----------
    weight, interactions
        Of the item without them.
    gain
        What they add up to.
    parameters
        Of the importance, as the index records them.
    """
    floor, ceiling = float(parameters["floor"]), float(parameters["ceiling"])
    if gain == NOTHING or parameters["kind"] == "expression" or ceiling == floor:
        return weight
    share = (weight - floor) / (ceiling - floor)
    if parameters["kind"] == "events":
        score = np.expm1(share * np.log1p(float(parameters["reference"]))) + gain.score
        return float(weights_of(np.array([max(score, 0.0)]), parameters)[0])
    low, high = float(parameters["low"]), float(parameters["high"])
    prior, mean = float(parameters["prior"]), low + share * (high - low)
    rated = prior + interactions
    total = rated + gain.interactions
    value = (mean * rated + gain.values) / total if total else mean
    return float(weights_of(np.array([value]), parameters)[0])


def change_of(
    document: Mapping[str, Any], gain: Gain, parameters: Mapping[str, Any], *, weigh: bool
) -> Change | None:
    """Return what becomes of an item's document, or None where it is right already.

    Parameters
    ----------
    document
        Its `FIELDS`.
    gain
        What its live events add up to.
    parameters
        Of the importance, as the index records them.
    weigh
        Whether the vector carries the importance.
    """
    now = {"importance": document["importance"], "interactions": document["interactions"]}
    before = document.get("counted") or now
    weight = raised(before["importance"], before["interactions"], gain, parameters)
    interactions = before["interactions"] + gain.interactions
    same = abs(weight - now["importance"]) < LEAST_CHANGE and interactions == now["interactions"]
    if same:
        return None
    params = {
        "importance": weight,
        "interactions": interactions,
        "tail": interactions <= parameters["tail_threshold"],
        "weigh": weigh,
    }
    counted = {} if gain == NOTHING else {"counted": before}
    return Change("update", rescaling({**params, **counted}))
