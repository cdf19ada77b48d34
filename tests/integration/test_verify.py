"""What verification finds in a loaded index, and that the alias never moves to what it refused."""

import pytest

from seealso.cluster import BulkWriter, indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, Encoder
from seealso.errors import MappingMismatch
from seealso.indexer.verify import verify
from tests.integration.catalogues import OpenShop, Shop, films


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch.url)


@pytest.fixture
def latest_shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch_latest.url)


def spoilt(shop: Shop, name: str, item_id: str) -> None:
    """Exchange the vector of one document for another."""
    cluster = shop.cluster
    first, second = (shop.documents(i)[i] for i in (item_id, "f1"))
    with BulkWriter(cluster, name) as writer:
        writer.index(item_id, {**first, "vector": second["vector"]})
    indices.refresh(cluster, name)


def test_verify_finds_a_wrong_vector(shop: Shop) -> None:
    shop.stock(films(60))
    report = shop.build()
    settings = shop.settings(index={"verify_sample": 60})
    encoder = Encoder(BundleStore(settings.encoder.store).by_fingerprint(report.fingerprint))
    assert verify(shop.cluster, report.index, encoder, settings).sample == 60
    spoilt(shop, report.index, "f20")
    with pytest.raises(MappingMismatch, match="'f20' encoded again gives another vector"):
        verify(shop.cluster, report.index, encoder, settings)


def test_verify_finds_a_lost_document_and_another_bundle(latest_shop: Shop) -> None:
    latest_shop.stock(films(60))
    report = latest_shop.build()
    settings = latest_shop.settings()
    encoder = Encoder(BundleStore(settings.encoder.store).by_fingerprint(report.fingerprint))
    with BulkWriter(latest_shop.cluster, report.index) as writer:
        writer.delete("f3")
    indices.refresh(latest_shop.cluster, report.index)
    with pytest.raises(MappingMismatch, match="holds 59 documents, the catalogue has 60 items"):
        verify(latest_shop.cluster, report.index, encoder, settings)
    with pytest.raises(MappingMismatch, match=f"built with bundle {report.fingerprint}, not"):
        verify(latest_shop.cluster, report.index, Encoder(latest_shop.bundle), settings)


def test_a_build_that_fails_its_verification_serves_nobody(
    latest_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest_shop.stock(films(60))
    first = latest_shop.build().index
    with monkeypatch.context() as strict:
        strict.setattr("seealso.indexer.verify.LEAST_COSINE", 1.1)
        with pytest.raises(MappingMismatch, match="encoded again gives another vector"):
            latest_shop.build()
    assert latest_shop.live == first
    rejected = indices.listing(latest_shop.cluster, latest_shop.alias)[-1]
    assert rejected.state == "rejected"
    # the next one does not go on with it, which would find it complete and fail again
    third = latest_shop.build()
    assert third.resumed is False
    assert latest_shop.names == [first, third.index]
