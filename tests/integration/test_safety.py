"""What is blocked is shown by no request, however it is made, on a real cluster."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seealso.config import Settings
from seealso.errors import ConfigError, DataError
from seealso.plugin import Recommender
from seealso.plugin.batch import recommend_file
from seealso.plugin.ranking.options import RecommendOptions
from seealso.types import HistoryEntry, User
from tests.library import BOOKS, KINDS, PLACES, Library

LISTED = frozenset({"b1", "b7", "b40", "b59"})
ADULT = 1945
"""Least value of the field year that stands for an age here: books from b45 on are for adults."""


@pytest.fixture(scope="module")
def guarded(library: Library) -> Settings:
    """A list of ids, a kind, a word, and an age, are blocked."""
    file = library.folder / "blocked.txt"
    file.write_text("# by hand\n" + "\n".join(sorted(LISTED)) + "\n", "utf-8")
    return library.changed(
        safety={
            "blocklist": str(file),
            "fields": {"kind": ["western"]},
            "words": ["island"],
            "age": [{"item": "year"}],
        }
    )


@pytest.fixture(scope="module")
def asking(library: Library, guarded: Settings) -> Recommender:
    return Recommender(library.cluster, guarded, library.histories)


def blocked(age: float) -> set[str]:
    """Return what must not be shown at an age."""
    return {
        f"b{n}" for n in range(BOOKS)
        if f"b{n}" in LISTED
        or KINDS[n % 5] == "western"
        or (PLACES[n % 8] == "island" and n not in (3, 4, 5, 40, 41, 42, 59))
        or 1900 + n > age
    }  # fmt: skip


IDS = st.sampled_from([f"b{n}" for n in range(BOOKS)])
AGES = st.sampled_from([None, 0, 1910, 1944, "1944", ADULT, 3000, "old", float("nan"), True, [9]])
CLAUSES = st.sampled_from(
    [
        {"match_all": {}},
        {"term": {"kind": "western"}},
        {"ids": {"values": sorted(LISTED)}},
        {"bool": {"should": [{"match_all": {}}, {"terms": {"item_id": sorted(LISTED)}}]}},
        {"range": {"year": {"gte": 1950}}},
        {"bool": {"must_not": {"bool": {"must_not": {"match_all": {}}}}}},
    ]
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    do = draw(st.sampled_from(["pin", "boost", "require"]))
    more = {"pin": {"position": 1}, "boost": {"add": 5.0}, "require": {}}[do]
    return {"do": do, "items": draw(st.lists(IDS, min_size=1, max_size=5, unique=True)), **more}


def age_of(given: object) -> float:
    try:
        age = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0
    return age if age == age else 0.0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    age=AGES,
    user_id=st.sampled_from([None, "u1", "nobody"]),
    history=st.none() | st.lists(IDS, max_size=4),
    words=st.sampled_from(["", "island western", "castle", "{{x}}"]),
    clauses=st.lists(CLAUSES, max_size=2),
    own=st.lists(rules(), max_size=2, unique_by=lambda rule: rule["do"]),
    without=st.booleans(),
    path=st.sampled_from(["exact", "ann", "reference"]),
    share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_no_request_shows_what_is_blocked(
    asking: Recommender,
    age: object,
    user_id: str | None,
    history: list[str] | None,
    words: str,
    clauses: list[dict[str, Any]],
    own: list[dict[str, Any]],
    without: bool,
    path: str,
    share: float,
) -> None:
    attributes = {} if age is None else {"age": age}
    found = asking.recommend(
        user_id, history=history, words=words, attributes=attributes, size=60, path=path,
        filters=clauses, rules=own, without_rules=without, tail_share=share,
    )  # fmt: skip
    assert not blocked(age_of(age)) & set(found.ids)
    # members of a group of whom one is a child; an item asked about by nobody
    members = [asking.user("u5"), User("b", (HistoryEntry("b9"),), attributes=attributes)]
    group = asking.recommend_group(members, words=words, size=60, path=path, filters=clauses)
    assert not blocked(0) & set(group.ids)
    related = asking.related("b7", size=60, path=path, filters=clauses)
    assert not blocked(0) & set(related.ids)


def test_what_is_allowed_is_shown(asking: Recommender, library: Library) -> None:
    old = asking.user("u1", attributes={"age": ADULT})
    (found,) = asking.recommend_batch([old], size=60, tail_share=0)
    everything = {f"b{n}" for n in range(BOOKS)} - old.seen
    assert set(found.ids) == everything - blocked(ADULT)
    assert asking.recommend("u1", size=60).ids == []


def test_words_of_a_group_do_not_make_a_child_of_it(asking: Recommender) -> None:
    grown = [asking.user(one, attributes={"age": ADULT}) for one in ("u1", "u5")]
    found = asking.recommend_group(grown, words="castle", size=60)
    assert found.ids
    assert not blocked(ADULT) & set(found.ids)
    assert asking.recommend_group([], words="castle", size=60).ids == []


def test_no_batch_shows_what_is_blocked(asking: Recommender, tmp_path: Path) -> None:
    users, out = tmp_path / "users.txt", tmp_path / "lists.jsonl"
    lines = ["u1", json.dumps({"user_id": "u2", "attributes": {"age": 1944}}), "nobody"]
    users.write_text("\n".join(lines) + "\n", "utf-8")
    options = RecommendOptions(size=60, fields=())
    recommend_file(asking, users, out, options, lambda _: None)
    lists = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    for found, age in zip(lists, (0, 1944, 0), strict=True):
        assert not blocked(age) & {one["item_id"] for one in found["items"]}
    assert lists[1]["items"]


def test_what_is_blocked_is_not_explained(asking: Recommender) -> None:
    grown = asking.user("u1", attributes={"age": 3000})
    assert asking.explain(grown, "b8").item_id == "b8"
    for item_id in ("b7", "b2"):
        with pytest.raises(DataError, match=f"item '{item_id}' is not in the index, or not for"):
            asking.explain(grown, item_id)
    with pytest.raises(DataError, match="or not for this user"):
        asking.explain("u1", "b8")


def test_what_is_kept_of_a_user_is_believed_before_a_request(asking: Recommender) -> None:
    child = User("u", attributes={"age": 3000}, stored_attributes={"age": 1910})
    (found,) = asking.recommend_batch([child], size=60)
    assert found.ids
    assert not blocked(1910) & set(found.ids)


def test_a_blocklist_holds_from_the_moment_it_is_written(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("", "utf-8")
    asking = library.recommender(safety={"blocklist": str(file)})
    best = asking.recommend("u1")[0].item_id
    file.write_text(best + "\n", "utf-8")
    assert best not in asking.recommend("u1", size=60).ids
    file.unlink()
    with pytest.raises(ConfigError, match="cannot be read: no list is made without it"):
        asking.recommend("u1")


def test_an_item_of_other_regions_is_not_shown(library: Library) -> None:
    asking = library.recommender(safety={"region": [{"item": "kind", "user": "country"}]})
    found = asking.recommend("u1", attributes={"country": "poetry"}, size=60)
    assert {KINDS[int(one[1:]) % 5] for one in found.ids} == {"poetry"}
    assert asking.recommend("u1", size=60).ids == []


def test_a_field_that_the_index_lacks_is_named(library: Library) -> None:
    asking = library.recommender(safety={"age": [{"item": "min_age"}]})
    with pytest.raises(ConfigError, match=r"cannot be filtered by field .min_age"):
        asking.recommend("u1")


@pytest.mark.parametrize(
    ("safety", "said"),
    [
        ({"age": [{"item": "kind"}]}, r"safety\.age: field 'kind' .* is keyword, not a number"),
        ({"fields": {"title": ["Never"]}}, r"safety\.fields: field 'title' .* is text: it holds"),
        ({"region": [{"item": "title"}]}, r"safety\.region: field 'title' .* is text: it holds"),
    ],
)
def test_a_field_that_cannot_be_asked_so_is_refused(
    library: Library, safety: dict[str, Any], said: str
) -> None:
    asking = library.recommender(safety=safety)
    for ask in (
        lambda: asking.recommend("u1", attributes={"age": 9}),
        lambda: asking.related("b1"),
        lambda: asking.recommend_group(["u1", "u2"]),
        lambda: asking.explain("u1", "b8"),
    ):
        with pytest.raises(ConfigError, match=said):
            ask()


def test_a_range_of_a_rule_is_one_of_numbers(recommender: Recommender) -> None:
    rule = {"do": "require", "field": "kind", "least": 5}
    with pytest.raises(ConfigError, match=r"a rule: field 'kind' .* is keyword, not a number"):
        recommender.recommend("u1", rules=rule)
