"""Exact, approximate and reference path: one ranking, for fifty real people on real films."""

import numpy as np
import numpy.typing as npt
import pytest

from seealso.plugin import RecommendationList
from seealso.types import Path, User
from tests.films import PEOPLE, Films

SAME = 1e-6
"""The reference's probability is a 32-bit number; closer ones are a tie."""


def expected(films: Films, user: User) -> npt.NDArray[np.float64]:
    """Return p of every film by numpy alone; -1 for those that were seen."""
    entries = user.history[: films.settings.profile.history_items]
    stored = {i: np.array(films.documents[i]["vector"]) for i in {e.item_id for e in entries}}
    profile = np.zeros(films.weighted.shape[1])
    for age, entry in enumerate(entries):
        v = stored[entry.item_id]
        profile += films.settings.profile.recency**age * v / np.linalg.norm(v)
    profile /= np.linalg.norm(profile)
    w = np.array([films.documents[i]["importance"] for i in films.ids])
    cosines = films.weighted @ profile / np.linalg.norm(films.weighted, axis=1)
    p = 1 / (1 + np.exp(-w * cosines))
    p[[films.places[item_id] for item_id in user.seen]] = -1
    return p


def ranked(films: Films, user: User, path: Path, size: int = 10) -> RecommendationList:
    return films.recommender.recommend(user.user_id, path=path, size=size, tail_share=0.0)


def probabilities(found: RecommendationList) -> npt.NDArray[np.float64]:
    return np.array([item.probability for item in found], dtype=np.float64)


def test_there_are_fifty_real_people(films: Films) -> None:
    assert len(films.people) == PEOPLE
    assert len({user.user_id for user in films.people}) == PEOPLE


@pytest.mark.parametrize("path", [Path.REFERENCE, Path.EXACT])
def test_an_exact_path_gives_the_ranking_of_numpy(films: Films, path: Path) -> None:
    for user in films.people:
        p = expected(films, user)
        best = np.sort(p)[::-1][:10]
        found = ranked(films, user, path)
        assert found.path is path
        # place by place the same probability, so the same items but for ties
        assert np.abs(probabilities(found) - best).max() < 1e-5, user.user_id
        own = np.array([p[films.places[item_id]] for item_id in found.ids])
        assert np.abs(probabilities(found) - own).max() < 1e-5, user.user_id


def test_reference_and_exact_give_the_same_ten_items(films: Films) -> None:
    for user in films.people:
        reference = ranked(films, user, Path.REFERENCE)
        exact = ranked(films, user, Path.EXACT)
        assert np.abs(probabilities(reference) - probabilities(exact)).max() < SAME
        last = exact[-1].probability
        assert last is not None
        for only in set(reference.ids) ^ set(exact.ids):
            (item,) = [item for item in (*reference, *exact) if item.item_id == only]
            assert item.probability == pytest.approx(last, abs=SAME), user.user_id


def test_the_graph_finds_nearly_all_of_the_exact_ten(films: Films) -> None:
    found = wanted = 0
    for user in films.people:
        exact = set(ranked(films, user, Path.EXACT).ids)
        ann = ranked(films, user, Path.ANN)
        assert ann.path is Path.ANN
        assert len(ann) == 10
        assert list(probabilities(ann)) == sorted(probabilities(ann), reverse=True)
        found += len(exact & set(ann.ids))
        wanted += len(exact)
    assert wanted == 10 * PEOPLE
    assert found / wanted >= 0.98


def test_the_graph_gives_the_exact_probability(films: Films) -> None:
    for user in films.people[:10]:
        exact = {i.item_id: i.probability for i in ranked(films, user, Path.EXACT, 50)}
        for item in ranked(films, user, Path.ANN):
            assert exact[item.item_id] == pytest.approx(item.probability, abs=SAME)


@pytest.mark.parametrize("path", [Path.REFERENCE, Path.EXACT, Path.ANN])
def test_seen_films_and_those_outside_the_filter_stay_out(films: Films, path: Path) -> None:
    for user in films.people[:10]:
        found = films.recommender.recommend(
            user.user_id, path=path, tail_share=0.0, filters={"term": {"genres": "Documentary"}}
        )
        assert len(found) == 10
        assert not set(found.ids) & user.seen
        assert all("Documentary" in item.fields["genres"] for item in found)


