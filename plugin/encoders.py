"""Encoders in memory: of the live index, and of the one that a rollback goes back to."""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from seealso.config import Settings
from seealso.encoder import Encoder, query_encoder
from seealso.errors import BundleError
from seealso.indexer.live import LiveIndex

MAX_ENCODERS: Final = 2
"""Models in memory: that of the live index, and the one that a rollback goes back to."""


class Encoders:
    """Loads the encoder of an index in a thread of its own, and keeps the last ones.

    One thread at a time may ask for them.

    Parameters
    ----------
    settings
        Section ``encoder`` is used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loads: OrderedDict[str, Future[Encoder]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seealso-model")

    def load(self, index: LiveIndex) -> "Future[Encoder]":
        """Return the encoder of an index, as soon as it is there.

        One that could not be loaded is tried again, and waited for: whoever answers something else
        meanwhile would do so for ever.
        """
        load = self._loads.pop(index.fingerprint, None)
        broken = load is not None and load.done() and load.exception() is not None
        if load is None or broken:
            load = self._thread.submit(load_encoder, index, self._settings)
        self._loads[index.fingerprint] = load
        if len(self._loads) > MAX_ENCODERS:
            self._loads.popitem(last=False)
        if broken:
            wait([load])
        return load

    def close(self) -> None:
        """End the thread, once it has loaded what it began."""
        self._thread.shutdown(wait=False)


def load_encoder(index: LiveIndex, settings: Settings) -> Encoder:
    """Return the encoder of the bundle that an index was built with.

    Raises
    ------
    BundleError
        The bundle is not in the store, or does not fit the index.
    """
    bundle = index.bundle
    if bundle.dimension != index.meta["dimension"]:
        raise BundleError(
            f"{index.name}: vectors have {index.meta['dimension']} dimensions, bundle "
            f"{bundle.name} makes {bundle.dimension}",
            hint="build the index again",
        )
    return query_encoder(bundle, settings)
