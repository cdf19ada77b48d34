"""The one followed index: the physical index behind the alias, and all that queries to it need.

Every query goes to the physical index by its own name, with the bundle of that index, so that no
answer mixes two models. While it runs, the cluster is asked what the alias points to and what that
index's metadata says; where either changed, the query runs again. So the next answer after a swap,
a rollback or an update knows of it, even if it holds no items.

A model that is not in memory takes seconds to load. A service does not let its callers wait for it:
`load_beside` lets the index before answer until then.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from hashlib import blake2b
from http import HTTPStatus
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

import orjson

from seealso.cluster import Cluster
from seealso.config import Settings, with_fitted
from seealso.encoder import Encoder, UserText
from seealso.errors import ClusterError, ConfigError, DataError, SeeAlsoError, Unavailable
from seealso.indexer.graph import EXPENSIVE
from seealso.indexer.live import LiveIndex, live_index
from seealso.plugin.encoders import Encoders
from seealso.plugin.shared_reading import SharedReading

T = TypeVar("T")

AliasState: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The ``_meta.seealso`` of each index that an alias points to, by index."""

ALIAS_STATE: Final = {
    "filter_path": "*.mappings._meta,*.mappings.properties.*.type",
    "local": "true",
}
"""Query parameters: the metadata of each index and little else, from the asked node alone."""

SWAPS_FOLLOWED: Final = 5
"""How often in a row one query follows a moving alias."""

REFUSED_SECONDS: Final = 60.0
"""How long no script is tried in a cluster that refused one."""


ALLOW: Final = (
    f"let the cluster allow it (PUT _cluster/settings, {EXPENSIVE}: true), or rank a cosine index "
    "by path auto or ann, without prefixes, ranges of keywords and scripts in filters"
)
"""What to do about a cluster that runs no scripts, nor other expensive queries."""


