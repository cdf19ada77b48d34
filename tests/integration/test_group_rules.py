"""Rules, shares and caps in lists for groups and for related items, on a real cluster."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seealso.cluster.node import NodeInfo
from seealso.errors import ConfigError
from seealso.plugin import Recommender
from seealso.types import Source
from tests.films import Counting
from tests.integration.libraries import profile
from tests.library import KINDS, TEXTLESS, Library

Value = Callable[[str, float], float]
GROUP = ["u1", "u5", "u8"]
POETRY = {"field": "kind", "values": ["poetry"]}
EXPOSURE = {
    "shares": [
        {"share": 0.3, "field": "kind", "values": ["romance"]},
        {"share": 0.2, "field": "year", "least": 1920, "most": 1924},
        {"share": 0.2, "new": True},
    ],
    "caps": [{"field": "kind", "most": 4}],
}


def kind(item_id: str) -> str:
    return KINDS[int(item_id[1:]) % 5]


def year(item_id: str) -> int:
    return 1900 + int(item_id[1:])


def ranked(library: Library, value: Value, size: int = 10) -> list[str]:
    """Rank for the group by the mean probability, each member's x changed by `value`: by numpy."""
    seen = frozenset[str]()
    for user_id in GROUP:
        known = library.histories.user(user_id)
        assert known is not None
        seen |= known.seen
    members = [profile(library, user_id) for user_id in GROUP]
    found = {}
    for item_id, document in library.documents.items():
        if item_id not in seen and item_id != TEXTLESS:
            w, vector = document["importance"], library.vector(item_id)
            changed = np.array([value(item_id, w * float(one @ vector)) for one in members])
            if changed.min() > -100:
                # what is sent to the end stands there in its own order
                last = changed.max() < -5
                honest = changed + 9 if last else changed
                found[item_id] = float((1 / (1 + np.exp(-honest))).mean()) - 9 * last
    return sorted(found, key=lambda one: -found[one])[:size]


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ([{"do": "boost", **POETRY, "add": 0.2}], lambda i, x: x + 0.2 * (kind(i) == "poetry")),
        ([{"do": "bury", **POETRY}], lambda i, x: x - 9 * (kind(i) == "poetry")),
        ([{"do": "exclude", **POETRY}], lambda i, x: x - 999 * (kind(i) == "poetry")),
        (
            [
                {"do": "bury", "field": "year", "most": 1920, "factor": 0.2},
                {"do": "boost", **POETRY, "factor": 2, "add": 0.1},
            ],
            lambda i, x: (
                (0.2 * x if x >= 0 else x / 0.2)
                if year(i) <= 1920
                else (2 * x if x >= 0 else x / 2) + 0.1
                if kind(i) == "poetry"
                else x
            ),
        ),
    ],
)
def test_rules_change_what_each_member_is_worth(
    library: Library, recommender: Recommender, path: str, rules: list[dict[str, Any]], value: Value
) -> None:
    asked: dict[str, Any] = {"strategy": "average", "path": path, "tail_share": 0.0}
    found = recommender.recommend_group(GROUP, rules=rules, **asked)
    assert found.ids == ranked(library, value)
    # how likely a choice is does not change with its place
    plain = recommender.recommend_group(GROUP, size=60, **asked)
    honest = {one.item_id: one.probabilities for one in plain}
    for one in found:
        assert one.probabilities == pytest.approx(honest[one.item_id], abs=1e-5)


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
@pytest.mark.parametrize("strategy", ["fair", "average", "least-misery"])
def test_a_pinned_item_stands_where_it_is_pinned(
    recommender: Recommender, path: str, strategy: str
) -> None:
    asked: dict[str, Any] = {"strategy": strategy, "path": path, "tail_share": 0.0}
    plain = recommender.recommend_group(GROUP, size=20, **asked)
    last = recommender.recommend_group(GROUP, size=60, **asked).ids[-1]
    pin = {"do": "pin", "items": [last], "position": 2}
    found = recommender.recommend_group(GROUP, rules=pin, **asked)
    others = [one for one in plain.ids if one != last]
    assert found.ids == [others[0], last, *others[1:9]]
    assert found[1].item.source is Source.PIN
    assert len(found[1].probabilities or ()) == len(GROUP)
    gone = recommender.recommend_group(
        GROUP, rules={"do": "pin", "items": ["gone"], "position": 1}, **asked
    )
    assert gone.ids == plain.ids[:10]
    assert gone.note.startswith("not pinned: gone (")


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
@pytest.mark.parametrize("strategy", ["fair", "average"])
def test_every_share_and_cap_holds_for_a_group(library: Library, path: str, strategy: str) -> None:
    asking = library.recommender(exposure=EXPOSURE)
    found = asking.recommend_group(GROUP, path=path, strategy=strategy, fields=("year",))
    assert len(set(found.ids)) == 10
    kinds = Counter(map(kind, found.ids))
    assert (kinds["romance"] >= 3, max(kinds.values()) <= 4) == (True, True)
    assert sum(1920 <= year(one) <= 1924 for one in found.ids) >= 2
    assert sum(int(one[1:]) >= 40 for one in found.ids) >= 2
    assert {tuple(one.item.fields) for one in found} == {("year",)}
    assert found.note == ""


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
def test_every_share_and_cap_holds_for_related_items(library: Library, path: str) -> None:
    found = library.recommender(exposure=EXPOSURE).related("b7", path=path)
    assert len(set(found.ids)) == 10
    kinds = Counter(map(kind, found.ids))
    assert (kinds["romance"] >= 3, max(kinds.values()) <= 4) == (True, True)
    assert sum(1920 <= year(one) <= 1924 for one in found.ids) >= 2
    assert sum(int(one[1:]) >= 40 for one in found.ids) >= 2


