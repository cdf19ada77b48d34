"""All items of an index in memory: searches by vector are answered here, as the index answers them.

Reading every vector once costs as much as some hundred lists; after that, the vectors of many users
are compared with all items by one multiplication. Scores are those of the path ``exact``: the same
inner products, rounded to the same 32 bits. So the order of two items differs from that of the
index only where the index itself rounds them otherwise: below a difference of about 2e-7.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from seealso.plugin.latency import Stopwatch
from seealso.plugin.ranking.answers import Hit, Response
from seealso.plugin.ranking.searches import Search
from seealso.plugin.ranking.sending import Sender
from seealso.plugin.scores import Floats, scores_of
from seealso.types import Vector

Mask: TypeAlias = npt.NDArray[np.bool_]
"""Whether each item may come, shape (n,)."""

Places: TypeAlias = npt.NDArray[np.int64]
"""Items, as rows of the vectors."""

Masks: TypeAlias = dict[tuple[int, ...], Mask]
"""Masks by the identities of what they are of: clauses, and ids that are left out."""

BY_VECTOR: Final = frozenset({"exact", "boosted"})
"""Templates whose searches are answered in memory."""

SLACK: Final = 1e-4
"""More than a 32-bit inner product of unit vectors can be wrong by: what is that near to the last
place is compared again in 64 bits."""


@dataclass(frozen=True, eq=False)
class ItemsInMemory:
    """The n items of a cosine index, as they were at one moment.

    Attributes
    ----------
    place
        Row of each item, by its id.
    vectors
        v_i = w_i * E_i, shape (n, dimension), float32; zeros for an item without a vector.
    documents
        What hits hold of each: ``_source`` without the vector, unless a list needs it.
    mask_of
        Returns which items satisfy a clause, given as JSON.
    """

    place: Mapping[str, int]
    vectors: Vector
    documents: Sequence[Mapping[str, Any]]
    mask_of: Callable[[bytes], Mask]

    @cached_property
    def _ids(self) -> Sequence[str]:
        return [*self.place]

    @cached_property
    def _with_vector(self) -> Mask:
        return np.asarray(self.vectors.any(axis=1))

    @cached_property
    def _slack(self) -> float:
        return SLACK * float(np.linalg.norm(self.vectors, axis=1).max(initial=1.0))

    @cached_property
    def _by_words(self) -> frozenset[str]:
        """Ids of the items that the tail list may hold."""
        return frozenset(
            item_id
            for item_id, document, vector in zip(
                self.place, self.documents, self._with_vector, strict=True
            )
            if document.get("tail", True) or not vector
        )

    def answer(self, searches: Sequence[Search], watch: Stopwatch, send: Sender) -> list[Response]:
        """Return the response to each of `searches`; those by words are sent, for ids and scores.

        Parameters
        ----------
        searches
            Of any template.
        watch
            Books the time that this takes.
        send
            Sends searches to the index that the items are of.
        """
        sent = iter(send([self._shortened(one) for one in searches if _is_sent(one)], watch))
        vectors = {id(one.params["vector"]): one.params["vector"] for one in searches
                   if not _is_sent(one)}  # fmt: skip
        products = np.stack([*vectors.values()]) @ self.vectors.T if vectors else ()
        rows = dict(zip(vectors, products, strict=True))
        masks: Masks = {}  # many searches, of one user or of all, have the same clauses and ids
        found = [
            self._complete(one, next(sent))
            if _is_sent(one)
            else self._response(one, rows[id(one.params["vector"])], masks)
            for one in searches
        ]
        watch.cut("search")
        return found

    def _response(self, search: Search, products: Vector, masks: Masks) -> Response:
        """Return the response to a search by vector.

        Parameters
        ----------
        search
            Of the template ``exact`` or ``boosted``.
        products
            Inner product of its vector with each item, nearly: shape (n,), float32.
        masks
            Which items the searches before may find.
        """
        params = search.params
        may_come = self._may_come(params, masks)
        if search.template == "boosted":
            named = self._rows(params["boosts"])
            found = np.flatnonzero((named >= 0) & may_come[named])
            places = named[found]
            boosts = np.fromiter(params["boosts"].values(), dtype=np.float64)[found]
            first = _first(products[places] + boosts, params["size"], self._slack)
            added: Floats | float = boosts[first]
        else:
            places = np.flatnonzero(may_come)
            first = _first(products[places], params["size"], self._slack)
            added = 0.0
        places = places[first]
        vector = np.asarray(params["vector"], dtype=np.float64)
        x = np.einsum("ij,j->i", self.vectors[places].astype(np.float64), vector) + added
        scores = scores_of(x).astype(np.float32)
        order = np.lexsort((places, -scores))[: params["size"]]
        order = order[scores[order] >= params.get("min_score", 0.0)]
        best = zip(places[order].tolist(), scores[order].tolist(), strict=True)
        return _response_of([self._hit(place, score) for place, score in best])

    def _may_come(self, params: Mapping[str, Any], masks: Masks) -> Mask:
        """Return which items a search by vector may find."""
        filters, exclude = params.get("filter", ()), params.get("exclude", ())
        key = (*map(id, filters), id(exclude))
        if key not in masks:
            found = self._with_vector.copy()
            for clause in filters:
                if (id(clause),) not in masks:
                    encoded = orjson.dumps(clause, dict, orjson.OPT_SORT_KEYS)
                    masks[(id(clause),)] = self.mask_of(encoded)
                found &= masks[(id(clause),)]
            left_out = self._rows(exclude)
            found[left_out[left_out >= 0]] = False
            masks[key] = found
        return masks[key]

    def _rows(self, item_ids: Collection[str]) -> Places:
        """Return the row of each item, -1 for one that is not here."""
        return np.fromiter(map(self.place.get, item_ids, repeat(-1)), np.int64, len(item_ids))

    def _hit(self, place: int, score: float) -> Hit:
        return {"_id": self._ids[place], "_score": score, "_source": self.documents[place]}

    def _shortened(self, search: Search) -> Search:
        """Return a search by words for ids and scores alone, without what it cannot find anyway."""
        if search.template != "tail":
            return search
        left_out = ("vector", "space", "source")
        params = {name: one for name, one in search.params.items() if name not in left_out}
        exclude = [one for one in params.pop("exclude", ()) if one in self._by_words]
        return replace(search, params={**params, "exclude": exclude, "only_ids": True})

    def _complete(self, search: Search, response: Response) -> Response:
        """Return the response to a search by words with what is known of its items.

        Items that were written since the items were read are left out; so are those that became
        tail items since, where the user has seen them.
        """
        if search.template != "tail" or "error" in response:
            return response
        vector, exclude = search.params["vector"], frozenset(search.params.get("exclude", ()))
        hits = [
            {**self._hit(self.place[hit["_id"]], hit["_score"]), **self._similarity(hit, vector)}
            for hit in response["hits"]["hits"]
            if hit["_id"] in self.place and hit["_id"] not in exclude
        ]
        return {**response, **_response_of(hits)}

    def _similarity(self, hit: Hit, vector: Vector | None) -> Hit:
        """Return the script field ``x`` of the template: w * similarity."""
        place = self.place[hit["_id"]]
        if vector is None or not self._with_vector[place]:
            return {}
        return {"fields": {"x": [float(self.vectors[place] @ vector)]}}


def _is_sent(search: Search) -> bool:
    return search.template not in BY_VECTOR


def _first(values: npt.NDArray[Any], size: int, slack: float) -> Places:
    """Return which of `values` are among the greatest `size`, or within `slack` of the last."""
    if len(values) <= size:
        return np.arange(len(values))
    last = np.partition(values, len(values) - size)[len(values) - size]
    return np.flatnonzero(values >= last - slack)


def _response_of(hits: Sequence[Hit]) -> dict[str, Any]:
    return {"hits": {"hits": hits}}
