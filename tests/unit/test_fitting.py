"""Fitting on numbers whose right answer is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seealso.config import ImportanceSettings, Settings, load_settings, with_fitted
from seealso.datasets.questions import Question
from seealso.encoder import History
from seealso.encoder.projection import unit_rows
from seealso.errors import ConfigError
from seealso.fitting.bench import Bench, ndcg
from seealso.fitting.bonuses import Rivals, choose_bonus
from seealso.fitting.choosing import choose_beyond_chance
from seealso.fitting.cold_start import (
    ColdItems,
    choose_cold_start,
    count_cold_start_attempts,
)
from seealso.fitting.factors import LIGHTER, ChosenFactors, choose_factors, count_factors
from seealso.fitting.probability import TopItems, calibrate
from seealso.fitting.queries import entry_levels, join_users, make_queries, unit_users
from seealso.fitting.recipe import (
    ItemFactors,
    Recipe,
    build_collaborative,
    fit_predictor,
    known_factors,
)
from seealso.fitting.weighing import Weighed, count_tries, weigh
from seealso.models.co_occurrence import CoOccurrenceConfig
from seealso.models.histories import Matrix
from seealso.types import Vector

N, D, K = 60, 12, 6
RECIPE = Recipe(
    factors=K, alpha=20.0, regularisation=1.0, recency=1.0, weight=1.0, ridge=1.0, cold_length=1.0
)


def drawn(*shape: int, seed: int) -> Vector:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


TEXTS = unit_rows(drawn(N, D, seed=1))


def learnt(known: int = N, *, of: Vector | None = None) -> ItemFactors:
    """Factors that the texts foretell, but for some noise."""
    items = TEXTS @ drawn(D, K, seed=2) + 0.1 * drawn(N, K, seed=3) if of is None else of
    items = items / np.sqrt((items**2).sum(axis=1).mean())
    return ItemFactors(items.astype(np.float32), np.arange(N) < known, 2.0)


def question(history: list[int], target: int) -> Question:
    return Question(np.array(history), target, np.array(history))


def neighbours(vectors: Vector, targets: range) -> list[Question]:
    """Ask for each target from the three items that are most like it."""
    order = np.argsort(-(unit_rows(vectors) @ unit_rows(vectors).T), axis=1)
    return [question([int(i) for i in order[t] if i != t][:3], t) for t in targets]


def test_where_behaviour_knows_it_all_it_weighs_more_than_where_texts_do() -> None:
    noise = drawn(N, K, seed=7)
    behaviour = learnt(of=noise)
    texts_know = Bench.of(TEXTS, neighbours(TEXTS, range(N)), 50)
    behaviour_knows = Bench.of(TEXTS, neighbours(noise, range(N)), 50)
    ticks: list[int] = []
    light = weigh(texts_know, behaviour, RECIPE, 1.0, ticks.append)
    heavy = weigh(behaviour_knows, behaviour, RECIPE, 1.0, ticks.append)
    assert light.recipe.weight == 0.0
    assert heavy.recipe.weight > 1
    assert sum(ticks) == 2 * count_tries()
    users = join_users(
        behaviour_knows.text_profiles(heavy.recency),
        behaviour_knows.fold_in(behaviour, heavy.recipe),
        heavy.recipe.weight,
    )
    items = np.hstack([TEXTS, np.float32(heavy.recipe.weight) * known_factors(behaviour)])
    assert heavy.ndcg == pytest.approx(ndcg(behaviour_knows.ranks(users, items)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("silent", ["texts", "behaviour", "neither"])
def test_both_together_are_no_worse_than_the_better_of_both(seed: int, silent: str) -> None:
    texts = unit_rows(drawn(N, D, seed=10 * seed))
    items = texts @ drawn(D, K, seed=seed + 1) + drawn(N, K, seed=seed + 2)
    meant = {"texts": items, "behaviour": texts, "neither": np.hstack([texts, items])}[silent]
    factors = learnt(of=drawn(N, K, seed=seed + 3) if silent == "behaviour" else items)
    bench = Bench.of(drawn(N, D, seed=9) if silent == "texts" else texts, [], 50)
    bench = Bench.of(unit_rows(bench.texts), neighbours(meant, range(N)), 50)
    found = weigh(bench, factors, RECIPE, 0.9, lambda _: None).ndcg
    alone = ndcg(bench.ranks(bench.text_profiles(0.9), bench.texts))
    behaviour = ndcg(bench.ranks(bench.fold_in(factors, RECIPE), known_factors(factors)))
    # the texts have one part in 256 left, which may decide between two that are all but equal
    assert found >= max(alone, behaviour - 1e-3)


def cold_state(known: ItemFactors) -> ColdItems:
    """Ask for what is known, and for what only the texts foretell."""
    warm = neighbours(known.items, range(50))
    cold = [
        question([i for i in one.history.tolist() if i < 50] or [0], one.target)
        for one in neighbours(known.items, range(50, N))
    ]
    ids = [f"i{n}" for n in range(N)]
    benches = [Bench.of(TEXTS, questions, 50) for questions in (warm, cold)]
    weights = np.ones(N, dtype=np.float32)
    return ColdItems(ids, *benches, ~known.known, weights, known)


def test_new_items_are_welcome_within_what_it_may_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    # there can never be enough of it
    monkeypatch.setattr("seealso.fitting.cold_start.ENOUGH", 5.0)
    state = cold_state(learnt(known=50))
    ticks: list[int] = []
    weighed = Weighed(RECIPE, 1.0, 0.0)
    strict = choose_cold_start(state, weighed, 0.0, ticks.append)
    generous = choose_cold_start(state, weighed, 0.9, ticks.append)
    assert 0 < len(ticks) <= 2 * count_cold_start_attempts()
    assert strict.warm >= strict.warm_alone
    assert generous.warm >= 0.1 * generous.warm_alone
    assert generous.cold > strict.cold
    assert generous.recipe.cold_start_bonus > strict.recipe.cold_start_bonus
    # what a welcome may cost says nothing of how they rank among themselves
    assert generous.recipe.cold_length == strict.recipe.cold_length > 0


def in_pairs(bench: Bench) -> Matrix:
    """Return boosts of a few items for each user, large for some users and small for others."""
    rng = np.random.default_rng(11)
    rows = np.repeat(np.arange(len(bench.questions)), 14)
    places = np.concatenate([rng.choice(50, 14, replace=False) for _ in bench.questions])
    added = rng.uniform(0.1, 1.0, len(rows)) * (rows % 4)
    return Matrix((added.astype(np.float32), (rows, places)), shape=(len(bench.questions), N))


@pytest.mark.parametrize("importance", ["alike", "of each item"])
def test_what_a_bonus_gives_and_costs_is_what_ranking_with_it_finds(
    monkeypatch: pytest.MonkeyPatch, importance: str
) -> None:
    monkeypatch.setattr("seealso.fitting.bonuses.BONUSES", (0.0, 0.07, 0.2))
    monkeypatch.setattr("seealso.fitting.bonuses.SHARES", (0.0, 0.5, 1.0))
    known = learnt(known=50)
    state = cold_state(known)
    rng = np.random.default_rng(1)
    weights = np.ones(N) if importance == "alike" else rng.uniform(0.5, 2.0, N)
    weights = weights.astype(np.float32)
    ids = list(state.ids)
    plain = build_collaborative(ids, known, TEXTS, RECIPE)
    items = plain.join(ids, TEXTS) * weights[:, None]
    for bench in (state.warm, state.cold):
        texts, factors = bench.text_profiles(1.0), bench.fold_in(known, RECIPE)
        boosts = in_pairs(bench)
        levels = entry_levels(bench, boosts)
        assert len(np.unique(levels)) > 4
        without = unit_users(texts, factors, plain, np.zeros_like(levels))
        found = Rivals(bench, without, items, boosts, levels, ~known.known, weights).ndcg(10)
        for row, share in enumerate((0.0, 0.5, 1.0)):
            for column, bonus in enumerate((0.0, 0.07, 0.2)):
                part = replace(plain, cold_start_bonus=bonus, cold_start_share=share)
                users = unit_users(texts, factors, part, levels)
                diluted = Matrix(boosts.multiply(part.dilutions(levels)[:, None]))
                ranks = bench.ranks(users, items, boosts=diluted)
                assert found[row, column] == pytest.approx(ndcg(ranks), abs=2e-3)


def test_a_bonus_does_enough_for_cold_items_and_costs_the_least() -> None:
    warm = np.array([[1.0, 0.98, 0.9], [1.0, 0.99, 0.97], [1.0, 0.97, 0.96]])
    cold = np.array([[0.1, 0.3, 0.5], [0.1, 0.2, 0.4], [0.1, 0.35, 0.45]])
    # the smallest bonus of each share that is enough, and of these what costs the least
    assert choose_bonus(warm, cold, 0.05, 0.3) == (0, 1)
    assert choose_bonus(warm, cold, 0.05, 0.4) == (1, 2)
    # never for more than it may cost, and then as much as there is
    assert choose_bonus(warm, cold, 0.05, 0.5) == (2, 2)
    assert choose_bonus(warm, cold, 0.0, 0.5) == (0, 0)
    assert choose_bonus(warm, cold, 0.5, 0.5) == (0, 2)


def test_new_items_that_come_by_themselves_need_no_welcome() -> None:
    state = cold_state(learnt(known=50))
    found = choose_cold_start(state, Weighed(RECIPE, 1.0, 0.0), 0.9, lambda _: None)
    assert found.recipe.cold_start_bonus == 0.0
    assert found.warm == found.warm_alone


def test_what_is_foretold_ranks_new_items_better_than_none_of_it() -> None:
    state = cold_state(learnt(known=50))
    found = choose_cold_start(state, Weighed(RECIPE, 1.0, 0.0), 0.5, lambda _: None)
    part = build_collaborative(state.ids, state.learnt, TEXTS, found.recipe)
    bench = state.cold
    users = make_queries(bench, state.learnt, RECIPE, 1.0, part).vectors
    reached = ndcg(bench.ranks(users, part.join(state.ids, TEXTS), state.among), 20)
    assert reached > ndcg(bench.ranks(bench.text_profiles(1.0), TEXTS, state.among), 20)


def test_the_best_of_many_is_taken_only_if_users_gain_whom_it_was_not_chosen_by() -> None:
    rng = np.random.default_rng(2)
    # no setting is better than another: the best of them is best by luck
    luck = rng.normal(0.5, 0.1, size=(200, 400))
    assert luck.mean(axis=1).argmax() != 0
    assert choose_beyond_chance(luck, 0) == 0
    luck[7] += 0.05
    assert choose_beyond_chance(luck, 0) == 7
    assert choose_beyond_chance(luck, 7) == 7


@pytest.mark.parametrize("users", [1, 2])
def test_of_settings_that_are_alike_the_standing_one_stays(users: int) -> None:
    assert choose_beyond_chance(np.full((3, users), 0.4), 1) == 1


def test_factors_are_chosen_anew_where_others_rank_better() -> None:
    """Of the factors that stand half are noise; those that are learnt anew are not."""
    items = learnt().items
    noise = learnt(of=np.hstack([items[:, : K // 2], drawn(N, K - K // 2, seed=8)]))
    bench = Bench.of(TEXTS, neighbours(items, range(N)), 50)
    weighed = weigh(bench, noise, RECIPE, 1.0, lambda _: None)
    asked: list[Recipe] = []

    def learn(recipe: Recipe) -> ItemFactors:
        asked.append(recipe)
        return learnt()

    ticks: list[int] = []
    before = ChosenFactors(weighed, noise, 1)
    sizes = (K, K - 1)
    found = choose_factors(bench, before, None, sizes, learn, ticks.append)
    assert len(ticks) == count_factors(weighed.recipe, sizes) == 1 + len(asked)
    assert found.tried == len(ticks) * len(LIGHTER)
    assert {recipe.factors for recipe in asked} == {K - 1}
    assert found.weighed.recipe.factors == K - 1
    assert found.weighed.ndcg > weighed.ndcg
    # and stay where they are the better ones
    again = choose_factors(
        bench, ChosenFactors(found.weighed, found.learnt, 1), None, sizes, lambda _: noise, print
    )
    assert again.weighed.recipe.factors == K - 1


def test_pairs_keep_their_weight_beside_texts_when_factors_become_lighter() -> None:
    items = learnt().items
    bench = Bench.of(TEXTS, neighbours(TEXTS, range(N)), 50)
    config = CoOccurrenceConfig(0.8, 0.5, 10.0, 0.8, 1.5)
    recipe = replace(RECIPE, weight=2.0, co_occurrence=config)
    known = learnt(of=items)
    before = ChosenFactors(Weighed(recipe, 1.0, 0.0), known, 1)
    found = choose_factors(bench, before, None, (K,), lambda _: known, lambda _: None)
    lighter = found.weighed.recipe
    assert lighter.weight < recipe.weight
    assert lighter.co_occurrence is not None
    ids = [str(n) for n in range(N)]
    scales = [
        build_collaborative(ids, known, TEXTS, one).radius * np.sqrt(1 + one.weight**2)
        for one in (recipe, lighter)
    ]
    assert lighter.co_occurrence.share * scales[1] == pytest.approx(config.share * scales[0])


def test_only_some_items_are_ranked_where_only_some_may_be() -> None:
    bench = Bench.of(TEXTS, [question([0, 1], 55)], 50)
    among = np.arange(N) >= 50
    users = TEXTS[[0]]
    scores = TEXTS[50:] @ TEXTS[0]
    assert bench.ranks(users, TEXTS, among)[0] == 1 + int((scores > scores[5]).sum())


def test_a_bundle_folds_users_in_as_the_bench_does() -> None:
    known = learnt(known=40)
    recipe = Recipe(K, 20.0, 1.0, 0.7, 1.25, 1.0, 0.8)
    ids = tuple(f"i{n}" for n in range(N))
    part = build_collaborative(ids, known, TEXTS, recipe)
    joined = part.join(ids, TEXTS)
    history = [3, 30, 12]
    bench = Bench.of(TEXTS, [question(history, 5)], 50)
    chosen = [History(np.array(history), np.arange(3))]
    found = part.fold_in(joined, chosen)
    np.testing.assert_allclose(found, bench.fold_in(known, recipe), atol=1e-4)
    (user,) = part.user_vectors(bench.text_profiles(1.0), joined, chosen, np.zeros(1))
    rows = join_users(bench.text_profiles(1.0), bench.fold_in(known, recipe), recipe.weight)[0]
    plain = np.hstack([TEXTS, np.float32(1.25) * part.factors_of(ids, TEXTS)]) @ rows
    np.testing.assert_allclose(
        joined @ user, plain / (part.radius * np.linalg.norm(rows)), atol=1e-5
    )


def test_what_users_met_and_nobody_chose_is_not_new() -> None:
    chosen = learnt(known=40)
    some = ItemFactors(chosen.items, chosen.known, chosen.scale, frozenset({45, 50}))
    ids = tuple(f"i{n}" for n in range(N))
    parts = [build_collaborative(ids, one, TEXTS, RECIPE) for one in (chosen, some)]
    before, after = (part.join(ids, TEXTS) for part in parts)
    of_users = np.isin(np.arange(N), [45, 50])
    # no bonus and no factor: their texts rank them
    assert not after[of_users, D:-1].any()
    assert (before[of_users, -2] > 0).all()
    np.testing.assert_allclose(after[~of_users], before[~of_users], atol=1e-6)


def test_the_prediction_is_ridge_regression() -> None:
    known = learnt(known=40)
    x, y = TEXTS[:40].astype(np.float64), known.items[:40].astype(np.float64)
    wanted = np.linalg.inv(x.T @ x + 3 * np.eye(D)) @ x.T @ y
    np.testing.assert_allclose(fit_predictor(known, TEXTS, 3.0), wanted, atol=1e-3)


def test_a_probability_is_found_again() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0.2, 0.1, size=200_000)
    chosen = rng.random(len(x)) < 1 / (1 + np.exp(-(x - 0.4) / 0.08))
    found = calibrate(TopItems(x, chosen))
    assert found is not None
    assert found.b == pytest.approx(0.4, abs=0.01)
    assert found.t == pytest.approx(0.08, rel=0.05)


@pytest.mark.parametrize("chosen", [[False] * 4, [True] * 4, [True, False, False, False]])
def test_scores_that_foretell_nothing_give_no_probability(chosen: list[bool]) -> None:
    assert calibrate(TopItems(np.array([0.1, 0.2, 0.3, 0.4]), np.array(chosen))) is None


def test_what_a_person_set_stands_above_what_was_fitted(tmp_path: Path) -> None:
    file = tmp_path / "seealso.toml"
    file.write_text("[profile]\nrecency = 0.3\n")
    fitted = {"profile": {"recency": 0.9, "tail_recency": 1.0}, "importance": {"floor": 0.9}}
    found = with_fitted(load_settings(file), fitted)
    assert (found.profile.recency, found.profile.tail_recency) == (0.3, 1.0)
    assert found.importance.floor == 0.9
    # fitted again, it is fitted values that give way
    again = with_fitted(found, {"importance": {"floor": 0.8}})
    assert again.importance.floor == 0.8
    assert with_fitted(Settings(), {}) == Settings()


def test_what_was_fitted_must_go_with_what_a_person_set() -> None:
    settings = Settings(importance=ImportanceSettings(ceiling=0.6))
    with pytest.raises(ConfigError, match=r"floor 0\.9 is above ceiling 0\.6") as caught:
        with_fitted(settings, {"importance": {"floor": 0.9}})
    assert caught.value.hint
