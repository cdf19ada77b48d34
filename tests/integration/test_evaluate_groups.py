"""Known groups end to end: fitted on what they chose, served so, compared, and no answer known."""

from collections.abc import Mapping
from typing import Any

import pytest

from seealso import api
from seealso.cluster.node import NodeInfo
from seealso.config import Settings
from seealso.datasets.group_questions import GroupQuestion
from seealso.encoder import BundleStore
from seealso.errors import ConfigError, DataError
from seealso.evaluation.group_protocols import GROUP_CHOICES, MEMBER_CHOICES, ask_groups
from seealso.evaluation.results import Evaluation
from seealso.judging.index_systems import IndexSystems
from seealso.plugin import Recommender
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines
from tests.integration.test_fit import CLUBS, FILMS, MEMBERS, choices, stocked

HOUSEHOLDS = CLUBS * MEMBERS // 2


def members() -> dict[str, tuple[str, str]]:
    """Return households of two users of a club."""
    return {f"home{n}": (f"u{n}", f"u{n + HOUSEHOLDS}") for n in range(HOUSEHOLDS)}


def of_home(home: int) -> list[str]:
    """Return what a household watches together: films of another club than its members'."""
    own = [f"f{n}" for n in range(FILMS - 2) if n % CLUBS == (home + 1) % CLUBS]
    return [own[(home + 3 * step) % len(own)] for step in range(6)]


def events() -> list[Record]:
    together = [
        {"user_id": f"home{home}", "item_id": item, "second": 1000 * day + 500 + home}
        for home in range(HOUSEHOLDS)
        for day, item in enumerate(of_home(home))
    ]
    return [*choices(), *together]


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop with households, on the default version."""
    made = stocked(open_shop, opensearch_latest)
    path = made.folder / "groups.jsonl"
    write_lines(path, [{"group": name, "members": own} for name, own in members().items()])
    made.sections["groups"] = {"path": str(path)}
    made.stock(films(FILMS), events())
    return made


def test_what_groups_chose_decides_how_their_lists_are_made(shop: Shop) -> None:
    report = api.fit(shop.settings())
    chosen = report.groups
    assert chosen is not None
    assert chosen.groups == len(members())
    # the members' clubs say nothing of what they watch together
    assert chosen.settings["own_weight"] >= 0.5
    assert chosen.dev["as chosen"] > 1.5 * chosen.dev["average"]
    bundle = BundleStore(shop.settings().encoder.store).find("fitted")
    assert bundle.fitted["groups"] == chosen.settings
    api.build_index(shop.settings())
    with Recommender.from_config(shop.settings()) as recommender:
        served = recommender.recommend_group("home0")
        assert served.strategy == chosen.settings["strategy"]
        assert served.ids == recommender.recommend_group("home0", **chosen.settings).ids
        # users who come together for once are ranked as set
        pair = recommender.recommend_group(members()["home0"])
        assert pair.strategy == "fair"
    with Recommender.from_config(shop.settings(groups={"strategy": "borda"})) as recommender:
        assert recommender.recommend_group("home0").strategy == "borda"


def evaluated(shop: Shop, **options: Any) -> Evaluation:
    return api.evaluate(shop.settings(), protocols=(), baselines=(), groups=True, **options)


def test_ways_to_make_lists_are_compared_by_what_groups_and_members_chose(shop: Shop) -> None:
    api.fit(shop.settings())
    found = evaluated(shop, split="test")
    own, of_members = found.protocols
    assert (own.name, of_members.name) == (GROUP_CHOICES, MEMBER_CHOICES)
    assert own.users == len(members())
    assert of_members.users > 20
    for one in found.protocols:
        names = [score.system for score in one.scores if score.part == "all"]
        assert names[0] == one.ours[0] == "seealso"
        assert names[1:] == [
            "fair of the members",
            "average of the members",
            "multiplicative of the members",
            "least-misery of the members",
            "most-pleasure of the members",
            "borda of the members",
            "own history",
        ]
        assert {pair.other for pair in one.pairings} == set(names[1:])
    # one choice a group: nobody is worse off than others
    assert own.worst_off == ()
    systems = [one.system for one in of_members.worst_off]
    assert systems == [score.system for score in of_members.scores if score.part == "all"]
    assert {one.groups > 5 for one in of_members.worst_off} == {True}
    assert any(one.metric.mean > 0 for one in of_members.worst_off)
    served, average = (own.score(name).metrics["ndcg@10"].mean for name in (
        "seealso", "average of the members"
    ))  # fmt: skip
    assert served > 1.1 * average
    asked = {user for example in own.examples for user in [example.user_id]}
    assert not asked & set(members())


Shown = Mapping[tuple[str, str], list[int]]
"""Lists by system and group."""


def lists(shop: Shop, settings: Settings) -> Mapping[str, Shown]:
    """Return what each system shows each group, by protocol."""
    source = shop.inputs(settings)
    (holdout,) = ask_groups((), settings, source.items, source.events, members(), split="dev")
    found: dict[str, dict[tuple[str, str], list[int]]] = {}
    with IndexSystems(shop.cluster, settings, source).build(holdout) as systems:
        for one in systems:
            for protocol in holdout.protocols:
                if one.takes_part(protocol.name):
                    own = one.system.rank(protocol.questions, 10).places.tolist()
                    for question, shown in zip(protocol.questions, own, strict=True):
                        assert isinstance(question, GroupQuestion)
                        key = one.system.name, question.group_id
                        # whichever member is asked about, the list is that of the group
                        assert found.setdefault(protocol.name, {}).setdefault(key, shown) == shown
    return found


def with_other_answers(who: set[str]) -> list[Record]:
    """Return the events with other items in the last two of some users and groups."""
    changed = events()
    own: dict[str, list[int]] = {}
    for row, event in enumerate(changed):
        own.setdefault(event["user_id"], []).append(row)
    for name in who:
        met = {changed[row]["item_id"] for row in own[name]}
        # nobody chose the last films
        new = [f"f{n}" for n in reversed(range(FILMS)) if f"f{n}" not in met]
        for row, item in zip(own[name][-2:], new, strict=False):
            changed[row]["item_id"] = item
    return changed


def test_no_list_for_a_group_knows_an_answer(shop: Shop) -> None:
    api.fit(shop.settings())
    settings = shop.settings()
    before = lists(shop, settings)
    shop.stock(films(FILMS), with_other_answers(set(members())))
    after = lists(shop, settings)
    assert len(before[GROUP_CHOICES]) == 8 * len(members())
    assert before[GROUP_CHOICES] == after[GROUP_CHOICES]
    people = {one for own in members().values() for one in own}
    shop.stock(films(FILMS), with_other_answers(people | set(members())))
    after = lists(shop, settings)
    # with other answers, more members can be asked about
    assert len(before[MEMBER_CHOICES]) > 8 * 10
    for key, shown in before[MEMBER_CHOICES].items():
        assert after[MEMBER_CHOICES][key] == shown


def test_what_cannot_be_asked_is_refused(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="lists for groups come from the index"):
        api.evaluate(shop.settings(), groups=True, index=False)
    with pytest.raises(ConfigError, match="no file names groups"):
        api.evaluate(shop.settings(groups={"path": None}), groups=True)
    shop.stock(films(FILMS), choices())
    with pytest.raises(DataError, match="no group has own choices to ask about"):
        evaluated(shop)
