"""Reasons on a real cluster: shares that add up to OpenSearch's own value, words, paths, spaces."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from seealso.cli.main import cli
from seealso.cluster.node import NodeInfo
from seealso.errors import DataError, SeeAlsoError
from seealso.fitting.fit import fit
from seealso.plugin import Recommender
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.explanations.shares import Kind
from seealso.types import Path, User
from tests.integration.catalogues import OpenShop
from tests.integration.test_fit import stocked
from tests.library import TEXTLESS, Library


def adds_up(found: Explanation) -> None:
    assert found.raw is not None
    total = sum(one.amount for one in found.shares if one.amount is not None)
    assert total == pytest.approx(found.raw, abs=2e-5)


def kinds(found: Explanation) -> set[Kind]:
    return {one.kind for one in found.shares}


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_shares_add_up_to_the_value_in_the_list(library: Library, path: str) -> None:
    recommender = library.recommender(recommend={"path": path})
    user = recommender.user("u1", words="a castle of poetry", attributes={"likes": "castle"})
    (shown,) = recommender.recommend_batch([user])
    told = recommender.reasons(user, [one.item_id for one in shown])
    assert [one.item_id for one in told] == shown.ids
    for one, item in zip(told, shown, strict=True):
        assert one.raw == pytest.approx(item.raw, abs=2e-5)
        assert one.probability == pytest.approx(item.probability, abs=1e-5)
        assert one.path is Path(path)
        assert kinds(one) == {Kind.EVENT, Kind.WORDS, Kind.ATTRIBUTES, Kind.IMPORTANCE}
        adds_up(one)
        w = library.documents[one.item_id]["importance"]
        (importance,) = [share for share in one.shares if share.kind is Kind.IMPORTANCE]
        assert one.raw is not None
        assert importance.amount == pytest.approx(one.raw * (1 - 1 / w), abs=2e-5)


def test_each_event_is_a_reason_with_its_text(library: Library, recommender: Recommender) -> None:
    found = recommender.explain("u1", "b7")
    user = library.histories.user("u1")
    assert user is not None
    events = {one.item_id: one for one in found.shares if one.kind is Kind.EVENT}
    assert set(events) == {entry.item_id for entry in user.history}
    for item_id, one in events.items():
        alike = library.vector(item_id or "") @ library.vector("b7")
        assert one.similarity == pytest.approx(alike, abs=1e-5)
        assert found.texts[item_id or ""] == library.documents[item_id or ""]["text"]
    assert found.templates == ("exact",)
    assert (found.index, found.fingerprint) == (
        recommender.live.name,
        recommender.live.fingerprint,
    )


def test_a_user_without_history_is_explained_by_words_alone(recommender: Recommender) -> None:
    found = recommender.explain(User(words="a castle"), "b2")
    assert kinds(found) == {Kind.WORDS, Kind.IMPORTANCE}
    adds_up(found)


def test_words_that_bring_an_item_into_the_tail_list(
    library: Library, recommender: Recommender
) -> None:
    user = recommender.user("u1", words="无线 keyboard number")
    found = recommender.explain(user, "b40")
    assert found.templates == ("exact", "tail")
    assert {one.word for one in found.words} >= {"无", "线"}
    (shown,) = [one for one in recommender.recommend_batch([user])[0] if one.item_id == "b40"]
    assert sum(one.score for one in found.words) == pytest.approx(shown.score, rel=1e-5)
    assert not library.documents["b1"]["tail"]
    assert recommender.explain(user, "b1").words == ()


def test_an_item_without_a_vector_has_words_alone(recommender: Recommender) -> None:
    found = recommender.explain("u1", TEXTLESS)
    assert (found.raw, found.probability, found.shares) == (None, None, ())
    assert "it has no text" in found.note


def test_an_item_that_was_seen_is_explained_too(recommender: Recommender) -> None:
    found = recommender.explain("u1", "b3")
    adds_up(found)
    assert found.note == "the user has already seen it: no list contains it"


def test_an_item_that_is_not_in_the_index(recommender: Recommender) -> None:
    with pytest.raises(DataError, match="item 'gone' is not in the index") as caught:
        recommender.explain("u1", "gone")
    assert caught.value.hint is not None


def test_a_user_of_whom_nothing_is_known(recommender: Recommender) -> None:
    found = recommender.explain("nobody", "b1")
    assert (found.raw, found.shares, found.templates) == (None, (), ("importance",))
    assert found.note == "user 'nobody' is unknown: ranked by importance alone"
    assert found.importance > 0


def test_the_other_spaces_tell_what_can_be_told(other_space: Library) -> None:
    found = other_space.recommender().explain("u1", "b7")
    adds_up(found)
    events = [one for one in found.shares if one.kind is Kind.EVENT]
    assert events
    assert all(one.amount is None and one.similarity is not None for one in events)
    assert kinds(found) == {Kind.PROFILE, Kind.EVENT, Kind.IMPORTANCE}
    assert f"an index for {other_space.space} a similarity is not a sum" in found.note


def test_behaviour_is_shared_among_the_events_too(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    settings = shop.settings()
    read = shop.inputs(settings)
    report = fit(settings, read.items, read.events)
    shop.build(encoder={"bundle": report.bundle})
    recommender = Recommender(shop.cluster, shop.settings(encoder={"bundle": report.bundle}))
    assert recommender.live.encoder.bundle.collaborative is not None
    user = recommender.user(history=["f0", "f3", "f6", "f9"], words="a thriller")
    (shown,) = recommender.recommend_batch([user])
    for item, told in zip(shown, recommender.reasons(user, shown.ids), strict=True):
        adds_up(told)
        assert told.raw == pytest.approx(item.raw, abs=2e-5)
    # whoever is of the club is recommended what the club reads because of that
    best = recommender.explain(user, shown.ids[0])
    assert best.shares[0].kind in (Kind.EVENT, Kind.WORDS)


def test_the_commands(library: Library) -> None:
    def run(*arguments: str, as_json: bool = True) -> Any:
        start = ["--config", str(library.config), *(["--json"] if as_json else [])]
        done = CliRunner().invoke(cli, [*start, *arguments])
        if isinstance(done.exception, SeeAlsoError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if as_json else done.stdout

    told = run("explain", "u1", "b7", "--words", "a castle")
    assert sum(one["amount"] for one in told["shares"]) == pytest.approx(told["raw"], abs=2e-5)
    table = run("explain", "u1", "b7", "--most", "2", as_json=False)
    assert "event" in table
    assert "more" in table
    assert "templates exact" in table
    shown = run("recommend", "u1", "--explain", "--size", "3")
    assert [one["item_id"] for one in shown["reasons"]] == [i["item_id"] for i in shown["items"]]
    assert "because of" in run("recommend", "u1", "--explain", "--size", "3", as_json=False)


@pytest.mark.parametrize(
    ("swapped", "said"),
    [
        (lambda found, user: found.explain("b4", user), "item_id: must be an id"),
        (lambda found, _: found.explain(1.5, "b4"), "user: must be an id"),
        (lambda found, user: found.reasons(user, "b4"), "item_ids: must be a list of item ids"),
        (lambda found, user: found.related(user), "item_id: must be an id"),
        (lambda found, _: found.recommend_batch([1.5]), "users: must be an id"),
        (lambda found, user: found.recommend_batch(user), "users: must be a list of users"),
        (lambda found, _: found.profiles(["u1"]), "users: must be a user"),
    ],
)
def test_arguments_of_wrong_types_are_named(
    recommender: Recommender, swapped: Any, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        swapped(recommender, recommender.user("u1"))
