"""Lists for several people on a real cluster: one search, what each member gets, bad groups."""

import json
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from seealso.choices import StrategyName
from seealso.cli.main import cli
from seealso.cluster.node import NodeInfo
from seealso.errors import ConfigError, DataError, SeeAlsoError
from seealso.indexer.templates import install
from seealso.plugin import Recommender
from seealso.plugin.groups.members import MOST_MEMBERS, WHOLE
from seealso.plugin.ranking.options import PathName
from seealso.plugin.ranking.sending import SCORES
from seealso.types import HistoryEntry, Path, User
from tests.films import Counting
from tests.integration.libraries import profile
from tests.library import RATED, Library

STRATEGIES = get_args(StrategyName)
GROUP = ["u1", "u5", "u8"]


def seen_by(library: Library, user_id: str) -> frozenset[str]:
    found = library.histories.user(user_id)
    assert found is not None
    return found.seen


def reader(library: Library, user_id: str) -> User:
    """A user who likes what `user_id` likes, and has seen nothing."""
    found = library.histories.user(user_id)
    assert found is not None
    return User(None, found.history)


def probabilities(library: Library, user_id: str) -> dict[str, float]:
    """Return the probability of each book by numpy alone."""
    user = profile(library, user_id)
    found = {}
    for item_id, document in library.documents.items():
        if "vector" not in document:
            continue
        item = library.vector(item_id)
        distance = np.linalg.norm(user - item, ord=1 if library.space == "manhattan" else 2)
        alike = float(user @ item) if library.space == "cosine" else 1 / (1 + float(distance))
        found[item_id] = 1 / (1 + float(np.exp(-document["importance"] * alike)))
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
def test_each_member_gets_the_probability_that_numpy_computes(
    library: Library, recommender: Recommender, strategy: str, path: str
) -> None:
    found = recommender.recommend_group(GROUP, strategy=strategy, path=path, tail_share=0.0)
    assert found.members == tuple(GROUP)
    assert found.strategy == strategy
    assert found.path == (Path.ANN if path == "auto" else Path(path))
    assert len(found) == len(set(found.ids)) == 10
    for number, user_id in enumerate(GROUP):
        assert not set(found.ids) & seen_by(library, user_id)
        known = probabilities(library, user_id)
        for one in found:
            assert one.probabilities is not None
            assert one.probabilities[number] == pytest.approx(known[one.item_id], abs=1e-5)
    for one in found:
        assert one.item.probability == pytest.approx(np.mean(one.probabilities or ()))


@pytest.mark.parametrize("path", ["auto", "exact", "reference"])
def test_the_average_is_that_of_every_book(
    library: Library, recommender: Recommender, path: str
) -> None:
    found = recommender.recommend_group(GROUP, strategy="average", path=path, tail_share=0.0)
    seen = frozenset().union(*(seen_by(library, one) for one in GROUP))
    known = [probabilities(library, one) for one in GROUP]
    means = {i: float(np.mean([one[i] for one in known])) for i in known[0] if i not in seen}
    best = sorted(means.values(), reverse=True)[:10]
    assert [one.item.probability for one in found] == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_identical_members_get_that_members_list(
    library: Library, recommender: Recommender, strategy: str, share: float
) -> None:
    (alone,) = recommender.recommend_batch([reader(library, "u1")], tail_share=share)
    found = recommender.recommend_group(
        [reader(library, "u1")] * 3, strategy=strategy, tail_share=share
    )
    assert found.members == ("member 1", "member 2", "member 3")
    assert found.ids == alone.ids


def test_a_group_of_one_gets_the_list_of_one(recommender: Recommender) -> None:
    alone, found = recommender.recommend("u1"), recommender.recommend_group(["u1", "u1"])
    assert found.members == ("u1",)
    assert found.ids == alone.ids
    assert [one.probabilities for one in found] == [(one.probability,) for one in alone]


def test_the_order_of_the_members_changes_nothing(recommender: Recommender) -> None:
    for strategy in STRATEGIES:
        first = recommender.recommend_group(GROUP, strategy=strategy)
        assert recommender.recommend_group(GROUP[::-1], strategy=strategy).ids == first.ids


def test_a_group_is_one_search_and_one_for_documents_whatever_its_size(
    library: Library, opensearch: NodeInfo
) -> None:
    cluster = Counting(opensearch.url)
    recommender = Recommender(cluster, library.settings, library.histories)
    recommender.recommend_group([f"u{n}" for n in range(12)])
    for size in (2, 8, 12):
        cluster.sent.clear()
        found = recommender.recommend_group([f"u{n}" for n in range(size)], words="a castle")
        assert cluster.sent == [f"POST /{found.index}/_search"] * 2
    cluster.close()


