"""Behaviour and texts in one vector, end to end: fit, build, recommend, evaluate, on a real index.

What each user of a club reads is decided by the club, which no text tells: behaviour has to.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore, History
from seealso.errors import BundleError, MappingMismatch
from seealso.fitting.fit import fit, refresh_fit
from seealso.fitting.fit_report import FitReport
from seealso.fitting.refit import FOLDER
from seealso.indexer.inputs import inputs
from seealso.plugin import Recommender
from seealso.readers import Problems
from seealso.types import Path
from tests.integration.catalogues import OpenShop, Record, Shop, films

FILMS = 60
CLUBS = 3
MEMBERS = 20


def club(item_id: str) -> int:
    return int(item_id[1:]) % CLUBS


def choices(members: int = MEMBERS) -> list[Record]:
    """Return what users watched: films of their club, in an order of their own."""
    rng = Random(4)
    events = []
    for user in range(CLUBS * members):
        own = [f"f{n}" for n in range(FILMS - 2) if n % CLUBS == user % CLUBS]
        rng.shuffle(own)
        events += [
            {"user_id": f"u{user}", "item_id": item, "second": 1000 * day + user}
            for day, item in enumerate(own[:10])
        ]
    return events


def choices_in_pairs() -> list[Record]:
    """Return what users watched: films of their club, and after each first part its second."""
    rng = Random(5)
    events = []
    for user in range(CLUBS * MEMBERS):
        firsts = [n for n in range(FILMS - 5) if n % (2 * CLUBS) == user % CLUBS]
        rng.shuffle(firsts)
        parts = [part for first in firsts[:4] for part in (first, first + CLUBS)]
        events += [
            {"user_id": f"u{user}", "item_id": f"f{film}", "second": 1000 * day + user}
            for day, film in enumerate([*parts, firsts[4]])
        ]
    return events


def stocked(open_shop: OpenShop, node: NodeInfo, **sections: dict[str, Any]) -> Shop:
    fitting = {"name": "fitted", "factors": 8, **sections.pop("fit", {})}
    made = open_shop(
        node.url, events={"time": "second"}, fit=fitting, recommend={"tail_share": 0.0}, **sections
    )
    made.stock(films(FILMS), choices())
    return made


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def fitted(shop: Shop) -> FitReport:
    source = shop.inputs()
    return fit(shop.settings(), source.items, source.events)


def test_an_index_recommends_what_the_club_reads(open_shop: OpenShop, opensearch: NodeInfo) -> None:
    shop = stocked(open_shop, opensearch)
    report = fitted(shop)
    assert report.fitted.dev["joined"] > 2 * report.fitted.dev["text alone"]
    built = shop.build(encoder={"bundle": "fitted"})
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(built.fingerprint)
    assert bundle.dimension == report.dimension == bundle.text_dimension + 8 + 2
    assert built.verification.least_cosine > 0.999
    # of sixty items, the graph finds all
    assert built.verification.user_recall == 1.0
    assert built.verification.summary.endswith(", graph recall 1.00, for users 1.00")
    recommender = Recommender(shop.cluster, shop.settings(), None)
    history = ["f0", "f3", "f6"]
    lists = [recommender.recommend(history=history, path=path) for path in ("exact", "reference")]
    clubs = [club(item.item_id) for item in lists[0]]
    # by chance a third of them would be
    assert clubs[:5] == [0] * 5
    assert clubs.count(0) >= 7
    assert [item.item_id for item in lists[0]] == [item.item_id for item in lists[1]]
    near = recommender.recommend(history=history, path="ann")
    assert {item.item_id for item in near} == {item.item_id for item in lists[0]}
    for one, other in zip(lists[0], lists[1], strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
    related = recommender.related("f1")
    assert [club(item.item_id) for item in related][:5] == [1] * 5


@pytest.mark.parametrize("path", ["exact", "reference", "ann"])
def test_the_list_is_that_of_numpy(open_shop: OpenShop, opensearch: NodeInfo, path: str) -> None:
    shop = stocked(open_shop, opensearch)
    shop.stock(films(FILMS), choices_in_pairs())
    report = fitted(shop)
    # no eight factors know which second part follows
    assert report.fitted.recipe.co_occurrence is not None
    built = shop.build(encoder={"bundle": "fitted"})
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(built.fingerprint)
    part = bundle.collaborative
    assert part is not None
    ids = [f"f{n}" for n in range(FILMS)]
    stored = shop.documents(*ids)
    weighted = np.array([stored[one]["vector"] for one in ids], dtype=np.float32)
    items = bundle.restore(weighted)
    history = [9, 4, 30]
    recency = bundle.fitted["profile"]["recency"]
    told = recency ** np.arange(3) @ part.layout.contents_of(items[history])
    chosen = [ids[place] for place in history]
    boosted = part.boosts(chosen, range(3))
    level = boosted.entry_level
    own = (told / np.linalg.norm(told)).astype(np.float32)
    behaviour = [History(np.array(history), np.arange(3))]
    (user,) = part.user_vectors(own[None], items, behaviour, np.array([level]))
    scores = weighted @ user
    boosts = boosted.diluted(part.dilution(level))
    scores += np.array([boosts.get(one, 0.0) for one in ids], dtype=np.float32)
    scores[history] = -np.inf
    found = Recommender(shop.cluster, shop.settings(), None).recommend(history=chosen, path=path)
    assert any(item.co_occurrence for item in found)
    for item in found:
        assert item.co_occurrence == pytest.approx(boosts.get(item.item_id, 0.0))
    assert [item.item_id for item in found] == [ids[place] for place in np.argsort(-scores)[:10]]
    p = bundle.calibration.probability(np.sort(scores)[::-1][:10])
    np.testing.assert_allclose([item.probability for item in found], p, atol=1e-5)


def test_a_graph_is_judged_only_where_it_ranks(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted(shop)
    monkeypatch.setattr("seealso.indexer.graph.LEAST_RECALL", 1.1)
    first = shop.build()
    (note,) = [one for one in first.notes if "graph" in one]
    assert "the graph finds 100% of the best items, so every list is ranked exactly" in note
    capsys.readouterr()
    main(shop.arguments("index", "verify"))
    assert f"note: {note}" in " ".join(capsys.readouterr().err.split())
    # an index that is too large to be ranked exactly without need
    settings = shop.settings(recommend={"exact_limit": 59})
    assert Recommender(shop.cluster, settings).recommend(history=["f0"]).path is Path.EXACT
    with pytest.raises(MappingMismatch, match="the graph finds 100% of the best items") as refused:
        shop.build(recommend={"path": "ann"})
    assert shop.live == first.index
    name = refused.value.context["index"]
    assert f"`seealso index swap {name} --force`" in str(refused.value.hint)
    with pytest.raises(SystemExit):
        main(shop.arguments("index", "swap", name))
    assert f"`seealso index swap {name} --force`" in " ".join(capsys.readouterr().err.split())
    main(shop.arguments("index", "swap", name, "--force"))
    assert shop.live == name
    # the next build clears what is rejected, not what serves
    second = shop.build(swap=False)
    assert shop.names == [first.index, name, second.index]


def test_an_item_that_is_new_gets_a_vector_from_its_text(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    built = shop.build(encoder={"bundle": "fitted"})
    bundle = BundleStore(shop.settings().encoder.store).by_fingerprint(built.fingerprint)
    part = bundle.collaborative
    assert part is not None
    assert "f59" not in part.place
    new = bundle.restore(shop.vector("f59"))
    behaviour = new[part.text_dimension : -2] * part.radius / part.weight
    assert np.linalg.norm(behaviour) == pytest.approx(part.cold_length, rel=1e-2)


def test_an_protocol_of_cold_items_does_not_know_them(
    open_shop: OpenShop,
    opensearch_latest: NodeInfo,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    monkeypatch.chdir(shop.folder)
    main([*shop.arguments("fit"), "--json"])
    capsys.readouterr()
    sections = {"encoder": {"bundle": "fitted"}}
    arguments = shop.arguments("evaluate", "--protocol", "cold", "--no-baselines", **sections)
    main([*arguments, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [protocol["name"] for protocol in found["protocols"]] == ["cold", "cold among cold"]
    beside = BundleStore(shop.settings().encoder.store.parent / FOLDER).find("fitted")
    cold = found["protocols"][0]["cold_items"]
    assert beside.collaborative is not None
    whole = BundleStore(shop.settings().encoder.store).find("fitted").collaborative
    assert whole is not None
    assert len(beside.collaborative.ids) < len(whole.ids)
    # what was fitted for the protocol did not learn what it asks
    assert [protocol["notes"] for protocol in found["protocols"]] == [[], []]
    assert cold > 0


def test_a_bundle_is_not_replaced_unasked(
    open_shop: OpenShop,
    opensearch_latest: NodeInfo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    with pytest.raises(SystemExit):
        main(shop.arguments("fit"))
    assert "there is a bundle fitted already" in capsys.readouterr().err


def test_a_bundle_that_is_missing_is_told_before_anything_is_read(shop: Shop) -> None:
    def unread() -> Iterator[Any]:
        raise AssertionError("it was read")
        yield

    with pytest.raises(BundleError, match="no bundle 'gone'"):
        fit(shop.settings(encoder={"bundle": "gone"}), unread, unread)


def test_the_json_has_everything_side_by_side(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*shop.arguments("fit"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {
        "bundle", "fingerprint", "dimension", "base", "recipe", "profile", "importance",
        "calibration", "dev", "cold", "neighbours", "users", "items", "notes", "seconds",
        "images", "fine_tuned", "groups", "tried", "draw",
    }  # fmt: skip
    assert told["recipe"]["factors"] == 8
    assert told["profile"]["recency"] > 0


def test_of_too_many_events_those_of_some_users_are_learnt(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stock(films(FILMS), choices(4 * MEMBERS))
    few = {"training": {"most_events": 1200}}
    main([*shop.arguments("fit", **few), "--json"])
    found = capsys.readouterr()
    draw = json.loads(found.out)["draw"]
    # each of the 240 users has ten
    assert (draw["events"], draw["of_events"], draw["users"]) == (1200, 2400, 120)
    said = "note: what is learnt and asked comes from 1,200 of 2,400 events: those of 120 users "
    assert said in found.err
    # the index counts all events, and its lists are right
    shop.build(encoder={"bundle": "fitted"}, **few)
    documents = shop.documents(*(f"f{n}" for n in range(FILMS))).values()
    assert sum(one["interactions"] for one in documents) == 2400
    history = ["f0", "f3", "f6"]
    recommender = Recommender(shop.cluster, shop.settings(), None)
    clubs = [club(one.item_id) for one in recommender.recommend(history=history)]
    assert clubs[:5] == [0] * 5
    # an evaluation asks the same users
    main([*shop.arguments("evaluate", **few, encoder={"bundle": "fitted"}), "--json"])
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["users"], data["events learnt by what serves"]) == (120, 1200)
    assert data["drawn"].startswith("1,200 of 2,400 events")


def test_a_fit_is_made_again_where_the_sample_is_another(shop: Shop) -> None:
    few, enough, more = (
        shop.settings(training={"most_events": most}) for most in (1200, 3000, 30_000)
    )
    shop.stock(films(FILMS), choices(4 * MEMBERS))

    def read(settings: Settings) -> FitReport | Bundle:
        source = inputs(settings, None, Problems("stop"))
        return refresh_fit(settings, source.items, source.learnt)

    first = read(enough)
    assert isinstance(first, FitReport)
    assert first.draw is None
    assert isinstance(read(more), Bundle)
    second = read(few)
    assert isinstance(second, FitReport)
    assert second.draw is not None
    assert isinstance(read(few), Bundle)


def test_other_templates_than_those_that_were_fitted_are_refused(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    fitted(shop)
    with pytest.raises(SystemExit):
        main(
            shop.arguments(
                "index", "build", encoder={"bundle": "fitted"}, text={"item": "{{ title }}!"}
            )
        )
    assert "fitted over other text templates" in capsys.readouterr().err
    assert shop.live is None
