"""A list while it is made: its candidates, what was promised of its places, and who changes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.filling import Cap, Share
from seealso.types import Vector

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may come into a list, and what it is worth to each one whom the list is for.

    Attributes
    ----------
    item
        The item; its `boost` is the mean of what was added to `values`.
    values
        What it is ranked by, one for each member (one for a user): w * similarity, or importance
        where nothing is known of them, with what rules and freshness add. Empty for an item of the
        tail list without a vector.
    raw
        w * similarity for each member, before anything is added; empty where it is not known.
    vector
        E_i, shape (dimension,), where diversity is asked for.
    """

    item: Recommendation
    values: tuple[float, ...]
    raw: tuple[float, ...] = ()
    vector: Vector | None = field(default=None, compare=False)

    @property
    def item_id(self) -> str:
        """The item."""
        return self.item.item_id

    @property
    def fields(self) -> Mapping[str, Any]:
        """The catalogue's own fields."""
        return self.item.fields

    def boost(self, added: Callable[[float], float]) -> "Candidate":
        """Return the candidate with what `added` says of each value added to it."""
        boosts = [added(value) for value in self.values]
        if not any(boosts):
            return self
        mean = self.item.boost + sum(boosts) / len(boosts)
        values = tuple(a + b for a, b in zip(self.values, boosts, strict=True))
        return replace(self, item=replace(self.item, boost=mean), values=values)


class Order(Protocol):
    """How the values of candidates become one order."""

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
        """Return the candidates, best first: at least the best `size` of them."""
        ...

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return how good each of some ranked candidates is, on one scale, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class ByValue:
    """The order of a list for one user: the greatest value first."""

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:  # noqa: ARG002
        """Return the candidates, best first; equal ones keep their order."""
        return sorted(candidates, key=lambda one: one.values[0], reverse=True)

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return the values."""
        return np.array([one.values[0] for one in ranked])


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates for the same places, each part in its order.

    Attributes
    ----------
    front
        Best first.
    back
        Those that a rule sends to the end of the list: behind all of `front`.
    """

    front: tuple[Candidate, ...] = ()
    back: tuple[Candidate, ...] = ()

    @property
    def all(self) -> tuple[Candidate, ...]:
        """Both parts, the front first."""
        return (*self.front, *self.back)

    def change(self, one: Callable[[Candidate], Candidate]) -> "Pool":
        """Return the pool with every candidate changed."""
        return Pool(tuple(map(one, self.front)), tuple(map(one, self.back)))

    def rank(self, order: Order, size: int) -> "Pool":
        """Return the pool with each part in `order`."""
        return Pool(
            *(tuple(order.rank(part, size) if part else ()) for part in (self.front, self.back))
        )

    def join(self, other: "Pool") -> "Pool":
        """Return the candidates of both pools."""
        return Pool((*self.front, *other.front), (*self.back, *other.back))

    def without(self, item_ids: frozenset[str]) -> "Pool":
        """Return the pool without some items."""
        kept = ([c for c in part if c.item_id not in item_ids] for part in (self.front, self.back))
        return Pool(*map(tuple, kept))


@dataclass(frozen=True, slots=True)
class Draft:
    """A list while it is made.

    Attributes
    ----------
    size
        Its length, if there are so many candidates.
    depth
        How many candidates of a pool are looked at.
    order
        How values become one order.
    ranked
        What the list is made of.
    reserves
        Further candidates for each share of the places.
    pinnable
        Pinned items that may be shown.
    tail
        Items of the long tail by the words of the profile, best first.
    shares, caps, pinned
        What is promised of the places: added by components; pinned candidates by place, from 1.
    """

    size: int
    depth: int
    order: Order
    ranked: Pool = Pool()
    reserves: tuple[Pool, ...] = ()
    pinnable: Pool = Pool()
    tail: tuple[Candidate, ...] = ()
    shares: tuple[Share[Candidate], ...] = ()
    caps: tuple[Cap, ...] = ()
    pinned: Mapping[int, Candidate] = field(default_factory=dict)

    def change(self, one: Callable[[Pool], Pool]) -> "Draft":
        """Return the draft with every pool changed."""
        reserves = tuple(map(one, self.reserves))
        return replace(
            self, ranked=one(self.ranked), reserves=reserves, pinnable=one(self.pinnable)
        )


class Reranker(ABC):
    """A component: changes a draft by its own options, and says what a list lacks of it."""

    __slots__ = ()

    @abstractmethod
    def rerank(self, draft: Draft) -> Draft:
        """Return the draft, changed."""

    def shortfall(self, draft: Draft, items: Sequence[Candidate]) -> str:  # noqa: ARG002
        """Return what a finished list lacks of it, in a line: nothing, where it always can be."""
        return ""
