"""What a component is, and how several of them make a list of a draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from seealso.plugin.recommendations import join_notes
from seealso.plugin.reranking.draft import Candidate, Draft, Reranker
from seealso.plugin.reranking.filling import fill
from seealso.plugin.reranking.pins import insert


@dataclass(frozen=True, slots=True)
class Ordering(Reranker):
    """Brings every pool into the order of its values: before it values change, after it places."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with every pool in its order."""
        return draft.change(lambda pool: pool.rank(draft.order, draft.depth))


def rerank(draft: Draft, components: Sequence[Reranker]) -> tuple[list[Candidate], str]:
    """Return the list that components make of a draft, and a line on what it lacks.

    Parameters
    ----------
    draft
        The candidates, unordered.
    components
        Those that change values, an `Ordering`, those that change places.
    """
    for one in components:
        draft = one.rerank(draft)
    filled = fill(draft.ranked.all, draft.shares, draft.size, draft.caps)
    items = insert(filled, draft.pinned, draft.size)
    return items, join_notes(*(one.shortfall(draft, items) for one in components))
