"""Recommendations on a real cluster: by id, history, words, attributes and mixes, in all spaces."""

from typing import Any

import numpy as np
import pytest

from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, ConfigError, DataError, SeeAlsoError, Unavailable
from seealso.plugin import RecommendationList, Recommender
from seealso.types import HistoryEntry, Path, Source, User, Vector
from tests.films import Counting
from tests.integration.libraries import profile
from tests.library import BOOKS, TEXTLESS, Library

ODD_WORDS = [
    'a "quoted" harbour',
    "two\nlines\r\n\tand a tab",
    "{{x}} {{{y}}} {{#toJson}}vector{{/toJson}}",
    "无线鼠标 castle",
    "back\\slash and 'single' quotes",
    "*:* AND (castle OR ~desert) [a TO b] /x/",
]


def probability(library: Library, user: Vector, item_id: str) -> float:
    """Return p = sigmoid(w * similarity) by numpy alone."""
    item, w = library.vector(item_id), library.documents[item_id]["importance"]
    similarity = {
        "cosine": float(user @ item),
        "euclidean": 1 / (1 + float(np.linalg.norm(user - item))),
        "manhattan": 1 / (1 + float(np.abs(user - item).sum())),
    }[library.space]
    return 1 / (1 + float(np.exp(-w * similarity)))


def check_probabilities(library: Library, found: RecommendationList, user: Vector) -> None:
    for item in found:
        if item.item_id == TEXTLESS:
            assert item.probability is None
        else:
            assert item.probability == pytest.approx(
                probability(library, user, item.item_id), abs=1e-5
            )


def test_by_user_id(library: Library, recommender: Recommender) -> None:
    found = recommender.recommend("u1")
    user = library.histories.user("u1")
    assert user is not None
    assert len(found) == len(set(found.ids)) == 10
    assert not set(found.ids) & user.seen
    assert (found.user_id, found.path, found.note) == ("u1", Path.EXACT, "")
    assert found.index == recommender.live.name
    assert found.fingerprint == recommender.live.fingerprint
    check_probabilities(library, found, profile(library, "u1"))


def test_the_parts_of_the_latency_add_up(recommender: Recommender) -> None:
    for found in (recommender.recommend("u1", words="a castle"), recommender.related("b1")):
        parts = dict(found.latency_ms)
        total = parts.pop("total")
        assert set(parts) == {"profile", "rendering", "search", "transport", "fusion"}
        assert parts["profile"] > 0
        assert min(parts.values()) >= 0
        assert sum(parts.values()) == pytest.approx(total)


def test_one_thread_encodes_a_user_whatever_items_take(library: Library) -> None:
    for chosen, threads in (({"threads": 2}, 1), ({"query_threads": 2}, 2)):
        session = library.recommender(encoder=chosen).live.encoder._reader._session
        assert session.get_session_options().intra_op_num_threads == threads


def test_by_history_the_newest_item_weighs_most(library: Library, recommender: Recommender) -> None:
    asked: list[tuple[str, str]] = [("b1", "b2"), ("b2", "b1")]
    lists = [recommender.recommend(history=ids, tail_share=0.0, size=60) for ids in asked]
    for ids, found in zip(asked, lists, strict=True):
        total = library.vector(ids[0]) + 0.8 * library.vector(ids[1])
        check_probabilities(library, found, total / np.linalg.norm(total))
        assert not set(ids) & set(found.ids)
    assert [i.probability for i in lists[0]] != [i.probability for i in lists[1]]


def test_by_words_and_attributes_and_mixes(library: Library, recommender: Recommender) -> None:
    words = recommender.recommend(words="a castle of poetry")
    attributes = recommender.recommend(attributes={"likes": "castle"})
    mixed = recommender.recommend("u1", words="a castle of poetry", attributes={"likes": "castle"})
    for found in (words, attributes, mixed):
        assert len(found) == 10
        assert found.note == ""
        assert all(0 < item.probability < 1 for item in found if item.probability is not None)
    encoder, text = recommender.live.encoder, recommender.live.user_text

    def encoded(**given: Any) -> Vector:
        rendered = text.render(
            **{"words": "", "attributes": {}, "history": ()} | given,
            budget=encoder.bundle.max_length,
            count_tokens=encoder.count_tokens,
        )
        return np.asarray(encoder.encode_users([rendered])[0], dtype=np.float64)

    own, attribute = encoded(words="a castle of poetry"), encoded(attributes={"likes": "castle"})
    check_probabilities(library, words, own)
    check_probabilities(library, attributes, attribute)
    total = profile(library, "u1") + own + 0.5 * attribute
    check_probabilities(library, mixed, total / np.linalg.norm(total))


