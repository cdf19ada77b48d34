"""A user becomes a vector and words: checked against numpy, with an encoder that is a table."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from seealso.config import ProfileSettings, RecommendSettings, Settings, TextSettings
from seealso.encoder import Boosted, Bundle, UserText, average_contents
from seealso.errors import DataError
from seealso.plugin.profiles.inputs import HistoryVectors, ProfileInputs
from seealso.plugin.profiles.item_cache import ItemCache, KnownItem
from seealso.plugin.profiles.profile import Profile, read_profiles
from seealso.plugin.profiles.users import describe_gaps, describe_user
from seealso.plugin.serving import Live
from seealso.readers import Histories
from seealso.types import HistoryEntry, User, Vector

X = np.array([1.0, 0.0, 0.0], dtype=np.float32)
Y = np.array([0.0, 1.0, 0.0], dtype=np.float32)
Z = np.array([0.0, 0.0, 1.0], dtype=np.float32)
ITEMS = {
    "x": KnownItem(X, "Red House"),
    "y": KnownItem(Y, "Blue Boat"),
    "textless": KnownItem(None, ""),
}


PLAIN = cast(
    "Bundle",
    SimpleNamespace(
        max_length=64,
        user_prefix="",
        dimension=3,
        content_dimension=3,
        content_vectors=lambda vectors: vectors,
        user_vectors=lambda texts, items, histories, levels: texts,
        boosts=lambda history, ages: Boosted(),
        dilution=lambda level: 1.0,
    ),
)
"""A bundle that knows texts alone."""


class TableEncoder:
    """Gives every text the same vector, and remembers which texts it read."""

    def __init__(self, vector: Vector) -> None:
        self.bundle = PLAIN
        self.read: list[str] = []
        self._vector = vector

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def encode_users(self, texts: Sequence[str]) -> Vector:
        self.read += texts
        return np.array([self._vector for _ in texts])


class TableCache:
    def get(self, live: Live, ids: Any) -> tuple[dict[str, KnownItem], frozenset[str]]:
        return {item_id: ITEMS[item_id] for item_id in ids if item_id in ITEMS}, frozenset()


def profile_of(
    user: User, encoder: TableEncoder | None = None, limit: int = 32, **settings: Any
) -> Profile:
    live = SimpleNamespace(
        name="i",
        encoder=encoder or TableEncoder(Z),
        user_text=UserText(TextSettings()),
        settings=Settings(
            profile=ProfileSettings(**settings), recommend=RecommendSettings(words=limit)
        ),
    )
    (profile,) = read_profiles([user], cast("Live", live), cast("ItemCache", TableCache()))
    return profile


def user_of(*ids: str, words: str = "", attributes: Mapping[str, Any] | None = None) -> User:
    return User(None, tuple(map(HistoryEntry, ids)), frozenset(ids), dict(attributes or {}), words)


def unit(vector: Vector) -> Vector:
    return cast("Vector", vector / np.linalg.norm(vector))


def means(recency: float, *histories: str) -> Vector:
    """The means of histories, each given as ids with spaces between."""
    users = [user_of(*ids.split()) for ids in histories]
    inputs = [ProfileInputs(user, user.history, ITEMS, None, None) for user in users]
    held = HistoryVectors.of(inputs, 3)
    return average_contents(PLAIN.content_vectors(held.vectors), held.histories, recency)


def test_newer_items_weigh_more() -> None:
    assert means(0.5, "x y") == pytest.approx(unit(X + 0.5 * Y)[None])


def test_an_item_that_is_gone_keeps_its_age() -> None:
    assert means(0.5, "gone x textless y") == pytest.approx(unit(0.5 * X + 0.125 * Y)[None])


def test_a_history_without_vectors_is_nothing() -> None:
    assert means(0.5, "gone textless") == pytest.approx(np.zeros((1, 3)))


def test_histories_that_share_items_have_means_of_their_own() -> None:
    found = means(0.5, "x y", "", "y x", "y")
    assert found == pytest.approx(np.array([unit(X + 0.5 * Y), 0 * X, unit(Y + 0.5 * X), Y]))


def test_parts_are_mixed_by_their_weights() -> None:
    found = profile_of(user_of("x", words="boats"), history=1.0, words=2.0)
    assert found.vector == pytest.approx(unit(X + 2 * Z))
    assert found.history_used == 1


def test_attributes_are_read_apart_from_words() -> None:
    encoder = TableEncoder(Z)
    found = profile_of(user_of("x", words="boats", attributes={"age": 7}), encoder)
    assert len(encoder.read) == 2
    assert "age: 7" in encoder.read[1]
    assert found.vector == pytest.approx(unit(X + 1.0 * Z + 0.5 * Z))


def test_the_tail_list_can_have_a_recency_of_its_own() -> None:
    user = user_of("x", "y")
    found = profile_of(user, recency=0.5, tail_recency=1.0)
    assert found.vector == pytest.approx(unit(X + 0.5 * Y))
    assert found.tail_vector == pytest.approx(unit(X + Y))
    assert profile_of(user, recency=0.5).tail_vector == pytest.approx(unit(X + 0.5 * Y))


def test_a_weight_of_nothing_leaves_a_part_out() -> None:
    assert profile_of(user_of("x", words="boats"), words=0.0).vector == pytest.approx(X)


def test_a_history_can_be_read_as_text() -> None:
    encoder = TableEncoder(Z)
    found = profile_of(user_of("y", "x"), encoder, history_as="text")
    assert found.vector == pytest.approx(Z)
    assert "Blue Boat" in encoder.read[0]
    assert encoder.read[0].index("Blue Boat") < encoder.read[0].index("Red House")


def test_only_the_newest_items_take_part() -> None:
    assert profile_of(user_of("x", "y"), history_items=1).vector == pytest.approx(X)


def test_nothing_known_is_no_vector() -> None:
    assert profile_of(user_of()) == Profile(user_of(), None)


def test_parts_that_cancel_are_no_vector() -> None:
    assert profile_of(user_of("x", words="no"), TableEncoder(-X)).vector is None


def test_seen_items_are_kept_whether_the_index_holds_them_or_not() -> None:
    assert profile_of(user_of("x", "gone")).seen == {"x", "gone"}


def test_words_are_the_users_own_first_then_the_newest_items_and_once() -> None:
    user = user_of("y", "x", words="Red, red BOAT!", attributes={"city": "Rome"})
    assert profile_of(user).words == "red boat rome blue house"


def test_words_are_bounded() -> None:
    many = " ".join(f"w{n}" for n in range(100))
    assert profile_of(user_of(words=many)).words.split() == many.split()[:32]


def test_writing_without_spaces_is_bounded_by_letters() -> None:
    found = profile_of(user_of(words="无线鼠标键盘" * 500)).words
    assert found == ("无线鼠标键盘" * 500)[: 32 * 8]
    assert profile_of(user_of(words="无线鼠标 键盘")).words == "无线鼠标 键盘"


def test_described_by_history_each_item_counts_once() -> None:
    user = describe_user({}.get, history=["b", 7, "b"])
    assert [entry.item_id for entry in user.history] == ["b", "7"]
    assert user.seen == {"b", "7"}


def test_described_by_id_the_events_tell() -> None:
    import polars as pl

    frame = pl.DataFrame(
        {
            "user_id": ["u1", "u1"],
            "item_id": ["x", "y"],
            "type": ["view", "view"],
            "time": pl.Series([None, None], dtype=pl.Datetime("us", "UTC")),
            "value": [5.0, 1.0],
        }
    )
    histories = Histories.from_events([frame], positive=4.0)
    known = describe_user(histories.user, "u1")
    assert [entry.item_id for entry in known.history] == ["x"]
    assert known.seen == {"x", "y"}
    # a history that is given replaces that of the events; what was seen stays seen
    given = describe_user(histories.user, "u1", history=["z"])
    assert [entry.item_id for entry in given.history] == ["z"]
    assert given.seen == {"x", "y", "z"}


def test_a_session_comes_before_what_is_known() -> None:
    stored = User("u", (HistoryEntry("x", type="view"), HistoryEntry("y", type="view")),
                  frozenset({"x", "y", "w"}))  # fmt: skip
    found = describe_user({"u": stored}.get, "u", session=["new", "y", "new"])
    assert [entry.item_id for entry in found.history] == ["new", "y", "x"]
    assert found.seen == {"new", "x", "y", "w"}
    # a history takes the place of the stored one, not of the session
    both = describe_user({"u": stored}.get, "u", history=["h", "new"], session=["new"])
    assert [entry.item_id for entry in both.history] == ["new", "h"]
    assert both.seen == {"new", "h", "x", "y", "w"}
    alone = describe_user({}.get, session=["a", 7])
    assert [entry.item_id for entry in alone.history] == ["a", "7"]
    assert describe_user({"u": stored}.get, "u", session=[]) == stored


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"session": "a,b"}, "session: must be a list of item ids, not 'a,b'"),
        ({"session": [None]}, "session: must be an id"),
        ({"history": "a,b"}, "history: must be a list of item ids, not 'a,b'"),
        ({"history": [{"item_id": "a"}]}, "history: must be an id (text or whole number)"),
        ({"history": [True]}, "history: must be an id"),
        ({"user_id": 1.5}, "user_id: must be an id (text or whole number), not 1.5"),
        ({"words": ["red"]}, "words: must be a text, not ['red']"),
        ({"attributes": ["age"]}, "attributes: must be values by name, not ['age']"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        describe_user({}.get, **arguments)
    assert caught.value.message.startswith(said)


IMPORTANCE = ": ranked by importance alone"
WORDS = ": ranked by words and attributes alone"
GONE = "no item of the history has a vector in the index"


@pytest.mark.parametrize(
    ("user", "vector", "used", "said"),
    [
        (User("u"), None, 0, "user 'u' is unknown" + IMPORTANCE),
        (User("u", words="red"), X, 0, "user 'u' is unknown" + WORDS),
        (User("u", stored_attributes={"age": 7}), X, 0, "user 'u' has no history yet" + WORDS),
        (User(), None, 0, "nothing is known about the user" + IMPORTANCE),
        (User("u", seen=frozenset("a")), None, 0, "user 'u' liked nothing yet" + IMPORTANCE),
        (user_of("gone"), None, 0, GONE + IMPORTANCE),
        (user_of("gone", words="red"), X, 0, GONE + WORDS),
        (user_of("x"), X, 1, ""),
        (User(words="red"), X, 0, ""),
    ],
)
def test_a_note_says_what_a_list_is_not_made_of(
    user: User, vector: Vector | None, used: int, said: str
) -> None:
    assert describe_gaps(Profile(user, vector, history_used=used)) == said
