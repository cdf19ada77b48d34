"""Neighbours on a real cluster: what they chose lately adds to an item, on every path."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore
from seealso.encoder.description import DESCRIPTION
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.types import Source
from tests.films import Counting
from tests.integration.catalogues import OpenShop, Shop
from tests.integration.test_fit import fitted, stocked
from tests.members import FILMS, NAMES, PEOPLE, asking, built, documents

SHARE = 1.5


def asked(shop: Shop, user_id: str, share: float = SHARE, **more: Any) -> RecommendationList:
    section = {"share": share, "k": 5, "latest": 2}
    recommender = asking(shop, neighbours=section, recommend={"tail_share": 0.0})
    return recommender.recommend(user_id, **more)


def by_hand(shop: Shop, user_id: str) -> dict[str, float]:
    """Return the gain of each item, by numpy over all users."""
    every = documents(shop, *(f"ann-{n}" for n in range(PEOPLE)))
    own = every.pop(user_id)
    near = sorted(
        (
            (float(np.dot(own["vector"], one["vector"])), one["latest"][:2])
            for one in every.values()
        ),
        reverse=True,
    )[:5]
    total = sum(cosine for cosine, _ in near[:5])
    gains: dict[str, float] = {}
    for cosine, latest in near[:5]:
        for item in latest:
            if item not in own["seen"]:
                gains[item] = gains.get(item, 0.0) + SHARE * cosine / total
    return gains


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_the_first_of_all_items_by_lifted_values(peopled: Shop, path: str) -> None:
    built(peopled)
    plain = asked(peopled, "ann-3", 0.0, size=FILMS, path=path)
    assert {item.neighbours for item in plain} == {0.0}
    gains = by_hand(peopled, "ann-3")
    assert gains
    expected = {item.item_id: item.raw + gains.get(item.item_id, 0.0) for item in plain}
    best = sorted(expected.values(), reverse=True)[:5]
    found = asked(peopled, "ann-3", size=5, path=path)
    assert [item.raw for item in found] == pytest.approx(best, abs=1e-4)
    for item in found:
        assert item.raw == pytest.approx(expected[item.item_id], abs=1e-4)
        assert item.neighbours == pytest.approx(gains.get(item.item_id, 0.0), abs=1e-5)
        assert item.probability == pytest.approx(1 / (1 + np.exp(-item.raw)), abs=1e-6)


def test_neighbours_bring_items_that_the_vector_list_lacks(peopled: Shop) -> None:
    built(peopled)
    brought = 0
    for n in range(PEOPLE):
        plain = asked(peopled, f"ann-{n}", 0.0, size=3)
        found = asked(peopled, f"ann-{n}", size=3)
        own = {item.item_id for item in found if item.source is Source.NEIGHBOURS}
        assert own == set(found.ids) - set(plain.ids)
        assert all(item.neighbours > 0 for item in found if item.item_id in own)
        brought += len(own)
    assert brought > 0


def test_neighbours_cost_one_request_more(peopled: Shop) -> None:
    built(peopled)
    cluster, settings = Counting(peopled.url), peopled.settings(neighbours={"share": SHARE})
    recommender = Recommender(cluster, settings, users=UsersIndex(cluster, settings, NAMES))
    users = [recommender.user(f"ann-{n}") for n in range(8)]
    alone = recommender.recommend_batch(users)
    cluster.sent.clear()
    again = recommender.recommend_batch(users)
    assert cluster.sent == ["POST /_msearch", "POST /_msearch"]
    assert [one.ids for one in again] == [one.ids for one in alone]
    assert [one.ids for one in again] == [recommender.recommend(f"ann-{n}").ids for n in range(8)]
    assert "neighbours" in again[0].latency_ms


def test_filters_and_limits_hold_for_neighbours(peopled: Shop) -> None:
    built(peopled)
    clause = {"term": {"kind": "thriller"}}
    found = asked(peopled, "ann-3", filters=clause)
    assert {item.fields["kind"] for item in found} == {"thriller"}
    whole = asked(peopled, "ann-3", size=FILMS)
    least = float(whole[4].probability or 0)
    likely = asked(peopled, "ann-3", size=FILMS, min_probability=least - 1e-6)
    assert likely.ids == whole.ids[:5]
    # nothing that the user has met
    assert not {"f3", "f11", "f19", "f27"} & set(whole.ids)


def test_of_somebody_unknown_there_are_no_neighbours(peopled: Shop) -> None:
    built(peopled)
    found = asked(peopled, "nobody")
    assert "ranked by importance alone" in found.note
    assert {item.neighbours for item in found} == {0.0}
    # who says what they like has neighbours without being known
    known = asking(peopled, neighbours={"share": SHARE}).recommend(history=["f3", "f11"])
    assert any(item.neighbours for item in known)


def test_what_was_fitted_applies_until_a_person_sets_it(peopled: Shop, tmp_path: Path) -> None:
    built(peopled)
    plain = asking(peopled)
    assert not any(item.neighbours for item in plain.recommend("ann-3"))
    # the same bundle in another store, where `seealso fit` might have written this
    store = tmp_path / "store"
    folder = store / plain.live.encoder.bundle.folder.name
    shutil.copytree(plain.live.encoder.bundle.folder, folder)
    fitted = {"neighbours": {"share": SHARE, "k": 5}}
    file = folder / DESCRIPTION
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "fitted": fitted}))
    encoder = {"store": str(store)}
    assert any(item.neighbours for item in asking(peopled, encoder=encoder).recommend("ann-3"))
    off = asking(peopled, encoder=encoder, neighbours={"share": 0.0})
    assert not any(item.neighbours for item in off.recommend("ann-3"))


def test_the_vote_is_fitted_where_users_are_indexed(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest, users={"enabled": True})
    report = fitted(shop)
    chosen, dev = report.fitted.neighbours, report.fitted.dev
    assert dev["with neighbours"] >= dev["with cold items"]
    assert (chosen["share"] > 0) == (dev["with neighbours"] > dev["with cold items"])
    bundle = BundleStore(shop.settings().encoder.store).find("fitted")
    assert bundle.fitted["neighbours"] == chosen
    # without a users index there is nobody to ask
    alone = stocked(open_shop, opensearch_latest)
    assert fitted(alone).fitted.neighbours == {}
    assert "neighbours" not in BundleStore(alone.settings().encoder.store).find("fitted").fitted