@pytest.mark.parametrize("words", ODD_WORDS)
def test_words_of_any_kind_are_only_words(recommender: Recommender, words: str) -> None:
    found = recommender.recommend(words=words, attributes={"{{n}}": '"v" {{w}}\n'})
    assert len(found) == 10
    assert found.note == ""


def test_words_find_tail_books_in_any_writing(recommender: Recommender) -> None:
    chinese = recommender.recommend(words="鼠标", tail_share=0.1)
    assert "b40" in [item.item_id for item in chinese if item.tail]
    quoted = recommender.recommend(words='never read: "harbour" {{y}}', tail_share=0.1)
    assert "b42" in quoted.ids


def test_words_without_letters_are_no_error(recommender: Recommender) -> None:
    assert len(recommender.recommend(words="?! ...")) == 10
    assert "importance alone" in recommender.recommend(words="").note


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_tail_books_get_their_share(library: Library, path: str, share: float) -> None:
    recommender = library.recommender()
    for user_id in library.histories.users():
        found = recommender.recommend(user_id, path=path, tail_share=share, words="the number")
        # twenty tail books, all but the textless and the odd ones hold these words
        assert sum(item.tail for item in found) >= round(10 * share), user_id
        for item in found:
            assert item.tail == library.documents[item.item_id]["tail"]
            if item.source is Source.TAIL:
                assert item.tail


def test_a_share_of_nothing_asks_for_one_list_only(library: Library) -> None:
    found = library.recommender().recommend("u1", tail_share=0.0)
    assert {item.source for item in found} == {Source.VECTOR}


def test_a_book_that_is_not_encoded_yet_is_found_by_its_words(library: Library) -> None:
    recommender = library.recommender()
    document = {"item_id": "new", "title": "Zanzibar", "text": "Zanzibar", "importance": 1.0,
                "interactions": 0, "tail": False}  # fmt: skip
    path = f"/{recommender.live.name}/_doc/new"
    library.cluster.request("PUT", path, document, {"refresh": "true"})
    try:
        found = recommender.recommend("u1", words="zanzibar")
        (new,) = [item for item in found if item.item_id == "new"]
        assert (new.source, new.probability, new.raw) == (Source.TAIL, None, None)
    finally:
        library.cluster.request("DELETE", path, params={"refresh": "true"})


def test_a_list_is_one_request(library: Library, opensearch: NodeInfo) -> None:
    cluster = Counting(opensearch.url)
    recommender = Recommender(cluster, library.settings, library.histories)
    cluster.sent.clear()
    recommender.recommend(words="a castle", tail_share=0.5)
    assert cluster.sent == ["POST /_msearch"]
    cluster.sent.clear()
    # a history's vectors are read once, then kept
    recommender.recommend("u1")
    assert cluster.sent == [f"POST /{recommender.live.name}/_mget", "POST /_msearch"]
    cluster.sent.clear()
    recommender.recommend("u1", words="a castle")
    recommender.recommend_batch([recommender.user(f"u{n}") for n in (1, 1)])
    assert cluster.sent == ["POST /_msearch"] * 2
    cluster.close()


@pytest.mark.parametrize(
    ("clause", "fits"),
    [
        ({"term": {"kind": "poetry"}}, lambda item: item.fields["kind"] == "poetry"),
        ({"range": {"year": {"gte": 1930}}}, lambda item: item.fields["year"] >= 1930),
        (
            {"bool": {"must_not": {"terms": {"kind": ["poetry", "western"]}}}},
            lambda item: item.fields["kind"] not in ("poetry", "western"),
        ),
    ],
)
@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_filters_hold_in_both_lists(
    recommender: Recommender, path: str, clause: dict[str, Any], fits: Any
) -> None:
    found = recommender.recommend("u1", path=path, filters=clause, tail_share=0.5)
    assert len(found) >= 5
    assert all(fits(item) for item in found)
    unknown = recommender.recommend("nobody", filters=[clause])
    assert unknown
    assert all(fits(item) for item in unknown)


def test_a_filter_that_is_no_query_is_refused_with_the_reason(recommender: Recommender) -> None:
    with pytest.raises(ClusterError, match=r"unknown query \[trem\]") as caught:
        recommender.recommend("u1", filters={"trem": {"kind": "poetry"}})
    assert "\n" not in caught.value.message
    assert caught.value.hint is not None
    assert "query DSL" in caught.value.hint


