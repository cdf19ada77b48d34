"""Protocols: what is asked, of whom, and that nothing asked about is known."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from seealso.config import load_settings
from seealso.datasets.dataset import read_dataset
from seealso.datasets.questions import Question
from seealso.errors import ConfigError, DataError
from seealso.evaluation import PROTOCOLS
from seealso.evaluation.leakage import find_leakage
from seealso.evaluation.protocols import (
    cold_items,
    few_shot,
    hold_out,
    is_cold,
    known_events,
)
from seealso.evaluation.showing import read_labels
from tests.training_data import as_frame, as_items, board_events, board_items
from tests.training_data import events as board_frames
from tests.training_data import items as board_batches

ITEMS = 120


def shelf():
    yield as_items(
        [{"item_id": f"s{n}", "title": f"book {n}", "kind": "ab"[n % 2]} for n in range(ITEMS)]
    )


def behaviour(users=30, length=25):
    rng = Random(4)
    return [
        {"user_id": f"u{user:02}", "item_id": f"s{place}", "day": day}
        for user in range(users)
        for day, place in enumerate(rng.sample(range(ITEMS), length))
    ]


def frames():
    return [as_frame(behaviour())]


def settings(**sections):
    return load_settings(None, {"catalogue": {"path": "none.csv"}, **sections})


def held(*names, split="dev", **options):
    return hold_out(settings(), shelf, frames, names=names, split=split, **options)


def everyone(questions):
    return questions


def test_one_item_in_ten_is_cold_and_always_the_same():
    cold = [n for n in range(10_000) if is_cold(f"s{n}")]
    # three standard deviations of a binomial draw
    assert 910 <= len(cold) <= 1090
    assert cold == [n for n in range(10_000) if is_cold(f"s{n}")]


def test_who_learnt_from_other_data_than_may_be_known_is_told(tiny):
    whole, cold = (one.dataset.signature for one in held("leave-one-out", "cold"))
    tuned = replace(tiny, origin={"training": {"data": whole}})
    assert find_leakage(tiny, whole) == find_leakage(tuned, whole) == ()
    note = "tiny was fine-tuned on other events or texts: it may have learnt the answers"
    # the training that knew all events knew those of the cold items
    assert find_leakage(tuned, cold) == find_leakage(tuned, "other") == (note,)


def test_cold_items_are_nowhere_in_what_may_be_known():
    (holdout,) = held("cold", split="test")
    cold = {int(place) for place in np.flatnonzero(holdout.cold)}
    assert {holdout.dataset.catalogue.ids[place] for place in cold} == {
        f"s{n}" for n in range(ITEMS) if is_cold(f"s{n}")
    }
    assert not cold & {item for one in holdout.dataset.sequences for item in one}
    assert not cold & {item for one in holdout.dataset.dev for item in one.history.tolist()}
    assert not cold & {one.target for one in holdout.dataset.dev}
    for protocol in holdout.protocols:
        assert all(one.target in cold for one in protocol.questions)
        assert not cold & {item for one in protocol.questions for item in one.history.tolist()}
    rows = known_events(frames, holdout)
    assert not {f"s{place}" for place in cold} & set(rows["item_id"])


def test_each_user_is_asked_for_the_newest_cold_item_with_a_warm_one_before():
    dataset = read_dataset(settings(), shelf, frames)
    holdout = cold_items(dataset, "test", everyone, 1000)
    found = iter(holdout.protocols[0].questions)
    for number, sequence in enumerate(dataset.sequences):
        if number % 2 == 0:
            continue
        places = [n for n, item in enumerate(sequence) if holdout.cold[item]]
        if not places or all(holdout.cold[item] for item in sequence[: places[-1]]):
            continue
        question = next(found)
        assert question.target == sequence[places[-1]]
        before = [item for item in sequence[: places[-1]] if not holdout.cold[item]]
        assert question.history.tolist() == before[::-1]
        assert sorted(question.seen.tolist()) == sorted({*sequence} - {question.target})
    assert next(found, None) is None


def test_dev_and_test_of_the_cold_protocol_ask_different_people():
    (holdout,) = held("cold", split="test")
    # all that a user chose stands in the question, and no two users chose the same
    dev, test = (
        {frozenset([*one.history.tolist(), *one.seen.tolist(), one.target]) for one in asked}
        for asked in (holdout.dev, holdout.protocols[0].questions)
    )
    assert len(dev) > 5
    assert len(test) > 5
    assert not dev & test
    (other,) = held("cold", split="dev")
    asked = [(one.target, one.history.tolist()) for one in other.protocols[0].questions]
    assert asked == [(one.target, one.history.tolist()) for one in holdout.dev]


def test_the_second_ranking_is_of_cold_items_alone():
    (holdout,) = held("cold")
    whole, alone = holdout.protocols
    assert whole.among is None
    assert alone.among is not None
    assert (alone.among == holdout.cold).all()
    assert (whole.headline, alone.headline) == ("ndcg@20", "ndcg@20")


def test_few_shot_keeps_the_newest_and_forgets_nothing_seen():
    question = Question(np.array([7, 3, 5]), 1, np.array([3, 5, 7, 9]), "u")
    (found,) = few_shot([question], 2).questions
    assert found.history.tolist() == [7, 3]
    assert found.seen.tolist() == [3, 5, 7, 9]
    assert (found.target, found.user_id) == (1, "u")


def test_protocols_of_one_state_of_knowledge_share_a_holdout():
    found = held(*PROTOCOLS)
    names = [[protocol.name for protocol in holdout.protocols] for holdout in found]
    assert names == [
        ["leave-one-out", "few-shot 1", "few-shot 2", "few-shot 3", "few-shot 5"],
        ["cold", "cold among cold"],
        ["temporal"],
    ]
    assert [holdout.split for holdout in found] == ["leave-one-out", "leave-one-out", "temporal"]


@pytest.mark.parametrize("name", ["leave-one-out", "temporal"])
def test_an_index_knows_nothing_from_a_users_first_question_on(name):
    (holdout,) = held(name, split="test")
    rows = known_events(frames, holdout)
    place = holdout.dataset.catalogue.place
    known = {
        (user, place[item]) for user, item in zip(rows["user_id"], rows["item_id"], strict=True)
    }
    for question in (*holdout.dev, *holdout.protocols[0].questions):
        assert (question.user_id, question.target) not in known
    assert len(rows) == sum(map(len, holdout.dataset.sequences))


def test_material_of_a_holdout_does_not_hold_the_test_questions():
    assert all(len(holdout.dataset.test) == 0 for holdout in held(*PROTOCOLS, split="test"))


def test_dislikes_before_the_question_are_known_too():
    disliked = as_frame([{"user_id": "u00", "item_id": "s0", "day": -1}])
    with_value = disliked.with_columns(value=disliked["value"] * 0)
    given = lambda: [*frames(), with_value]  # noqa: E731
    chosen = settings(events={"positive": 1.0})
    (holdout,) = hold_out(chosen, shelf, given, names=["leave-one-out"], split="dev")
    rows = known_events(given, holdout)
    assert rows.filter(rows["value"] == 0)["user_id"].to_list() == ["u00"]


def test_no_more_users_are_asked_than_wanted_and_the_same_ones_again():
    (first,), (again,) = (held("leave-one-out", "few-shot", most_users=7) for _ in range(2))
    assert [len(protocol.questions) for protocol in first.protocols] == [7] * 5
    asked = [[one.user_id for one in holdout.protocols[0].questions] for holdout in (first, again)]
    assert asked[0] == asked[1]


def test_the_parts_hold_the_long_tail():
    (holdout,) = held("leave-one-out")
    (protocol,) = holdout.protocols
    parts = dict(protocol.parts)
    counts = holdout.dataset.event_counts()
    edge = np.quantile(counts, 0.2)
    expected = [n for n, one in enumerate(protocol.questions) if counts[one.target] <= edge]
    assert parts["long tail"].tolist() == expected
    assert len(parts["all"]) == len(protocol.questions)


def test_a_cold_protocol_of_a_small_catalogue_is_refused():
    with pytest.raises(DataError, match="of 16 items would be cold, at least 5 are needed"):
        hold_out(settings(), board_batches, board_frames, names=["cold"], split="dev")


def test_a_cold_protocol_without_behaviour_around_cold_items_is_refused():
    warm = [one for one in behaviour() if not is_cold(one["item_id"])]
    with pytest.raises(DataError, match="none of 30 users chose a cold item after a warm one"):
        hold_out(settings(), shelf, lambda: [as_frame(warm)], names=["cold"], split="dev")


def test_behaviour_without_a_dev_question_is_refused():
    short = [one for one in board_events() if one["day"] < 2]
    with pytest.raises(DataError, match="none can be asked about in dev"):
        hold_out(
            settings(),
            lambda: [as_items(board_items())],
            lambda: [as_frame(short)],
            names=["leave-one-out"],
            split="dev",
        )


def test_labels_are_titles_and_the_values_of_a_field():
    place = {f"s{n}": n for n in range(ITEMS)}
    found = read_labels(settings(), shelf, place, "kind")
    assert found.titles[3] == "book 3"
    assert found.values[:3] == [("a",), ("b",), ("a",)]
    with pytest.raises(ConfigError, match="--by colour: no item has this field"):
        read_labels(settings(), shelf, place, "colour")
