"""Which searches a list is made of, and which options are refused."""

from dataclasses import replace
from datetime import UTC, datetime
from math import nan
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from seealso.config import RecommendSettings
from seealso.errors import ConfigError, DataError
from seealso.indexer.graph import GraphRecall
from seealso.plugin.ranking.options import Criteria, RecommendOptions
from seealso.plugin.ranking.paths import RankingContext, choose_path, is_small
from seealso.plugin.ranking.searches import (
    Search,
    importance_search,
    tail_search,
    vector_search,
)
from seealso.types import Calibration, HistoryEntry, Path, Space, User

SETTINGS = RecommendSettings()
VECTOR = np.array([0.6, 0.8], dtype=np.float32)
COMEDY = {"term": {"genres": "Comedy"}}


def criteria(**changes: Any) -> Criteria:
    return RecommendOptions(**changes).resolve(SETTINGS)


def vector_body(path: Path, **changes: Any) -> dict[str, Any]:
    context = RankingContext(path, Space.COSINE, Calibration(b=0.5, t=2.0))
    search = vector_search(VECTOR, ["seen"], criteria(**changes), context)
    body: dict[str, Any] = orjson.loads(search.body())
    return body


def test_criteria_are_the_settings_until_an_option_changes_them() -> None:
    assert criteria().size == SETTINGS.size
    assert criteria(size=3).size == 3
    assert criteria(size=3).tail_share == SETTINGS.tail_share
    assert criteria(filters=COMEDY).filters == (COMEDY,)
    assert criteria(filters=[COMEDY, COMEDY]).filters == (COMEDY, COMEDY)
    assert criteria(path="ann").path is Path.ANN
    left_out = {"bool": {"must_not": [{"ids": {"values": ["b", "a"]}}]}}
    assert criteria(filters=COMEDY, exclude=["b", "a", "b"]).filters == (COMEDY, left_out)
    assert criteria(exclude=[]).filters == ()
    assert criteria().diversity is None
    assert (criteria(diversity=0).diversity, criteria(diversity=0.5).diversity) == (0, 0.5)


