"""Brings items that a caller names into a user's order, each with its own value, seen or not.

Every item of the index has a place: those without a vector stand behind the others, by importance.
What has none is named, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from seealso.plugin.ranking.answers import Response, hits_of, missing_part
from seealso.plugin.ranking.candidates import HitReader
from seealso.plugin.ranking.options import Criteria, Filter
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.ranking.requests import ListRequest, Query
from seealso.plugin.ranking.searches import importance_search, vector_search
from seealso.plugin.recommendations import Recommendation, join_notes
from seealso.plugin.reranking.draft import ByValue
from seealso.plugin.rules.ruling import without

MOST_ITEMS: Final = 1_000
"""Most items that one request brings into an order."""

VECTORLESS: Final[Filter] = without({"exists": {"field": "vector"}})
"""What no vector ranks."""

UNSURE: Final = "some of the unknown items may be there"


@dataclass(frozen=True, slots=True)
class OrderedItems:
    """What became of the items.

    Attributes
    ----------
    items
        Best first.
    unknown, blocked
        Those that the index does not hold, and those that the user must not be shown.
    note
        What a person should know, for instance that a part is missing.
    """

    items: tuple[Recommendation, ...]
    unknown: tuple[str, ...]
    blocked: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class NamedItems:
    """Items to be brought into a user's order.

    Attributes
    ----------
    item_ids
        The items, each once.
    request
        What a list of the user would be ranked by, and what they may see.
    criteria
        Which fields to bring along; nothing else of it counts here.
    context
        How to rank.
    """

    item_ids: tuple[str, ...]
    request: ListRequest
    criteria: Criteria
    context: RankingContext

    def queries(self) -> list[Query]:
        """Return the searches for the items, each with what reads its hits."""
        request, size = self.request, len(self.item_ids)
        only: Filter = {"ids": {"values": list(self.item_ids)}}
        every = replace(self.criteria, filters=(only,), size=size, min_probability=0.0)
        others = visible = every.narrow(request.allowed)
        reader = HitReader(self.context, request.boosts, 0.0)
        found = []
        if (vector := request.profile.vector) is not None:
            search = vector_search(vector, (), visible, self.context)
            found.append(Query(search, reader.read_vectors))
            others = visible.narrow([VECTORLESS])
        found.append(Query(importance_search((), others), reader.read_importance))
        if request.allowed:
            refused = without({"bool": {"filter": list(request.allowed)}})
            search = importance_search((), replace(every.narrow([refused]), fields=()))
            found.append(Query(search, reader.read_importance))
        return found

    def order(self, queries: Sequence[Query], responses: Sequence[Response]) -> OrderedItems:
        """Return the items in their order.

        Parameters
        ----------
        queries, responses
            As `queries` returns them, and the response to each.

        Raises
        ------
        ClusterError
            A search failed.
        """
        found = [
            [one.item for one in ByValue().rank(query.read(hits_of(response)).ranked, 0)]
            for query, response in zip(queries, responses, strict=True)
        ]
        blocked = {one.item_id for one in (found.pop() if self.request.allowed else ())}
        items = tuple(chain.from_iterable(found))
        there = blocked.union(one.item_id for one in items)
        unknown = tuple(one for one in self.item_ids if one not in there)
        missing = missing_part(responses)
        note = join_notes(
            self.context.note if self.request.known else "",
            self.context.missing,
            missing,
            UNSURE if missing and unknown else "",
        )
        left_out = tuple(one for one in self.item_ids if one in blocked)
        return OrderedItems(items, unknown, left_out, note)
