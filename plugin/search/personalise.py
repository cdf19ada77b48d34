"""Adds a user's preference to the score of any search body; the rest of the body stays the same.

Pure functions: a body goes in, a body comes out. The score of each hit is multiplied by
exp(weight * z), where z is how many standard deviations the user prefers the item to an average
one. So hits, their number and aggregations stay the same, and neither the scale of the query's
scores nor that of the model matters: docs/how-to/attach-to-an-existing-search.md
has the measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from seealso.errors import DataError
from seealso.plugin.ranking.searches import KNN_SPACE
from seealso.plugin.search.spread import LEAST, Sample
from seealso.query_templates import render
from seealso.types import Space, Vector

Body = Mapping[str, Any]

EVERYTHING: Body = {"match_all": {}}
"""The query of a body that has none."""

FOREIGN = {"knn": "query.knn", "retriever": "query", "rank": "query"}
"""Keys of other engines' bodies, and their place in OpenSearch."""


@dataclass(frozen=True, slots=True)
class Preference:
    """What a user prefers, as a search needs it.

    Attributes
    ----------
    vector
        E_u, unit length, shape (dimension,).
    space
        Similarity that the index was built for.
    weight
        How much one unit of x counts: the score is multiplied by exp(weight * (x - neutral)).
    neutral
        x of an item that is neither liked nor disliked.
    """

    vector: Vector
    space: Space
    weight: float
    neutral: float

    @classmethod
    def of(cls, vector: Vector, sample: Sample, weight: float) -> "Preference":
        """Return the preference for which a standard deviation of x counts `weight`.

        Parameters
        ----------
        vector
            E_u.
        sample
            Items of the index: they show how x spreads.
        weight
            As in the settings.
        """
        spread = sample.spread(vector)
        each = weight / spread.deviation if spread.deviation > LEAST else 0.0
        return cls(vector, sample.space, each, spread.mean)

    def parameters(self, query: Body) -> dict[str, Any]:
        """Return the parameters of the template ``personalise`` for `query`."""
        return {
            "query": query,
            "vector": self.vector,
            "weight": self.weight,
            "space": KNN_SPACE[self.space],
            "neutral": self.neutral,
        }


def personalise_body(
    body: Body, preference: Preference | None, window: int | None = None
) -> dict[str, Any]:
    """Return `body` with the preference in its score; unchanged, if there is none.

    Parameters
    ----------
    body
        A search body.
    preference
        The user's, if anything is known of them.
    window
        Score only this many hits of each shard again, best first: for searches that find very
        many. The clause for it follows the rescore clauses that the body has.

    Raises
    ------
    DataError
        The score of this body cannot be changed, or a changed score would change the hits; the
        message says why.
    """
    query = _check_body(body)
    if window is not None:
        before = _read_rescores(body, window)
    elif "rescore" in body:
        raise _unfit("rescore", "it has a rescore of its own", "set a window")
    if preference is None:
        return dict(body)
    if window is None:
        return {**body, "query": _score(query, preference), **_highlight(body, query)}
    again = {"rescore_query": _score(EVERYTHING, preference), "score_mode": "multiply"}
    return {**body, "rescore": [*before, {"window_size": window, "query": again}]}


def _highlight(body: Body, query: Body) -> dict[str, Any]:
    """Return the highlight of a body with the query to mark.

    The fast vector highlighter does not look into a script_score query.
    """
    highlight = body.get("highlight")
    if not isinstance(highlight, Mapping):
        return {}
    return {"highlight": {"highlight_query": query, **highlight}}


def _read_rescores(body: Body, window: int) -> list[Any]:
    """Return the rescore clauses of a body that can have one more."""
    sort = body.get("sort")
    if sort is not None and _sort_names(sort) != ["_score"]:
        raise _unfit("sort", "OpenSearch cannot rescore a sorted search", "leave out the window")
    for name in ("collapse", "search_after"):
        if name in body:
            raise _unfit(name, f"OpenSearch cannot rescore with {name}", "leave out the window")
    last = _read_number(body, "from", 0) + _read_number(body, "size", 10)
    if last > window:
        raise _unfit(
            "size", f"from + size is {last}, the window {window}", "let the window reach that far"
        )
    rescores = body.get("rescore", [])
    return list(rescores) if isinstance(rescores, list) else [rescores]


def _score(query: Body, preference: Preference) -> Any:
    return orjson.loads(render("personalise", preference.parameters(query)))["query"]


def _check_body(body: Body) -> Body:
    """Return the query of a body whose score can be changed without changing its hits."""
    if not isinstance(body, Mapping):
        raise DataError(
            f"a search body is an object, not a {type(body).__name__}",
            hint='for instance {"query": {"match": {"title": "tent"}}}',
            field="body",
        )
    for name, instead in FOREIGN.items():
        if name in body:
            raise _unfit(name, "OpenSearch knows no such key", f"put its contents into {instead}")
    if "query" not in body and "suggest" in body and not {"aggs", "aggregations"} & body.keys():
        raise _unfit("suggest", "it only suggests, and finds no hits to rank", "give it a query")
    if _read_number(body, "size", 10) == 0:
        raise _unfit("size", "it requests no hits (size 0)", "send it as it is")
    if body.get("min_score") is not None:
        raise _unfit(
            "min_score",
            "it would be compared with the changed scores, and other hits found",
            "leave it out",
        )
    sort = body.get("sort")
    if sort is not None and "_score" not in (names := _sort_names(sort)):
        raise _unfit(
            "sort",
            f"it is sorted by {', '.join(names)}, so that no score counts",
            "sort by _score too, for instance behind the others",
        )
    query = body.get("query", EVERYTHING)
    if not isinstance(query, Mapping):
        raise DataError(
            f"query: must be a query DSL clause, not {query!r:.60}",
            hint='for instance {"match": {"title": "tent"}}',
            field="query",
        )
    if "hybrid" in query:
        raise _unfit(
            "query",
            "a hybrid query must be the outermost, and its scores are made by a pipeline",
            "personalise the queries that it is made of",
        )
    return query


def _sort_names(sort: object) -> list[str]:
    keys = sort if isinstance(sort, list) else [sort]
    return [name for key in keys for name in (key if isinstance(key, Mapping) else [str(key)])]


def _read_number(body: Body, name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise DataError(
            f"{name}: must be a whole number from 0 on, not {value!r:.60}",
            hint=f'for instance "{name}": {default}',
            field=name,
        )
    return value


def _unfit(field: str, reason: str, hint: str) -> DataError:
    return DataError(f"this body cannot be personalised: {reason}", hint=hint, field=field)
