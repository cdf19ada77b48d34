"""The searches that lists are made of. Pure functions: profiles in, request bodies out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from seealso.indexer.graph import graph_parameters
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.reranking.places import round_up
from seealso.plugin.scores import logit, score_of
from seealso.query_templates import render, script_id
from seealso.types import Path, Space, Vector

MOST_HITS: Final = 10_000
"""Most hits that OpenSearch gives at once (``index.max_result_window``)."""


BY_WORDS: Final = frozenset({"tail", "group"})
"""Templates that score by words."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search: a query template and its parameters."""

    template: str
    params: Mapping[str, Any]

    def body(self) -> bytes:
        """Return the request body, rendered here."""
        return render(self.template, self.params)

    def stored(self) -> bytes:
        """Return the request body that lets the cluster render its stored copy."""
        stored = {"id": script_id(self.template), "params": self.params}
        return orjson.dumps(stored, option=orjson.OPT_SERIALIZE_NUMPY)

    @property
    def header(self) -> Mapping[str, str]:
        """What is sent beside the body.

        The rarity of a word is counted over all shards together; otherwise a list would change
        with their number. With one shard, OpenSearch leaves that step out by itself.
        """
        return {"search_type": "dfs_query_then_fetch"} if self.template in BY_WORDS else {}


def vector_search(
    vector: Vector, exclude: Sequence[str], criteria: Criteria, context: RankingContext
) -> Search:
    """Return the search for the vector list.

    Parameters
    ----------
    vector
        E_u (or E_i for related items), unit length, shape (dimension,).
    exclude
        Item ids to leave out.
    criteria, context
        What the list must be, and how it is ranked.
    """
    path = context.path
    params = common_parameters(criteria, exclude)
    params["vector"] = vector
    if path is Path.ANN:
        rounded = context.rounded and context.scripts
        ef_search = criteria.ef_search or context.ef_search
        params |= graph_parameters(criteria.size, ef_search, rounded=rounded)
    if path is Path.REFERENCE:
        params |= {"b": context.calibration.b, "T": context.calibration.t}
    # what the graph rounds may be too low by little: who reads the hits leaves out what is too low
    if criteria.min_probability > 0 and "rescore" not in params:
        least = criteria.min_probability
        params["min_score"] = least if path is Path.REFERENCE else _least_score(criteria, context)
    name = f"reference_{context.space.value}" if path is Path.REFERENCE else path.value
    return Search(name, params)


def boosted_search(
    vector: Vector,
    boosts: Boosts,
    exclude: Sequence[str],
    criteria: Criteria,
    context: RankingContext,
) -> Search:
    """Return the search for the named items, which their boosts may bring into the list.

    They are few, so every path scores them by a script. Without scripts, the graph is searched for
    all of them: within so narrow a filter it compares every vector.
    """
    if not context.scripts:
        only = {"ids": {"values": list(boosts.named)}}
        size = min(len(boosts.named), MOST_HITS)
        every = replace(criteria.narrow([only]), size=size, min_probability=0.0)
        return vector_search(vector, exclude, every, replace(context, path=Path.ANN))
    params = common_parameters(criteria, exclude)
    params |= {"vector": vector, "space": KNN_SPACE[context.space]}
    params |= {"ids": list(boosts.named), "boosts": boosts.named}
    if criteria.min_probability > 0:
        params["min_score"] = _least_score(criteria, context)
    return Search("boosted", params)


def tail_search(
    words: str,
    vector: Vector | None,
    exclude: Sequence[str],
    criteria: Criteria,
    space: Space,
) -> Search:
    """Return the search for the tail list: BM25 over tail items and those without a vector.

    It brings as many items as the tail's share has places: a list cannot need more.

    Parameters
    ----------
    words
        What is searched for.
    vector
        Scores the hits, shape (dimension,); None where their similarity is not needed.
    exclude
        Item ids to leave out.
    criteria, space
        What the list must be, and the similarity that the index was built for.
    """
    params = common_parameters(criteria, exclude)
    params |= {"vector": vector, "space": KNN_SPACE[space]}
    if criteria.min_probability == 0:
        params["size"] = round_up(criteria.size, criteria.tail_share)
    params["words"] = words
    params["fields"] = [
        f"{name}^{weight:g}" for name, weight in criteria.field_weights.items()
    ] or ["text"]
    return Search("tail", params)


def importance_search(exclude: Sequence[str], criteria: Criteria) -> Search:
    """Return the search for a user of whom nothing is known: the most important items."""
    return Search("importance", common_parameters(criteria, exclude))


def _least_score(criteria: Criteria, context: RankingContext) -> float:
    """Return the score of an item of the least probability that criteria allow."""
    return score_of(logit(criteria.min_probability, context.calibration))


KNN_SPACE = {Space.COSINE: "innerproduct", Space.EUCLIDEAN: "l2", Space.MANHATTAN: "l1"}
"""What the templates call each space."""


def common_parameters(criteria: Criteria, exclude: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that every template takes."""
    params: dict[str, Any] = {"size": criteria.size}
    if exclude:
        params["exclude"] = exclude
    if criteria.filters:
        params["filter"] = list(criteria.filters)
    if criteria.fields is not None:
        params["source"] = ["item_id", "importance", "tail", *criteria.fields]
    return params
