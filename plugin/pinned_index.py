"""A physical index that is asked by its own name, whatever the alias points to."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.encoder import Encoder
from seealso.indexer.live import open_index
from seealso.plugin.encoders import load_encoder
from seealso.plugin.serving import Live, ScriptsRefused, open_live

T = TypeVar("T")


class PinnedIndex:
    """One physical index, whatever the alias points to.

    Parameters
    ----------
    cluster, settings
        Where, and which bundles.
    name
        The index.
    encoders
        Models that are loaded: that of the index need not be a second time.

    Raises
    ------
    ClusterError
        There is no such index.
    BundleError
        Its bundle is not in the store, or does not fit the index.
    """

    def __init__(
        self, cluster: Cluster, settings: Settings, name: str, encoders: Iterable[Encoder] = ()
    ) -> None:
        index = open_index(cluster, settings, name)
        fits = (one for one in encoders if one.bundle.fingerprint == index.fingerprint)
        encoder = next(fits, None) or load_encoder(index, settings)
        self._live = open_live(cluster, settings, index, name, encoder)

    @property
    def live(self) -> Live:
        """The index."""
        return self._live

    def close(self) -> None:
        """Do nothing: no threads, no connections."""

    def load_beside(self) -> None:
        """Do nothing: there is no other index."""

    def newest(self) -> Live:
        """Return the index."""
        return self._live

    def follow(self, query: Callable[[Live], T]) -> T:
        """Return the answer of the index; without scripts, where the cluster refuses them."""
        try:
            return query(self._live)
        except ScriptsRefused:
            if not self._live.scripts:
                raise
            self._live = replace(self._live, scripts=False)
            return query(self._live)
