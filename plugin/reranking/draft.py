"""A list while it is made: its candidates, and what is promised of its places."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seealso.config import CapSettings
from seealso.plugin.recommendations import Recommendation
from seealso.plugin.reranking.filling import Share
from seealso.types import Source, Vector

Floats = npt.NDArray[np.float64]

RANKED: Final = "ranked"
"""The pool that a list is made of."""

PINNED: Final = "pinned"
"""The pool of the items that rules pin, as far as they may be in the list."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may come into a list, and what it is worth to each one whom the list is for.

    Attributes
    ----------
    item
        The item; its `boost` is the mean of what was added to `values`.
    values
        What it is ranked by, one for each member (one for a user): w * similarity, or importance
        where nothing is known about them, with what rules and freshness add. Empty for an item of a
        group's tail list without a vector.
    raw
        w * similarity for each member, before anything is added; empty where it is not known.
    vector
        E_i, shape (dimension,), where the hit has it, as it does for diversity.
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

    def by(self, source: Source) -> "Candidate":
        """Return the candidate as one that `source` brings into a list."""
        return replace(self, item=replace(self.item, source=source))

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

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return how good each of some ranked candidates is, on one scale, shape (n,)."""


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

    def change(self, part: Callable[[Sequence[Candidate]], Iterable[Candidate]]) -> "Pool":
        """Return the pool with each of its parts changed."""
        return Pool(*(tuple(part(some)) for some in (self.front, self.back)))

    def add(self, more: Iterable[Candidate], *, last: bool) -> "Pool":
        """Return the pool with further candidates, in the back if a rule sends them there."""
        known = {one.item_id for one in self.all}
        new = [one for one in more if one.item_id not in known]
        return (
            replace(self, back=(*self.back, *new)) if last else Pool((*self.front, *new), self.back)
        )

    def without(self, item_ids: frozenset[str]) -> "Pool":
        """Return the pool without some items."""
        return self.change(lambda part: (one for one in part if one.item_id not in item_ids))


Check: TypeAlias = Callable[[Sequence[Candidate]], str]
"""Returns what a finished list lacks of a promise, in a line; empty where it is kept."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A list while it is made.

    Attributes
    ----------
    size
        Its length, if there are so many candidates.
    pools
        Candidates by what they are for: `RANKED`, `PINNED`, and the reserve of each share.
    order
        How the values of candidates become one order.
    known
        Whether anything is known of whom the list is for; otherwise importance alone ranks.
    tail
        Items of the long tail by the words of the profile, best first.
    caps, shares, pins
        What is promised of the places; pinned candidates by place, from 1 on.
    note
        What a person should know of the candidates, for instance that a part is missing.
    checks
        Of the finished list, for promises that the candidates may be too few to keep.
    directions
        E_i of candidates whose hits had no vector, by id.
    """

    size: int
    pools: Mapping[str, Pool]
    order: Order
    known: bool = True
    tail: Pool = Pool()
    caps: tuple[CapSettings, ...] = ()
    shares: tuple[Share[Candidate], ...] = ()
    pins: Mapping[int, Candidate] = field(default_factory=dict)
    note: str = ""
    checks: tuple[Check, ...] = ()
    directions: Mapping[str, Vector] = field(default_factory=dict)

    def pool(self, name: str) -> Pool:
        """Return the candidates of that name, none where nothing was found."""
        return self.pools.get(name, Pool())

    def name_sources(self, chosen: Sequence[Candidate]) -> list[Candidate]:
        """Return chosen candidates, those of a share's reserve with what brought them."""
        sources = {id(one): share.source for share in self.shares for one in share.reserve}
        return [
            one if (source := sources.get(id(one))) is None else one.by(source) for one in chosen
        ]

    def change(self, one: Callable[[Pool], Pool]) -> "Draft":
        """Return the draft with every pool changed, the tail list excepted."""
        return replace(self, pools={name: one(pool) for name, pool in self.pools.items()})


class Component(Protocol):
    """Changes a draft by its own options."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft, changed."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """Brings every pool into its order: before it values change, after it places."""

    depth: int
    """How many candidates of a pool are looked at."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with every pool in its order."""
        return draft.change(
            lambda pool: pool.change(
                lambda part: draft.order.rank(part, self.depth) if part else ()
            )
        )
