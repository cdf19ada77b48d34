"""Groups of users side by side: what is known to differ is told, small groups are not."""

from dataclasses import replace

import numpy as np
import pytest

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.errors import ConfigError
from seealso.evaluation.fairness import FEWEST, Groups, treatments
from seealso.evaluation.systems import Lists

ITEMS = 40
USERS = 60
NOTHING = np.array([], dtype=np.int64)


def question(user: int) -> Question:
    return Question(NOTHING, 0, NOTHING, f"u{user}")


def lists(places: np.ndarray) -> Lists:  # type: ignore[type-arg]
    return Lists(places, np.zeros(places.shape))


@pytest.fixture
def dataset() -> Dataset:
    """Item 0 has all events but one each of items 1 and 2, so items from 3 on are the tail."""
    found = Dataset.__new__(Dataset)
    catalogue = Catalogue.__new__(Catalogue)
    object.__setattr__(catalogue, "ids", tuple(f"i{n}" for n in range(ITEMS)))
    object.__setattr__(found, "catalogue", catalogue)
    object.__setattr__(found, "sequences", ((0,) * 98, (1,), (2,)))
    return found


def test_groups_that_are_served_unlike_are_told_apart(dataset: Dataset) -> None:
    # women are right half of the time and get other items each, men never and all the same
    women = range(USERS // 2)
    places = np.array([[3 + u, 4 + u] if u in women else [0, 0] for u in range(USERS)])
    values = np.array([u % 2 if u in women else 0 for u in range(USERS)], dtype=np.float64)
    groups = Groups("sex", {f"u{u}": "f" if u in women else "m" for u in range(USERS)})
    asked = [question(u) for u in range(USERS)]
    her, him = treatments("ours", lists(places), values, groups, dataset, asked, 7)
    assert (her.group, her.users, him.group) == ("sex: f", 30, "sex: m")
    assert (her.metric.mean, him.metric.mean) == (0.5, 0.0)
    assert her.against_rest.low > 0 > him.against_rest.high
    assert her.against_rest.mean == -him.against_rest.mean == 0.5
    assert (her.tail_share.mean, him.tail_share.mean) == (1.0, 0.0)
    # 20 of 30 neighbouring pairs cover 21 items at least
    assert him.coverage.mean == 1 / ITEMS
    assert 21 / ITEMS <= her.coverage.low <= her.coverage.high <= 31 / ITEMS


def test_small_groups_are_not_shown() -> None:
    values = {f"u{u}": "few" if u < FEWEST - 1 else "many" for u in range(USERS)}
    asked = [question(u) for u in range(USERS)]
    assert list(Groups("age", values).places(asked)) == ["age: many"]
    assert list(Groups("age", values).places([*asked, replace(asked[0])])) == [
        "age: few",
        "age: many",
    ]


def test_an_attribute_that_nobody_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="--by-user sex: no user has this attribute") as caught:
        Groups.of("sex", {"u1": {"age": 3}})
    assert caught.value.hint == "attributes of [users]: age"
    assert Groups.of("age", {"u1": {"age": 3}, "u2": {}}).of_user == {"u1": "3"}
