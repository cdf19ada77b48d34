"""Before and after, by hand: four users, and lists of numbers that can be read."""

from dataclasses import replace
from math import log2

import numpy as np
import orjson
import pytest

from seealso.datasets.questions import Question
from seealso.errors import DataError
from seealso.evaluation.changes import Answers
from seealso.evaluation.earlier import Earlier, changes
from seealso.evaluation.protocols import EvaluationProtocol
from seealso.evaluation.report.wording import changed_verdict
from seealso.evaluation.results import Evaluation, ProtocolResult
from seealso.evaluation.scores import BeyondAccuracy
from seealso.evaluation.segments import attribute_segments, new_users

IDS = tuple(f"i{n}" for n in range(30))
TITLES = tuple(f"title {n}" for n in range(30))
TARGETS = (20, 21, 22, 23)
QUESTIONS = [
    Question(np.arange(length), target, np.arange(length), f"u{target}")
    for target, length in zip(TARGETS, (1, 5, 6, 9), strict=True)
]
PARTS = [("all", np.arange(4)), ("odd", np.array([1, 3]))]
PROTOCOL = EvaluationProtocol("leave-one-out", QUESTIONS, None, PARTS)
BEFORE = ((0, 3, 12, 1), ([1, 2], [21, 2], [4, 5], [23, 6]))
AFTER = ((2, 3, 5, 4), ([1, 20], [21, 2], [5, 22], [7, 8]))


def result(answered, **more):
    ranks, lists = answered
    own = Answers.of("seealso", np.array(ranks), [np.array(one) for one in lists])
    return ProtocolResult(
        name="leave-one-out",
        split="dev",
        users=4,
        items=30,
        cold_items=0,
        scores=(),
        ours=("seealso",),
        signature=PROTOCOL.signature(IDS),
        answers=(Answers("ease", "1 1 1 1"), own),
        **more,
    )


def found(protocol):
    return Evaluation("abc", {"bundle": "one", "seed": 17}, (protocol,), 1.0)


@pytest.fixture
def change():
    (only,) = changes(result(BEFORE), result(AFTER), PROTOCOL, TITLES, seed=1)
    return only


def test_answers_are_kept_as_words_and_read_back():
    own = Answers.of("a", np.array([0, 12, 3]), [np.array([4, 5]), np.array([], dtype=int)])
    assert (own.ranks, own.lists) == ("0 12 3", ("4 5", ""))
    assert own.ranked().tolist() == [0, 12, 3]
    assert [one.tolist() for one in own.listed()] == [[4, 5], []]


def test_metrics_differ_user_by_user(change):
    whole, odd = change.moves
    gains = [[0 if rank in (0, 12) else 1 / log2(rank + 1) for rank in one[0]]
             for one in (BEFORE, AFTER)]  # fmt: skip
    assert whole.before["ndcg@10"] == pytest.approx(np.mean(gains[0]))
    assert whole.after["ndcg@10"] == pytest.approx(np.mean(gains[1]))
    assert whole.after["hr@20"] == 1.0
    paired = np.subtract(gains[1], gains[0])
    assert whole.differences["ndcg@10"].mean == pytest.approx(paired.mean())
    assert odd.differences["ndcg@10"].mean == pytest.approx(paired[[1, 3]].mean())
    # from nowhere to 2 and from 12 to 5; from 1 to 4; one stays
    assert (whole.users, whole.gained, whole.lost) == (4, 2, 1)
    assert (odd.users, odd.gained, odd.lost) == (2, 0, 1)
    assert 0 < change.p <= 1


def test_the_most_changed_lists_come_first_and_unchanged_ones_never(change):
    assert [one.user_id for one in change.contrasts] == ["u23", "u20", "u22"]
    assert change.overlap == pytest.approx((1 + 2 + 1 + 0) / 8)
    first = change.contrasts[0]
    assert first.lists == {"before": ("title 23", "title 6"), "after": ("title 7", "title 8")}
    assert first.target == "title 23"


