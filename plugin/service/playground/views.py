"""Whom the playground asks: recommenders that log no list, for the live index and for others."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from seealso.cluster import PhysicalIndex, indices
from seealso.errors import ClusterError, DataError
from seealso.log import logger
from seealso.plugin.recommender import Recommender

log = logger(__name__)

MOST_OPEN: Final = 3
"""Indices that are kept open beside the live one; each may have a model of its own."""


class Views:
    """Recommenders by the index that they ask; safe to share between threads.

    Parameters
    ----------
    recommender
        Whose index, users and settings they have.
    """

    def __init__(self, recommender: Recommender) -> None:
        self.live = recommender.unlogged()
        """Follows the alias."""
        settings = recommender.settings
        self._recommender = recommender
        self._alias = settings.index.alias
        self._cluster = recommender.cluster.hurry(settings.cluster.deadline)
        self._opened: OrderedDict[str, Recommender] = OrderedDict()
        self._lock = Lock()

    def of(self, index: str | None) -> Recommender:
        """Return who asks an index; None and an empty name are the live one, whichever it is.

        Raises
        ------
        DataError
            There is no such index of the alias that can be asked.
        ClusterError, BundleError
            OpenSearch does not answer, or the bundle of the index is not in the store.
        """
        if not index:
            return self.live
        with self._lock:
            view = self._opened.pop(index, None)
            if view is None or self._changed(view):
                self._require(index)
                loaded = [one.live.encoder for one in self._opened.values()]
                loaded += [] if view is None else [view.live.encoder]
                view = self._recommender.unlogged(index, loaded)
            self._opened[index] = view
            if len(self._opened) > MOST_OPEN:
                self._opened.popitem(last=False)
            return view

    def list_indices(self) -> list[PhysicalIndex]:
        """Return the indices of the alias that can be asked: the live one, then the newest.

        By requests that an account may send which can do no more than serve.
        """
        live = self.live.check()
        address = f"/{self._alias}-*/_mapping"
        answer = self._cluster.request("GET", address, params={"filter_path": "*.mappings._meta"})
        metas = {name: one["mappings"]["_meta"].get("seealso", {}) for name, one in answer.items()}
        others = [
            PhysicalIndex(name, meta, False, documents, None)
            for name, meta in sorted(metas.items(), reverse=True)
            if (meta.get("alias"), meta.get("state")) == (self._alias, "ready")
            and name != live.name
            and (documents := self._count(name)) is not None
        ]
        return [PhysicalIndex(live.name, live.meta, True, live.documents, None), *others]

    def _count(self, name: str) -> int | None:
        """Return how many documents an index has, None where it does not answer."""
        try:
            return int(self._cluster.request("GET", f"/{name}/_count")["count"])
        except ClusterError as exc:
            log.info("%s cannot be asked: %s", name, exc.message)
            return None

    def _changed(self, view: Recommender) -> bool:
        """Tell whether an index is gone or was written anew since it was opened."""
        try:
            return indices.find_meta(self._cluster, view.live.name) != view.live.meta
        except ClusterError:
            # whoever asks for it anew is told why
            return True

    def _require(self, index: str) -> None:
        names = [one.name for one in self.list_indices()]
        if index not in names:
            raise DataError(
                f"index: {index!r:.80} is no index of {self._alias} that can be asked",
                hint=f"there are {', '.join(names)}",
                field="index",
            )
