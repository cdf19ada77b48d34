"""Every call of a recommender takes named options, and a user by id as well as put together."""

from collections.abc import Callable
from typing import Any

import pytest

from seealso.errors import ConfigError, DataError
from seealso.plugin import Recommender

CALLS: dict[str, Callable[..., Any]] = {
    "recommend": lambda recommender, **options: recommender.recommend("u1", **options),
    "recommend_batch": lambda recommender, **options: recommender.recommend_batch(
        ["u1"], **options
    ),
    "recommend_group": lambda recommender, **options: recommender.recommend_group(
        ["u1", "u5"], **options
    ),
    "related": lambda recommender, **options: recommender.related("b1", **options),
}
BODY = {"query": {"match": {"text": "castle"}}}


@pytest.mark.parametrize("call", CALLS)
def test_a_misspelt_option_is_refused(recommender: Recommender, call: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
        CALLS[call](recommender, sise=3)


@pytest.mark.parametrize("call", CALLS)
def test_every_list_has_the_same_options(recommender: Recommender, call: str) -> None:
    found = CALLS[call](
        recommender,
        size=3,
        path="exact",
        filters={"term": {"kind": "poetry"}},
        exclude=["b4", "b9"],
        min_probability=0.01,
        fields=["kind"],
        rules={"do": "exclude", "items": ["b9"]},
        without_rules=True,
    )
    (found,) = found if call == "recommend_batch" else [found]
    items = [one.item if call == "recommend_group" else one for one in found]
    assert 0 < len(items) <= 3
    assert [one.fields for one in items] == [{"kind": "poetry"}] * len(items)
    with pytest.raises(ConfigError, match="size: must be"):
        CALLS[call](recommender, size=0)


def test_there_is_no_tail_share_of_related_items(recommender: Recommender) -> None:
    with pytest.raises(TypeError, match="tail_share"):
        CALLS["related"](recommender, tail_share=0.5)


def test_a_batch_is_the_list_of_each(recommender: Recommender) -> None:
    whom = ["u1", recommender.user(words="a castle"), "nobody", "u5"]
    found = recommender.recommend_batch(whom, size=4)
    assert [one.user_id for one in found] == ["u1", None, "nobody", "u5"]
    assert [one.ids for one in found] == [
        recommender.recommend("u1", size=4).ids,
        recommender.recommend(words="a castle", size=4).ids,
        recommender.recommend("nobody", size=4).ids,
        recommender.recommend("u5", size=4).ids,
    ]


@pytest.mark.parametrize("wrong", ["u1", [1.5], 7])
def test_users_that_are_none_are_refused(recommender: Recommender, wrong: Any) -> None:
    with pytest.raises(DataError, match="users: must be"):
        recommender.recommend_batch(wrong)
    # a name alone is that of a group that is known
    refused = "is no known group" if isinstance(wrong, str) else "members: must be"
    with pytest.raises(DataError, match=refused):
        recommender.recommend_group(wrong)


def test_a_user_is_an_id_or_a_user(recommender: Recommender) -> None:
    user = recommender.user("u1")
    assert recommender.personalise(BODY, "u1") == recommender.personalise(BODY, user)
    assert recommender.search(BODY, "u1")["hits"] == recommender.search(BODY, user)["hits"]
    assert recommender.stored_request("u1") == recommender.stored_request(user)
    assert recommender.explain("u1", "b2") == recommender.explain(user, "b2")
