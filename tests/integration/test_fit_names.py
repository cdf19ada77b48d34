"""Several catalogues over one store: each alias has a fit of its own, and keeps it."""

import json
from random import Random

import pytest

from seealso import api
from seealso.cluster.node import NodeInfo
from seealso.encoder import BundleStore
from seealso.errors import ConfigError
from seealso.fitting.refit import FOLDER
from tests.integration.catalogues import OpenShop, Record, Shop, films
from tests.integration.test_fit import CLUBS, FILMS, MEMBERS, choices
from tests.integration.test_status import source_of


def other_choices() -> list[Record]:
    """Return what the users of another shop watched: neighbours in the catalogue."""
    rng = Random(7)
    events = []
    for user in range(CLUBS * MEMBERS):
        start = user % CLUBS * FILMS // CLUBS
        own = rng.sample(range(start, start + FILMS // CLUBS), 10)
        events += [
            {"user_id": f"u{user}", "item_id": f"f{item}", "second": 1000 * day + user}
            for day, item in enumerate(own)
        ]
    return events


@pytest.fixture
def shops(open_shop: OpenShop, opensearch_latest: NodeInfo) -> tuple[Shop, Shop]:
    """Two shops with the same films, text templates and store, and with other customers."""
    first, second = (
        open_shop(
            opensearch_latest.url,
            events={"time": "second"},
            fit={"factors": 8},
            recommend={"tail_share": 0.0},
        )
        for _ in range(2)
    )
    first.stock(films(FILMS), choices())
    second.stock(films(FILMS), other_choices())
    second.sections["encoder"] = {"store": str(first.folder / "bundles")}
    return first, second


def test_each_alias_keeps_its_own_fit(shops: tuple[Shop, Shop]) -> None:
    names = [f"fitted-{shop.alias}" for shop in shops]
    built = []
    for shop, name in zip(shops, names, strict=True):
        settings = shop.settings()
        (note,) = [one for one in api.build_index(settings).notes if "texts alone" in one]
        assert note == f"lists are from texts alone: there is no fitted bundle {name}"
        found = api.build(settings)
        assert found.fitted is not None
        assert found.fitted.bundle == name
        built.append(found.index)
    assert built[0].fingerprint != built[1].fingerprint
    for shop, name, first in zip(shops, names, built, strict=True):
        settings = shop.settings()
        assert api.status(settings).behind == ()
        again = api.build(settings)
        assert again.fit == f"{name} stays: events, items and settings are as they were"
        alone = api.build_index(settings)
        assert again.index.fingerprint == alone.fingerprint == first.fingerprint
        assert alone.bundle == f"{name}-{first.fingerprint[:8]}"
        assert not any("alone" in one or "alias" in one for one in alone.notes)
    # the index that is evaluated has an alias of its own, the fit is that of the shop
    evaluated = api.evaluate(shops[0].settings(), baselines=[])
    assert evaluated.data["bundle"] == names[0]
    beside = BundleStore(shops[0].folder / FOLDER)
    assert beside.find(names[0]).collaborative is not None


def test_two_builds_at_once_over_one_store(shops: tuple[Shop, Shop]) -> None:
    running = [shop.start("--json", "build") for shop in shops]
    for shop, one in zip(shops, running, strict=True):
        out, err = one.communicate(timeout=300)
        assert one.returncode == 0, err
        found = json.loads(out)
        assert found["fitted"]["bundle"] == f"fitted-{shop.alias}"
        assert api.build_index(shop.settings()).fingerprint == found["index"]["fingerprint"]


def test_a_name_that_two_aliases_share_is_refused(shops: tuple[Shop, Shop]) -> None:
    first, second = (shop.settings(fit={"name": "shared"}) for shop in shops)
    api.fit(first)
    for call in (api.build, api.plan_build):
        with pytest.raises(ConfigError, match="shared is the fit of") as refused:
            call(second)
        assert first.index.alias in str(refused.value)
        assert "leave fit.name out" in str(refused.value.hint)
    (note,) = source_of(api.status(second)).notes
    assert note.startswith("nothing can be fitted: fit.name: shared is the fit of ")
    (note,) = [one for one in api.build_index(second).notes if "alias" in one]
    assert note.startswith("shared was fitted for the alias ")
    assert note.endswith(f"{first.index.alias}, not for {second.index.alias}")
    # whoever says so replaces it
    api.fit(second, force=True)
    assert api.plan_build(second).fit == "shared would stay"


def test_a_model_is_not_replaced_by_a_fit(shops: tuple[Shop, Shop]) -> None:
    settings = shops[0].settings()
    bound = api.build_index(settings).bundle
    with pytest.raises(ConfigError, match=f"{bound} is no fitted bundle"):
        api.build(shops[0].settings(fit={"name": bound}))
