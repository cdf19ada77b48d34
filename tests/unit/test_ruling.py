"""Business rules: what they become, and which of them are refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seealso.config import (
    CapSettings,
    ExposureSettings,
    RecommendSettings,
    Rule,
    ShareSettings,
    TaxonomySettings,
    load_settings,
)
from seealso.errors import ConfigError
from seealso.plugin.ranking.options import RecommendOptions, read_rules
from seealso.plugin.ranking.plans import build_plan
from seealso.plugin.rules.ruling import ruling
from seealso.plugin.rules.taxonomy import Taxonomy

FLAT = Taxonomy(None, None, {})
PATHS = Taxonomy("category", " > ", {})
HORROR = {"do": "exclude", "field": "genres", "values": ["Horror"]}


def rules(*given: dict[str, Any]) -> tuple[Rule, ...]:
    return read_rules(given)


def test_what_is_required_and_excluded_becomes_a_filter() -> None:
    price = {"do": "require", "field": "price", "least": 5, "most": 20}
    found = ruling(rules(price, HORROR), FLAT)
    assert found.filters == (
        {"range": {"price": {"gte": 5.0, "lte": 20.0}}},
        {"bool": {"must_not": [{"terms": {"genres": ["Horror"]}}]}},
    )
    assert (len(found.tiers), found.pins) == (1, {})


def test_the_first_rule_that_lifts_an_item_holds() -> None:
    boost = {"do": "boost", "field": "genres", "values": ["Drama"], "factor": 2, "add": 0.1}
    bury = {"do": "bury", "items": ["i1"]}
    first, second, rest = ruling(rules(boost, bury), FLAT).tiers
    drama, one = {"terms": {"genres": ["Drama"]}}, {"ids": {"values": ["i1"]}}
    assert (first.filters, first.last, first.boost(0.5)) == ((drama,), False, pytest.approx(0.6))
    assert second.filters == (one, {"bool": {"must_not": [drama]}})
    assert (second.last, second.boost(0.5)) == (True, 0.0)
    either = {"bool": {"should": [drama, one], "minimum_should_match": 1}}
    assert rest.filters == ({"bool": {"must_not": [either]}},)


@pytest.mark.parametrize("factor", [1.5, 2.0, 10.0])
def test_a_boost_lifts_and_a_bury_lowers_on_both_sides_of_zero(factor: float) -> None:
    boost = {"do": "boost", "field": "genres", "values": ["Drama"], "factor": factor}
    bury = {"do": "bury", "field": "genres", "values": ["Drama"], "factor": 1 / factor}
    lifting, _ = ruling(rules(boost), FLAT).tiers
    lowering, _ = ruling(rules(bury), FLAT).tiers
    values = [-3.0, -0.5, -0.01, 0.0, 0.01, 0.5, 3.0]
    lifted = [one + lifting.boost(one) for one in values]
    lowered = [one + lowering.boost(one) for one in values]
    # best of the stratum stays best: the ranking is exact
    assert lifted == sorted(lifted)
    assert lowered == sorted(lowered)
    assert all(now > before for now, before in zip(lifted, values, strict=True) if before)
    assert all(now < before for now, before in zip(lowered, values, strict=True) if before)


def test_pins_stand_from_their_position_on() -> None:
    found = ruling(rules({"do": "pin", "items": ["a", "b"], "position": 3}), FLAT)
    assert found.pins == {3: "a", 4: "b"}


def test_a_rule_on_a_node_of_paths_covers_what_lies_below() -> None:
    assert PATHS.clause("category", ["Games > Board"]) == {
        "bool": {
            "should": [
                {"terms": {"category": ["Games > Board"]}},
                {"prefix": {"category": "Games > Board > "}},
            ],
            "minimum_should_match": 1,
        }
    }
    assert PATHS.clause("genres", ["Drama"]) == {"terms": {"genres": ["Drama"]}}
    assert PATHS.covers("category", "Games", "Games > Board")
    assert not PATHS.covers("category", "Games", "Games and more")


def test_a_rule_on_a_node_of_a_tree_covers_what_lies_below(tmp_path: Path) -> None:
    file = tmp_path / "tree.csv"
    file.write_text("node,parent\nBoard,Games\nChess,Board\nGames,\nCards,Games\n", "utf-8")
    tree = Taxonomy.of(TaxonomySettings(field="category", path=file))
    assert set(tree.below(["Board"])) == {"Board", "Chess"}
    assert set(tree.below(["Games"])) == {"Games", "Board", "Chess", "Cards"}
    assert tree.covers("category", "Games", "Chess")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("node,parent\na,b\nb,a\n", "is below itself"),
        ("name\na\n", "line 2: no node and parent"),
    ],
)
def test_what_is_no_tree_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tree.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=said):
        Taxonomy.of(TaxonomySettings(field="category", path=file))
    with pytest.raises(ConfigError, match="cannot be read"):
        Taxonomy.of(TaxonomySettings(field="category", path=tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "rule 1: do: is missing"),
        ({"do": "exclude"}, "rule 1: an empty rule: exclude needs"),
        ({"do": "exclude", "field": "genres"}, "field 'genres' is not enough"),
        ({"do": "exclude", "values": ["x"]}, "need a field: name it"),
        ({"do": "require", "field": "price", "least": 2, "most": 1}, "least 2 is above most 1"),
        ({"do": "boost", "items": ["a"]}, "boost needs add or factor"),
        ({"do": "boost", "items": ["a"], "factor": -1}, "rule 1: factor: .*greater than 0"),
        ({"do": "bury", "items": ["a"], "factor": 2}, "bury needs a factor below 1"),
        ({"do": "bury", "items": ["a"], "add": 1}, "add belongs to boost"),
        ({"do": "exclude", "items": ["a"], "factor": 0.5}, "factor belongs to boost and bury"),
        ({"do": "pin", "items": ["a"]}, "pin needs a position"),
        ({"do": "pin", "field": "f", "values": ["a"], "position": 1}, "pin takes items"),
        ({"do": "hide", "items": ["a"]}, "rule 1: do: "),
        ({"do": "exclude", "items": ["a"], "unknown": 1}, "rule 1: unknown: "),
        ("exclude", "is not a rule"),
        ([3], "rule 1: "),
    ],
)
def test_what_is_no_rule_is_refused(given: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        RecommendOptions(rules=given).resolve(RecommendSettings())


def test_a_rule_of_the_settings_that_is_empty_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "seealso.toml"
    file.write_text('[[rules]]\ndo = "exclude"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"rules\.0: an empty rule: exclude needs"):
        load_settings(file)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            [HORROR, {"do": "require", "field": "genres", "values": ["Horror"]}],
            "require genres Horror contradicts exclude genres Horror",
        ),
        (
            [{"do": "exclude", "items": ["a"]}, {"do": "pin", "items": ["a"], "position": 1}],
            "pin items a contradicts exclude items a",
        ),
        (
            [{"do": "pin", "items": [one], "position": 1} for one in "ab"],
            "pin a at 1 contradicts pin b at 1",
        ),
        (
            [
                {"do": "exclude", "field": "category", "values": ["Games"]},
                {"do": "boost", "field": "category", "values": ["Games > Chess"], "add": 1},
            ],
            "boost category Games > Chess contradicts exclude category Games",
        ),
        (
            [
                {"do": "exclude", "field": "price", "least": 10},
                {"do": "require", "field": "price", "least": 20},
            ],
            "require price from 20 contradicts exclude price from 10",
        ),
    ],
)
def test_rules_that_contradict_each_other_are_named(given: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ruling(rules(*given), PATHS)


DRAMA = ShareSettings(share=0.5, field="genres", values=("Drama",))


@pytest.mark.parametrize(
    ("exposure", "given", "options", "said"),
    [
        (
            ExposureSettings(shares=(DRAMA, ShareSettings(share=0.4, new=True))),
            [],
            {"tail_share": 0.2},
            r"tail_share 0.2 \+ share 0.5 of genres Drama \+ share 0.4 of new items = 1.1",
        ),
        (
            ExposureSettings(shares=(DRAMA,), caps=(CapSettings(field="genres", most=4),)),
            [],
            {},
            r"share 0.5 of genres Drama \(5 places\) contradicts at most 4 of one genres",
        ),
        (
            ExposureSettings(shares=(DRAMA,)),
            [{"do": "exclude", "field": "genres", "values": ["Drama", "War"]}],
            {},
            "share 0.5 of genres Drama contradicts exclude genres Drama or War",
        ),
        (
            ExposureSettings(shares=(DRAMA,)),
            [],
            {"filters": {"bool": {"must_not": {"term": {"genres": "Drama"}}}}},
            "share 0.5 of genres Drama contradicts exclude genres Drama",
        ),
        (
            ExposureSettings(shares=(ShareSettings(share=0.5, field="price", least=50),)),
            [{"do": "require", "field": "price", "most": 20}],
            {},
            "share 0.5 of price contradicts require price to 20",
        ),
    ],
)
def test_guarantees_that_cannot_be_kept_are_named(
    exposure: ExposureSettings, given: list[dict[str, Any]], options: dict[str, Any], said: str
) -> None:
    criteria = RecommendOptions(**options).resolve(RecommendSettings())
    with pytest.raises(ConfigError, match=said):
        build_plan(criteria, rules(*given), exposure, FLAT, datetime.now(UTC))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("[[exposure.shares]]\nshare = 0.2\n", "name the items of the share"),
        ('[taxonomy]\nseparator = "/"\n', "set the field of the tree"),
        ('[taxonomy]\nfield = "category"\n', "set either a separator or a path"),
        ('[[exposure.caps]]\nfield = "seller"\nmost = 0\n', "exposure.caps.0.most"),
    ],
)
def test_settings_that_say_nothing_are_refused(tmp_path: Path, section: str, said: str) -> None:
    file = tmp_path / "seealso.toml"
    file.write_text(section, "utf-8")
    with pytest.raises(ConfigError, match=said):
        load_settings(file)
