"""Caps: how often one value of a field may come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seealso.plugin.reranking.draft import Candidate, Draft
from seealso.plugin.reranking.filling import Cap


@dataclass(frozen=True, slots=True)
class Caps:
    """Keeps values of fields from coming too often, if need be by a shorter list."""

    caps: tuple[Cap, ...]
    """Each of one field."""

    def rerank(self, draft: Draft) -> Draft:
        """Return the draft with the caps among its promises."""
        return replace(draft, caps=(*draft.caps, *self.caps))

    def shortfall(self, draft: Draft, items: Sequence[Candidate]) -> str:  # noqa: ARG002
        """Return nothing: no list breaks a cap."""
        return ""