@pytest.mark.parametrize("path", [Path.REFERENCE, Path.ANN])
def test_under_a_narrow_filter_every_path_is_exact(films: Films, path: Path) -> None:
    narrow = {"ids": {"values": films.ids[:300]}}
    for user in films.people[:10]:
        asked = films.recommender.recommend(
            user.user_id, path=path, tail_share=0.0, filters=[narrow]
        )
        exact = films.recommender.recommend(
            user.user_id, path="exact", tail_share=0.0, filters=[narrow]
        )
        assert np.abs(probabilities(asked) - probabilities(exact)).max() < SAME


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02, 0.005, 0.0005])
def test_the_graph_within_a_filter_ranks_what_passes_it(films: Films, share: float) -> None:
    passing = np.random.default_rng(11).permutation(films.ids)[: round(share * len(films.ids))]
    inside = {"ids": {"values": passing.tolist()}}
    rows = [films.places[item_id] for item_id in passing]
    found = wanted = 0
    for user in films.people[:20]:
        ann = films.recommender.recommend(user.user_id, path="ann", tail_share=0, filters=inside)
        p = expected(films, user)
        best = np.sort(p[rows])[::-1][:10]
        best = best[best > 0]
        assert set(ann.ids) <= set(passing.tolist()) - user.seen
        assert len(ann) == len(best)
        # what is less likely than the true tenth would be a miss
        found += int((probabilities(ann) > best[-1] - 1e-5).sum())
        wanted += len(best)
    assert wanted == 20 * 10 or share * len(films.ids) < 10
    assert found / wanted >= 0.98


def test_the_graph_finds_a_filter_that_lies_far_from_the_user(films: Films) -> None:
    # nothing that passes is near the point where a walk through the graph ends
    for user in films.people[:20]:
        p = expected(films, user)
        unseen = np.flatnonzero(p > 0)
        far = unseen[np.argsort(p[unseen])[:100]]
        found = films.recommender.recommend(
            user.user_id,
            path="ann",
            tail_share=0,
            filters={"ids": {"values": [films.ids[place] for place in far]}},
        )
        best = np.sort(p[far])[::-1][:10]
        assert np.abs(probabilities(found) - best).max() < 1e-5, user.user_id


@pytest.mark.parametrize("path", [Path.REFERENCE, Path.EXACT, Path.ANN])
def test_every_path_leaves_out_what_is_too_unlikely(films: Films, path: Path) -> None:
    for user in films.people[:10]:
        whole = ranked(films, user, path)
        fifth, sixth = whole[4].probability, whole[5].probability
        assert fifth is not None
        assert sixth is not None
        found = films.recommender.recommend(
            user.user_id, path=path, tail_share=0.0, min_probability=(fifth + sixth) / 2
        )
        assert len(found) == 5 or fifth - sixth < SAME


def test_auto_goes_by_the_number_of_films(films: Films) -> None:
    user_id = films.people[0].user_id
    assert films.recommender.recommend(user_id).path is Path.EXACT
    few = films.settings.recommend.model_copy(update={"exact_limit": 9_000})
    settings = films.settings.model_copy(update={"recommend": few})
    crowd = type(films.recommender)(films.cluster, settings, films.histories)
    assert crowd.recommend(user_id).path is Path.ANN


@pytest.mark.parametrize("path", [Path.REFERENCE, Path.EXACT, Path.ANN])
def test_tail_films_get_a_fifth_of_the_places_in_one_request(films: Films, path: Path) -> None:
    tail = {item_id for item_id, document in films.documents.items() if document["tail"]}
    assert 0.1 < len(tail) / len(films.ids) < 0.5
    people = films.people if path is Path.EXACT else films.people[:10]
    for user in people:
        films.recommender.recommend(user.user_id)  # reads the history's vectors
        films.cluster.sent.clear()
        found = films.recommender.recommend(user.user_id, path=path)
        assert films.cluster.sent == ["POST /_msearch"]
        assert len(found) == len(set(found.ids)) == 10
        # words of fifty films match tail films for everybody
        assert len(tail & set(found.ids)) >= 2, user.user_id
        assert not set(found.ids) & user.seen
        p = expected(films, user)
        for item in found:
            assert item.probability == pytest.approx(p[films.places[item.item_id]], abs=1e-5)
