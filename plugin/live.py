"""What stands behind the alias now: index, bundle, encoder; taken anew when the alias moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seealso.cluster import Cluster, indices
from seealso.config import Settings, TextSettings
from seealso.encoder import BundleStore, Encoder, UserText
from seealso.errors import BundleError, ClusterError
from seealso.types import Calibration, Space


@dataclass(frozen=True, slots=True)
class Live:
    """The physical index behind an alias and everything needed to ask it."""

    name: str
    meta: Mapping[str, Any]
    documents: int
    encoder: Encoder
    user_text: UserText

    @property
    def space(self) -> Space:
        """Similarity that the index was built for."""
        return Space(self.meta["space"])

    @property
    def calibration(self) -> Calibration:
        """Parameters of the sigmoid, as the index records them."""
        return Calibration(**self.meta["calibration"])

    @property
    def fingerprint(self) -> str:
        """Fingerprint of bundle and index, which are the same."""
        return str(self.meta["fingerprint"])


def look(cluster: Cluster, settings: Settings, before: Live | None = None) -> Live:
    """Return what the alias stands for now.

    Parameters
    ----------
    cluster, settings
        Where, and which alias and bundles.
    before
        What it stood for when last looked at; its encoder is kept where the bundle is the same.

    Raises
    ------
    ClusterError
        The alias stands for nothing.
    BundleError
        The bundle of the index is not in the store, or is not the one that was asked for.
    """
    alias = settings.index.alias
    name = indices.live_name(cluster, alias)
    if name is None:
        raise ClusterError(
            f"{alias}: no such index or alias", hint="run `seealso index build`", alias=alias
        )
    meta = indices.meta(cluster, name)
    documents = indices.count(cluster, name)
    if before is not None and before.fingerprint == meta["fingerprint"]:
        return Live(name, meta, documents, before.encoder, before.user_text)
    store = BundleStore(settings.encoder.store)
    bundle = store.by_fingerprint(meta["fingerprint"])
    if bundle.dimension != meta["dimension"]:
        raise BundleError(
            f"{name}: vectors have {meta['dimension']} dimensions, bundle {bundle.name} "
            f"makes {bundle.dimension}",
            hint="build the index again",
        )
    encoder = Encoder(
        bundle, precision=settings.encoder.query_precision, threads=settings.encoder.threads
    )
    return Live(name, meta, documents, encoder, UserText(TextSettings(**meta["text"])))
