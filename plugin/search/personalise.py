"""A search body of anyone's, with a user's preference mixed into its score and the rest untouched.

Pure functions: a body goes in, a body comes out. The score of each hit is multiplied by
exp(weight * z), z being how many standard deviations the item is preferred to the mean one. So
hits, their number and what is aggregated over them stay the same, and neither the scale of the
query's scores nor that of the model matters: docs/existing-search.md has the measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from seealso.config import PersonaliseSettings
from seealso.errors import DataError
from seealso.plugin.ranking.options import changed
from seealso.plugin.ranking.searches import KNN_SPACE
from seealso.plugin.search.spread import LEAST, Sample
from seealso.query_templates import render
from seealso.types import Space, Vector

Body = Mapping[str, Any]

EVERYTHING: Body = {"match_all": {}}
"""What a body without a query asks for."""

FOREIGN = {"knn": "query.knn", "retriever": "query", "rank": "query"}
"""Keys of other engines' bodies, and where OpenSearch has what they mean."""


def personalise_settings(
    settings: PersonaliseSettings, *, weight: float | None, window: int | None
) -> PersonaliseSettings:
    """Return `settings` with those of the options that are not None.

    Raises
    ------
    ConfigError
        An option is out of range.
    """
    return changed(settings, {"weight": weight, "window": window})


@dataclass(frozen=True, slots=True)
class Preference:
    """What a user prefers, as a search takes it.

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
            Items of the index, which show how x spreads.
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


def personalised(
    body: Any, preference: Preference | None, window: int | None = None
) -> dict[str, Any]:
    """Return `body` with the preference in its score; as it is, where there is none.

    Parameters
    ----------
    body
        A search body.
    preference
        The user's, if anything is known of them.
    window
        Rank only so many hits of each shard anew, best first: for searches that find very many.
        The clause for it comes behind the rescore clauses that the body has.

    Raises
    ------
    DataError
        The score of this body cannot be changed, or changing it would change the hits; the
        message says why.
    """
    query = _checked(body)
    if window is not None:
        before = _rescores(body, window)
    elif "rescore" in body:
        raise _unfit("rescore", "it rescores by itself", "give a window, to be chained behind")
    if preference is None:
        return dict(body)
    if window is None:
        return {**body, "query": _scored(query, preference), **_highlighted(body, query)}
    again = {"rescore_query": _scored(EVERYTHING, preference), "score_mode": "multiply"}
    return {**body, "rescore": [*before, {"window_size": window, "query": again}]}


def _highlighted(body: Body, query: Body) -> dict[str, Any]:
    """Return the highlight of a body, told which query to mark.

    The fast vector highlighter does not look into a script_score query.
    """
    given = body.get("highlight")
    if not isinstance(given, Mapping):
        return {}
    return {"highlight": {"highlight_query": query, **given}}


def _rescores(body: Body, window: int) -> list[Any]:
    """Return the rescore clauses of a body that can have one more."""
    sort = body.get("sort")
    if sort is not None and _sort_names(sort) != ["_score"]:
        raise _unfit("sort", "OpenSearch cannot rescore what is sorted", "leave out the window")
    for name in ("collapse", "search_after"):
        if name in body:
            raise _unfit(name, f"OpenSearch cannot rescore with {name}", "leave out the window")
    last = _whole(body, "from", 0) + _whole(body, "size", 10)
    if last > window:
        raise _unfit(
            "size", f"from + size is {last}, the window {window}", "let the window reach that far"
        )
    given = body.get("rescore", [])
    return list(given) if isinstance(given, list) else [given]


def _scored(query: Body, preference: Preference) -> Any:
    return orjson.loads(render("personalise", preference.parameters(query)))["query"]


def _checked(body: Any) -> Body:
    """Return the query of a body whose score can be changed without changing its hits."""
    if not isinstance(body, Mapping):
        raise DataError(
            f"a search body is an object, not a {type(body).__name__}",
            hint='for instance {"query": {"match": {"title": "tent"}}}',
            field="body",
        )
    for name, instead in FOREIGN.items():
        if name in body:
            raise _unfit(name, "OpenSearch knows no such key", f"put what it asks for in {instead}")
    if "query" not in body and "suggest" in body and not {"aggs", "aggregations"} & body.keys():
        raise _unfit("suggest", "it only suggests, and finds no hits to rank", "give it a query")
    if _whole(body, "size", 10) == 0:
        raise _unfit("size", "it asks for no hits (size 0)", "send it as it is")
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


def _sort_names(sort: Any) -> list[str]:
    keys = sort if isinstance(sort, list) else [sort]
    return [name for key in keys for name in (key if isinstance(key, Mapping) else [str(key)])]


def _whole(body: Body, name: str, default: int) -> int:
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
