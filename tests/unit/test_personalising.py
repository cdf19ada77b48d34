"""Bodies that are personalised, and bodies that cannot be: by pure functions, without a cluster."""

from typing import Any

import numpy as np
import orjson
import pytest

from seealso.config import PersonaliseSettings
from seealso.errors import ConfigError, DataError
from seealso.plugin.ranking.options import changed
from seealso.plugin.search.personalise import Preference, personalise_body
from seealso.plugin.search.spread import Sample
from seealso.query_templates import render
from seealso.types import Space

LIKES = Preference(np.array([0.6, 0.8], dtype=np.float32), Space.COSINE, 3.0, 0.1)
MATCH = {"match": {"title": "tent"}}


def test_only_the_query_is_changed_and_it_wraps_the_old_one() -> None:
    body = {"query": MATCH, "aggs": {"a": {"max": {"field": "price"}}}, "from": 2, "anything": [1]}
    made = personalise_body(body, LIKES)
    assert {**made, "query": MATCH} == body
    wrapped = made["query"]["script_score"]
    assert wrapped["query"] == MATCH
    assert wrapped["script"]["params"] == {
        "vector": pytest.approx([0.6, 0.8]),
        "weight": 3.0,
        "space": "innerproduct",
        "neutral": 0.1,
    }
    assert body["query"] == MATCH


def test_highlights_mark_what_the_query_of_before_asks_for() -> None:
    body = {"query": MATCH, "highlight": {"fields": {"title": {}}}}
    made = personalise_body(body, LIKES)["highlight"]
    assert made == {"fields": {"title": {}}, "highlight_query": MATCH}
    own = {"highlight_query": {"match": {"title": "tarp"}}, "fields": {"title": {}}}
    assert personalise_body({**body, "highlight": own}, LIKES)["highlight"] == own
    assert personalise_body(body, LIKES, 50)["highlight"] == body["highlight"]


def test_a_body_without_a_query_finds_everything_as_before() -> None:
    made = personalise_body({"size": 3}, LIKES)
    assert made["query"]["script_score"]["query"] == {"match_all": {}}


def test_nobodys_body_stays_as_it_is() -> None:
    body = {"query": MATCH, "size": 3}
    assert personalise_body(body, None) == body
    assert personalise_body(body, None, 100) == body


def test_a_window_becomes_a_rescore_clause_behind_those_that_are_there() -> None:
    first = {"window_size": 5, "query": {"rescore_query": MATCH}}
    for given, before in (({}, []), ({"rescore": first}, [first]), ({"rescore": [first]}, [first])):
        made = personalise_body({"query": MATCH, **given}, LIKES, 50)
        assert made["query"] == MATCH
        assert made["rescore"][:-1] == before
        assert made["rescore"][-1]["window_size"] == 50
        again = made["rescore"][-1]["query"]["rescore_query"]["script_score"]
        assert again["query"] == {"match_all": {}}


@pytest.mark.parametrize("text", ['a "quoted" tent', "{{#toJson}}vector{{/toJson}}", "\\n\n无线"])
def test_text_that_was_typed_stays_text(text: str) -> None:
    query = {"match": {"title": text}}
    assert personalise_body({"query": query}, LIKES)["query"]["script_score"]["query"] == query


def test_the_template_makes_the_same_query() -> None:
    params = LIKES.parameters(MATCH) | {"size": 5, "highlight": {"fields": {"title": {}}}}
    rendered = orjson.loads(render("personalise", params))
    assert rendered["query"] == personalise_body({"query": MATCH}, LIKES)["query"]
    assert (rendered["size"], rendered["highlight"]) == (5, {"fields": {"title": {}}})


@pytest.mark.parametrize(
    ("body", "window", "said"),
    [
        ([], None, "is an object, not a list"),
        ({"query": "tent"}, None, "must be a query DSL clause"),
        ({"size": 0, "aggs": {}}, None, "requests no hits"),
        ({"size": "many"}, None, "size: must be a whole number"),
        ({"suggest": {"a": {}}}, None, "only suggests"),
        ({"knn": {"field": "v"}}, None, "knows no such key"),
        ({"query": {"hybrid": {"queries": []}}}, None, "must be the outermost"),
        ({"query": MATCH, "min_score": 2}, None, "compared with the changed scores"),
        ({"query": MATCH, "sort": "price"}, None, "sorted by price"),
        ({"query": MATCH, "sort": [{"price": "desc"}, "title.raw"]}, None, "price, title.raw"),
        ({"query": MATCH, "rescore": {}}, None, "it has a rescore of its own"),
        ({"query": MATCH, "sort": ["_score", "price"]}, 50, "cannot rescore a sorted search"),
        ({"query": MATCH, "collapse": {"field": "kind"}}, 50, "cannot rescore with collapse"),
        ({"query": MATCH, "from": 45}, 50, "from + size is 55, the window 50"),
    ],
)
def test_what_cannot_be_personalised_is_told_with_a_reason(
    body: Any, window: int | None, said: str
) -> None:
    for likes in (LIKES, None):
        with pytest.raises(DataError) as refused:
            personalise_body(body, likes, window)
        assert said in refused.value.message
        assert refused.value.hint


@pytest.mark.parametrize(
    "body",
    [
        {"query": MATCH, "sort": "_score"},
        {"query": MATCH, "sort": [{"price": "desc"}, "_score"]},
        {"sort": {"_score": "asc"}},
    ],
)
def test_what_is_sorted_by_score_too_can_be(body: Any) -> None:
    assert personalise_body(body, LIKES)["sort"] == body["sort"]


def test_a_weight_counts_standard_deviations() -> None:
    random = np.random.default_rng(5)
    vectors = random.normal(size=(200, 16)).astype(np.float32)
    importance = random.uniform(0.5, 2, 200).astype(np.float32)
    user = (vectors[0] / np.linalg.norm(vectors[0])).astype(np.float32)
    x = vectors @ user
    made = Preference.of(user, Sample(Space.COSINE, vectors, importance), 0.5)
    assert made.neutral == pytest.approx(x.mean(), abs=1e-5)
    assert made.weight * x.std() == pytest.approx(0.5, rel=1e-4)
    near = importance / (1 + np.abs(vectors - user).sum(axis=1))
    made = Preference.of(user, Sample(Space.MANHATTAN, vectors, importance), 0.5)
    assert made.neutral == pytest.approx(near.mean(), rel=1e-4)
    assert made.weight * near.std() == pytest.approx(0.5, rel=1e-3)


def test_nothing_is_preferred_where_all_are_equal() -> None:
    user = np.array([1, 0], dtype=np.float32)
    for vectors in (np.ones((9, 2), dtype=np.float32), np.zeros((0, 2), dtype=np.float32)):
        sample = Sample(Space.COSINE, vectors, np.ones(len(vectors), dtype=np.float32))
        assert Preference.of(user, sample, 0.5).weight == 0


def test_a_weight_out_of_range_is_refused() -> None:
    assert changed(PersonaliseSettings(), {"weight": 1.5, "window": None}).weight == 1.5
    with pytest.raises(ConfigError, match="weight: must be"):
        changed(PersonaliseSettings(), {"weight": -1.0})
    with pytest.raises(ConfigError, match="window: must be"):
        changed(PersonaliseSettings(), {"window": 0})
