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
from seealso.indexer.live import LiveIndex
from seealso.indexer.refresh import LEAST_CHANGE, rescaling
from seealso.types import Space, to_micros

DOUBLINGS: Final = 60.0
"""Most half-lives that an event can be after the build: by then it outweighs all that was."""

FIELDS: Final = ("importance", "interactions", "counted", "tail")
"""Fields that a new importance is made from."""

EMPTY: Final = """
state.interactions = 0L; state.score = 0.0; state.values = 0.0; state.newest = new HashMap();
"""

COUNT: Final = """
String type = doc['type'].value;
double weight = params.weights.containsKey(type) ? params.weights[type] : 1.0;
if (weight == 0.0) { return }
long time = doc['micros'].value;
if (params.half_life > 0) {
  weight *= Math.pow(2.0, Math.min(params.most, (time - params.since) / params.half_life));
}
double value = doc['value'].value;
if (params.per_user == 0 || doc['user'].size() == 0) {
  state.interactions += 1; state.score += weight; state.values += value;
  return;
}
def kept = state.newest.computeIfAbsent(doc['user'].value + ' ' + type, key -> new ArrayList());
int place = 0;
while (place < kept.size() && kept.get(place)[0] >= time) { place++ }
if (place < params.per_user) {
  kept.add(place, [time, weight, value]);
  if (kept.size() > params.per_user) { kept.remove((int) params.per_user) }
}
"""
"""Adds one event to the sums of its item. Of those of one type by one user, the newest count, as
in the build; those of nobody count each."""

SUM: Final = """
for (def kept : state.newest.values()) {
  for (def one : kept) {
    state.interactions += 1; state.score += one[1]; state.values += one[2];
  }
}
return [state.interactions, state.score, state.values];
"""

ADD: Final = """
long interactions = 0; double score = 0; double values = 0;
for (one in states) { interactions += one[0]; score += one[1]; values += one[2] }
return [interactions, score, values];
"""
"""Adds up shards; the index of events has one, as the events of a user must stand together."""

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
    return {"range": {"micros": {"gt": to_micros(datetime.fromisoformat(as_of))}}}


def sum_gains(
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
    decays = parameters.get("half_life_days") and parameters.get("as_of")
    params = {
        "weights": {name: float(one) for name, one in parameters.get("weights", {}).items()},
        # an index of an earlier version has no limit
        "per_user": int(parameters.get("per_user", 0)),
        "most": DOUBLINGS,
        # such an aggregation takes no null
        "half_life": float(parameters["half_life_days"]) * DAY if decays else 0.0,
        "since": to_micros(datetime.fromisoformat(parameters["as_of"])) if decays else 0,
    }
    counted = {
        "init_script": EMPTY,
        "map_script": COUNT,
        "combine_script": SUM,
        "reduce_script": ADD,
        "params": params,
    }
    body = {
        "size": 0,
        "query": {"bool": {"filter": [{"terms": {"item": list(items)}}, newer(parameters)]}},
        "aggs": {
            "items": {
                "terms": {"field": "item", "size": len(items)},
                "aggs": {"counted": {"scripted_metric": counted}},
            }
        },
    }
    found = store.cluster.request("POST", f"/{store.name}/_search", body, whole=True)
    sums = {
        one["key"]: one["counted"]["value"] for one in found["aggregations"]["items"]["buckets"]
    }
    return {item: Gain(int(one[0]), one[1], one[2]) for item, one in sums.items() if one[0]}


def raise_weight(
    weight: float, interactions: int, gain: Gain, parameters: Mapping[str, Any]
) -> float:
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
        # an item without events has a weight, but no score that it was made from
        known = np.expm1(share * np.log1p(float(parameters["reference"]))) if interactions else 0.0
        score = known + gain.score
        return float(weights_of(np.array([max(score, 0.0)]), parameters)[0])
    low, high = float(parameters["low"]), float(parameters["high"])
    prior, mean = float(parameters["prior"]), low + share * (high - low)
    rated = prior + interactions
    total = rated + gain.interactions
    value = (mean * rated + gain.values) / total if total else mean
    return float(weights_of(np.array([value]), parameters)[0])


def derive_change(document: Mapping[str, Any], gain: Gain, live: LiveIndex) -> Change | None:
    """Return what becomes of an item's document, or None where it is right already.

    Parameters
    ----------
    document
        Its `FIELDS`.
    gain
        What its live events add up to.
    live
        The index that holds it.
    """
    parameters = live.meta["importance"]
    now = {"importance": document["importance"], "interactions": document["interactions"]}
    before = document.get("counted") or now
    weight = raise_weight(before["importance"], before["interactions"], gain, parameters)
    interactions = before["interactions"] + gain.interactions
    same = abs(weight - now["importance"]) < LEAST_CHANGE and interactions == now["interactions"]
    if same:
        return None
    params = {
        "importance": weight,
        "interactions": interactions,
        "tail": interactions <= parameters["tail_threshold"],
        "weigh": live.space is Space.COSINE,
        "cold_coordinate": live.cold_coordinate,
    }
    counted = {} if gain == NOTHING else {"counted": before}
    return Change("update", rescaling({**params, **counted}))


def derive_changes(
    store: EventStore, documents: Mapping[str, Mapping[str, Any] | None], live: LiveIndex
) -> dict[str, Change]:
    """Return what becomes of items' documents; those that are right, or no items, are left out.

    Parameters
    ----------
    store
        The live events.
    documents
        Their `FIELDS`, by the ids of the items; None where there is none.
    live
        The index that holds them.
    """
    found = sum_gains(store, list(documents), live.meta["importance"])
    changes = {}
    for item_id, document in documents.items():
        if document is None or not is_weighed(document):
            continue
        if change := derive_change(document, found.get(item_id, NOTHING), live):
            changes[item_id] = change
    return changes


def is_weighed(document: Mapping[str, Any]) -> bool:
    """Tell whether a document has an importance: not if its owner wrote it after an attach."""
    return "importance" in document
