"""Pseudonyms, documents of users and the boosts of neighbours, by values alone."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seealso import api
from seealso.config import NeighbourSettings, Settings, UsersSettings
from seealso.errors import ConfigError, DataError
from seealso.indexer.users.documents import digest_of, user_document, user_of
from seealso.plugin.neighbours import Neighbour, NeighbourBoosts, NeighbourList
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.candidates import HitReader
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.reranking.draft import ByValue, Pool
from seealso.plugin.scores import score_of
from seealso.readers import FileSource, Problems, Pseudonyms, read_attributes
from seealso.types import Calibration, HistoryEntry, Source, Space, User
from seealso.types import Path as RankingPath

KEY = "a key that only tests have"


def test_a_pseudonym_is_a_keyed_hash() -> None:
    names = Pseudonyms.from_environment({"SEEALSO_USERS_KEY": KEY})
    expected = hmac.new(KEY.encode(), "zoë".encode(), hashlib.sha256).hexdigest()
    assert names.of("zoë") == expected
    assert names.of("zoe") != expected
    assert Pseudonyms(b"another key of tests").of("zoë") != expected


def test_a_key_is_told_from_others_and_never_shown() -> None:
    names, other = Pseudonyms(KEY.encode()), Pseudonyms(b"another key of tests")
    assert names.check != other.check
    assert len(names.check) == 16
    assert KEY not in repr(names) + names.check


@pytest.mark.parametrize("key", ["", "0123456789abcde"])
def test_a_key_that_is_missing_or_short(key: str) -> None:
    with pytest.raises(ConfigError, match="SEEALSO_USERS_KEY") as caught:
        Pseudonyms.from_environment({"SEEALSO_USERS_KEY": key})
    assert "secrets.token_hex" in str(caught.value.hint)
    assert not key or key not in caught.value.message


USER = User(
    "u",
    (
        HistoryEntry("b", datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=UTC), 4.5, "rate"),
        HistoryEntry("a", None, 1.0, "view"),
    ),
    frozenset("abc"),
    {"age": 3, "likes": ["x", "y"]},
    "words of their own",
)


def test_a_user_comes_back_from_the_document_without_words() -> None:
    document = user_document(USER, None, "d")
    assert "words" not in str(document)
    assert "vector" not in document
    back = user_of("u", document)
    assert back == User("u", USER.history, USER.seen, USER.attributes)


@pytest.mark.parametrize(
    "key",
    ["a" * 16, "ab" * 20, "1234567890123456", "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz",
     "passwordpassword", "changemechangeme", "changemechangemech", "zyxwvutsrqponmlkj"],
)  # fmt: skip
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="SEEALSO_USERS_KEY is easy to guess") as caught:
        Pseudonyms.from_environment({"SEEALSO_USERS_KEY": key})
    assert "token_hex" in caught.value.hint
    assert key not in caught.value.message


DRAWN = [sha256(str(n).encode()).hexdigest() for n in range(20)]
"""Keys as random as those that the hint makes, and the same in every run."""


@pytest.mark.parametrize("key", [KEY, "a-key-for-trials-only-0123456789", *DRAWN])
def test_a_key_that_cannot_be_guessed_will_do(key: str) -> None:
    assert len(Pseudonyms.from_environment({"SEEALSO_USERS_KEY": key}).of("u")) == 64


def test_a_digest_changes_with_all_that_a_document_depends_on() -> None:
    others = [
        User("u", USER.history[:1], USER.seen, USER.attributes),
        User("u", USER.history, USER.seen | {"d"}, USER.attributes),
        User("u", USER.history, USER.seen, {"age": 4}),
    ]
    digests = {digest_of(one, "x") for one in [USER, *others]} | {digest_of(USER, "y")}
    assert len(digests) == 5
    assert digest_of(USER, "x") == digest_of(User("other", *_parts()), "x")


def _parts() -> tuple[object, ...]:
    return USER.history, USER.seen, USER.attributes


def attributes(tmp_path: Path, text: str, **columns: object) -> dict[str, object]:
    file = tmp_path / "users.csv"
    file.write_text(text, encoding="utf-8")
    chosen = UsersSettings.model_validate(columns)
    return dict(read_attributes(FileSource(file), chosen, Problems("stop")))


def test_attributes_are_the_columns_of_a_file(tmp_path: Path) -> None:
    text = "user_id,age,likes\n1,30,tea\n2,,\n"
    assert attributes(tmp_path, text) == {"1": {"age": "30", "likes": "tea"}, "2": {}}
    assert attributes(tmp_path, text, attributes=["age"])["1"] == {"age": "30"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user_id,age\n", "users.csv has no users"),
        ("uid,age\n1,2\n", "users.csv has no column 'user_id'"),
        ("user_id,age\n1,2\n,3\n", "users.csv line 3: user_id is empty"),
        ("user_id,age\n1,2\n1,3\n", "users.csv line 3: user_id already exists"),
    ],
)
def test_a_broken_file_of_users(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        attributes(tmp_path, text)
    assert caught.value.message.startswith(said)


def test_a_broken_attribute_costs_itself_alone(tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    rows = [
        {"user_id": 1001.0, "age": 30, "likes": ["tea", "rye"], "note": "x" * 10_001},
        {"user_id": " 1002", "age": "n", "likes": "tea", "note": float("nan")},
        {"user_id": 2**60 + 1, "likes": [], "note": "NULL"},
    ]
    file.write_text("".join(f"{json.dumps(row)}\n".replace("NaN", "null") for row in rows))
    problems = Problems("stop")
    assert read_attributes(FileSource(file), UsersSettings(), problems) == {
        "1001": {"age": "30", "likes": ["tea", "rye"]},
        "1002": {"age": "n", "likes": "tea"},
        str(2**60 + 1): {},
    }
    assert problems.messages == ("users.jsonl line 1: note has more than 10,000 characters",)


def test_attributes_of_parquet_are_what_json_knows(tmp_path: Path) -> None:
    file = tmp_path / "users.parquet"
    pl.DataFrame(
        {
            "user_id": [1.0],
            "age": [30],
            "spent": [Decimal("12.50")],
            "born": [date(1996, 2, 29)],
            "club": [True],
            "home": [{"city": "Graz"}],
        }
    ).write_parquet(file)
    chosen = UsersSettings(attributes=("age", "spent", "born", "club", "home.city"))
    assert read_attributes(FileSource(file), chosen, Problems("stop")) == {
        "1": {"age": 30, "spent": 12.5, "born": "1996-02-29", "club": True, "home.city": "Graz"}
    }


def test_neighbours_bring_what_most_of_them_chose() -> None:
    neighbours = (Neighbour("x", 0.6, ("a", "b", "c")), Neighbour("y", 0.2, ("b", "d")))
    found = NeighbourList(neighbours, None, "users", note="a part is missing")
    boosts = NeighbourBoosts.of(found, {"c"}, NeighbourSettings(share=0.5, candidates=2))
    assert boosts.gains == pytest.approx({"b": 0.5, "a": 0.375, "d": 0.125})
    assert boosts.candidates == ("b", "a")
    assert boosts.note == "of the users index, a part is missing"


def hit(item_id: str, raw: float) -> dict[str, Any]:
    return {"_id": item_id, "_score": score_of(raw), "_source": {"importance": 1.0, "tail": False}}


def reader(boosts: Boosts) -> HitReader:
    return HitReader(RankingContext(RankingPath.EXACT, Space.COSINE, Calibration()), boosts, 0.0)


def test_lists_are_merged_by_boosted_values() -> None:
    boosts = Boosts(co_occurrence={"b": 0.1, "y": 0.3}, neighbours={"b": 0.3, "z": 0.5})
    # named items come with their boosts, those of the vector list do not
    main = reader(boosts).read_vectors([hit("a", 0.9), hit("b", 0.6)]).ranked
    named = reader(boosts).read_boosted([hit("b", 1.0), hit("z", 0.6), hit("y", 0.5)]).ranked
    pool = Pool().add(main, last=False).add(named, last=False)
    found = [one.item for one in ByValue().rank(pool.front, 4)]
    assert [
        (one.item_id, one.raw, one.co_occurrence, one.neighbours, one.source) for one in found
    ] == [
        ("b", pytest.approx(1.0), 0.1, 0.3, Source.VECTOR),
        ("a", pytest.approx(0.9), 0.0, 0.0, Source.VECTOR),
        ("z", pytest.approx(0.6), 0.0, 0.5, Source.NEIGHBOURS),
        ("y", pytest.approx(0.5), 0.3, 0.0, Source.CO_OCCURRENCE),
    ]
    assert found[0].probability == pytest.approx(1 / (1 + 2.718281828**-1.0))


def test_nothing_changes_nothing_and_what_has_no_vector_stays() -> None:
    hits = [{**hit("a", 0.9), "fields": {"x": [0.9]}}, hit("b", 0.0)]
    plain = reader(Boosts()).read_tail(hits)
    assert [(one.item.raw, one.item.neighbours) for one in plain.tail] == [(0.9, 0.0), (None, 0.0)]
    assert reader(Boosts(neighbours={"b": 1.0})).read_tail(hits) == plain


def test_what_neighbours_chose_of_co_occurring_items_is_added() -> None:
    neighbours = NeighbourBoosts({"b": 0.25, "c": 0.125, "d": 0.0625}, ("c", "b"))
    boosts = Boosts.of({"a": 0.5, "b": 0.25}, neighbours)
    assert list(boosts.named) == ["a", "b", "c"]
    assert boosts.named == {"a": 0.5, "b": 0.5, "c": 0.125}
    assert boosts.total("d") == 0.0625


@pytest.mark.parametrize("call", [api.forget_user, api.export_user, api.plan_forget_user])
@pytest.mark.parametrize("name", ["", " ", "half \ud83d", None])
def test_no_user_is_not_a_user(call: Callable[[Settings, Any], object], name: Any) -> None:
    with pytest.raises(DataError, match="user_id: must be"):
        call(Settings(), name)
