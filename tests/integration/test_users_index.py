"""The users index on a real cluster: built, updated, read, asked for neighbours."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from seealso import api
from seealso.cluster import indices
from seealso.errors import ClusterError, ConfigError, DataError, MappingMismatch
from seealso.indexer.inputs import row_source
from seealso.indexer.users.live import live_users, user_indices
from seealso.indexer.users.mapping import users_alias
from seealso.indexer.users.people import People, read_people, unmatched_notes
from seealso.plugin import Recommender
from seealso.plugin.batch.users_file import read_users
from seealso.plugin.ranking.searches import Search
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Histories, Problems, read_events
from seealso.types import User
from tests.films import Counting
from tests.integration.catalogues import Record, Shop, films, write_lines
from tests.members import FILMS, NAMES, PEOPLE, asking, built, choices, documents, updated


def test_everybody_is_written_under_a_pseudonym(peopled: Shop) -> None:
    report = built(peopled)
    assert (report.users, report.written, report.unchanged) == (PEOPLE, PEOPLE, 0)
    assert (report.vectorless, report.graph_recall) == (0, 1.0)
    live = live_users(peopled.cluster, peopled.settings(), NAMES)
    assert live.name == report.index
    assert live.fingerprint == indices.meta(peopled.cluster, str(peopled.live))["fingerprint"]
    found = documents(peopled, "ann-3")["ann-3"]
    assert [one["item"] for one in found["history"]] == ["f27", "f19", "f11", "f3"]
    assert found["history"][-1] == {
        "item": "f3", "type": "buy", "value": 1.0, "time": "2024-01-01T00:00:00+00:00",
    }  # fmt: skip
    assert found["latest"] == ["f27", "f19", "f11", "f3"]
    assert found["seen"] == ["f11", "f19", "f27", "f3"]
    every = peopled.cluster.request("POST", f"/{report.index}/_search", {"size": PEOPLE})
    assert "ann-" not in json.dumps(every)


def test_neighbours_are_found_exactly_where_the_graph_misses_them(
    peopled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = built(peopled).index
    meta = indices.meta(peopled.cluster, live)
    assert (meta["graph_recall"], meta["ef_search"]) == (1.0, 200)
    by_graph = asking(peopled).neighbours("ann-3", size=5)
    sent: list[str] = []
    search = Search.body

    def note(self: Search) -> bytes:
        sent.append(self.template)
        return search(self)

    monkeypatch.setattr(Search, "body", note)
    for recall, name in ((1.0, "ann"), (0.9, "exact")):
        indices.put_meta(peopled.cluster, live, {"graph_recall": recall})
        found = asking(peopled).neighbours("ann-3", size=5)
        assert [one.pseudonym for one in found] == [one.pseudonym for one in by_graph]
        assert [one.similarity for one in found] == pytest.approx(
            [one.similarity for one in by_graph]
        )
        assert sent[-1] == name


def test_the_vector_is_what_a_query_asks_with(peopled: Shop) -> None:
    built(peopled)
    stored = np.array(documents(peopled, "ann-3")["ann-3"]["vector"])
    weights = 0.8 ** np.arange(4)
    items = [peopled.vector(item) for item in ("f27", "f19", "f11", "f3")]
    expected = sum(w * v / np.linalg.norm(v) for w, v in zip(weights, items, strict=True))
    assert stored @ (expected / np.linalg.norm(expected)) == pytest.approx(1, abs=1e-5)


def test_an_update_encodes_only_who_changed(peopled: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(peopled)
    encoded: list[str] = []
    plain = Recommender.user_encoder

    def watched(self: Recommender) -> Any:
        user_encoder = plain(self)

        def vectors(users: Any) -> Any:
            encoded.extend(user.user_id for user in users)
            return user_encoder.vectors(users)

        return replace(user_encoder, vectors=vectors)

    monkeypatch.setattr(Recommender, "user_encoder", watched)
    same = updated(peopled)
    assert (same.written, same.unchanged, same.deleted) == (0, PEOPLE, 0)
    assert encoded == []
    more = [one for one in choices() if one["user_id"] != "ann-5"]
    event = {"user_id": "ann-4", "item_id": "f0", "kind": "view", "day": "2024-02-01"}
    new = {**event, "user_id": "bob"}
    peopled.stock(films(FILMS), [*more, event, new])
    changed = updated(peopled)
    assert (changed.written, changed.unchanged, changed.deleted) == (2, PEOPLE - 2, 1)
    assert sorted(encoded) == ["ann-4", "bob"]
    assert changed.index == first.index
    found = documents(peopled, "ann-4", "ann-5", "bob")
    assert set(found) == {"ann-4", "bob"}
    assert found["ann-4"]["latest"][0] == "f0"


@pytest.mark.usefixtures("users_key")
def test_a_killed_build_is_gone_on_with(peopled: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = built(peopled).index

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("seealso.cluster.indices.finish_loading", interrupt)
        with pytest.raises(KeyboardInterrupt):
            built(peopled)
    names = [one.name for one in user_indices(peopled.cluster, peopled.settings())]
    assert names[0] == before
    assert live_users(peopled.cluster, peopled.settings(), NAMES).name == before
    # somebody left meanwhile, whom the killed build had written
    peopled.stock(films(FILMS), [one for one in choices() if one["user_id"] != "ann-5"])
    planned = api.plan_build_users(peopled.settings())
    assert (planned.index, planned.resumed) == (names[1], True)
    assert (planned.written, planned.unchanged) == (0, PEOPLE - 1)
    report = built(peopled)
    assert (report.index, report.resumed) == (names[1], True)
    assert (report.written, report.unchanged, report.deleted) == (0, PEOPLE - 1, 1)
    # nothing is kept of anybody but in the index that is live
    assert [one.name for one in user_indices(peopled.cluster, peopled.settings())] == [names[1]]


def with_ages(shop: Shop) -> None:
    """Give users attributes, and nothing else to some: before, between and after the others."""
    ids = ("aaron", "ann-1", "ann-15", "ann-15b", "zoe")
    rows = [{"user_id": one, "age": str(n)} for n, one in enumerate(ids)]
    file = write_lines(shop.folder / "users.jsonl", rows)
    shop.sections["users"] = {"path": str(file)}


def everybody(shop: Shop) -> dict[str, Record]:
    body = {"size": 2 * PEOPLE, "query": {"match_all": {}}}
    found = shop.cluster.request("POST", f"/{users_alias(shop.alias)}/_search", body)
    documents = {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}
    for one in documents.values():
        del one["updated_at"]
    return documents


def alike(documents: dict[str, Record]) -> dict[str, Record]:
    """Return what equals these documents: the last digits depend on who is encoded beside."""
    vectors = {key: pytest.approx(one["vector"], abs=1e-5) for key, one in documents.items()}
    return {key: {**one, "vector": vectors[key]} for key, one in documents.items()}


# each user has four events
@pytest.mark.parametrize(("at_once", "readings"), [(96, 1), (95, 3), (40, 4), (6, 18), (1, 26)])
def test_portions_of_users_give_the_index_of_all_at_once(
    peopled: Shop, monkeypatch: pytest.MonkeyPatch, at_once: int, readings: int
) -> None:
    with_ages(peopled)
    built(peopled)
    whole = everybody(peopled)
    assert len(whole) == PEOPLE + 3
    read = []
    monkeypatch.setattr(
        "seealso.indexer.users.people.read_events",
        lambda *given: read.append(1) or read_events(*given),
    )
    report = built(peopled, at_once=at_once)
    assert (report.users, report.written) == (len(whole), len(whole))
    assert everybody(peopled) == alike(whole)
    assert len(read) == readings


def test_a_build_in_portions_that_was_killed_is_gone_on_with(
    peopled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ages(peopled)
    # what was written before is sent at once
    peopled.sections["index"] = {"bulk_bytes": 1000}
    built(peopled)
    whole = everybody(peopled)
    read = People._users_of
    portions = []

    def interrupted(people: People, ids: pl.Series) -> Iterator[User]:
        portions.append(ids)
        if len(portions) == 3:
            raise KeyboardInterrupt
        return read(people, ids)

    with monkeypatch.context() as patched:
        patched.setattr(People, "_users_of", interrupted)
        patched.setattr("seealso.indexer.users.writing.USERS_AT_ONCE", 2)
        with pytest.raises(KeyboardInterrupt):
            built(peopled, at_once=20)
    report = built(peopled, at_once=20)
    assert report.resumed
    assert report.unchanged > 0
    assert report.written + report.unchanged == len(whole)
    assert everybody(peopled) == alike(whole)


def test_history_and_seen_items_are_bounded_newest_first(peopled: Shop) -> None:
    peopled.sections["users"] = {"history_items": 2, "seen_items": 3}
    built(peopled)
    found = documents(peopled, "ann-3")["ann-3"]
    assert [one["item"] for one in found["history"]] == ["f27", "f19"]
    assert found["seen"] == ["f11", "f19", "f27"]


def test_attributes_take_part(peopled: Shop) -> None:
    file = write_lines(
        peopled.folder / "users.jsonl",
        [
            {"user_id": "ann-3", "age": 33, "likes": "a thriller in a castle", "mail": "a@b"},
            {"user_id": "only", "likes": "a western in the desert", "age": None},
        ],
    )
    peopled.sections["users"] = {"path": str(file), "attributes": ["age", "likes"]}
    report = built(peopled)
    assert (report.users, report.vectorless) == (PEOPLE + 1, 0)
    found = documents(peopled, "ann-3", "ann-4", "only")
    assert found["ann-3"]["attributes"] == {"age": 33, "likes": "a thriller in a castle"}
    assert found["ann-4"]["attributes"] == {}
    assert (found["only"]["history"], found["only"]["seen"]) == ([], [])
    recommender = asking(peopled)
    known = recommender.user("only")
    assert known.attributes == {"likes": "a western in the desert"}
    assert len(recommender.recommend("only")) == 10
    # what is said now is above what is held
    assert recommender.user("only", attributes={"likes": "war"}).attributes == {"likes": "war"}


def test_a_list_is_the_same_from_index_and_events(peopled: Shop) -> None:
    built(peopled)
    source = row_source(peopled.settings(), "events", None)
    assert source is not None
    frames = read_events(source, peopled.settings().events, Problems("stop"))
    events = Recommender(
        peopled.cluster, peopled.settings(), Histories.from_events(frames, positive=None)
    )
    index = asking(peopled)
    for user_id in ("ann-0", "ann-7", "nobody"):
        one, other = index.recommend(user_id), events.recommend(user_id)
        assert (one.ids, one.note) == (other.ids, other.note)
        assert index.user(user_id) == events.user(user_id)


def test_many_users_are_one_request(peopled: Shop, tmp_path: Path) -> None:
    built(peopled)
    cluster, settings = Counting(peopled.url), peopled.settings()
    recommender = Recommender(cluster, settings, users=UsersIndex(cluster, settings, NAMES))
    file = tmp_path / "users"
    file.write_text("".join(f"ann-{n}\n" for n in range(20)), encoding="utf-8")
    cluster.sent.clear()
    found = list(read_users(file, recommender))
    assert [user.user_id for user in found] == [f"ann-{n}" for n in range(20)]
    assert all(len(user.history) == 4 for user in found)
    assert cluster.sent == [f"POST /{users_alias(peopled.alias)}/_mget"]


def test_neighbours_are_one_query(peopled: Shop) -> None:
    built(peopled)
    cluster, settings = Counting(peopled.url), peopled.settings()
    recommender = Recommender(cluster, settings, users=UsersIndex(cluster, settings, NAMES))
    user = recommender.user("ann-3")
    recommender.neighbours(user)
    cluster.sent.clear()
    found = recommender.neighbours(user, size=5)
    assert cluster.sent == ["POST /_msearch"]
    assert found.pseudonym == NAMES.of("ann-3")
    every = documents(peopled, *(f"ann-{n}" for n in range(PEOPLE)))
    own = np.array(every.pop("ann-3")["vector"])
    by_hand = sorted(
        ((float(own @ np.array(one["vector"])), name) for name, one in every.items()), reverse=True
    )
    assert [one.similarity for one in found] == pytest.approx(
        [cosine for cosine, _ in by_hand[:5]], abs=1e-5
    )
    nearest = by_hand[0][1]
    assert found[0].pseudonym == NAMES.of(nearest)
    assert found[0].latest == tuple(every[nearest]["latest"])
    seen = {"f3", "f11", "f19", "f27"}
    assert found[0].shared == len(seen & set(found[0].latest))
    assert not any("ann" in one.pseudonym for one in found)


def test_neighbours_of_somebody_unknown(peopled: Shop) -> None:
    built(peopled)
    recommender = asking(peopled)
    with pytest.raises(DataError, match="nothing is known about user 'nobody'"):
        recommender.neighbours(recommender.user("nobody"))
    with pytest.raises(ConfigError, match="neighbours need the users index"):
        Recommender(peopled.cluster, peopled.settings()).neighbours(recommender.user("ann-3"))


def test_users_of_another_bundle(peopled: Shop, caplog: pytest.LogCaptureFixture) -> None:
    built(peopled)
    # other item texts make another bundle
    peopled.build(text={"item": "{{ description }}"})
    recommender = asking(peopled, neighbours={"share": 0.1})
    lists = [recommender.recommend("ann-3") for _ in range(2)]
    assert [len(found) for found in lists] == [10, 10]
    assert all("without neighbours: " in found.note for found in lists)
    # who reads a list cannot build: that is said once, to whoever runs this
    assert "seealso users build" not in lists[0].note
    (reported,) = [one.getMessage() for one in caplog.records if "users build" in one.getMessage()]
    assert "made with bundle" in reported
    with pytest.raises(MappingMismatch, match="made with bundle") as caught:
        recommender.neighbours(recommender.user("ann-3"))
    assert caught.value.hint == "rebuild the users: `seealso users build`"
    with pytest.raises(MappingMismatch):
        updated(peopled)
    built(peopled)
    # the same recommender follows
    assert len(recommender.neighbours(recommender.user("ann-3"))) == 10
    assert recommender.recommend("ann-3").note == ""


def test_without_a_users_index(peopled: Shop) -> None:
    with pytest.raises(ClusterError, match="no users index was built yet") as caught:
        asking(peopled)
    assert caught.value.hint == "run `seealso users build`"
    with pytest.raises(ClusterError, match="no users index was built yet"):
        updated(peopled)


def test_ids_that_meet_nothing_are_said_without_naming_users(peopled: Shop) -> None:
    settings = peopled.settings()
    assert (
        unmatched_notes(
            peopled.cluster, settings, read_people(settings, peopled.cluster, Problems("stop"))
        )
        == ()
    )
    stray = {"user_id": "ann-3", "item_id": "F27", "kind": "buy", "day": "2024-02-01"}
    peopled.stock(films(FILMS), [*choices(), stray])
    people = read_people(settings, peopled.cluster, Problems("stop"))
    attributes = {name: {"town": "Ulm"} for name in ("ANN-3", "ann-3")}
    notes = unmatched_notes(peopled.cluster, settings, replace(people, attributes=attributes))
    assert len(notes) == 2
    assert notes[0].startswith("1 of ")
    assert "events name items that are not in the index, such as 'F27'" in notes[0]
    assert notes[1].startswith(
        "1 of 2 rows of the users file name users that are not in the events"
    )
    assert "differs by case" in notes[1]
    assert "ann" not in notes[1].lower()


def test_an_index_that_the_alias_did_not_come_to_is_gone_on_with(
    peopled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise ClusterError("the alias could not be moved")

    with monkeypatch.context() as patched:
        patched.setattr("seealso.indexer.users.build.go_live", refused)
        with pytest.raises(ClusterError, match="could not be moved"):
            built(peopled)
    (left,) = user_indices(peopled.cluster, peopled.settings())
    report = built(peopled)
    assert (report.index, report.resumed, report.unchanged) == (left.name, True, PEOPLE)
    (only,) = user_indices(peopled.cluster, peopled.settings())
    assert (only.name, only.live, only.state) == (left.name, True, "ready")
