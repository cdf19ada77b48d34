"""Personalised searches of an index that was attached to: the same hits, in the user's order."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.errors import DataError
from seealso.indexer.attach.running import attach
from seealso.indexer.templates import install
from seealso.plugin import Recommender
from seealso.plugin.search.personalise import Preference
from seealso.plugin.search.spread import Samples
from seealso.query_templates import script_id
from seealso.readers import Problems
from seealso.types import User, Vector
from tests.integration.owners import QUERIES, OpenStack, Stack, documents
from tests.library import Library

FOUND = ("match", "filters", "highlight", "nested", "aggregations over hits", "post filter")
WEIGHT = 0.5


def bodies() -> dict[str, dict[str, Any]]:
    """The owner's queries that rank by score, and some more; each finds all that it can."""
    aggregations = {"query": QUERIES["match"]["query"], "aggs": QUERIES["aggregations"]["aggs"]}
    after = {"query": {"match_all": {}}, "post_filter": {"term": {"kind": "western"}}, "size": 100}
    return {
        **{name: dict(QUERIES[name]) for name in ("match", "filters", "highlight", "nested")},
        "aggregations over hits": {
            **aggregations,
            "size": 100,
            "suggest": QUERIES["suggest"]["suggest"],
        },
        "post filter": after,
    }


@pytest.fixture
def stack(opensearch: NodeInfo, open_stack: OpenStack) -> Stack:
    """An attached stack, one of whose documents has no vector."""
    made = open_stack(opensearch.url)
    attach(made.cluster, made.settings, made.alias, Problems("stop"))
    made.write({"later": documents()["f9"]}, made.alias)
    return made


@pytest.fixture
def someone(stack: Stack) -> tuple[Recommender, User]:
    """Who likes three films."""
    recommender = stack.recommender()
    return recommender, recommender.user(history=["f1", "f2", "f10"])


def hits(answer: dict[str, Any]) -> dict[str, Any]:
    """Hits by id, without what the score changes."""
    changed = ("_score", "sort")
    return {
        hit["_id"]: {k: v for k, v in hit.items() if k not in changed}
        for hit in answer["hits"]["hits"]
    }


def expected(stack: Stack, recommender: Recommender, user: User, plain: dict[str, Any]) -> Vector:
    """The scores that the formula gives to the hits of a plain search, in their order."""
    live = recommender.live
    (profile,) = recommender.profiles([user])
    assert profile.vector is not None
    likes = Preference.of(profile.vector, Samples(stack.cluster).of(live), WEIGHT)
    made = []
    for hit in plain["hits"]["hits"]:
        vector = hit["_source"].get("vector")
        x = likes.neutral if vector is None else float(np.dot(vector, profile.vector))
        made.append((hit["_score"] + 0.001) * np.exp(likes.weight * (x - likes.neutral)))
    return np.array(made)


@pytest.mark.parametrize("name", FOUND)
def test_the_hits_are_the_same_in_an_order_of_their_own(
    stack: Stack, someone: tuple[Recommender, User], name: str
) -> None:
    body = bodies()[name]
    plain = stack.cluster.request("POST", f"/{stack.alias}/_search", body)
    made = someone[0].search(body, someone[1], weight=WEIGHT)
    assert plain["hits"]["total"]["value"] > 2
    assert made["hits"]["total"] == plain["hits"]["total"]
    assert hits(made) == hits(plain)
    for part in ("aggregations", "suggest"):
        assert made.get(part) == plain.get(part)
    scores = {hit["_id"]: hit["_score"] for hit in made["hits"]["hits"]}
    wanted = expected(stack, *someone, plain)
    for hit, score in zip(plain["hits"]["hits"], wanted, strict=True):
        assert scores[hit["_id"]] == pytest.approx(score, rel=1e-4)
    assert list(scores) != [hit["_id"] for hit in plain["hits"]["hits"]]


def test_a_document_without_a_vector_is_found_as_before(
    stack: Stack, someone: tuple[Recommender, User]
) -> None:
    made = someone[0].search({"query": {"match_all": {}}, "size": 100}, someone[1])
    scores = {hit["_id"]: hit["_score"] for hit in made["hits"]["hits"]}
    assert scores["later"] == pytest.approx(1.001)
    assert min(scores.values()) < 1.0 < max(scores.values())


def test_collapsing_sorting_and_paging_go_by_the_new_score(
    stack: Stack, someone: tuple[Recommender, User]
) -> None:
    recommender, user = someone
    query = {"query": {"match_all": {}}, "sort": ["_score", {"title.raw": "asc"}]}
    every = recommender.search({**query, "size": 100}, user)["hits"]["hits"]
    page = recommender.search({**query, "from": 3, "size": 4}, user)["hits"]["hits"]
    assert [hit["_id"] for hit in page] == [hit["_id"] for hit in every[3:7]]
    then = {**query, "size": 4, "search_after": every[6]["sort"]}
    after = recommender.search(then, user)["hits"]["hits"]
    assert [hit["_id"] for hit in after] == [hit["_id"] for hit in every[7:11]]
    found = recommender.search({**query, "collapse": {"field": "kind"}}, user)["hits"]["hits"]
    best: dict[str, str] = {}
    for hit in every:
        best.setdefault(hit["_source"]["kind"], hit["_id"])
    assert [hit["_id"] for hit in found] == list(best.values())


