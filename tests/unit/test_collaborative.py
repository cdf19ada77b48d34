"""Text and behaviour in one unit vector: checked against the formulas, with numbers drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.encoder import Boosted, Collaborative, CoOccurrence, History
from seealso.encoder.co_occurrence import MOST_BOOSTED
from seealso.encoder.collaborative_file import load_collaborative
from seealso.encoder.fold_in import fold_in_parts
from seealso.errors import BundleError
from seealso.types import Vector

IDS = tuple(f"i{n}" for n in range(30))
D, K = 8, 5


def rows(*shape: int, seed: int = 0) -> Vector:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def unit(vectors: Vector) -> Vector:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def part(weight: float = 1.5, cold_length: float = 0.7) -> Collaborative:
    factors = rows(len(IDS), K)
    gram = factors.T.astype(np.float64) @ factors + 2.0 * np.eye(K)
    # 40, not 40.0: the same number is the same content
    return Collaborative(IDS, factors, gram, rows(D, K, seed=1), weight, 40, 0.6, cold_length)


TEXTS = unit(rows(len(IDS), D, seed=2))


def aged(*ages: int) -> History:
    """A history of the first rows of some matrix."""
    return History(np.arange(len(ages)), np.array(ages, dtype=np.int64))


def asked_by(one: Collaborative, text: Vector, joined: Vector, level: float = 0.0) -> Vector:
    """E_u of one user, with a history of joined vectors."""
    history = aged(*range(len(joined)))
    return one.user_vectors(text[None], joined, [history], np.array([level]))[0]


@given(st.floats(0.05, 10), st.floats(0, 5))
@settings(max_examples=25, deadline=None)
def test_joined_vectors_are_unit_and_keep_every_inner_product(
    weight: float, cold_length: float
) -> None:
    one = part(weight, cold_length)
    joined = one.join(IDS, TEXTS)
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1.0, atol=1e-5)
    history = joined[[3, 7]]
    asked = asked_by(one, TEXTS[0], history)
    assert np.linalg.norm(asked) == pytest.approx(1.0, abs=1e-5)
    (user,) = one.fold_in(history, [aged(0, 1)])
    plain = TEXTS @ TEXTS[0] + weight**2 * one.factors @ user
    length = np.sqrt(1 + weight**2) * one.radius
    np.testing.assert_allclose(joined @ asked * length, plain, atol=1e-4 * (1 + weight**2))


def test_an_item_that_is_not_cold_any_more_loses_its_bonus_and_nothing_else() -> None:
    one = replace(part(), cold_start_bonus=0.3)
    cold, known = one.join(["new", "i1"], TEXTS[:2])
    asked = asked_by(one, TEXTS[0], known[None])
    left = one.layout.drop_bonus(np.stack([cold, known]))
    np.testing.assert_allclose(np.linalg.norm(left, axis=1), 1.0, atol=1e-6)
    # the bonus is before dilution
    assert (cold - left[0]) @ asked == pytest.approx(0.3 * one.dilution(0.0), abs=1e-5)
    np.testing.assert_allclose(left[1], known, atol=1e-6)


@given(st.floats(0.05, 10), st.floats(0.01, 100))
@settings(max_examples=25, deadline=None)
def test_an_index_without_the_padding_ranks_the_same_and_gives_items_back(
    weight: float, importance: float
) -> None:
    one = replace(part(weight), cold_start_bonus=0.3)
    joined = one.join(["new", *IDS], np.vstack([TEXTS[4], TEXTS]))
    stored = np.float32(importance) * one.layout.drop_padding(joined)
    assert not stored[:, -1].any()
    asked = asked_by(one, TEXTS[0], joined[[3, 7]])
    np.testing.assert_allclose(
        stored @ asked, importance * (joined @ asked), atol=2e-6 * (1 + importance)
    )
    # the padding is the square root of what is left of 1: it amplifies what float32 rounds
    np.testing.assert_allclose(one.layout.restore(stored), joined, atol=1e-3)
    np.testing.assert_allclose(one.layout.restore(stored)[:, :-1], joined[:, :-1], atol=1e-6)
    # an index of an earlier version has it
    np.testing.assert_allclose(
        one.layout.restore(stored[2]), one.layout.restore(importance * joined[2]), atol=1e-3
    )


def test_a_history_is_folded_in_as_least_squares_say() -> None:
    one = part()
    joined = one.join(IDS, TEXTS)
    chosen, ages = [4, 9, 2], (0, 1, 3)
    factors = one.factors[chosen].astype(np.float64)
    confidence = 40.0 * 0.6 ** np.array(ages)
    wanted = np.linalg.solve(
        one.gram + factors.T @ np.diag(confidence) @ factors, factors.T @ (1 + confidence)
    )
    (found,) = one.fold_in(joined[chosen], [aged(*ages)])
    np.testing.assert_allclose(found, unit(wanted), atol=1e-4)


def test_users_who_share_items_are_as_each_alone() -> None:
    one = replace(part(), cold_start_bonus=0.1, cold_start_share=0.5)
    joined, texts, levels = one.join(IDS, TEXTS), TEXTS[:3].copy(), np.array([0.0, 0.4, 0.2])
    texts[1] = 0.0
    chosen = ([3, 7], [7, 12, 3], [])
    histories = [History(np.array(own, dtype=np.int64), np.arange(len(own))) for own in chosen]
    found = one.user_vectors(texts, joined, histories, levels)
    for user, text, own, level in zip(found, texts, chosen, levels, strict=True):
        alone = asked_by(one, text, joined[own], level)
        np.testing.assert_allclose(user, alone, atol=1e-6)


@given(
    st.integers(0, 3),
    st.lists(st.integers(0, len(IDS) - 1), max_size=8, unique=True),
    # a weight of a setting or none at all: the smallest float divides nothing
    st.just(0.0) | st.floats(0.01, 10),
    st.floats(0, 2),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_the_parts_of_a_user_sum_up_to_the_user(
    texts: int, chosen: list[int], weight: float, share: float, seed: int
) -> None:
    one = replace(part(weight), cold_start_bonus=0.1, cold_start_share=share)
    joined = one.join(IDS, TEXTS)[chosen]
    told = unit(rows(1, D, seed=seed)) if texts else rows(0, D)
    # several parts that sum up to a unit vector
    split = np.repeat(told, texts, axis=0) / max(texts, 1)
    added = one.user_parts(split, joined, range(len(chosen)), 0.4)
    assert added.shape == (len(split) + len(chosen) + 1, one.dimension)
    whole = asked_by(one, split.sum(axis=0), joined, 0.4)
    np.testing.assert_allclose(added.sum(axis=0), whole, atol=1e-5)


def test_what_an_item_adds_grows_with_its_own_confidence_alone() -> None:
    # by the formula of Hu, Koren and Volinsky: (F'F + reg + H'CH)^-1 h_j (1 + c_j)
    one = part()
    factors = one.factors[[4, 9, 2]].astype(np.float64)
    confidence = np.array([40.0, 24.0, 8.0])
    inverse = np.linalg.inv(one.gram + factors.T @ np.diag(confidence) @ factors)
    wanted = (1 + confidence)[:, None] * (factors @ inverse.T)
    found = fold_in_parts(factors, factors @ np.linalg.inv(one.gram), confidence)
    np.testing.assert_allclose(found, wanted, atol=1e-8)


def test_an_item_that_nobody_chose_gets_what_its_text_predicts() -> None:
    one = part(cold_length=0.7)
    found = one.factors_of(["new", "i3"], TEXTS[:2])
    np.testing.assert_allclose(found[0], 0.7 * unit(TEXTS[0] @ one.predictor), atol=1e-5)
    np.testing.assert_array_equal(found[1], one.factors[3])


@given(st.floats(0, 1), st.floats(0, 1.5), st.floats(0, 1), st.floats(0.05, 3), st.floats(0, 5))
@settings(max_examples=30, deadline=None)
def test_new_items_are_welcome_by_so_much_and_nothing_else_changes(
    bonus: float, share: float, level: float, weight: float, cold_length: float
) -> None:
    cool = part(weight, cold_length)
    warm = replace(cool, cold_start_bonus=bonus, cold_start_share=share)
    names = [*IDS[1:], "new"]
    joined = warm.join(names, TEXTS)
    np.testing.assert_allclose(joined, cool.join(names, TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1.0, atol=1e-5)
    before, after = (asked_by(one, TEXTS[0], joined[:2], level) for one in (cool, warm))
    assert np.linalg.norm(after) == pytest.approx(1.0, abs=1e-5)
    wanted = joined @ before + (bonus + share * level) * np.array([one == "new" for one in names])
    np.testing.assert_allclose(joined @ after, warm.dilution(level) * wanted, atol=1e-4)


def test_an_item_without_text_has_no_vector() -> None:
    texts = np.vstack([TEXTS[0], np.zeros(D, dtype=np.float32)])
    joined = part().join(["i0", "i1"], texts)
    assert joined[0].any()
    assert not joined[1].any()


def test_texts_come_back_out_of_joined_vectors() -> None:
    one = part()
    np.testing.assert_allclose(one.layout.contents_of(one.join(IDS, TEXTS)), TEXTS, atol=1e-5)


def test_a_user_of_whom_nothing_is_known_has_no_vector() -> None:
    one = replace(part(), cold_start_bonus=0.3)
    assert not asked_by(one, np.zeros_like(TEXTS[0]), one.join([], TEXTS[:0])).any()


def test_what_is_like_an_item_is_asked_without_the_rest() -> None:
    one = part()
    joined = one.join(IDS, TEXTS)
    asked = one.layout.item_query(joined[5])
    plain = np.hstack([TEXTS, one.weight * one.factors])
    order = np.argsort(-(plain @ plain[5]))
    np.testing.assert_array_equal(np.argsort(-(joined @ asked)), order)


def test_a_history_lifts_what_is_chosen_around_it() -> None:
    # i0 has i1 and i2 around it, i1 has i2; nothing else has anything
    pairs = CoOccurrence(
        np.array([0, 2, *[3] * (len(IDS) - 1)], dtype=np.int64),
        np.array([1, 2, 2], dtype=np.int32),
        np.array([0.5, 0.25, 1.0], dtype=np.float32),
        share=2.0,
        recency=0.5,
    )
    one = replace(part(), co_occurrence=pairs)
    found = one.boosts(["i1", "unknown", "i0"], [0, 1, 2])
    assert found.diluted(0.5) == {
        "i1": pytest.approx(0.25 * 0.5),
        "i2": pytest.approx(1.0 + 0.25 * 0.25),
    }
    assert found.own.tolist() == [True, False]
    assert one.boosts(["i5"], [0]).diluted(1.0) == {}
    assert part().boosts(["i0"], [0]).diluted(1.0) == {}


def test_at_most_so_many_items_are_lifted_the_strongest() -> None:
    n = 3 * MOST_BOOSTED
    weights = np.linspace(0.1, 1.0, n - 1, dtype=np.float32)
    starts = np.concatenate([[0], np.full(n, n - 1)]).astype(np.int64)
    pairs = CoOccurrence(starts, np.arange(1, n, dtype=np.int32), weights, 1.0, 1.0)
    places, added = pairs.boost([0], [0])
    np.testing.assert_array_equal(places, np.arange(n - MOST_BOOSTED, n))
    np.testing.assert_allclose(added, weights[-MOST_BOOSTED:])


def test_an_item_enters_a_list_by_what_the_tenth_boosted_one_gets() -> None:
    def level(items: int, *own: int) -> float:
        amounts = np.arange(items, dtype=np.float32) / 10
        ids = [f"i{n}" for n in range(items)]
        return Boosted(ids, amounts, np.isin(np.arange(items), own)).entry_level

    assert level(12) == pytest.approx(0.2)
    # what a user has chosen already is no news
    assert level(12, 11, 5, 3) == 0.0
    assert level(13, 11, 5) == pytest.approx(0.1)
    assert level(12, 0, 1) == pytest.approx(0.2)
    assert level(0) == Boosted().entry_level == 0.0


def test_a_part_of_an_earlier_version_has_no_share_for_cold_items(tmp_path: Path) -> None:
    one = replace(part(), cold_start_bonus=0.25, cold_start_share=0.5)
    arrays = one.arrays()
    np.savez(tmp_path / "new.npz", **arrays)
    np.savez(tmp_path / "old.npz", **{**arrays, "numbers": arrays["numbers"][:-1]})
    new, old = (load_collaborative(tmp_path / name) for name in ("new.npz", "old.npz"))
    assert (new.cold_start_bonus, new.cold_start_share) == (0.25, 0.5)
    assert (old.cold_start_bonus, old.cold_start_share) == (0.25, 0.0)


def test_pairs_lie_in_the_file_of_the_part(tmp_path: Path) -> None:
    starts = np.concatenate([[0], np.full(len(IDS), 1)]).astype(np.int64)
    pairs = CoOccurrence(
        starts, np.array([4], dtype=np.int32), np.array([0.5], np.float32), 1.5, 0.8
    )
    one = replace(part(), cold_start_bonus=0.25, co_occurrence=pairs)
    np.savez(tmp_path / "part.npz", **one.arrays())
    found = load_collaborative(tmp_path / "part.npz")
    assert found.content() == one.content() != part().content()
    boosted = found.boosts(["i0"], [1]).diluted(1.0)
    assert boosted == one.boosts(["i0"], [1]).diluted(1.0) != {}


def test_pairs_of_other_items_are_refused(tmp_path: Path) -> None:
    starts = np.concatenate([[0], np.full(len(IDS), 1)]).astype(np.int64)
    beyond = np.array([len(IDS)], dtype=np.int32)
    pairs = CoOccurrence(starts, beyond, np.array([0.5], np.float32), 1.5, 0.8)
    np.savez(tmp_path / "part.npz", **replace(part(), co_occurrence=pairs).arrays())
    with pytest.raises(BundleError, match="pairs that do not belong"):
        load_collaborative(tmp_path / "part.npz")


def test_it_is_the_same_after_it_was_saved(tmp_path: Path) -> None:
    one = part()
    np.savez(tmp_path / "collaborative.npz", **one.arrays())
    again = load_collaborative(tmp_path / "collaborative.npz")
    assert again.content() == one.content()
    np.testing.assert_array_equal(again.join(IDS, TEXTS), one.join(IDS, TEXTS))


def test_what_is_not_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "collaborative.npz"
    file.write_bytes(b"no arrays")
    with pytest.raises(BundleError, match="not a collaborative part"):
        load_collaborative(file)
    one = part()
    few = Collaborative(IDS[:3], one.factors, one.gram, one.predictor, 1, 1, 1, 1)
    np.savez(file, **few.arrays())
    with pytest.raises(BundleError, match="3 ids, factors"):
        load_collaborative(file)


def test_a_number_that_is_missing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "collaborative.npz"
    np.savez(file, **part().arrays())
    with np.load(file) as arrays:
        fewer = {**arrays, "numbers": arrays["numbers"][:-2]}
    np.savez(file, **fewer)
    with pytest.raises(BundleError, match="not a collaborative part: not enough values"):
        load_collaborative(file)
