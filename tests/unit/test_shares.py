"""Reasons add up: over drawn users, items and bundles, with and without behaviour."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seealso.config import ProfileSettings
from seealso.encoder import Bundle, Collaborative
from seealso.plugin.explanations.explanation import Explanation, matched_words
from seealso.plugin.explanations.shares import Kind, Share, closeness, item_shares, profile_parts
from seealso.plugin.profiles.inputs import ProfileInputs
from seealso.plugin.profiles.item_cache import KnownItem
from seealso.plugin.profiles.profile import build_profiles
from seealso.types import Calibration, HistoryEntry, Space, User, Vector
from seealso.types import Path as RankingPath
from tests.unit.test_collaborative import IDS, TEXTS, D, part, rows, unit

PLAIN = Bundle(
    folder=Path(),
    name="drawn",
    model_fingerprint="",
    fingerprint="",
    dimension=D,
    pooling="mean",
    max_length=64,
    item_prefix="",
    user_prefix="",
    text=None,
    projection=None,
    calibration=Calibration(),
)


def behaving(behaviour: Collaborative) -> Bundle:
    return replace(PLAIN, collaborative=behaviour, dimension=behaviour.dimension)


# nothing that is fitted weighs less than a thousandth without weighing nothing
WEIGHTS = st.one_of(st.just(0.0), st.floats(1e-3, 5.0))
BUNDLES = st.one_of(st.just(PLAIN), WEIGHTS.map(part).map(behaving))
SETTINGS = st.builds(
    ProfileSettings,
    history=st.sampled_from([0.0, 0.5, 1.0]),
    words=st.sampled_from([0.0, 1.0, 2.0]),
    attributes=st.sampled_from([0.0, 0.5]),
    recency=st.floats(0.1, 1.0),
    history_as=st.sampled_from(["vectors", "text"]),
)


@st.composite
def profile_inputs(draw: st.DrawFn, bundle: Bundle) -> ProfileInputs:
    """What some profile is inputs of; some items of the history have no vector."""
    chosen = draw(st.lists(st.sampled_from(IDS), max_size=8, unique=True))
    vectors = bundle.item_vectors(IDS, TEXTS)
    known = {
        item_id: KnownItem(
            None if draw(st.integers(0, 5)) == 0 else vectors[IDS.index(item_id)], ""
        )
        for item_id in chosen
    }
    seed = draw(st.integers(0, 2**32 - 1))
    words, attributes = unit(rows(2, D, seed=seed))
    return ProfileInputs(
        User("u", tuple(map(HistoryEntry, chosen))),
        tuple(map(HistoryEntry, chosen)),
        known,
        words if draw(st.booleans()) else None,
        attributes if draw(st.booleans()) else None,
    )


@given(st.data(), BUNDLES, SETTINGS)
@settings(max_examples=150, deadline=None)
def test_the_parts_of_a_profile_sum_up_to_it(
    data: st.DataObject, bundle: Bundle, chosen: ProfileSettings
) -> None:
    inputs = data.draw(profile_inputs(bundle))
    (profile,) = build_profiles([inputs], bundle, chosen, 32)
    parts = profile_parts(inputs, bundle, chosen, 0.0)
    assert parts.shape == (3 + profile.history_used, bundle.dimension)
    wanted = np.zeros(bundle.dimension) if profile.vector is None else profile.vector
    np.testing.assert_allclose(parts.sum(axis=0), wanted, atol=2e-5)


@given(
    st.data(),
    BUNDLES,
    SETTINGS,
    st.sampled_from(list(Space)),
    st.floats(0.1, 3.0),
    st.dictionaries(st.sampled_from(IDS), st.floats(0.0, 0.5), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_shares_add_up_to_the_value(
    data: st.DataObject,
    bundle: Bundle,
    chosen: ProfileSettings,
    space: Space,
    importance: float,
    pairs: dict[str, float],
) -> None:
    inputs = data.draw(profile_inputs(bundle))
    item = bundle.item_vectors(IDS, TEXTS)[data.draw(st.integers(0, len(IDS) - 1))]
    (profile,) = build_profiles([inputs], bundle, chosen, 32)
    vector = profile.vector
    parts = profile_parts(inputs, bundle, chosen, 0.0)
    shares = item_shares(inputs, parts, item, importance, space, pairs)
    alike = 0.0 if vector is None else closeness(vector, item, space)
    if vector is not None:
        x = importance * alike + sum(pairs.values())
        assert sum(one.amount or 0.0 for one in shares) == pytest.approx(x, abs=1e-4)
    known = [one.amount for one in shares if one.amount is not None]
    assert [abs(one) for one in known] == sorted(map(abs, known), reverse=True)
    told = {one.kind for one in shares}
    assert (Kind.PROFILE in told) == (space is not Space.COSINE)
    events = [one.item_id for one in shares if one.kind is Kind.EVENT]
    assert len(events) == len(set(events))
    held = {item_id for item_id, item in inputs.items.items() if item.vector is not None}
    assert set(events) == held | set(pairs)


def test_what_the_text_says_is_shared_by_recency_and_weight() -> None:
    x, y, z = np.eye(D, dtype=np.float32)[:3]
    entries = (HistoryEntry("i0"), HistoryEntry("i1"))
    inputs = ProfileInputs(
        User("u", entries), entries, {"i0": KnownItem(x, ""), "i1": KnownItem(y, "")}, z, None
    )
    chosen = ProfileSettings(recency=0.5, words=1.0)
    parts = profile_parts(inputs, PLAIN, chosen, 0.0)
    told = {
        one.item_id or one.kind: one.amount
        for one in item_shares(inputs, parts, unit(x + y + z), 2.0, Space.COSINE, {})
    }
    # E_u = unit((x + y / 2) / sqrt(1.25) + z), and the item has 1 / sqrt(3) of each
    each = 1 / np.sqrt(2) / np.sqrt(3)
    wanted = {"i0": each / np.sqrt(1.25), "i1": each / 2 / np.sqrt(1.25), Kind.WORDS: each}
    whole = sum(wanted.values())
    assert told == {
        name: pytest.approx(amount) for name, amount in {**wanted, Kind.IMPORTANCE: whole}.items()
    }


def node(value: float, description: str, *details: dict[str, object]) -> dict[str, object]:
    return {"value": value, "description": description, "details": list(details)}


def test_words_are_read_from_an_explanation() -> None:
    told = node(
        3.5,
        "sum of:",
        node(
            3.5,
            "max of:",
            node(1.0, "sum of:", node(1.0, "weight(title:red in 5) [PerFieldSimilarity], result:")),
            node(
                3.5,
                "sum of:",
                node(2.5, "weight(text:无线 in 5) [PerFieldSimilarity], result of:"),
                node(1.0, "weight(text:red in 5) [PerFieldSimilarity], result of:"),
            ),
        ),
        node(0.0, "match on required clause, product of:", node(0.0, "# clause")),
    )
    found = matched_words(told)
    assert [(one.field, one.word, one.score) for one in found] == [
        ("text", "无线", 2.5), ("text", "red", 1.0),
    ]  # fmt: skip


def explanation(shares: tuple[Share, ...]) -> Explanation:
    return Explanation(
        "u", "i9", {"title": "A [bold] title"}, 0.6, 0.4, 1.5, shares, (),
        RankingPath.EXACT, ("exact",), "films-1", "f", {"i1": "One [red] title"},
    )  # fmt: skip


def test_a_table_shows_the_largest_and_sums_up_the_rest() -> None:
    shares = (
        Share(Kind.EVENT, 0.3, "i1", 0.8),
        Share(Kind.IMPORTANCE, 0.1),
        Share(Kind.WORDS, 0.05),
        Share(Kind.EVENT, -0.05, "i2", -0.1),
    )
    table = explanation(shares).table("title", most=2)
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    assert cells[0] == ["+0.3000", "+0.1000", "+0.0000", "0.4000"]
    assert cells[1] == ["event", "importance", "2 more", "x"]
    assert cells[2][0] == "i1 One [red] title"
    assert explanation(shares).in_short(2) == "One [red] title +0.300; importance +0.100"


def test_what_cannot_be_told_apart_says_so() -> None:
    shares = (Share(Kind.PROFILE, 0.5), Share(Kind.EVENT, None, "i1", 0.8))
    table = explanation(shares).table()
    assert [str(cell) for cell in table.columns[0].cells] == ["+0.5000", "?", "0.4000"]


def test_vectors_close_to_each_other() -> None:
    x: Vector = np.array([1.0, 0.0], dtype=np.float32)
    y: Vector = np.array([0.0, 1.0], dtype=np.float32)
    assert closeness(x, y, Space.COSINE) == 0.0
    assert closeness(x, y, Space.EUCLIDEAN) == pytest.approx(1 / (1 + np.sqrt(2)))
    assert closeness(x, y, Space.MANHATTAN) == pytest.approx(1 / 3)
