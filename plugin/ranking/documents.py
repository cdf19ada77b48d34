"""Documents of a list, read once it is known: until then, hits bring what its order depends on.

OpenSearch unpacks and parses a document whole, vector and all, even where only its id is wanted.
With many candidates for each place that is most of the time of a search. Columns (doc values) cost
next to nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from seealso.plugin.ranking.answers import Hit, Response, hits_of, missing_part
from seealso.plugin.ranking.candidates import recommendation
from seealso.plugin.ranking.options import Filter
from seealso.plugin.ranking.plans import Plan
from seealso.plugin.ranking.searches import Search, importance_search
from seealso.plugin.recommendations import join_notes
from seealso.plugin.reranking.draft import Candidate, Draft
from seealso.types import Vector
from seealso.wording import format_count

COLUMNS: Final = ("item_id", "tail")
"""What every candidate is read by."""

HITS_FOR_A_PLACE: Final = 4
"""So many hits for each place of a list cost more with their documents than one more request."""

Send: TypeAlias = Callable[[Sequence[Search]], Sequence[Response]]
"""Sends searches, and returns the response to each."""

Directions: TypeAlias = Callable[[Sequence[str]], tuple[Mapping[str, Vector], Set[str]]]
"""Returns the directions of the vectors of items, unit length, shape (dimension,), as far as they
have one, and the items that could not be read."""


@dataclass(frozen=True, slots=True)
class LateReader:
    """Reads what lists need of items once it is known which.

    Attributes
    ----------
    directions
        Reads how alike items are.
    send
        Sends the searches for documents.
    """

    directions: Directions
    send: Send


def are_many(searches: Sequence[Search], size: int) -> bool:
    """Tell whether the searches of a list of this size bring far more hits than it has places."""
    hits: int = sum(one.params["size"] for one in searches)
    return hits > HITS_FOR_A_PLACE * size


def without_documents(searches: Sequence[Search], columns: Sequence[str] = ()) -> list[Search]:
    """Return searches whose hits bring some columns in place of documents."""
    docvalues = [*COLUMNS, *columns]
    return [replace(one, params={**one.params, "docvalues": docvalues}) for one in searches]


def read_columns(responses: Sequence[Response]) -> list[Response] | None:
    """Return responses as if the documents of their hits were what their columns are.

    None where a hit has no id of ours: an owner wrote it since an index was attached.
    """
    hits = [[] if "error" in one else one["hits"]["hits"] for one in responses]
    if not all("item_id" in hit.get("fields", {}) for some in hits for hit in some):
        return None
    return [
        one if "error" in one else {**one, "hits": {**one["hits"], "hits": [*map(_as_hit, some)]}}
        for one, some in zip(responses, hits, strict=True)
    ]


def search_columns(
    searches: Sequence[Search], columns: Sequence[str], send: Send
) -> Sequence[Response]:
    """Return the response to each search, without documents where every hit can do without."""
    found = read_columns(send(without_documents(searches, columns)))
    return send(searches) if found is None else found


def _as_hit(hit: Hit) -> Hit:
    """Return a hit as if its document were what its columns are."""
    columns = hit["fields"]
    source = {name: values for name, values in columns.items() if name not in COLUMNS}
    if "tail" in columns:
        source["tail"] = columns["tail"][0]
    return {**hit, "_id": columns["item_id"][0], "_source": source}


def give_directions(drafts: Sequence[Draft], directions: Directions) -> list[Draft]:
    """Return drafts whose candidates know how alike they are."""
    pools = [pool for draft in drafts for pool in draft.pools.values()]
    ids = dict.fromkeys(one.item_id for pool in pools for one in pool.all)
    found, unread = directions(list(ids))

    note = ""
    if unread:
        vectors = format_count(len(unread), "vector")
        note = f"{vectors} could not be read: diversity compares the others"
    return [replace(one, directions=found, note=join_notes(one.note, note)) for one in drafts]


@dataclass(frozen=True, slots=True)
class DocumentSearch:
    """The search for the documents of one list.

    Attributes
    ----------
    plan
        What the list was made by.
    items
        The list.
    """

    plan: Plan
    items: Sequence[Candidate]

    def search(self) -> Search:
        """Return the search for the documents."""
        only: Filter = {"ids": {"values": [one.item_id for one in self.items]}}
        criteria = self.plan.sub_queries[0].criteria
        size, fields = len(self.items), self.plan.fields
        return importance_search((), replace(criteria, filters=(only,), size=size, fields=fields))

    def complete(self, response: Response) -> tuple[tuple[Candidate, ...], str]:
        """Return the list with its documents, and what a person should know of them.

        An item that was deleted since it was found is left out.

        Raises
        ------
        ClusterError
            The search failed.
        """
        found = {hit["_id"]: hit for hit in hits_of(response)}
        items = tuple(self._with_documents(found))
        gone = len(self.items) - len(items)
        missing = missing_part([response])
        deleted = f"{format_count(gone, 'item')} deleted meanwhile: left out"
        return items, join_notes(missing, deleted if gone and not missing else "")

    def _with_documents(self, found: Mapping[str, Hit]) -> Iterator[Candidate]:
        for one in self.items:
            if (hit := found.get(one.item_id)) is not None:
                read = recommendation(hit, None, None, one.item.source)
                weight, tail, fields = read.importance, read.tail, read.fields
                item = replace(one.item, importance=weight, tail=tail, fields=fields)
                yield replace(one, item=item.with_fields(self.plan.fields))
