"""Business rules, shares and caps on a real cluster: ranked as numpy ranks, on every path."""

import json
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from seealso.cli.main import cli
from seealso.errors import ConfigError
from seealso.indexer.templates import install
from seealso.plugin import Recommender
from seealso.plugin.ranking.options import RecommendOptions
from seealso.types import Source
from tests.films import Counting
from tests.integration.libraries import profile
from tests.library import KINDS, TEXTLESS, Library

Value = Callable[[str, float], float]
POETRY = {"field": "kind", "values": ["poetry"]}


def kind(item_id: str) -> str:
    return KINDS[int(item_id[1:]) % 5]


def year(item_id: str) -> int:
    return 1900 + int(item_id[1:])


def ranked(library: Library, user_id: str, value: Value, size: int = 10) -> list[str]:
    """Rank by a value of id and x = w * cos, by numpy alone."""
    user, known = profile(library, user_id), library.histories.user(user_id)
    assert known is not None
    found = {}
    for item_id, document in library.documents.items():
        if item_id not in known.seen and item_id != TEXTLESS:
            x = document["importance"] * float(user @ library.vector(item_id))
            found[item_id] = value(item_id, x)
    order = sorted((one for one in found if found[one] > -100), key=lambda one: -found[one])
    return order[:size]


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ([{"do": "boost", **POETRY, "add": 0.2}], lambda i, x: x + 0.2 * (kind(i) == "poetry")),
        ([{"do": "boost", **POETRY, "factor": 3}], lambda i, x: x * (3 if year(i) % 5 == 4 else 1)),
        ([{"do": "bury", **POETRY}], lambda i, x: x - 9 * (kind(i) == "poetry")),
        ([{"do": "exclude", **POETRY}], lambda i, x: x - 999 * (kind(i) == "poetry")),
        ([{"do": "require", **POETRY}], lambda i, x: x - 999 * (kind(i) != "poetry")),
        (
            [{"do": "require", "field": "year", "least": 1910, "most": 1930}],
            lambda i, x: x - 999 * (not 1910 <= year(i) <= 1930),
        ),
        (
            [
                {"do": "bury", "field": "year", "most": 1920, "factor": 0.2},
                {"do": "boost", **POETRY, "factor": 2, "add": -0.1},
            ],
            lambda i, x: 0.2 * x if year(i) <= 1920 else 2 * x - 0.1 if kind(i) == "poetry" else x,
        ),
    ],
)
def test_rules_rank_as_numpy_does(
    library: Library, recommender: Recommender, path: str, rules: list[dict[str, Any]], value: Value
) -> None:
    found = recommender.recommend("u1", path=path, rules=rules, tail_share=0)
    assert found.ids == ranked(library, "u1", value)
    plain = recommender.recommend("u1", path=path, tail_share=0, size=60)
    honest = {one.item_id: one.probability for one in plain}
    for one in found:
        assert one.probability == pytest.approx(honest[one.item_id], abs=1e-5)


def test_what_is_buried_fills_no_share_of_the_long_tail(recommender: Recommender) -> None:
    asked: dict[str, Any] = {"words": "a castle", "tail_share": 0.4}
    plain = recommender.recommend("u1", **asked)
    brought = [one.item_id for one in plain if one.source is Source.TAIL]
    rule = {"do": "bury", "field": "kind", "values": [kind(brought[0])]}
    found = recommender.recommend("u1", rules=rule, **asked)
    assert kind(brought[0]) not in {kind(one) for one in found.ids}
    assert sum(one.tail for one in found) >= 4


def test_a_pinned_item_stands_where_it_is_pinned(
    library: Library, recommender: Recommender
) -> None:
    last = ranked(library, "u1", lambda _, x: -x)[0]
    pin = {"do": "pin", "items": [last], "position": 2}
    found = recommender.recommend("u1", rules=pin, tail_share=0)
    others = ranked(library, "u1", lambda _, x: x)
    assert found.ids == [others[0], last, *others[1:9]]
    assert found[1].source is Source.PIN
    # what the user has seen, what is excluded and what is not there is not pinned
    seen = sorted(library.histories.user("u1").seen)[0]  # type: ignore[union-attr]
    for nothing in (seen, "gone"):
        rule = {"do": "pin", "items": [nothing], "position": 1}
        without = recommender.recommend("u1", rules=rule, tail_share=0)
        assert (without.ids, without.note.startswith(f"not pinned: {nothing} (")) == (others, True)
    filtered = recommender.recommend("u1", rules=pin, filters={"term": {"kind": "none"}})
    assert filtered.ids == []