def test_a_group_of_two_hundred(library: Library, recommender: Recommender) -> None:
    books = [f"b{n}" for n in range(RATED)]
    random = np.random.default_rng(3)
    members = [
        User(f"m{n}", tuple(map(HistoryEntry, random.choice(books, 6, replace=False).tolist())))
        for n in range(200)
    ]
    found = recommender.recommend_group(members)
    assert len(found) == 10
    assert len(found.members) == 200
    assert all(len(one.probabilities or ()) == 200 for one in found)


def test_a_group_larger_than_that_is_refused(recommender: Recommender) -> None:
    with pytest.raises(DataError, match=f"a group of 501: at most {MOST_MEMBERS}"):
        recommender.recommend_group([User(f"m{n}") for n in range(501)])


def test_a_group_of_nobody_is_refused(recommender: Recommender) -> None:
    with pytest.raises(DataError, match="a group without members") as caught:
        recommender.recommend_group([])
    assert caught.value.hint is not None


def test_an_unknown_member_is_left_out_and_named(recommender: Recommender) -> None:
    found = recommender.recommend_group(["u1", "nobody", "u5"])
    assert found.note == "nothing is known about 'nobody': left out"
    assert found.members == ("u1", "u5")
    assert found.ids == recommender.recommend_group(["u1", "u5"]).ids


def test_unknown_members_alone_get_the_most_important_books(recommender: Recommender) -> None:
    found = recommender.recommend_group(["nobody", "noone"])
    assert found.note == "nothing is known about any member: ranked by importance alone"
    assert found.ids == recommender.recommend("nobody").ids
    assert all(one.probabilities is None for one in found)


def test_what_a_member_of_unknown_taste_has_seen_is_left_out_too(
    library: Library, recommender: Recommender
) -> None:
    found = recommender.recommend_group(["u3", "u4", "critic"], size=40)
    assert found.note == "nothing is known about 'critic': left out"
    assert not set(found.ids) & seen_by(library, "critic")


@pytest.mark.parametrize(("rule", "join"), [("any", "union"), ("everyone", "intersection")])
def test_what_is_seen(library: Library, recommender: Recommender, rule: str, join: str) -> None:
    found = recommender.recommend_group(["u1", "u5"], seen=rule, size=60, tail_share=0.0)
    left_out = getattr(seen_by(library, "u1"), join)(seen_by(library, "u5"))
    assert set(found.ids) == {i for i, d in library.documents.items() if "vector" in d} - left_out


def test_nothing_seen_need_be_left_out(library: Library, recommender: Recommender) -> None:
    found = recommender.recommend_group(["u1", "u5"], seen="nothing", size=60, tail_share=0.0)
    assert set(found.ids) == {i for i, d in library.documents.items() if "vector" in d}


def test_attributes_and_words_describe_a_group(library: Library, recommender: Recommender) -> None:
    described = recommender.recommend_group([], attributes={"likes": "castle"})
    assert described.members == (WHOLE,)
    assert described.ids == recommender.recommend(attributes={"likes": "castle"}).ids
    mixed = recommender.recommend_group(["u1"], words="a castle of poetry")
    assert mixed.members == ("u1", WHOLE)
    assert "castle" in " ".join(str(library.documents[i]["text"]) for i in mixed.ids)


def test_a_user_who_is_called_like_the_group_is_a_user(
    library: Library, recommender: Recommender
) -> None:
    people = [recommender.user(one) for one in GROUP]
    names = (WHOLE, "member 1", None)
    known = [replace(one, user_id=name) for one, name in zip(people, names, strict=True)]
    found = recommender.recommend_group(known, words="a castle", size=40)
    assert found.members == (WHOLE, "member 1", "member 3", f"{WHOLE} (2)")
    # what each has seen is left out, and nobody's value is lost
    assert not set(found.ids) & frozenset().union(*(one.seen for one in people))
    assert all(len(one["members"]) == 4 for one in found.as_dict()["items"] if one["probability"])
    both = recommender.recommend_group([known[2], known[1]])
    assert both.members == ("member 1 (2)", "member 1")


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_tail_has_its_share(library: Library, recommender: Recommender, share: float) -> None:
    for path in ("auto", "exact"):
        found = recommender.recommend_group(GROUP, tail_share=share, path=path)
        assert sum(one.item.tail for one in found) >= round(10 * share)
        for one in found:
            assert one.item.tail == library.documents[one.item_id]["tail"]


