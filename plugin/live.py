"""What stands behind the alias now: index, bundle, encoder; taken anew when the alias moves."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.encoder import BundleStore, Encoder, UserText
from seealso.errors import BundleError, ClusterError, DataError, Unavailable
from seealso.indexer.live import LiveIndex, live_index

T = TypeVar("T")

SWAPS_FOLLOWED = 5
"""Times in a row that one question follows a moving alias."""

ENCODERS_KEPT = 2
"""Models held in memory: that of the live index, and the one that a rollback goes back to."""


class AliasMoved(Exception):
    """The alias stands for another index than the one that was asked for."""


@dataclass(frozen=True, slots=True)
class Live(LiveIndex):
    """The physical index behind an alias with everything needed to ask it.

    Attributes
    ----------
    address
        Where its searches are sent: the alias, as a rule.
    documents
        Number of documents when it was looked at.
    encoder, user_text
        What profiles are encoded and rendered with.
    """

    address: str
    documents: int
    encoder: Encoder
    user_text: UserText

    @property
    def joined(self) -> bool:
        """Whether the vectors know behaviour."""
        return self.encoder.bundle.collaborative is not None


class LiveAlias:
    """Follows an alias through swaps and rollbacks.

    Safe to share between threads: one at a time looks what the alias stands for, so that what
    was seen last is what is kept, and no model is loaded twice.

    Parameters
    ----------
    cluster, settings
        Where, and which alias and bundles.

    Raises
    ------
    ClusterError
        The alias stands for nothing.
    BundleError
        The bundle of the index is not in the store, or does not fit the index.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._encoders: OrderedDict[str, Encoder] = OrderedDict()
        self._looking = Lock()
        self._live = self._look()

    @property
    def live(self) -> Live:
        """What the alias stood for when last looked at."""
        return self._live

    def follow(self, ask: Callable[[Live], T]) -> T:
        """Ask the live index; where the alias moved meanwhile, ask what it stands for now.

        Where it moves faster than the question is answered, the index that it stood for a
        moment ago is asked by its own name: an answer of one model, though not of the newest.

        Parameters
        ----------
        ask
            Sends the question to ``Live.address``, and raises `AliasMoved` where another index
            than ``Live.name`` answers.

        Raises
        ------
        ClusterError, BundleError
            As for the class; and whatever `ask` raises.
        """
        for _ in range(SWAPS_FOLLOWED):
            live = self._live
            try:
                return ask(live)
            except AliasMoved:
                pass
            except Unavailable:
                raise
            except (ClusterError, DataError):
                # a vector of the old model can be refused by the new index outright, and the
                # old index may be gone
                if indices.live_name(self._cluster, self._settings.index.alias) == live.name:
                    raise
            self._look_again(live)
        return ask(replace(self._live, address=self._live.name))

    def _look_again(self, outdated: Live) -> None:
        with self._looking:
            # another thread may have looked while this one waited
            if self._live is outdated:
                self._live = self._look()

    def _look(self) -> Live:
        index = live_index(self._cluster, self._settings)
        alias = self._settings.index.alias
        return _ready(self._cluster, index, alias, self._encoder(index))

    def _encoder(self, index: LiveIndex) -> Encoder:
        encoder = self._encoders.get(index.fingerprint) or _load(index, self._settings)
        self._encoders[index.fingerprint] = encoder
        self._encoders.move_to_end(index.fingerprint)
        if len(self._encoders) > ENCODERS_KEPT:
            self._encoders.popitem(last=False)
        return encoder


class PinnedIndex:
    """One physical index, whatever the alias stands for.

    Parameters
    ----------
    cluster, settings
        Where, and which bundles.
    name
        The index.

    Raises
    ------
    ClusterError
        There is no such index.
    BundleError
        Its bundle is not in the store, or does not fit the index.
    """

    def __init__(self, cluster: Cluster, settings: Settings, name: str) -> None:
        store = BundleStore(settings.encoder.store)
        index = LiveIndex(name, indices.meta(cluster, name), store)
        self._live = _ready(cluster, index, name, _load(index, settings))

    @property
    def live(self) -> Live:
        """The index."""
        return self._live

    def follow(self, ask: Callable[[Live], T]) -> T:
        """Ask the index."""
        return ask(self._live)


def _ready(cluster: Cluster, index: LiveIndex, address: str, encoder: Encoder) -> Live:
    return Live(
        index.name,
        index.meta,
        index.store,
        address,
        indices.count(cluster, index.name),
        encoder,
        UserText(index.text),
    )


def _load(index: LiveIndex, settings: Settings) -> Encoder:
    bundle = index.bundle
    if bundle.dimension != index.meta["dimension"]:
        raise BundleError(
            f"{index.name}: vectors have {index.meta['dimension']} dimensions, bundle "
            f"{bundle.name} makes {bundle.dimension}",
            hint="build the index again",
        )
    return Encoder(
        bundle, precision=settings.encoder.query_precision, threads=settings.encoder.query_threads
    )
