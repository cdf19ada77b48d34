"""What came of the lists that were written to UBI: how many events they led to, and what they show.

It is computed from the newest rows of ``ubi.queries`` that have had an hour for their events, and
from the live events that name these lists: the same, whichever process made the lists.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.events_index import events_name

MOST_LISTS: Final = 1000
"""Lists that are looked at, the newest."""

MOST_EVENTS: Final = 10_000
"""Events that are looked at: as many as one search may return."""

NEWEST: Final = "now-1h"
"""Lists after that may still get their events."""

OLDEST: Final = "now-25h"

TAIL: Final = "tail"
"""Attribute of a row: how many places have items of the long tail."""

EXPECTED: Final = "expected"
"""Attribute of a row: the sum of the probabilities of its items."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of some lists.

    Attributes
    ----------
    lists
        How many there are.
    click_through
        Share of them in which at least one item has an event.
    coverage
        Share of the items of the index that are in one of them.
    tail_share
        Share of their places that have items of the long tail; None where no row says so.
    calibration
        Of lists for users, those with an event divided by the sum of all probabilities, each of
        which is that of the very next choice: 1 if as many have one as was predicted. None where
        no row says so.
    """

    lists: int
    click_through: float
    coverage: float
    tail_share: float | None
    calibration: float | None


def measure_outcomes(cluster: Cluster, settings: Settings, items: int) -> Outcomes | None:
    """Return what came of the lists of the last day; None where there are none.

    Parameters
    ----------
    cluster, settings
        Where; ``ubi`` and ``index.alias`` are used.
    items
        Documents of the index.

    Raises
    ------
    ClusterError
        OpenSearch does not answer or refuses.
    """
    rows = _search(cluster, settings.ubi.queries, lists_body(settings))
    if not rows:
        return None
    ids = [one["query_id"] for one in rows]
    events = _search(cluster, events_name(settings.index.alias), events_body(ids))
    return summarise(rows, {(one["query_id"], one["item"]) for one in events}, items)


def lists_body(settings: Settings) -> dict[str, Any]:
    """Return the search for the rows of lists; pure."""
    clauses: list[dict[str, Any]] = [
        {"range": {"timestamp": {"gte": OLDEST, "lt": NEWEST}}},
        {"term": {"application": settings.ubi.application}},
        {"prefix": {"query_attributes.index": f"{settings.index.alias}-"}},
    ]
    return {
        "size": MOST_LISTS,
        "query": {"bool": {"filter": clauses}},
        "sort": [{"timestamp": "desc"}],
        "_source": ["query_id", "query_response_hit_ids", "query_attributes"],
    }


def events_body(query_ids: Sequence[str]) -> dict[str, Any]:
    """Return the search for the events that name lists; pure."""
    return {
        "size": MOST_EVENTS,
        "query": {"bool": {"filter": {"terms": {"query_id": query_ids}}}},
        "_source": ["query_id", "item"],
    }


def summarise(rows: Sequence[Row], events: Collection[tuple[str, str]], items: int) -> Outcomes:
    """Return what came of lists; pure.

    Parameters
    ----------
    rows
        Of the lists.
    events
        Lists and items of events; those of an item that is not in its list do not count.
    items
        Documents of the index.
    """
    chosen = [any((one["query_id"], item) in events for item in _ids(one)) for one in rows]
    covered = {item for one in rows for item in _ids(one)}
    tails = [(one, float(one["query_attributes"][TAIL])) for one in rows if _says(one, TAIL)]
    places = sum(len(_ids(one)) for one, _ in tails)
    expecting = [
        (led, float(one["query_attributes"][EXPECTED]))
        for one, led in zip(rows, chosen, strict=True)
        if _says(one, EXPECTED)
    ]
    expected = sum(one for _, one in expecting)
    return Outcomes(
        len(rows),
        sum(chosen) / len(rows),
        min(len(covered) / items, 1.0) if items else 0.0,
        sum(tail for _, tail in tails) / places if places else None,
        sum(led for led, _ in expecting) / expected if expected else None,
    )


def _ids(row: Row) -> Sequence[str]:
    found: Sequence[str] = row.get("query_response_hit_ids") or ()
    return found


def _says(row: Row, name: str) -> bool:
    return name in row.get("query_attributes", {})


def _search(cluster: Cluster, index: str, body: Mapping[str, Any]) -> list[Row]:
    # there may be no list and no event yet
    params = {"ignore_unavailable": "true"}
    answer = cluster.request("POST", f"/{index}/_search", body, params, whole=True)
    return [hit["_source"] for hit in answer["hits"]["hits"]]