def test_a_filter_of_a_wrong_type_is_refused_with_the_reason(recommender: Recommender) -> None:
    with pytest.raises(ClusterError, match="later than"):
        recommender.recommend("u1", filters={"range": {"year": {"gte": "later than"}}})


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_the_least_probability(recommender: Recommender, path: str) -> None:
    whole = recommender.recommend("u1", path=path, tail_share=0.0, size=30)
    least = whole[9].probability
    assert least is not None
    found = recommender.recommend("u1", path=path, min_probability=least - 1e-6, size=30)
    known = [item.probability for item in found if item.probability is not None]
    assert known
    assert min(known) >= least - 2e-6
    assert set(found.ids) <= {*whole.ids[:12], *(i.item_id for i in found if i.tail)}
    assert len(recommender.recommend("u1", path=path, min_probability=0.999)) == 0


def test_an_unknown_user_gets_the_most_important_books(
    library: Library, recommender: Recommender
) -> None:
    found = recommender.recommend("nobody")
    assert found.note == "user 'nobody' is unknown: ranked by importance alone"
    assert {item.source for item in found} == {Source.IMPORTANCE}
    weights = sorted((d["importance"] for d in library.documents.values()), reverse=True)
    assert [item.importance for item in found] == pytest.approx(weights[:10])
    assert all(item.probability is None for item in found)


def test_an_unknown_user_with_words_is_told_so(recommender: Recommender) -> None:
    found = recommender.recommend("nobody", words="a castle")
    assert found.note == "user 'nobody' is unknown: ranked by words and attributes alone"
    assert Source.VECTOR in {item.source for item in found}


def test_a_user_who_liked_nothing_still_has_seen_things(recommender: Recommender) -> None:
    found = recommender.recommend("critic", size=58)
    assert found.note == "user 'critic' liked nothing yet: ranked by importance alone"
    assert not {"b1", "b2"} & set(found.ids)
    assert len(found) == 58


def test_a_history_that_the_index_does_not_hold(recommender: Recommender) -> None:
    found = recommender.recommend(history=["gone", TEXTLESS])
    assert found.note.startswith("no item of the history has a vector in the index")
    assert TEXTLESS not in found.ids


def test_a_history_that_the_index_holds_a_part_of_says_so(recommender: Recommender) -> None:
    found = recommender.recommend(history=["b1", "gone", "b2", TEXTLESS])
    assert found.note == "2 of 4 items of the history have no vector in the index: left out"
    assert recommender.recommend(history=["b1", "b2"]).note == ""
    # and what a user did long ago, with items that are no longer there, is no news
    bought = [HistoryEntry(item_id, type="view") for item_id in ("b1", "gone")]
    assert recommender.recommend_batch([User("u", tuple(bought), frozenset({"b1"}))])[0].note == ""


def test_a_session_goes_before_the_history(library: Library, recommender: Recommender) -> None:
    found = recommender.recommend("u1", session=["b2", "b30"], tail_share=0.0, size=60)
    known = library.histories.user("u1")
    assert known is not None
    ids = ["b2", "b30", *(one.item_id for one in known.history)]
    total = np.sum([0.8**age * library.vector(one) for age, one in enumerate(ids)], axis=0)
    check_probabilities(library, found, total / np.linalg.norm(total))
    assert not {"b2", "b30", *known.seen} & set(found.ids)
    assert found.note == ""
    same = recommender.recommend(history=ids, tail_share=0.0, size=60)
    both = recommender.recommend(history=ids[2:], session=ids[:2], tail_share=0.0, size=60)
    assert both.ids == same.ids


def test_what_a_session_names_and_the_index_lacks_is_said(recommender: Recommender) -> None:
    found = recommender.recommend("u1", session=["b2", "gone"])
    assert "1 of " in found.note
    assert found.note.endswith("items of the history have no vector in the index: left out")
    bought = recommender.user("u1")
    assert bought.history
    assert recommender.recommend("u1", session=["b2"]).note == ""


def test_someone_who_has_seen_everything_gets_an_empty_list(recommender: Recommender) -> None:
    assert len(recommender.recommend(history=[f"b{n}" for n in range(BOOKS)])) == 0


def test_fields_are_all_or_those_asked_for(recommender: Recommender) -> None:
    assert set(recommender.recommend("u1")[0].fields) == {"title", "kind", "year"}
    assert set(recommender.recommend("u1", fields=("kind",))[0].fields) == {"kind"}
    assert recommender.recommend("u1", fields=())[0].fields == {}