def test_a_share_that_cannot_be_filled_is_named(library: Library) -> None:
    # two books at most are of these years
    shares = [{"share": 0.5, "field": "year", "least": 1950, "most": 1951}]
    asking = library.recommender(exposure={"shares": shares})
    for found in (
        asking.recommend("u1"),
        asking.related("b7"),
        asking.recommend_group(GROUP),
    ):
        assert sum(1950 <= year(one) <= 1951 for one in found.ids) == 2
        assert found.note == "share 0.5 of year: 2 of 5 places"


def test_freshness_fades_for_each_member(library: Library) -> None:
    exposure = {"fresh": "year", "half_life_days": 3650.0, "depth": 20}
    found = library.recommender(exposure=exposure).recommend_group(
        GROUP, strategy="average", tail_share=0.0
    )
    # years count from now, which moves every age by the same factor of one half-life
    now = float(np.datetime64("now", "s").astype(float)) / 86_400 / 365.25 + 1970

    def faded(item_id: str, x: float) -> float:
        return x - (1 - 2 ** (-(now - year(item_id)) * 365.25 / 3650)) * abs(x)

    assert found.ids == ranked(library, faded)


def test_diversity_spreads_the_list_of_a_group(library: Library) -> None:
    def likeness(ids: list[str]) -> float:
        both = [(a, b) for a in ids for b in ids if a < b]
        return sum(float(library.vector(a) @ library.vector(b)) for a, b in both) / len(both)

    for path in ("auto", "exact"):
        plain = library.recommender().recommend_group(GROUP, path=path, tail_share=0.0)
        spread = library.recommender(exposure={"diversity": 0.6}).recommend_group(
            GROUP, path=path, tail_share=0.0
        )
        assert likeness(spread.ids) < likeness(plain.ids)
        assert spread.ids[0] == plain.ids[0]
        assert "vector" not in spread[0].item.fields


def test_rules_hold_for_a_group_of_strangers_too(recommender: Recommender) -> None:
    rules = [{"do": "boost", **POETRY, "add": 5.0}, {"do": "pin", "items": ["b0"], "position": 3}]
    found = recommender.recommend_group(["nobody", "noone"], rules=rules, size=5)
    assert found.ids[2] == "b0"
    assert {kind(one) for one in found.ids if one != "b0"} == {"poetry"}


def test_a_group_asks_once_for_each_part_of_its_list(
    library: Library, opensearch: NodeInfo
) -> None:
    cluster = Counting(opensearch.url)
    settings = library.changed(exposure={"shares": [{"share": 0.3, "new": True}]})
    asking = Recommender(cluster, settings, library.histories)
    asking.recommend_group(GROUP)
    cluster.sent.clear()
    found = asking.recommend_group(GROUP, rules={"do": "pin", "items": ["b0"], "position": 1})
    # and once for the documents of its items
    assert cluster.sent == [f"POST /{found.index}/_search"] * 4
    parts = dict(found.latency_ms)
    assert sum(parts.values()) == pytest.approx(2 * parts["total"])
    cluster.close()


def test_what_one_stored_search_cannot_keep_is_refused(library: Library) -> None:
    pinning = library.recommender(rules=[{"do": "pin", "items": ["b0"], "position": 1}])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="a stored request of a group is one search"):
        pinning.stored_group_request(GROUP)


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
def test_the_only_place_belongs_to_the_best_item(recommender: Recommender, path: str) -> None:
    for words in ("", "a castle"):
        best = recommender.recommend("u1", words=words, path=path, size=10, tail_share=0.0)
        assert recommender.recommend("u1", words=words, path=path, size=1).ids == best.ids[:1]
        assert recommender.recommend("u1", words=words, path=path, size=2).ids[0] == best.ids[0]
    shared = recommender.recommend_group(GROUP, path=path, tail_share=0.0)
    assert recommender.recommend_group(GROUP, path=path, size=1).ids == shared.ids[:1]
    # a list of the tail alone is what was asked for
    (tail,) = recommender.recommend("u1", words="a castle", path=path, size=1, tail_share=1.0)
    assert tail.tail
