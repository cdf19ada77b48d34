"""Caps: how often one value of a field may come."""

from dataclasses import dataclass, replace

from seealso.plugin.reranking.draft import Draft, Reranker
from seealso.plugin.reranking.filling import Cap


@dataclass(frozen=True, slots=True)
class Caps(Reranker):
    """Keeps values of fields from coming too often, if need be by a shorter list."""

    caps: tuple[Cap, ...]
    """Each of one field."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with the caps among its promises."""
        return replace(draft, caps=(*draft.caps, *self.caps))