def test_a_list_is_the_same_alone_and_among_others(recommender: Recommender) -> None:
    users = [recommender.user(f"u{n}") for n in range(12)]
    together = recommender.recommend_batch(users)
    for user, found in zip(users, together, strict=True):
        alone = recommender.recommend(user.user_id)
        assert found.ids == alone.ids
        assert [i.probability for i in found] == pytest.approx(
            [i.probability for i in alone], abs=1e-6
        )


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"path": "fast"}, "path: must be one of"),
        ({"size": -1}, "size: must be"),
        ({"tail_share": 2}, "tail_share: must be"),
    ],
)
def test_an_impossible_wish_is_refused(
    recommender: Recommender, wishes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        recommender.recommend("u1", **wishes)


def test_arguments_of_the_wrong_type_are_refused(recommender: Recommender) -> None:
    with pytest.raises(DataError, match="history: must be a list of item ids"):
        recommender.recommend(history="b1,b2")


def test_the_other_spaces_rank_by_script(other_space: Library) -> None:
    recommender = other_space.recommender()
    user = profile(other_space, "u1")
    seen = other_space.histories.user("u1")
    assert seen is not None
    found = recommender.recommend("u1", tail_share=0.0, size=15)
    assert found.path is Path.REFERENCE
    check_probabilities(other_space, found, user)
    rest = [i for i, d in other_space.documents.items() if i not in seen.seen and "vector" in d]
    best = sorted((probability(other_space, user, i) for i in rest), reverse=True)[:15]
    assert [item.probability for item in found] == pytest.approx(best, abs=1e-5)
    for item in found:
        assert item.raw == pytest.approx(np.log(item.probability / (1 - item.probability)))


def test_the_other_spaces_have_tail_and_related_books_too(other_space: Library) -> None:
    recommender = other_space.recommender()
    found = recommender.recommend("u1", tail_share=0.5, words="the number")
    assert sum(item.tail for item in found) >= 5
    check = [item for item in found if item.source is Source.TAIL and item.probability is not None]
    assert check
    encoder, text = recommender.live.encoder, recommender.live.user_text
    rendered = text.render(
        words="the number",
        attributes={},
        history=(),
        budget=encoder.bundle.max_length,
        count_tokens=encoder.count_tokens,
    )
    total = profile(other_space, "u1") + encoder.encode_users([rendered])[0]
    check_probabilities(other_space, found, total / np.linalg.norm(total))
    related = recommender.related("b7")
    check_probabilities(other_space, related, other_space.vector("b7"))


def test_the_other_spaces_have_no_graph(other_space: Library) -> None:
    with pytest.raises(ConfigError, match="path ann: an index for"):
        other_space.recommender().recommend("u1", path="ann")


def test_the_stored_templates_give_the_same_list(library: Library) -> None:
    from seealso.indexer.templates import install

    install(library.cluster)
    recommender = library.recommender()
    found = recommender.recommend("u1", tail_share=0.0)
    settings = library.changed(recommend={"tail_share": 0.0})
    stored = Recommender(library.cluster, settings, library.histories)
    body = stored.stored_request(stored.user("u1"))
    (answer,) = library.cluster.request("POST", "/_msearch/template", body)["responses"]
    assert [hit["_id"] for hit in answer["hits"]["hits"]] == found.ids


def test_an_alias_that_stands_for_nothing(library: Library) -> None:
    with pytest.raises(ClusterError, match="no such index or alias") as caught:
        library.recommender(index={"alias": "nothing-here"})
    assert "seealso index build" in (caught.value.hint or "")


def test_a_cluster_that_is_gone_is_named_at_once(library: Library) -> None:
    recommender = library.recommender()
    gone = Counting("http://127.0.0.1:9")
    recommender._lists._cluster = gone
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9: OpenSearch does not answer"):
        recommender.recommend(words="a castle")
    assert gone.sent == ["POST /_msearch"]
    gone.close()


def test_a_closed_recommender_says_so(library: Library) -> None:
    with Recommender.from_config(library.settings) as recommender:
        assert len(recommender.related("b7", size=2)) == 2
    for ask in (lambda: recommender.related("b7"), lambda: recommender.recommend(words="a castle")):
        with pytest.raises(SeeAlsoError, match="this recommender is closed"):
            ask()


def test_a_swap_is_followed(library: Library) -> None:
    recommender = library.recommender()
    before = recommender.recommend("u1")
    library.build()
    after = recommender.recommend("u1")
    assert after.index != before.index
    assert after.ids == before.ids