def test_rules_hold_for_an_unknown_user_too(library: Library, recommender: Recommender) -> None:
    weights = {i: document["importance"] for i, document in library.documents.items()}
    found = recommender.recommend("nobody", rules=[{"do": "boost", **POETRY, "add": 5.0}], size=5)
    poems = {one: weight for one, weight in weights.items() if kind(one) == "poetry"}
    best = sorted(poems.values(), reverse=True)[:5]
    assert [one.importance for one in found] == pytest.approx(best)
    assert {kind(one.item_id) for one in found} == {"poetry"}


def test_rules_of_the_settings_come_behind_those_of_a_request(library: Library) -> None:
    boost = {"do": "boost", **POETRY, "add": 9.0}
    standing = library.recommender(rules=[boost])  # type: ignore[arg-type]
    assert {kind(one) for one in standing.recommend("u1", tail_share=0, size=5).ids} == {"poetry"}
    plain = library.recommender().recommend("u1", tail_share=0)
    assert standing.recommend("u1", tail_share=0, without_rules=True).ids == plain.ids
    first = standing.recommend("u1", tail_share=0, rules={"do": "bury", **POETRY})
    assert first.ids == ranked(library, "u1", lambda i, x: x - 9 * (kind(i) == "poetry"))


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_rules_rank_related_items(library: Library, recommender: Recommender, path: str) -> None:
    near = {
        one: document["importance"] * float(library.vector("b7") @ library.vector(one))
        for one, document in library.documents.items()
        if one not in ("b7", TEXTLESS)
    }
    last = min(near, key=lambda one: near[one])
    rules = [
        {"do": "boost", **POETRY, "add": 0.2},
        {"do": "exclude", "field": "year", "most": 1910},
        {"do": "pin", "items": [last], "position": 2},
    ]
    kept = [one for one in near if year(one) > 1910 and one != last]
    order = sorted(kept, key=lambda one: -near[one] - 0.2 * (kind(one) == "poetry"))
    found = recommender.related("b7", path=path, rules=rules)
    assert found.ids == [order[0], last, *order[1:9]]
    assert found[0].probability == pytest.approx(1 / (1 + math.exp(-near[order[0]])), abs=1e-5)


def test_rules_and_caps_of_the_settings_hold_for_related_items(library: Library) -> None:
    standing = library.recommender(
        rules=[{"do": "require", **POETRY}],  # type: ignore[arg-type]
        exposure={"caps": [{"field": "kind", "most": 2}]},
    )
    assert [kind(one) for one in standing.related("b7", size=5).ids] == ["poetry", "poetry"]
    free = standing.related("b7", size=10, without_rules=True)
    assert Counter(kind(one) for one in free.ids) == Counter(dict.fromkeys(KINDS, 2))


def test_rules_narrow_lists_for_groups(library: Library) -> None:
    standing = library.recommender(rules=[{"do": "require", **POETRY}])  # type: ignore[arg-type]
    assert {kind(one) for one in standing.recommend_group(["u1", "u5"], size=5).ids} == {"poetry"}


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_every_share_and_cap_holds(library: Library, path: str) -> None:
    exposure = {
        "shares": [
            {"share": 0.3, "field": "kind", "values": ["romance"]},
            {"share": 0.2, "field": "year", "least": 1920, "most": 1924},
            {"share": 0.2, "new": True},
        ],
        "caps": [{"field": "kind", "most": 4}],
    }
    asking = library.recommender(exposure=exposure)
    for user in ("u0", "u1", "u2", "u3"):
        found = asking.recommend(user, path=path, fields=("year",))
        assert len(set(found.ids)) == 10
        kinds = Counter(kind(one) for one in found.ids)
        assert (kinds["romance"] >= 3, max(kinds.values()) <= 4) == (True, True)
        assert sum(1920 <= year(one) <= 1924 for one in found.ids) >= 2
        assert sum(int(one[1:]) >= 40 for one in found.ids) >= 2
        assert {tuple(one.fields) for one in found} == {("year",)}


