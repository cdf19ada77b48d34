"""The members whom lists for groups serve worst."""

import numpy as np

from seealso.datasets.group_questions import GroupQuestion
from seealso.datasets.questions import Question
from seealso.evaluation.worst_off import worst_off

NONE = np.array([], dtype=np.int64)


def about(group_id: str, user_id: str) -> Question:
    return GroupQuestion(NONE, 0, NONE, user_id, group_id)


MEMBERS = [about("a", "1"), about("b", "2"), about("a", "3"), about("alone", "4"), about("b", "5")]


def test_of_each_group_the_member_with_the_lowest_metric_counts() -> None:
    ours = np.array([0.5, 0.2, 0.3, 0.0, 1.0])
    average = np.array([1.0, 0.1, 0.1, 0.0, 0.2])
    served, other = worst_off({"seealso": ours, "average": average}, MEMBERS, "seealso", 7)
    # of a: .3 and .1; of b: .2 and .1; who is asked about alone is the worst-off of nobody
    assert (served.groups, other.groups) == (2, 2)
    assert served.metric.mean == 0.25
    assert other.metric.mean == 0.1
    assert served.difference is None
    assert other.difference is not None
    assert round(other.difference.mean, 9) == 0.15
    assert other.difference.low <= 0.15 <= other.difference.high


def test_without_two_members_of_a_group_nobody_is_worst_off() -> None:
    alone = [about("a", "1"), about("b", "2")]
    assert worst_off({"seealso": np.ones(2)}, alone, "seealso", 7) == ()
    users = [Question(NONE, 0, NONE, "1"), Question(NONE, 0, NONE, "2")]
    assert worst_off({"seealso": np.ones(2)}, users, "seealso", 7) == ()
