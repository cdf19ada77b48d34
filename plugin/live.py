"""What stands behind the alias now: index, bundle, encoder; taken anew when the alias moves."""

from dataclasses import dataclass

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.encoder import Encoder, UserText
from seealso.errors import BundleError
from seealso.indexer.live import LiveIndex, live_index


@dataclass(frozen=True, slots=True)
class Live(LiveIndex):
    """The physical index behind an alias with everything needed to ask it.

    Attributes
    ----------
    documents
        Number of documents when it was looked at.
    encoder, user_text
        What profiles are encoded and rendered with.
    """

    documents: int
    encoder: Encoder
    user_text: UserText


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
    index = live_index(cluster, settings)
    documents = indices.count(cluster, index.name)
    if before is not None and before.fingerprint == index.fingerprint:
        encoder, user_text = before.encoder, before.user_text
    else:
        encoder, user_text = _query_encoder(index, settings), UserText(index.text)
    return Live(index.name, index.meta, index.store, documents, encoder, user_text)


def _query_encoder(index: LiveIndex, settings: Settings) -> Encoder:
    bundle = index.bundle
    if bundle.dimension != index.meta["dimension"]:
        raise BundleError(
            f"{index.name}: vectors have {index.meta['dimension']} dimensions, bundle "
            f"{bundle.name} makes {bundle.dimension}",
            hint="build the index again",
        )
    return Encoder(
        bundle, precision=settings.encoder.query_precision, threads=settings.encoder.threads
    )
