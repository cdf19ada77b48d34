"""``seealso build``: from files to lists by behaviour and texts, once and again the next night."""

import json
from typing import Any

import pytest

from seealso import api
from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, find_serving_bundle
from seealso.errors import BundleError, Unavailable
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Record, Shop, films
from tests.integration.test_fit import FILMS, choices, club, stocked


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def built(shop: Shop, capsys: pytest.CaptureFixture[str], **changes: Any) -> dict[str, Any]:
    main(shop.arguments("--json", "build", **changes))
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_files_become_lists_by_behaviour(
    open_shop: OpenShop, opensearch: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch)
    planned = json.loads(_said(shop, capsys, "--json", "build", "--dry-run"))
    assert planned["fit"] == "would fit fitted"
    assert shop.names == []
    found = built(shop, capsys)
    assert found["exported"] is None
    assert found["fit"].startswith("fitted, fitted in ")
    assert found["fitted"]["dev"]["joined"] > 2 * found["fitted"]["dev"]["text alone"]
    assert found["index"]["swapped"]
    assert found["index"]["bundle"].startswith("fitted-")
    with Recommender.from_config(shop.settings()) as recommender:
        clubs = [club(one.item_id) for one in recommender.recommend(history=["f0", "f3", "f6"])]
    # by chance a third of them would be
    assert clubs[:5] == [0] * 5


def test_the_next_night_fits_what_changed_and_asks_the_gate(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    first = built(shop, capsys)
    again = built(shop, capsys)
    assert again["fit"] == "fitted, as it was: fitted from the same events"
    assert again["fitted"] is None
    assert again["index"]["previous"] == first["index"]["index"]
    assert again["index"]["fingerprint"] == first["index"]["fingerprint"]
    assert again["index"]["verdict"]["live"] == first["index"]["index"]
    more: list[Record] = [
        {"user_id": f"new{number}", "item_id": f"f{number}", "second": 99_000 + number}
        for number in range(9)
    ]
    shop.stock(films(FILMS), [*choices(), *more])
    third = built(shop, capsys)
    assert third["fitted"]["bundle"] == "fitted"
    assert third["index"]["fingerprint"] != first["index"]["fingerprint"]


def test_too_few_events_are_said_and_the_lists_are_by_texts(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(FILMS))
    for _ in range(2):
        # the second time something is live, which nobody can be asked about
        found = built(shop, capsys)
        assert found["fit"] == (
            "nothing was fitted, lists are from texts alone: there are no events to learn from"
        )
        assert found["fitted"] is None
        assert found["index"]["swapped"]
    planned = _said(shop, capsys, "build", "--dry-run")
    assert "nothing was fitted, lists are from texts alone" in planned


def test_an_index_is_built_with_the_fitted_bundle_of_its_model(shop: Shop) -> None:
    settings = shop.settings()
    assert find_serving_bundle(settings).collaborative is None
    api.fit(settings)
    assert find_serving_bundle(settings).name == "fitted"
    assert api.build_index(settings).bundle.startswith("fitted-")
    evaluated = api.evaluate(settings, baselines=["popularity"], index=False)
    assert evaluated.data["bundle"] == "fitted"
    bound = BundleStore(settings.encoder.store)
    names = [name for name in bound.all() if not name.startswith("fitted")]
    # a bundle that is bound to the catalogue was chosen by somebody
    assert names
    by_texts = shop.settings(encoder={"bundle": names[0]})
    assert find_serving_bundle(by_texts).name == names[0]
    # unless the fit was made with that very bundle, as with a fine-tuned one
    api.fit(by_texts, force=True)
    assert find_serving_bundle(by_texts).name == "fitted"


def test_a_model_of_another_name_is_not_made_up(shop: Shop) -> None:
    with pytest.raises(BundleError, match="no bundle 'typo'"):
        api.build(shop.settings(encoder={"bundle": "typo"}))


def test_a_dead_cluster_is_found_before_anything_is_fitted(shop: Shop) -> None:
    settings = shop.settings(cluster={"url": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable):
        api.build(settings)
    assert not BundleStore(settings.encoder.store).has("fitted")


def _said(shop: Shop, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    main(shop.arguments(*command))
    return capsys.readouterr().out
