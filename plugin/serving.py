"""The one followed index: what stands behind the alias now, with everything needed to ask it.

Every question goes to the physical index by its own name, with the bundle of that index, so no
answer mixes two models. While it is on its way, the cluster is asked what the alias stands for and
what that index says of itself; where either changed, the question is asked again. So a swap, a
rollback and an update are seen by the next answer, whether it holds anything or not.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

import orjson

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.encoder import BundleStore, Encoder, UserText
from seealso.errors import BundleError, ClusterError, DataError, Unavailable
from seealso.indexer.live import LiveIndex, live_index

T = TypeVar("T")

Standing: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Each index that an alias stands for, and what it says of itself."""

SWAPS_FOLLOWED: Final = 5
"""Times in a row that one question follows a moving alias."""

ENCODERS_KEPT: Final = 2
"""Models held in memory: that of the live index, and the one that a rollback goes back to."""

LOOKS_AT_ONCE: Final = 8
"""Most questions after what the alias stands for that are on their way together."""

STANDING: Final = {
    "filter_path": "*.mappings._meta,*.mappings.properties.*.type",
    "local": "true",
}
"""Query parameters: what every index says of itself, little else, by the asked node alone."""

EXPENSIVE: Final = "search.allow_expensive_queries"
"""The cluster's setting without which no script ranks."""

REFUSED_SECONDS: Final = 60.0
"""How long a cluster that refused scripts is asked for none."""


class ScriptsRefused(ClusterError):
    """The cluster runs no scripts in searches."""


@dataclass(frozen=True, slots=True)
class Live(LiveIndex):
    """The physical index behind an alias with everything needed to ask it.

    Attributes
    ----------
    address
        Where plain requests, made for others to send, go: the alias, as a rule.
    documents
        Number of documents when it was looked at.
    encoder, user_text
        What profiles are encoded and rendered with.
    scripts
        Whether the cluster lets scripts rank.
    """

    address: str
    documents: int
    encoder: Encoder
    user_text: UserText
    scripts: bool = True

    @property
    def joined(self) -> bool:
        """Whether the vectors know behaviour."""
        return self.encoder.bundle.collaborative is not None

    @property
    def generation(self) -> str:
        """What tells the state of the index from earlier ones: whoever rewrites it says so."""
        said = orjson.dumps(self.meta, option=orjson.OPT_SORT_KEYS)
        return f"{self.name} {blake2b(said, digest_size=12).hexdigest()}"


class FollowedIndex:
    """Follows an alias through swaps, rollbacks and updates.

    Safe to share between threads: one at a time looks what the alias stands for, so that what
    was seen last is what is kept, and no model is loaded twice.

    Parameters
    ----------
    cluster, settings
        Where, and which alias and bundles.

    Raises
    ------
    ClusterError
        The alias stands for nothing, or for several indices.
    BundleError
        The bundle of the index is not in the store, or does not fit the index.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._encoders: OrderedDict[str, Encoder] = OrderedDict()
        self._looking = Lock()
        self._refused = float("-inf")
        self._looks = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="seealso-alias")
        self._live = self._look()

    @property
    def live(self) -> Live:
        """What the alias stood for when last looked at."""
        return self._live

    def close(self) -> None:
        """End the threads that look what the alias stands for."""
        self._looks.shutdown(wait=False)

    def follow(self, ask: Callable[[Live], T]) -> T:
        """Return what the index says that the alias stands for, as it is now.

        Where the alias moves faster than the question is answered, what the index says that it
        stood for a moment ago is returned: an answer of one model, though not of the newest.

        Parameters
        ----------
        ask
            Sends the question to ``Live.name``; asked again where the index changed meanwhile.

        Raises
        ------
        ClusterError, BundleError
            As for the class; and whatever `ask` raises.
        """
        for _ in range(SWAPS_FOLLOWED):
            live = self._current()
            standing = self._looks.submit(self._standing)
            try:
                answer = ask(live)
            except Unavailable:
                raise
            except ScriptsRefused:
                if not live.scripts:
                    raise
                self._do_without_scripts(live)
            except (ClusterError, DataError):
                # the index may be gone, or never have held what was asked for
                if not self._outdated(live, standing):
                    raise
                self._look_again(live)
            else:
                if not self._outdated(live, standing):
                    return answer
                self._look_again(live)
        return ask(self._live)

    def _current(self) -> Live:
        live = self._live
        if live.scripts or time.monotonic() - self._refused < REFUSED_SECONDS:
            return live
        return replace(live, scripts=True)

    def _do_without_scripts(self, live: Live) -> None:
        with self._looking:
            self._refused = time.monotonic()
            if self._live.name == live.name:
                self._live = replace(self._live, scripts=False)

    def _standing(self) -> Standing:
        """Return what the alias stands for, by the state that the asked node itself holds."""
        address = f"/{self._settings.index.alias}/_mapping"
        answer = self._cluster.request("GET", address, None, STANDING)
        return {
            name: one["mappings"].get("_meta", {}).get("seealso", {})
            for name, one in answer.items()
        }

    @staticmethod
    def _outdated(live: Live, standing: "Future[Standing]") -> bool:
        return dict(standing.result()) != {live.name: live.meta}

    def _look_again(self, outdated: Live) -> None:
        with self._looking:
            # another thread may have looked while this one waited
            if self._live.generation == outdated.generation:
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

    def close(self) -> None:
        """Nothing is held open."""

    def follow(self, ask: Callable[[Live], T]) -> T:
        """Ask the index; without scripts, where the cluster refuses them."""
        try:
            return ask(self._live)
        except ScriptsRefused:
            if not self._live.scripts:
                raise
            self._live = replace(self._live, scripts=False)
            return ask(self._live)


def _ready(cluster: Cluster, index: LiveIndex, address: str, encoder: Encoder) -> Live:
    return Live(
        index.name,
        index.meta,
        index.store,
        address,
        # it decides how to rank; where a shard is missing, the rest is counted
        int(cluster.request("GET", f"/{index.name}/_count")["count"]),
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