@pytest.mark.parametrize("wrong", ["a", ["a", 1.5], [" "], {"a": 1}])
def test_what_is_left_out_are_ids(wrong: Any) -> None:
    with pytest.raises(DataError, match="exclude: must be"):
        criteria(exclude=wrong)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": "fast"}, "path: must be one of auto, reference, exact, ann, not 'fast'"),
        ({"size": -1}, "size: must be greater than or equal to 1, not -1"),
        ({"size": 1001}, "size: must be less than or equal to 1000, not 1001"),
        ({"tail_share": 2}, "tail_share: must be less than or equal to 1, not 2"),
        ({"tail_share": float("nan")}, "tail_share: must be"),
        ({"diversity": -0.1}, "diversity: must be greater than or equal to 0, not -0.1"),
        ({"diversity": "much"}, "diversity: must be"),
        ({"min_probability": 1.0}, "min_probability: must be less than 1, not 1.0"),
        ({"filters": "genres:Comedy"}, "filters: 'genres:Comedy' is not a query DSL clause"),
        ({"filters": [3]}, "filters: [3] is not a query DSL clause"),
        ({"filters": {"term": {"kind": {1, 2}}}}, "filters: {'term': {'kind': {1, 2}}} cannot be"),
        ({"filters": {"term": {"price": 2**64}}}, "filters: {'term': {'price': 184467"),
        ({"filters": {"term": {3: "x"}}}, "filters: {'term': {3: 'x'}} cannot be sent as JSON: "),
        (
            {"filters": {"term": {"kind": "\ud800"}}},
            "filters: {'term': {'kind': '\\ud800'}} cannot",
        ),
        ({"filters": [{"range": {"price": {"lte": nan}}}]}, "filters: {'range': {'price': {'lte':"),
        ({"fields": "title"}, "fields: must be several names, not 'title'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_line(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        criteria(**changes)
    assert caught.value.message.startswith(said)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_filter_is_sent_as_plain_json() -> None:
    day = datetime(2026, 11, 29, tzinfo=UTC)
    clause = MappingProxyType({"terms": {"price": (np.float32(2.5), np.int64(3), day)}})
    plain = {"terms": {"price": [2.5, 3, "2026-11-29T00:00:00+00:00"]}}
    assert criteria(filters=clause).filters == (plain,)


@pytest.mark.parametrize(
    ("asked", "documents", "path"),
    [
        ("auto", 20_000, Path.EXACT),
        ("auto", 20_001, Path.ANN),
        ("exact", 10**7, Path.EXACT),
        ("ann", 1, Path.ANN),
        ("reference", 10**7, Path.REFERENCE),
    ],
)
def test_the_path_goes_by_count_unless_forced(asked: str, documents: int, path: Path) -> None:
    few = is_small(criteria(path=asked), documents)
    assert choose_path(criteria(path=asked), Space.COSINE, exact=few) is path


@pytest.mark.parametrize(
    ("limit", "collaborative", "misses", "documents", "alone", "of_four"),
    [
        (None, True, False, 20_000, Path.EXACT, Path.EXACT),
        (None, True, False, 20_001, Path.ANN, Path.EXACT),
        (None, True, False, 25_001, Path.ANN, Path.ANN),
        (None, False, False, 20_000, Path.EXACT, Path.ANN),
        (None, True, True, 10**6, Path.EXACT, Path.EXACT),
        (50, True, False, 51, Path.ANN, Path.ANN),
        (50, False, False, 50, Path.EXACT, Path.ANN),
    ],
)
def test_a_larger_index_is_ranked_by_its_graph_unless_that_misses_items(
    limit: int | None,
    collaborative: bool,
    misses: bool,
    documents: int,
    alone: Path,
    of_four: Path,
) -> None:
    chosen = RecommendOptions().resolve(RecommendSettings(exact_limit=limit))
    live = SimpleNamespace(
        documents=documents,
        collaborative=collaborative,
        recall_for_users=GraphRecall(0.5 if misses else 1.0),
        rounded=False,
        half_attached=False,
        space=Space.COSINE,
        scripts=True,
        calibration=Calibration(),
    )
    found = RankingContext.of(live, chosen)
    assert found.path is alone
    assert RankingContext.of_group(live, chosen, 4).path is of_four
    # for very many users, the vectors of all items are compared in memory
    assert found.rank_exactly(chosen).path is Path.EXACT
    forced = replace(chosen, path=Path.ANN)
    assert RankingContext.of(live, forced).rank_exactly(forced).path is Path.ANN


def test_who_has_no_history_is_ranked_as_words_and_items_are() -> None:
    chosen = RecommendOptions().resolve(SETTINGS)
    live = SimpleNamespace(
        documents=10**6,
        collaborative=True,
        recall_for_users=GraphRecall(0.99, 200),
        recall_for_items=GraphRecall(0.98, 1600),
        rounded=False,
        half_attached=False,
        space=Space.COSINE,
        scripts=True,
        calibration=Calibration(),
    )
    known = User("ann", history=(HistoryEntry("f1"),))
    unknown = User(words="a film")
    for users, ef_search in (((), 200), ((known,), 200), ((unknown,), 1600)):
        assert RankingContext.of(live, chosen, users).ef_search == ef_search
    # in one request, as the one needs it who needs most
    assert RankingContext.of(live, chosen, [known, unknown]).ef_search == 1600
    assert RankingContext.of_group(live, chosen, 2, [known, unknown]).ef_search == 1600
    assert RankingContext.of_related(live, chosen).ef_search == 1600
    live.recall_for_items = GraphRecall(0.5, 6400)
    paths = [RankingContext.of(live, chosen, [one]).path for one in (known, unknown)]
    assert paths == [Path.ANN, Path.EXACT]
    live.recall_for_items = GraphRecall(None)
    assert RankingContext.of(live, chosen, [unknown]).path is Path.ANN


@pytest.mark.parametrize("space", [Space.EUCLIDEAN, Space.MANHATTAN])
@pytest.mark.parametrize("asked", ["auto", "exact", "reference"])
def test_other_spaces_rank_by_script(space: Space, asked: str) -> None:
    assert choose_path(criteria(path=asked), space, exact=True) is Path.REFERENCE


def test_other_spaces_have_no_graph() -> None:
    with pytest.raises(ConfigError, match="path ann: an index for manhattan"):
        choose_path(criteria(path="ann"), Space.MANHATTAN, exact=True)


@pytest.mark.parametrize("path", list(Path))
def test_every_path_excludes_filters_and_counts(path: Path) -> None:
    body = vector_body(path, size=7, filters=COMEDY, fields=("title",))
    text = orjson.dumps(body).decode()
    assert body["size"] == 7
    assert '"values":["seen"]' in text
    assert orjson.dumps(COMEDY).decode() in text
    assert body["_source"]["includes"] == ["item_id", "importance", "tail", "title"]


def test_without_fields_a_hit_is_all_but_its_vector() -> None:
    assert vector_body(Path.EXACT)["_source"] == {"excludes": ["vector"]}


def test_the_least_probability_becomes_a_score() -> None:
    # p = .5 at x = b = .5, whose inner product score is 1 + x
    assert vector_body(Path.EXACT, min_probability=0.5)["min_score"] == pytest.approx(1.5)
    assert vector_body(Path.REFERENCE, min_probability=0.5)["min_score"] == pytest.approx(0.5)
    assert "min_score" not in vector_body(Path.EXACT)


def test_the_graph_looks_at_no_fewer_than_it_returns() -> None:
    knn = vector_body(Path.ANN, size=300)["query"]["knn"]["vector"]
    assert knn["k"] == 300
    assert knn["method_parameters"]["ef_search"] == 300


def test_the_graph_is_asked_as_its_index_needs_unless_the_settings_say_how() -> None:
    context = RankingContext(Path.ANN, Space.COSINE, Calibration(), ef_search=400)
    for changes, asked in (({}, 400), ({"ef_search": 50}, 50)):
        chosen = RecommendOptions().resolve(RecommendSettings(**changes))
        search = vector_search(VECTOR, [], chosen, context)
        knn = orjson.loads(search.body())["query"]["knn"]["vector"]
        assert knn["method_parameters"]["ef_search"] == asked


def tail_of(words: str, criteria: Criteria) -> Search:
    return tail_search(words, VECTOR, ["seen"], criteria, Space.COSINE)


@pytest.mark.parametrize("words", ['say "hi"', "two\nlines", "{{x}} {{{y}}}", "无线鼠标", "a\\b\t"])
def test_words_reach_the_query_as_they_are(words: str) -> None:
    body = orjson.loads(tail_of(words, criteria()).body())
    assert body["query"]["bool"]["must"]["multi_match"]["query"] == words


def test_the_tail_list_asks_for_its_places_only() -> None:
    assert tail_of("heat", criteria(size=20)).params["size"] == 4
    # where the likely ones among them are sought, more are needed
    assert tail_of("heat", criteria(size=20, min_probability=0.5)).params["size"] == 20


def test_field_weights_reach_the_query() -> None:
    settings = RecommendSettings(field_weights={"title": 2.0, "text": 0.5})
    search = tail_of("heat", RecommendOptions().resolve(settings))
    assert search.params["fields"] == ["title^2", "text^0.5"]


def test_a_stored_search_names_its_template() -> None:
    stored = orjson.loads(importance_search(["seen"], criteria(size=3)).stored())
    assert stored == {"id": "seealso-importance", "params": {"size": 3, "exclude": ["seen"]}}
