"""How the values of candidates become one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seealso.plugin.reranking.draft import Candidate, Draft

Floats = npt.NDArray[np.float64]


class Order(Protocol):
    """How the values of candidates become one order."""

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:
        """Return the candidates, best first: at least the best `size` of them."""
        ...

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return how good each of some ranked candidates is, on one scale, shape (n,)."""
        ...


class ByValue:
    """The order of a list for one user: the greatest value first."""

    def rank(self, candidates: Sequence[Candidate], size: int) -> list[Candidate]:  # noqa: ARG002
        """Return the candidates, best first; equal ones keep their order."""
        return sorted(candidates, key=lambda one: one.values[0], reverse=True)

    def relevance(self, ranked: Sequence[Candidate]) -> Floats:
        """Return the values."""
        return np.array([one.values[0] for one in ranked])


@dataclass(frozen=True, slots=True)
class Ordering:
    """Brings every pool into its order: before it values change, after it places."""

    order: Order
    """That of the list."""
    depth: int
    """How many candidates of a pool are looked at."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with every pool in its order."""
        return draft.change(
            lambda pool: pool.change(lambda part: self.order.rank(part, self.depth) if part else ())
        )