def test_a_list_with_shares_is_one_request_and_one_for_documents(library: Library) -> None:
    cluster = Counting(library.url)
    settings = library.changed(
        exposure={"shares": [{"share": 0.3, "new": True}], "diversity": 0.3},
        rules=[{"do": "boost", **POETRY, "add": 0.1}],  # type: ignore[arg-type]
    )
    asking = Recommender(cluster, settings, library.histories)
    asking.recommend("u1")
    cluster.sent.clear()
    asking.recommend("u1")
    assert cluster.sent == ["POST /_msearch"] * 2
    cluster.close()


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_diversity_spreads_a_list(library: Library, path: str) -> None:
    def likeness(ids: list[str]) -> float:
        pairs = [(a, b) for a in ids for b in ids if a < b]
        return sum(float(library.vector(a) @ library.vector(b)) for a, b in pairs) / len(pairs)

    plain = library.recommender().recommend("u1", path=path, tail_share=0)
    spread = library.recommender(exposure={"diversity": 0.6}).recommend(
        "u1", path=path, tail_share=0
    )
    assert likeness(spread.ids) < likeness(plain.ids)
    assert spread.ids[0] == plain.ids[0]
    assert "vector" not in spread[0].fields


@pytest.mark.parametrize("path", ["exact", "ann"])
def test_the_diversity_of_one_list_is_that_of_the_settings(library: Library, path: str) -> None:
    plain, spread = library.recommender(), library.recommender(exposure={"diversity": 0.6})
    options: dict[str, Any] = {"path": path, "fields": ["title"], "size": 8}
    alone = plain.recommend("u1", diversity=0.6, **options)
    assert (
        alone.ids == spread.recommend("u1", **options).ids != plain.recommend("u1", **options).ids
    )
    assert (
        spread.recommend("u1", diversity=0, **options).ids == plain.recommend("u1", **options).ids
    )
    assert alone[0].fields.keys() <= {"title"}
    users = [plain.user(f"u{n}") for n in range(4)]
    chosen = RecommendOptions(diversity=0.6, **options)
    expected = [one.ids for one in spread.recommend_batch(users, **options)]
    assert [one.ids for one in plain.recommend_many(users, chosen)] == expected
    group = plain.recommend_group(["u1", "u5"], diversity=0.6, **options)
    assert group.ids == spread.recommend_group(["u1", "u5"], **options).ids


def test_freshness_prefers_the_newer(library: Library) -> None:
    exposure = {"fresh": "year", "half_life_days": 3650.0, "depth": 20}
    found = library.recommender(exposure=exposure).recommend("u1", tail_share=0)
    aged = ranked(library, "u1", lambda i, x: x - (1 - 2 ** (-(2000 - year(i)) / 10)) * abs(x))
    assert found.ids == aged


def test_a_field_that_the_index_lacks_is_named(library: Library, recommender: Recommender) -> None:
    with pytest.raises(ConfigError, match="cannot be filtered by field 'brand'"):
        recommender.recommend("u1", rules={"do": "exclude", "field": "brand", "values": ["x"]})


def test_the_stored_templates_give_the_same_list(library: Library) -> None:
    install(library.cluster)
    asking = library.recommender(rules=[{"do": "exclude", **POETRY}])  # type: ignore[arg-type]
    body = asking.stored_request(asking.user("u1"))
    answer = library.cluster.request("POST", "/_msearch/template", body)
    found = [hit["_id"] for one in answer["responses"] for hit in one["hits"]["hits"]]
    assert found
    assert "poetry" not in {kind(one) for one in found}


def test_from_the_command_line(library: Library) -> None:
    base = ["--config", str(library.config), "recommend", "u1", "--tail-share", "0", "--json"]
    rule = json.dumps({"do": "require", **POETRY})
    done = CliRunner().invoke(cli, [*base, "--rule", rule, "--without-rules"])
    assert done.exit_code == 0, done.output
    items = orjson.loads(done.stdout)["items"]
    assert {one["fields"]["kind"] for one in items} == {"poetry"}
    boost = json.dumps({"do": "boost", **POETRY, "add": 0.5})
    told = [one for one in base if one != "--json"]
    explained = CliRunner().invoke(cli, [*told, "--rule", boost, "--explain", "--size", "2"])
    assert explained.exit_code == 0, explained.output
    assert explained.stdout.count("; rules +0.500") == 2
    empty = CliRunner().invoke(cli, [*base, "--rule", "{}"])
    assert isinstance(empty.exception, ConfigError)
    assert empty.exception.message == "rule 1: do: is missing"
    broken = CliRunner().invoke(cli, [*base, "--rule", "{"])
    assert isinstance(broken.exception, ConfigError)
    assert broken.exception.message.startswith("--rule {: not JSON")
