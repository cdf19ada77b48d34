"""Groups of a file: their own history is one more member, with its weight; bad names."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.errors import ConfigError, DataError
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines

FILMS = 40
GROUPS = {
    "smiths": ("ann", "bob"),
    "newcomers": ("ann", "cat"),
    "quiet": ("nobody", "noone"),
}
CHOICES = {
    "ann": ("f0", "f8", "f16"),
    "bob": ("f1", "f9", "f0"),
    "cat": ("f2", "f10"),
    "smiths": ("f3", "f11", "f19"),
    "quiet": ("f4", "f12"),
}


def choices() -> list[Record]:
    return [
        {"user_id": who, "item_id": item, "day": f"2024-01-{day:02}"}
        for who, items in CHOICES.items()
        for day, item in enumerate(items, 1)
    ]


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    """A shop with groups."""
    made = open_shop(opensearch.url, events={"time": "day"}, recommend={"tail_share": 0.0})
    made.stock(films(FILMS), choices())
    path = made.folder / "groups.jsonl"
    write_lines(path, [{"group": name, "members": own} for name, own in GROUPS.items()])
    made.sections["groups"] = {"path": str(path)}
    made.build()
    return made


@pytest.fixture
def recommender(shop: Shop) -> Iterator[Recommender]:
    with Recommender.from_config(shop.settings()) as found:
        yield found


def test_the_own_history_is_one_more_member(recommender: Recommender) -> None:
    found = recommender.recommend_group("smiths", strategy="average", own_weight=0.3)
    assert found.members == ("ann", "bob", "smiths")
    assert found.as_dict()["group"] == "smiths"
    alone = {who: recommender.recommend(who, size=FILMS) for who in found.members}
    known = {who: {one.item_id: one.probability for one in own} for who, own in alone.items()}
    for one in found:
        assert one.probabilities is not None
        for who, probability in zip(found.members, one.probabilities, strict=True):
            assert probability == pytest.approx(known[who][one.item_id], abs=1e-5)
        ann, bob, smiths = one.probabilities
        assert one.item.probability == pytest.approx(0.7 * (ann + bob) / 2 + 0.3 * smiths)
    means = [one.item.probability for one in found]
    assert means == sorted(means, key=lambda mean: -(mean or 0.0))


def test_with_all_the_weight_it_is_the_list_of_the_own_history(recommender: Recommender) -> None:
    for strategy in ("average", "multiplicative", "most-pleasure", "borda", "fair"):
        found = recommender.recommend_group(
            "smiths", strategy=strategy, own_weight=1, seen="group", path="exact"
        )
        assert found.ids == recommender.recommend("smiths", path="exact").ids


def test_without_weight_it_is_the_list_of_the_members(recommender: Recommender) -> None:
    members = recommender.recommend_group(["ann", "bob"], strategy="average", path="exact", size=40)
    found = recommender.recommend_group(
        "smiths", strategy="average", own_weight=0, path="exact", size=40
    )
    # less what the group itself has seen
    assert found.ids == [one for one in members.ids if one not in CHOICES["smiths"]]


@pytest.mark.parametrize(
    ("rule", "left_out"),
    [
        ("any", {*CHOICES["ann"], *CHOICES["bob"], *CHOICES["smiths"]}),
        ("everyone", {"f0", *CHOICES["smiths"]}),
        ("group", set(CHOICES["smiths"])),
        ("nothing", set()),
    ],
)
def test_what_is_seen(recommender: Recommender, rule: str, left_out: set[str]) -> None:
    found = recommender.recommend_group("smiths", seen=rule, size=FILMS, path="exact")
    assert {f"f{n}" for n in range(FILMS)} - set(found.ids) == left_out


def test_a_group_that_did_nothing_yet_is_its_members(recommender: Recommender) -> None:
    found = recommender.recommend_group("newcomers")
    assert found.members == ("ann", "cat")
    assert found.ids == recommender.recommend_group(["ann", "cat"]).ids


def test_members_of_whom_nothing_is_known_leave_the_own_history(recommender: Recommender) -> None:
    found = recommender.recommend_group("quiet", own_weight=0)
    assert found.members == ("quiet",)
    assert found.note == "nothing is known about 'nobody', 'noone': left out"
    assert found.ids == recommender.recommend("quiet").ids


def test_several_users_are_ranked_as_without_a_file_of_groups(
    shop: Shop, recommender: Recommender
) -> None:
    with Recommender.from_config(shop.settings(groups={"path": None})) as other:
        expected = other.recommend_group(["ann", "bob"])
    found = recommender.recommend_group(["ann", "bob"])
    assert found.as_dict()["items"] == expected.as_dict()["items"]


def test_a_name_that_is_no_group_is_refused(recommender: Recommender) -> None:
    with pytest.raises(DataError, match="'smithers' is no known group"):
        recommender.recommend_group("smithers")
    with pytest.raises(DataError, match="'smiths' is a known group, not a member of one"):
        recommender.recommend_group(["cat", "smiths"])
    with pytest.raises(ConfigError, match="own_weight: must be less than or equal to 1"):
        recommender.recommend_group("smiths", own_weight=1.5)


def test_the_command_reads_what_the_group_needs(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    main(shop.arguments("--json", "recommend-group", "smiths", "--own-weight", "0.25"))
    shown = json.loads(capsys.readouterr().out)
    assert shown["group"] == "smiths"
    assert shown["members"] == ["ann", "bob", "smiths"]
    ann, bob, smiths = (shown["items"][0]["members"][who] for who in shown["members"])
    assert np.isclose(shown["items"][0]["probability"], 0.75 * (ann + bob) / 2 + 0.25 * smiths)