def test_where_no_score_is_given_the_preference_decides(
    stack: Stack, someone: tuple[Recommender, User]
) -> None:
    recommender, user = someone
    body = {"query": {"bool": {"filter": {"range": {"price": {"lte": 40}}}}}, "size": 100}
    found = [hit["_id"] for hit in recommender.search(body, user)["hits"]["hits"]]
    likes = {
        one.item_id: one.raw or 0
        for one in recommender.recommend(
            history=["f1", "f2", "f10"], size=100, path="exact", tail_share=0
        ).items
    }
    ranked = [likes[item_id] for item_id in found if item_id in likes]
    assert len(ranked) > 20
    assert ranked == sorted(ranked, reverse=True)


def test_a_window_ranks_the_best_anew_and_leaves_the_rest_of_the_body(
    stack: Stack, someone: tuple[Recommender, User]
) -> None:
    recommender, user = someone
    body = bodies()["aggregations over hits"]
    whole = recommender.search(body, user, weight=WEIGHT)
    top = recommender.search(body, user, weight=WEIGHT, window=100)
    assert hits(top) == hits(whole)
    assert top["aggregations"] == whole["aggregations"]
    scores = {hit["_id"]: hit["_score"] for hit in whole["hits"]["hits"]}
    for hit in top["hits"]["hits"]:
        assert hit["_score"] == pytest.approx(scores[hit["_id"]], rel=0.01)
    few = {**body, "size": 3}
    plain = stack.cluster.request("POST", f"/{stack.alias}/_search", {**body, "size": 5})
    window = recommender.search(few, user, weight=WEIGHT, window=5)
    assert hits(window).keys() <= hits(plain).keys()
    assert window["hits"]["total"] == plain["hits"]["total"]


def test_the_stored_template_finds_the_same(
    stack: Stack, someone: tuple[Recommender, User]
) -> None:
    recommender, user = someone
    install(stack.cluster)
    body = {**bodies()["highlight"], "aggs": QUERIES["aggregations"]["aggs"]}
    made = recommender.personalise(body, user, weight=WEIGHT)
    params = made["query"]["script_score"]["script"]["params"]
    parts = {"query": body["query"], "size": 100}
    parts |= {name: made[name] for name in ("highlight", "aggs")}
    stored = {"id": script_id("personalise"), "params": {**params, **parts}}
    answer = stack.cluster.request("POST", f"/{stack.alias}/_search/template", stored)
    sent = recommender.search(body, user, weight=WEIGHT)
    assert answer["aggregations"] == sent["aggregations"]
    mine, theirs = sent["hits"]["hits"], answer["hits"]["hits"]
    assert [h["_id"] for h in mine] == [h["_id"] for h in theirs]
    assert [h["_score"] for h in mine] == [h["_score"] for h in theirs]
    assert [h["highlight"] for h in mine] == [h["highlight"] for h in theirs]
    assert all("vector" not in hit["_source"] for hit in theirs)


def test_nobodys_search_is_what_it_was(stack: Stack) -> None:
    recommender = stack.recommender()
    body = bodies()["match"]
    assert recommender.personalise(body, recommender.user("nobody")) == body
    assert recommender.personalise(body, recommender.user("nobody"), window=100) == body
    with pytest.raises(DataError, match="requests no hits"):
        recommender.personalise({"size": 0}, recommender.user("nobody"))


@pytest.fixture(params=["euclidean", "manhattan"])
def library(
    request: pytest.FixtureRequest, opensearch: NodeInfo, tiny: Bundle, tmp_path: Path
) -> Iterator[Library]:
    alias = f"books-{uuid4().hex[:8]}"
    made = Library.found(tmp_path, opensearch.url, alias, tiny, space=request.param)
    made.build()
    yield made
    made.close()


def test_in_other_spaces_the_order_is_that_of_their_similarity(library: Library) -> None:
    recommender = library.recommender()
    user = recommender.user("u1")
    body = {"query": {"match_all": {}}, "size": 60, "_source": False}
    found = [hit["_id"] for hit in recommender.search(body, user)["hits"]["hits"]]
    assert len(found) == 60
    likes = recommender.recommend("u1", size=60, tail_share=0)
    # what was seen is not recommended, but searched for it is found
    ids = [one.item_id for one in likes.items]
    raw = {one.item_id: one.raw or 0.0 for one in likes.items}
    ranked = [raw[item_id] for item_id in found if item_id in raw]
    assert len(ranked) == len(ids)
    assert ranked == pytest.approx(sorted(ranked, reverse=True), abs=1e-6)


def test_the_command_prints_the_body_or_the_answer(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "body.json"
    file.write_text(json.dumps(bodies()["match"]), encoding="utf-8")
    ask = ["personalise", "--history", "f1,f2,f10", "--body", str(file)]
    main(stack.shop.arguments(*ask))
    body = json.loads(capsys.readouterr().out)
    assert body["query"]["script_score"]["query"] == bodies()["match"]["query"]
    main(stack.shop.arguments(*ask, "--send"))
    answer = json.loads(capsys.readouterr().out)
    sent = stack.cluster.request("POST", f"/{stack.alias}/_search", body)
    assert [h["_id"] for h in answer["hits"]["hits"]] == [h["_id"] for h in sent["hits"]["hits"]]
    main(stack.shop.arguments("personalise", "nobody", "--body", str(file)))
    said = capsys.readouterr()
    assert json.loads(said.out) == bodies()["match"]
    assert "nothing is known about the user" in said.err
    file.write_text("{oops", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(stack.shop.arguments(*ask))
    assert "body.json:1:2: not JSON" in capsys.readouterr().err
