"""What a call asks for in vain is said, whichever way it comes: library, command line, service."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from seealso.cli.main import cli
from seealso.cluster import indices
from seealso.errors import ConfigError, DataError
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.plugin import Recommender
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.service.app import create_app
from seealso.plugin.service.metrics import find_whys
from seealso.readers import Problems
from tests.library import TEXTLESS, Library

NO_ADULTS = {"bool": {"must_not": {"term": {"adult": "yes"}}}}
"""Without such a field, it lets everything pass."""

BLANK = "the words are blank: left out"

CUT = "words or attributes are longer than what the model reads: their beginning counts"

PASS = "items have no probability: min_probability lets them pass"


@pytest.fixture
def client(library: Library) -> Iterator[TestClient]:
    """Asks the service over the library."""
    with TestClient(create_app(library.recommender()), raise_server_exceptions=False) as made:
        yield made


def degraded(client: TestClient, address: str, body: dict[str, Any]) -> str:
    """Return what an answer says was left out."""
    answer = client.post(address, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["degraded"] or "")


def test_a_filter_on_a_field_that_is_not_there_is_refused(
    library: Library, recommender: Recommender, client: TestClient
) -> None:
    user = recommender.user("u1")
    ways: list[Callable[[], object]] = [
        lambda: recommender.recommend("u1", filters=NO_ADULTS),
        lambda: recommender.plan_recommend("u1", filters=NO_ADULTS),
        lambda: recommender.recommend_many([user], RecommendOptions(filters=NO_ADULTS)),
        lambda: recommender.related("b7", filters=NO_ADULTS),
        lambda: recommender.popular(filters=NO_ADULTS),
        lambda: recommender.recommend_group(["u1", "u5"], filters=NO_ADULTS),
        lambda: recommender.stored_request("u1", filters=NO_ADULTS),
    ]
    for call in ways:
        with pytest.raises(ConfigError, match="has no field 'adult'"):
            call()
    arguments = ("popular", "--filter", '{"term": {"adult": "yes"}}')
    done = CliRunner().invoke(cli, ["--config", str(library.config), *arguments])
    assert isinstance(done.exception, ConfigError)
    assert "has no field 'adult'" in done.exception.message
    refused = client.post("/v1/recommend", json={"user": "u1", "filters": NO_ADULTS})
    assert refused.status_code == 422
    assert "has no field 'adult'" in refused.json()["detail"]
    assert len(recommender.popular(filters={"exists": {"field": "kind"}}, size=3)) == 3


def test_a_field_that_only_the_next_index_has_can_be_filtered_by_at_once(
    library: Library, recommender: Recommender
) -> None:
    index, recent = recommender.live.name, {"range": {"year": {"gte": 1950}}}
    settings = library.changed(catalogue={"numbers": []})
    try:
        build(library.cluster, settings, inputs(settings, None, Problems("stop")))
        without = library.recommender()
        with pytest.raises(ConfigError, match="has no field 'year'"):
            without.popular(filters=recent)
        indices.point_alias(library.cluster, library.alias, index)
        found = without.popular(filters=recent)
        assert (found.index, len(found) > 0) == (index, True)
    finally:
        indices.point_alias(library.cluster, library.alias, index)


def test_words_that_the_model_does_not_read_to_their_end_are_said(
    library: Library, recommender: Recommender, client: TestClient
) -> None:
    encoder = recommender.live.encoder
    most = encoder.bundle.max_length
    whole = max(range(most), key=lambda n: (encoder.count_tokens("castle " * n) <= most, n))
    long = "castle " * most + "dragon"
    found = recommender.recommend("u1", words=long)
    assert found.note == CUT
    assert find_whys(found.note) == {"long_words"}
    # the template has words of its own
    assert recommender.recommend("u1", words="castle " * (whole // 2)).note == ""
    assert recommender.recommend("u1", words="castle " * (whole + 1)).note == CUT
    assert recommender.recommend("u1", attributes={"about": long}).note == CUT
    for members in (["u1"], ["u1", "u5"]):
        assert recommender.recommend_group(members, words=long).note == CUT
    assert recommender.explain(recommender.user("u1", words=long), "b7").note.startswith(CUT)
    for address in ("/v1/recommend", "/v1/validate"):
        assert degraded(client, address, {"user": "u1", "words": long}) == CUT


def test_blank_words_are_none_and_that_is_said(
    library: Library, recommender: Recommender, client: TestClient
) -> None:
    plain = recommender.recommend("u1")
    blank = recommender.recommend("u1", words=" \t")
    assert [(one.item_id, one.raw) for one in blank] == [(one.item_id, one.raw) for one in plain]
    assert (plain.note, blank.note) == ("", BLANK)
    assert recommender.explain(recommender.user("u1", words=" "), "b7").note.startswith(BLANK)
    nobody = recommender.recommend(words=" ").note
    assert nobody.startswith(BLANK)
    assert "ranked by importance alone" in nobody
    assert find_whys(nobody) == {"blank_words", "unknown_user"}
    for members in (["u1"], ["u1", "u5"]):
        group = recommender.recommend_group(members, words=" ")
        assert group.note == BLANK
        assert group.ids == recommender.recommend_group(members).ids
    with pytest.raises(DataError, match="a group without members"):
        recommender.recommend_group([], words=" ")
    for address in ("/v1/recommend", "/v1/validate"):
        assert degraded(client, address, {"user": "u1", "words": " "}) == BLANK
        assert degraded(client, address, {"user": "u1", "words": ""}) == ""
    arguments = ("--config", str(library.config), "recommend", "u1", "--words", " ", "--json")
    assert json.loads(CliRunner().invoke(cli, arguments).stdout)["note"] == BLANK


def test_a_least_probability_where_there_is_none_is_said(
    recommender: Recommender, client: TestClient
) -> None:
    found = recommender.recommend("nobody", min_probability=0.9, size=4)
    assert {one.probability for one in found} == {None}
    assert found.note.endswith(f"; 4 {PASS}")
    assert PASS not in recommender.recommend("nobody", size=4).note
    assert recommender.recommend("u1", min_probability=0.1, size=4).note == ""
    group = recommender.recommend_group(["nobody", "nowhere"], min_probability=0.9, size=4)
    assert group.note.endswith(f"; 4 {PASS}")
    body = {"user": "nobody", "min_probability": 0.9, "size": 4}
    assert degraded(client, "/v1/recommend", body).endswith(f"; 4 {PASS}")
    # an item without text has no vector, and is found by its words alone
    only = {"ids": {"values": [TEXTLESS]}}
    textless = recommender.recommend("nobody", filters=only, min_probability=0.9)
    assert textless.ids == [TEXTLESS]
    assert textless.note.endswith(f"1 {PASS}")
