"""What a list would be asked for with: the searches of the list itself, and nothing is ranked."""

from typing import Any

import orjson
import pytest

from seealso.errors import ConfigError
from seealso.plugin import Recommender
from seealso.types import Path
from tests.films import Counting
from tests.library import Library

OPTIONS: list[dict[str, Any]] = [
    {},
    {"path": "ann", "exclude": ["b9"], "filters": {"range": {"year": {"gte": 1910}}}, "size": 4},
    {"path": "reference", "tail_share": 0.0, "fields": ["kind"]},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("words", ["", "a castle"])
def test_sent_by_hand_it_finds_what_the_list_is_made_of(
    library: Library, recommender: Recommender, options: dict[str, Any], words: str
) -> None:
    user = recommender.user("u1", words=words)
    plan = recommender.plan_recommend(user, **options)
    (found,) = recommender.recommend_batch([user], **options)
    assert (plan.user_id, plan.path, plan.note) == ("u1", found.path, found.note)
    assert (plan.index, plan.fingerprint) == (found.index, found.fingerprint)
    responses = library.cluster.request("POST", "/_msearch", plan.msearch())["responses"]
    assert len(responses) == len(plan.searches) == len(plan.as_dict()["requests"])
    hits = {hit["_id"] for one in responses for hit in one["hits"]["hits"]}
    assert set(found.ids) <= hits


def test_it_is_read_as_json(recommender: Recommender) -> None:
    plan = recommender.plan_recommend("nobody", exclude=["b1"])
    (request,) = orjson.loads(orjson.dumps(plan.as_dict()))["requests"]
    assert request["index"] == recommender.live.name
    assert "b1" in str(request["body"])
    assert plan.path == Path.EXACT
    assert plan.note == "user 'nobody' is unknown: ranked by importance alone"


def test_nothing_is_ranked(library: Library) -> None:
    cluster = Counting(library.url)
    recommender = Recommender(cluster, library.settings, library.histories)
    cluster.sent.clear()
    recommender.plan_recommend("u1")
    # items of the history alone
    assert [one.rpartition("/")[2] for one in cluster.sent] == ["_mget"]
    cluster.sent.clear()
    recommender.plan_recommend("u1", rules={"do": "pin", "items": ["b9"], "position": 1})
    assert cluster.sent == []
    cluster.close()


def test_what_no_list_can_be_is_refused_here_too(recommender: Recommender) -> None:
    with pytest.raises(ConfigError, match="size: must be"):
        recommender.plan_recommend("u1", size=0)
    with pytest.raises(TypeError, match="sise"):
        recommender.plan_recommend("u1", sise=3)  # type: ignore[call-arg]
