"""Marks an index whose documents are rewritten and so lose what live events added.

The mark is written before the first document and closed after the last. A run that was killed in
between leaves it open: an ingest of live events sees by it that documents may have lost some.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from seealso.cluster import Cluster, indices

OPEN: Final = "rewriting"
"""Entry of ``_meta.seealso``: since when documents are being written again."""

CLOSED: Final = "rewritten_at"
"""Entry of ``_meta.seealso``: when documents were last written again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an index says of documents that were written again.

    Attributes
    ----------
    index
        The physical index.
    closed
        When documents were last written again; empty if they never were.
    open
        Since when they are being written again; empty if they are not.
    """

    index: str
    closed: str
    open: str

    @property
    def text(self) -> str:
        """The text of this mark; the name of the index comes first."""
        return f"{self.index} {self.closed}".strip()


def mark_of(index: str, meta: Mapping[str, Any]) -> Mark:
    """Return the mark in ``_meta.seealso`` of an index."""
    return Mark(index, meta.get(CLOSED) or "", meta.get(OPEN) or "")


@dataclass(slots=True)
class Rewriting:
    """What a run says of itself while it rewrites documents.

    Attributes
    ----------
    lost
        Whether anything was written, so that what live events added may be lost.
    meta
        Further entries of ``_meta.seealso``, written together with the last mark.
    """

    lost: bool = False
    meta: dict[str, Any] = field(default_factory=dict)


@contextmanager
def rewriting(cluster: Cluster, index: str) -> Iterator[Rewriting]:
    """Mark `index` before the first write to it and after the last.

    An error leaves the mark open, as a kill does. The caller holds the lock of the index:
    OpenSearch replaces ``_meta`` as a whole, and two that change it would lose one change.

    Parameters
    ----------
    cluster, index
        The physical index.

    Yields
    ------
    Rewriting
        Takes what the caller has to say; where nothing was written the mark is taken back.
    """
    left_open = mark_of(index, indices.meta(cluster, index)).open
    indices.put_meta(cluster, index, {OPEN: indices.timestamp()})
    run = Rewriting()
    yield run
    closed = {CLOSED: indices.timestamp()} if run.lost or left_open else {}
    indices.put_meta(cluster, index, {**run.meta, **closed, OPEN: None})