def test_what_is_beside_the_ranking_is_compared_where_both_know_it():
    def measured(coverage, **groups):
        return (
            BeyondAccuracy("seealso", coverage, 5.0, 0.1, groups),
            BeyondAccuracy("ease", 0.9, 1.0, 0.0, {}),
        )

    old = result(BEFORE, beyond_accuracy=measured(0.2, head=0.5, old=0.1))
    new = result(AFTER, beyond_accuracy=measured(0.3, head=0.4, new=0.1))
    (only,) = changes(old, new, PROTOCOL, TITLES, seed=1)
    assert only.beyond_accuracy == {
        "coverage": (0.2, 0.3),
        "novelty": (5.0, 5.0),
        "popularity bias": (0.1, 0.1),
        "places, head": (0.5, 0.4),
    }


def test_a_system_that_was_not_there_before_is_left_out():
    old = result(BEFORE)
    renamed = replace(old, answers=tuple(replace(one, system="other") for one in old.answers))
    assert changes(renamed, result(AFTER), PROTOCOL, TITLES, seed=1) == ()


def test_a_file_gives_back_what_was_found(tmp_path, change):
    file = tmp_path / "evaluation.json"
    whole = found(replace(result(AFTER), changes=(change,)))
    file.write_bytes(orjson.dumps(whole))
    earlier = Earlier.read(file)
    assert earlier.found == whole
    earlier.check(PROTOCOL, IDS, "dev")
    assert earlier.differs({"bundle": "two", "seed": 17}) == {"bundle": ("one", "two")}


@pytest.mark.parametrize(
    "other",
    [
        EvaluationProtocol("leave-one-out", QUESTIONS[:3], None, PARTS),
        EvaluationProtocol(
            "leave-one-out", [replace(QUESTIONS[0], user_id="x"), *QUESTIONS[1:]], None, PARTS
        ),
        EvaluationProtocol(
            "leave-one-out", [replace(QUESTIONS[0], target=24), *QUESTIONS[1:]], None, PARTS
        ),
        EvaluationProtocol("leave-one-out", QUESTIONS, np.arange(30) < 25, PARTS),
    ],
)
def test_other_questions_are_told_from_these(other):
    with pytest.raises(
        DataError, match="leave-one-out has other users or other items in that evaluation"
    ):
        Earlier("old.json", found(result(BEFORE))).check(other, IDS, "dev")
    with pytest.raises(DataError, match="has other users"):
        Earlier("old.json", found(result(BEFORE))).check(PROTOCOL, IDS[::-1], "dev")


@pytest.mark.parametrize("answered", [((0, 3, 12), BEFORE[1]), ((0, 3, 21, 1), BEFORE[1]),
                                      (BEFORE[0], ([1], [2], [3], [30]))])  # fmt: skip
def test_answers_that_cannot_be_are_damage(answered):
    with pytest.raises(DataError, match="the answers of seealso in leave-one-out are damaged"):
        Earlier("old.json", found(result(answered))).check(PROTOCOL, IDS, "dev")


def test_a_sentence_says_what_became_of_it(change):
    protocol = replace(result(AFTER), changes=(change,))
    sentence = changed_verdict(protocol)
    assert sentence.standing == "alike"
    assert sentence.text.startswith("seealso cannot be distinguished from before: NDCG@10 ")
    assert changed_verdict(result(AFTER)) is None


def test_parts_by_attribute_and_new_users():
    values = [()] * 20 + [("a", "b"), ("b",), (), ("c",)] + [()] * 6
    told = [(name, rows.tolist()) for name, rows in attribute_segments("kind", values, QUESTIONS)]
    assert told == [("kind: b", [0, 1]), ("kind: a", [0]), ("kind: c", [3])]
    assert [(name, rows.tolist()) for name, rows in new_users(QUESTIONS)] == [("new users", [0, 1])]
    assert new_users(QUESTIONS[2:]) == []