class ScriptsRefused(ClusterError):
    """The cluster runs no scripts in searches."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint=ALLOW, setting=EXPENSIVE)


@dataclass(frozen=True, slots=True)
class Live(LiveIndex):
    """The physical index behind an alias, and all that queries to it need.

    Attributes
    ----------
    address
        Where requests go that others are to send: the alias, as a rule.
    documents
        Number of documents when the index was last read.
    encoder, user_text
        What profiles are encoded and rendered with.
    settings
        The settings, with the values that were fitted for the bundle of the index.
    scripts
        Whether the cluster lets scripts rank.
    """

    address: str
    documents: int
    encoder: Encoder
    user_text: UserText
    settings: Settings
    scripts: bool = True

    @property
    def collaborative(self) -> bool:
        """Whether the vectors hold behaviour beside content."""
        return self.encoder.bundle.collaborative is not None

    @property
    def generation(self) -> str:
        """Name and digest of the metadata, which change if the index is rewritten."""
        meta = orjson.dumps(self.meta, option=orjson.OPT_SORT_KEYS)
        return f"{self.name} {blake2b(meta, digest_size=12).hexdigest()}"


class FollowedIndex:
    """Follows an alias through swaps, rollbacks and updates.

    Safe to share between threads. One thread at a time reads a new index, so that no model is
    loaded twice and an older state never replaces a newer one.

    Parameters
    ----------
    cluster, settings
        Where, and which alias and bundles.

    Raises
    ------
    ClusterError
        The alias points to nothing, or to several indices.
    BundleError
        The bundle of the index is not in the store, or does not fit the index.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._encoders = Encoders(settings)
        self._beside = False
        self._reading = Lock()
        self._refused_at = float("-inf")
        self._alias = SharedReading(self._read_alias, "seealso-alias")
        index = live_index(cluster, settings)
        self._live = self._open(index, self._encoders.load(index).result())
        self._closed = False

    @property
    def live(self) -> Live:
        """What the alias stood for when last read."""
        return self._live

    def close(self) -> None:
        """End the threads that read what the alias points to; nothing can be asked any more."""
        self._closed = True
        self._alias.close()
        self._encoders.close()

    def load_beside(self) -> None:
        """From now on, let the index before answer while the model of a new one is loaded."""
        self._beside = True

    def follow(self, query: Callable[[Live], T]) -> T:
        """Return the answer of the index that the alias points to, as it is now.

        Where the alias moves faster than the query is answered, or than a model is loaded beside
        it, the answer of the index that it stood for a moment ago is returned: of one model,
        though not of the newest.

        Parameters
        ----------
        query
            Sends requests to ``Live.name``; called again where the index changed meanwhile.

        Raises
        ------
        ClusterError, BundleError
            As for the class; and whatever `query` raises.
        SeeAlsoError
            `close` was called.
        """
        self._require_open()
        for _ in range(SWAPS_FOLLOWED):
            live = self._current()
            state = self._alias.begin()
            try:
                answer = query(live)
            except Unavailable:
                raise
            except ScriptsRefused:
                if not live.scripts:
                    raise
                self._do_without_scripts(live)
            except (ClusterError, ConfigError, DataError) as exc:
                # the index may be gone, or a newer one may hold the item or the field
                if not _outdated(live, state):
                    raise
                if _is_answer(exc) and self._loads_beside(live):
                    raise
                self._catch_up(live)
            else:
                if not _outdated(live, state) or self._loads_beside(live):
                    return answer
                self._catch_up(live)
        return query(self._live)

    def newest(self) -> Live:
        """Return what the alias stands for now, however long its model takes to load.

        Raises
        ------
        ClusterError, BundleError
            As for the class.
        """
        self._require_open()
        live = self._live
        if dict(self._read_alias()) != {live.name: live.meta}:
            self._catch_up(live)
        return self._live

    def _require_open(self) -> None:
        if self._closed:
            raise SeeAlsoError("this recommender is closed", hint="use it inside its `with` block")

    def _current(self) -> Live:
        live = self._live
        if live.scripts or time.monotonic() - self._refused_at < REFUSED_SECONDS:
            return live
        return replace(live, scripts=True)

    def _do_without_scripts(self, live: Live) -> None:
        with self._reading:
            self._refused_at = time.monotonic()
            if self._live.name == live.name:
                self._live = replace(self._live, scripts=False)

    def _read_alias(self) -> AliasState:
        """Return the state of the alias, as the asked node itself knows it."""
        address = f"/{self._settings.index.alias}/_mapping"
        answer = self._cluster.request("GET", address, None, ALIAS_STATE)
        return {
            name: one["mappings"].get("_meta", {}).get("seealso", {})
            for name, one in answer.items()
        }

    def _loads_beside(self, outdated: Live) -> bool:
        """Whether the outdated index goes on answering, as the model of the next one is loaded."""
        return self._beside and self._refresh(outdated) is not None

    def _catch_up(self, outdated: Live) -> None:
        """Read what the alias points to, and wait until its model is loaded."""
        while (load := self._refresh(outdated)) is not None:
            load.result()

    def _refresh(self, outdated: Live) -> "Future[Encoder] | None":
        """Read what the alias points to; return what loads its model, while that takes longer."""
        with self._reading:
            # another thread may have read it while this one waited
            if self._live.generation == outdated.generation:
                index = live_index(self._cluster, self._settings)
                load = self._encoders.load(index)
                if not load.done():
                    return load
                self._live = self._open(index, load.result())
        return None

    def _open(self, index: LiveIndex, encoder: Encoder) -> Live:
        alias = self._settings.index.alias
        return open_live(self._cluster, self._settings, index, alias, encoder)


def _is_answer(exc: SeeAlsoError) -> bool:
    """Whether an error is about what was asked for: the index that raised it is still there."""
    return not isinstance(exc, ClusterError) or exc.context.get("status") == HTTPStatus.BAD_REQUEST


def _outdated(live: Live, state: "Future[AliasState]") -> bool:
    return dict(state.result()) != {live.name: live.meta}


def open_live(
    cluster: Cluster, settings: Settings, index: LiveIndex, address: str, encoder: Encoder
) -> Live:
    """Return all that queries to an index need, sent to it or, by others, to `address`."""
    return Live(
        index.name,
        index.meta,
        index.store,
        address,
        # decides which path ranks; where a shard is missing, the others are counted
        int(cluster.request("GET", f"/{index.name}/_count")["count"]),
        encoder,
        UserText(index.text),
        with_fitted(settings, encoder.bundle.fitted),
    )
