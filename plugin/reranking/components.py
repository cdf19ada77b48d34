"""How components make a list of a draft."""

from collections.abc import Sequence

from seealso.plugin.recommendations import join_notes
from seealso.plugin.reranking.draft import RANKED, Candidate, Component, Draft
from seealso.plugin.reranking.filling import fill
from seealso.plugin.reranking.pins import insert


def rerank(draft: Draft, components: Sequence[Component]) -> tuple[list[Candidate], str]:
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
    filled = fill(draft.pool(RANKED).all, draft.shares, draft.size, draft.caps)
    items = insert(filled, draft.pins, draft.size)
    return items, join_notes(draft.note, *(check(items) for check in draft.checks))