def test_filters_and_the_least_probability_hold(recommender: Recommender) -> None:
    found = recommender.recommend_group(GROUP, filters={"term": {"kind": "poetry"}})
    assert found
    assert {one.item.fields["kind"] for one in found} == {"poetry"}
    whole = recommender.recommend_group(GROUP, strategy="average", tail_share=0.0)
    least = whole[4].item.probability
    assert least is not None
    likely = recommender.recommend_group(
        GROUP, strategy="average", tail_share=0.0, min_probability=least - 1e-9
    )
    assert likely.ids == whole.ids[:5]


@pytest.mark.parametrize("path", ["ann", "exact", "reference"])
def test_the_tail_holds_the_least_probability_too(recommender: Recommender, path: PathName) -> None:
    whole = recommender.recommend_group(GROUP, tail_share=0.4, path=path)
    tail = [one.item.probability for one in whole if one.item.tail]
    least = max(one for one in tail if one is not None)
    found = recommender.recommend_group(GROUP, tail_share=0.4, path=path, min_probability=least)
    assert found
    assert all(one.item.probability >= least for one in found if one.item.probability is not None)


def test_the_other_spaces(other_space: Library) -> None:
    recommender = other_space.recommender()
    found = recommender.recommend_group(GROUP, strategy="average", tail_share=0.0)
    assert found.path is Path.REFERENCE
    seen = frozenset().union(*(seen_by(other_space, one) for one in GROUP))
    known = [probabilities(other_space, one) for one in GROUP]
    means = {i: float(np.mean([one[i] for one in known])) for i in known[0] if i not in seen}
    best = sorted(means.values(), reverse=True)[:10]
    assert [one.item.probability for one in found] == pytest.approx(best, abs=1e-5)
    with pytest.raises(ConfigError, match="path ann: an index for"):
        recommender.recommend_group(GROUP, path="ann")


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"strategy": "loudest"}, "strategy: must be one of fair, average"),
        ({"seen": "some"}, "seen: must be one of any, everyone, group, nothing"),
        ({"size": 0}, "size: must be"),
    ],
)
def test_an_impossible_wish_is_refused(
    recommender: Recommender, wishes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        recommender.recommend_group(GROUP, **wishes)


def test_the_stored_template_gives_the_same_hits(
    library: Library, recommender: Recommender
) -> None:
    install(library.cluster)
    body = recommender.stored_group_request(GROUP)
    assert orjson.loads(body)["id"] == "seealso-group"
    path = f"/{library.alias}/_search/template"
    hits = library.cluster.request("POST", path, body, SCORES)["hits"]["hits"]
    known = [probabilities(library, one) for one in GROUP]
    for hit in hits:
        for number, scores in enumerate(known):
            if hit["_id"] in scores:
                x = np.log(scores[hit["_id"]] / (1 - scores[hit["_id"]]))
                told = hit["matched_queries"][str(number)]
                assert told == pytest.approx(1 + x if x >= 0 else 1 / (1 - x), abs=1e-4)


def test_the_command(library: Library) -> None:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(
            cli, ["--config", str(library.config), "--json", "recommend-group", *arguments],
        )  # fmt: skip
        if isinstance(done.exception, SeeAlsoError):
            raise done.exception
        return done.exit_code, done.output, done.stdout

    code, _, out = run(" u1", "u5 ", "u8", "--strategy", "borda", "--size", "4")
    shown = json.loads(out)
    assert code == 0
    assert (shown["members"], shown["strategy"], len(shown["items"])) == (GROUP, "borda", 4)
    assert set(shown["items"][0]["members"]) == set(GROUP)
    code, _, out = run("--attribute", "likes=castle")
    assert json.loads(out)["members"] == [WHOLE]
    code, output, _ = run("--strategy", "fair")
    assert code == 2
    assert "who is it for?" in output


def test_a_table_has_a_column_for_each_member_or_the_ends(recommender: Recommender) -> None:
    few = recommender.recommend_group(GROUP).table("title")
    assert [str(one.header) for one in few.columns][3:7] == ["mean p", *GROUP]
    many = recommender.recommend_group([f"u{n}" for n in range(9)]).table("title")
    assert [str(one.header) for one in many.columns][3:6] == ["mean p", "least", "most"]
