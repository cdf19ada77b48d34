"""Ordering: every pool in the order of the list."""

from dataclasses import dataclass

from seealso.plugin.reranking.draft import Draft


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
