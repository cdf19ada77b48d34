"""``seealso build``: from files to lists by behaviour and texts, once and again the next night."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from seealso import api
from seealso.cli.main import main
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.config import TextSettings
from seealso.encoder import Bundle, BundleStore, Projection, bind, find_serving_bundle
from seealso.encoder.description import MODEL
from seealso.encoder.transfer import Pull, pull
from seealso.errors import BundleError, ConfigError, NotBetter, Unavailable
from seealso.indexer.users.live import live_users, user_indices
from seealso.plugin import Recommender
from tests.bundles import tiny_source
from tests.integration.catalogues import OpenShop, Record, Shop, films
from tests.integration.test_fit import CLUBS, FILMS, MEMBERS, choices, club, stocked
from tests.members import KEY, NAMES
from tests.training_data import QUICK, WORDS


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


@pytest.fixture
def with_users(
    open_shop: OpenShop, opensearch_latest: NodeInfo, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """A shop whose users are indexed, too."""
    monkeypatch.setenv("SEEALSO_USERS_KEY", KEY)
    made = stocked(open_shop, opensearch_latest, users={"enabled": True})
    yield made
    for one in user_indices(made.cluster, made.settings()):
        indices.delete(made.cluster, one.name)


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
    assert found["fit"].startswith("fitted, in ")
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
    assert again["fit"] == "fitted stays: events, items and settings are as they were"
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
    assert found["index"]["notes"][-1].endswith(": the events suffice for no questions")
    planned = _said(shop, capsys, "build", "--dry-run")
    assert "nothing was fitted, lists are from texts alone" in planned


def test_a_fit_stays_where_the_events_no_longer_suffice(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(FILMS), choices())
    built(shop, capsys)
    shop.stock(films(FILMS), choices()[:3])
    after = built(shop, capsys)
    assert after["fit"].startswith(f"nothing was fitted, {shop.settings().fit_name} stays: ")
    assert after["index"]["bundle"].startswith("fitted-")
    assert after["index"]["notes"][-1] == (
        f"not compared with {after['index']['previous']}: the events suffice for no questions"
    )


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
    assert not BundleStore(settings.encoder.store).has(settings.fit_name)


def _said(shop: Shop, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    main(shop.arguments(*command))
    return capsys.readouterr().out


def test_events_that_teach_nothing_are_other_events_all_the_same(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    built(shop, capsys)
    # importance counts events of nobody and repetitions, which no history has
    of_nobody: Record = {"user_id": "", "item_id": "f59", "second": 500}
    again: Record = {**choices()[0], "second": 99_000}
    for more in (of_nobody, again):
        shop.stock(films(FILMS), [*choices(), more])
        assert built(shop, capsys)["fitted"] is not None
        assert built(shop, capsys)["fitted"] is None


def test_the_users_index_follows(with_users: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop = with_users
    first = built(shop, capsys)
    people = CLUBS * MEMBERS
    assert (first["users"]["users"], first["users"]["written"]) == (people, people)
    # nothing has changed: the same index of users is compared, and nothing written
    second = built(shop, capsys)
    assert second["users"]["index"] == first["users"]["index"]
    assert (second["users"]["unchanged"], second["users"]["written"]) == (people, 0)
    newcomer: Record = {"user_id": "new", "item_id": "f0", "second": 99_000}
    shop.stock(films(FILMS), [*choices(), newcomer])
    third = built(shop, capsys)
    assert third["users"]["index"] != first["users"]["index"]
    assert third["users"]["users"] == people + 1
    with Recommender.from_config(shop.settings()) as recommender:
        assert len(recommender.recommend("new")) == 10


def test_users_follow_a_live_index_that_stays(
    with_users: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = with_users
    first = built(shop, capsys)

    def refuse(*_: object) -> None:
        raise NotBetter("it ranks worse")

    monkeypatch.setattr("seealso.judging.gate.Gate.judge", refuse)
    newcomer: Record = {"user_id": "new", "item_id": "f0", "second": 99_000}
    shop.stock(films(FILMS), [*choices(), newcomer])
    with pytest.raises(NotBetter):
        api.build(shop.settings())
    users = live_users(shop.cluster, shop.settings(), NAMES)
    assert users.name == first["users"]["index"]
    with Recommender.from_config(shop.settings()) as recommender:
        assert recommender.live.name == first["index"]["index"]
        assert len(recommender.recommend("new")) == 10


def test_a_rejection_is_said_though_users_cannot_be_renewed(
    with_users: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = with_users
    users = built(shop, capsys)["users"]["index"]

    def refuse(*_: object) -> None:
        shop.cluster.request("PUT", f"/{users}/_settings", {"index.blocks.write": True})
        raise NotBetter("it ranks worse", hint="swap it by hand", verdict="worse")

    monkeypatch.setattr("seealso.judging.gate.Gate.judge", refuse)
    newcomer: Record = {"user_id": "new", "item_id": "f0", "second": 99_000}
    shop.stock(films(FILMS), [*choices(), newcomer])
    with pytest.raises(NotBetter, match="it ranks worse; the users index was not") as caught:
        api.build(shop.settings())
    assert users in caught.value.message
    assert str(caught.value.hint).startswith("swap it by hand; ")
    assert caught.value.context["verdict"] == "worse"


TOPICS = 8


def topical(shop: Shop, tiny: Bundle) -> dict[str, Any]:
    """Let texts say what few events do; return settings whose model reads little in texts."""
    number = 30 * TOPICS
    titles = [f"{WORDS[n % TOPICS]} {WORDS[n % TOPICS]} {n}" for n in range(number)]
    rng = Random(2)
    events: list[Record] = []
    for user in range(10 * TOPICS):
        own = rng.sample(range(user % TOPICS, number, TOPICS), 4)
        events += [
            {"user_id": f"u{user}", "item_id": f"i{item}", "second": 1000 * day + user}
            for day, item in enumerate(own)
        ]
    items = [{"item_id": f"i{n}", "title": title} for n, title in enumerate(titles)]
    shop.stock(items, events)
    plane = np.random.default_rng(0).normal(size=(tiny.dimension, 2)).astype(np.float32)
    blurred = bind(
        tiny,
        text=TextSettings(),
        projection=Projection(np.zeros(tiny.dimension, dtype=np.float32), plane),
        store=BundleStore(shop.settings().encoder.store),
    )
    learning = {"method": "head", "backbone": tiny_source(), "epochs": 30, "learning_rate": 1e-2}
    return {
        "catalogue": {"text": ["title"], "keywords": [], "numbers": []},
        "encoder": {"bundle": blurred.name},
        "training": {**QUICK, "name": "tuned", "folder": str(shop.folder / "runs"), **learning},
    }


@pytest.mark.slow
def test_a_fine_tuned_model_reads_the_texts_where_the_lists_gain(
    open_shop: OpenShop, opensearch_latest: NodeInfo, tiny: Bundle
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    settings = shop.settings(**topical(shop, tiny))
    assert api.plan_build(settings, train=True).train == "would make tuned"
    found = api.build(settings, train=True)
    assert found.trained is not None
    assert found.fitted is not None
    gained = found.fitted.fine_tuned
    assert gained is not None
    assert gained.difference.low > 0
    assert gained.after == found.fitted.fitted.dev["with cold items"]
    assert str(gained).startswith(f"tuned: NDCG@10 {gained.before:.4f} -> {gained.after:.4f}, +")
    assert str(gained).endswith(": it reads the texts")
    assert found.fitted.base == "tuned"
    assert find_serving_bundle(settings).name == "fitted"
    # nothing has changed: the next night trains and fits nothing, with the option or without
    assert api.plan_build(settings, train=True).train == "nothing to do"
    for train in (True, False):
        again = api.build(settings, train=train)
        assert (again.trained, again.fitted) == (None, None)
        assert again.index.fingerprint == found.index.fingerprint


def test_a_fine_tuned_model_without_a_gain_is_not_used(
    shop: Shop, tiny: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = built(shop, capsys)["fitted"]
    store, name = BundleStore(shop.settings().encoder.store), shop.settings().tuned_name
    # named as a training would name it, it reads the same in every text
    pull(Pull(tiny.folder, name), store)
    found = built(shop, capsys)["fitted"]
    assert (alone["fine_tuned"], alone["base"]) == (None, found["base"])
    assert found["fine_tuned"]["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    (store.folder_of(name) / MODEL).write_bytes(b"no model")
    found = built(shop, capsys)["fitted"]
    assert found["fine_tuned"] is None
    assert found["notes"][0].startswith("the fine-tuned model took no part: ")


def test_a_missing_key_is_found_before_anything_is_fitted(
    with_users: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEEALSO_USERS_KEY")
    settings = with_users.settings()
    with pytest.raises(ConfigError, match="SEEALSO_USERS_KEY"):
        api.build(settings)
    assert not BundleStore(settings.encoder.store).has(settings.fit_name)
