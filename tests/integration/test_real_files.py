"""A shop built from files as other systems write them: what stands in the index afterwards."""

from seealso.cluster.node import NodeInfo
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.readers import Problems
from tests.integration.catalogues import OpenShop, films

ORDERS = [
    {"user": 1001.0, "kind": "buy", "lines": [{"sku": "501.0"}, {"sku": 502}], "day": 20261002},
    {"user": None, "kind": "view", "lines": [{"sku": 503}], "day": "2026-10-03 09:00:00 UTC"},
    {"kind": "view", "lines": {"sku": " 503 "}, "day": 1790931600000000},
    {"user": "1002", "kind": "view", "lines": [{"sku": 503}], "day": "9999-12-31T23:59:59-05:00"},
]


def test_what_real_files_become(opensearch_latest: NodeInfo, open_shop: OpenShop) -> None:
    shop = open_shop(
        opensearch_latest.url,
        events={"user": "user", "item": "lines.sku", "type": "kind", "time": "day"},
    )
    prices = ["24,90 EUR", "call us", "1.129,00", None]
    items = [
        {**film, "item_id": 501 + n, "price": prices[n % 4]} for n, film in enumerate(films(30))
    ]
    shop.stock(items, ORDERS)
    settings, problems = shop.settings(), Problems("skip")
    building = inputs(settings, None, problems)
    assert build(shop.cluster, settings, building).items == 30
    found = shop.documents("501", "502", "503", "504")
    assert [found[one]["interactions"] for one in sorted(found)] == [1, 1, 2, 0]
    assert [found[one].get("price") for one in sorted(found)] == [24.9, None, 1129.0, None]
    assert (problems.count, problems.values) == (1, 8)
    assert any("have no user: they count only for importance" in one for one in problems.notes)
