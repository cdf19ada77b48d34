"""A new item that sells is not cold any more: events alone take its bonus, without a fit."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore, Collaborative
from seealso.fitting.fit import fit
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.users.live import user_indices
from seealso.indexer.verify import verify_again
from seealso.types import Vector
from tests.integration.catalogues import OpenShop, Record, Shop, films
from tests.live import event, forgotten, ingested
from tests.members import built

FILMS, CLUBS, MEMBERS = 60, 3, 20
NEW, NEWER = "f58", "f59"
"""Nobody has chosen them when the bundle is fitted."""


def choices() -> list[Record]:
    """Return what users watched: films of their club, one a day, never the newest two."""
    rng = Random(4)
    found = []
    for user in range(CLUBS * MEMBERS):
        own = [f"f{n}" for n in range(FILMS - 2) if n % CLUBS == user % CLUBS]
        rng.shuffle(own)
        found += [choice(f"u{user}", item, day) for day, item in enumerate(own[:10], 1)]
    return found


def choice(user: str, item: str, day: int) -> Record:
    return {"user_id": user, "item_id": item, "kind": "view", "day": f"2024-01-{day:02}"}


SOLD = [choice(f"u{user}", NEW, 11) for user in range(30)]


@pytest.fixture
def shop(open_shop: OpenShop, opensearch: NodeInfo) -> Iterator[Shop]:
    """A shop whose index is joined with behaviour, with its users beside it."""
    made = open_shop(
        opensearch.url,
        events={"time": "day", "type": "kind"},
        fit={"name": "fitted", "factors": 8},
        importance={"floor": 0.8, "ceiling": 1.25},
    )
    made.stock(films(FILMS), choices())
    source = made.inputs()
    fit(made.settings(), source.items, source.events)
    made.build()
    built(made)
    yield made
    forgotten(made)
    for one in user_indices(made.cluster, made.settings()):
        indices.delete(made.cluster, one.name)


def part_of(shop: Shop) -> Collaborative:
    found = BundleStore(shop.settings().encoder.store).find("fitted").collaborative
    assert found is not None
    return found


def without_bonus(part: Collaborative, before: Vector, after: Vector) -> None:
    """Both are of the same item, apart from what cold items get."""
    assert part.layout.restore(before)[-2] > 0.1
    warm = part.layout.drop_bonus(part.layout.restore(before))
    np.testing.assert_allclose(part.layout.restore(after), warm, atol=1e-5)


def test_an_item_that_sells_is_not_cold_after_the_next_refresh(shop: Shop) -> None:
    new, newer = shop.vector(NEW), shop.vector(NEWER)
    assert not {NEW, NEWER} & part_of(shop).place.keys()
    shop.stock(films(FILMS), [*choices(), *SOLD])
    for changed in (True, False):
        report = refresh_importance(shop.cluster, shop.settings(), shop.inputs())
        assert bool(report.changed) is changed
        without_bonus(part_of(shop), new, shop.vector(NEW))
    stored = shop.documents(NEW)[NEW]
    assert stored["interactions"] == len(SOLD)
    unweighted = part_of(shop).layout.drop_padding(part_of(shop).layout.restore(shop.vector(NEW)))
    np.testing.assert_allclose(shop.vector(NEW), stored["importance"] * unweighted, atol=1e-5)
    # nobody chose the other one
    np.testing.assert_array_equal(shop.vector(NEWER), newer)
    assert verify_again(shop.cluster, str(shop.live), shop.settings()).least_cosine > 0.999


def test_a_build_with_the_bundle_of_yesterday_gives_what_a_refresh_gives(shop: Shop) -> None:
    shop.stock(films(FILMS), [*choices(), *SOLD])
    refresh_importance(shop.cluster, shop.settings(), shop.inputs())
    refreshed = [shop.vector(item) for item in (NEW, NEWER, "f1")]
    first = shop.live
    shop.build()
    assert shop.live != first
    for item, vector in zip((NEW, NEWER, "f1"), refreshed, strict=True):
        np.testing.assert_allclose(shop.vector(item), vector, atol=1e-5)


def test_live_events_do_so_at_once(shop: Shop) -> None:
    new, newer = shop.vector(NEW), shop.vector(NEWER)
    ingested(shop, [event(f"u{user}", NEW, user) for user in range(5)])
    without_bonus(part_of(shop), new, shop.vector(NEW))
    assert shop.documents(NEW)[NEW]["interactions"] == 5
    np.testing.assert_array_equal(shop.vector(NEWER), newer)
    assert verify_again(shop.cluster, str(shop.live), shop.settings()).least_cosine > 0.999
