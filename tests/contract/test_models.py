"""One suite that every model inherits: whatever it learns by, it keeps the same promises.

The items stand on a checkerboard: even users choose even items, odd users odd ones. Whoever chose
items of one colour must get the others of that colour first.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import ClassVar

import numpy as np
import pytest

from seealso.config import load_settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.encoder import Bundle
from seealso.models.bm25 import fit_bm25
from seealso.models.co_occurrence import CoOccurrenceConfig, fit_co_occurrence
from seealso.models.ease import fit_ease
from seealso.models.histories import Matrix, Model, weigh_histories
from seealso.models.ials import fit_ials
from seealso.models.item_knn import fit_item_knn
from seealso.models.popularity import fit_popularity
from seealso.models.text import open_text_model
from seealso.models.user_knn import vote
from seealso.types import Vector

ITEMS, USERS, CHOSEN = 24, 60, 6


def board() -> Dataset:
    rng = Random(7)
    ids = tuple(f"i{n}" for n in range(ITEMS))
    texts = tuple(f"{('white', 'black')[n % 2]} field {n}" for n in range(ITEMS))
    own = [range(colour, ITEMS, 2) for colour in range(2)]
    sequences = [tuple(rng.sample(own[user % 2], CHOSEN)) for user in range(USERS)]
    place = {name: n for n, name in enumerate(ids)}
    return Dataset(Catalogue(ids, texts, place, 0), sequences, [], [], "")


def profiles(*histories: tuple[int, ...]) -> Matrix:
    nothing = np.empty(0, dtype=np.int64)
    asked = [Question(np.array(one, dtype=np.int64), 0, nothing) for one in histories]
    return weigh_histories(asked, ITEMS, recency=0.9)


class ModelContract:
    """What a model promises; a subclass says how it is fitted."""

    chosen: ClassVar[Mapping[str, float]] = {}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        raise NotImplementedError

    def scores(self, *histories: tuple[int, ...]) -> Vector:
        return self.fit(board(), self.chosen).scores(profiles(*histories))

    def test_every_user_gets_a_score_of_every_item(self) -> None:
        found = self.scores((0, 2), (1,))
        assert found.shape == (2, ITEMS)
        assert found.dtype == np.float32
        assert not np.isnan(found).any()

    def test_what_is_fitted_twice_is_the_same(self) -> None:
        np.testing.assert_array_equal(self.scores((0, 2, 4)), self.scores((0, 2, 4)))

    def test_settings_that_were_written_and_read_fit_the_same(self) -> None:
        read = json.loads(json.dumps(dict(self.chosen)))
        found = self.fit(board(), read).scores(profiles((3, 5)))
        np.testing.assert_array_equal(found, self.scores((3, 5)))

    def test_fitting_changes_neither_data_nor_settings(self) -> None:
        dataset, chosen = board(), dict(self.chosen)
        self.fit(dataset, chosen)
        assert dataset == board()
        assert chosen == self.chosen

    def test_a_batch_is_what_each_of_its_users_gets(self) -> None:
        histories = ((0,), (1, 3, 5), (2, 4), (7, 9, 11, 13))
        alone = np.concatenate([self.scores(one) for one in histories])
        np.testing.assert_allclose(self.scores(*histories), alone, rtol=1e-5, atol=1e-5)

    def test_a_user_without_a_history_changes_no_other(self) -> None:
        found = self.scores((), (0, 2))
        assert not np.isnan(found).any()
        np.testing.assert_allclose(found[1], self.scores((0, 2))[0], rtol=1e-5, atol=1e-5)


class PersonalContract(ModelContract):
    """What a model promises that learns what belongs together."""

    def test_who_chose_one_colour_gets_that_colour(self) -> None:
        for history in ((0, 2, 4), (1, 3, 5)):
            (found,) = self.scores(history)
            own = [n for n in range(history[0] % 2, ITEMS, 2) if n not in history]
            other = list(range(1 - history[0] % 2, ITEMS, 2))
            assert found[own].min() > found[other].max()


class TestPopularity(ModelContract):
    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return fit_popularity(dataset, chosen)

    def test_it_counts_events(self) -> None:
        expected = np.bincount([item for one in board().sequences for item in one])
        np.testing.assert_array_equal(self.scores((0,))[0], expected)


class TestItemKnn(PersonalContract):
    chosen: ClassVar = {"k": 20, "shrink": 1.0}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return fit_item_knn(dataset, chosen)


class TestEase(PersonalContract):
    chosen: ClassVar = {"regularisation": 10.0}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return fit_ease(dataset, chosen)


class TestIals(PersonalContract):
    chosen: ClassVar = {"factors": 4, "alpha": 40.0, "regularisation": 1.0}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return fit_ials(dataset, chosen)


class TestBm25(PersonalContract):
    chosen: ClassVar = {"k1": 1.2, "b": 0.75}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return fit_bm25(dataset, chosen)


class TestText(ModelContract):
    # the model of the tests was never trained: it tells texts apart, and knows no colours
    chosen: ClassVar = {"whitened": 0}

    @pytest.fixture(autouse=True)
    def _open(self, tiny: Bundle) -> None:
        chosen = {"encoder": {"bundle": str(tiny.folder), "cache": False}}
        self.model = open_text_model(load_settings(None, chosen))

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return self.model.fit(dataset, chosen)

    def test_an_item_is_most_like_itself(self) -> None:
        found = self.scores(*((n,) for n in range(ITEMS)))
        np.testing.assert_allclose(found.diagonal(), found.max(axis=1), atol=1e-5)


@dataclass(frozen=True)
class Boosted:
    """Co-occurrence as a model: it scores what a history boosts, and nothing else."""

    dataset: Dataset
    config: CoOccurrenceConfig

    def scores(self, profiles: Matrix) -> Vector:
        fitted = fit_co_occurrence(self.dataset, self.config)
        found = np.zeros(profiles.shape, dtype=np.float32)
        for row, history in enumerate(_histories(profiles)):
            places, added = fitted.boost(history, range(len(history)))
            found[row, places] = added
        return found


class TestCoOccurrence(PersonalContract):
    chosen: ClassVar = asdict(
        CoOccurrenceConfig(distance=0.9, backward=0.5, shrink=10.0, recency=0.8, share=2.0)
    )

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return Boosted(dataset, CoOccurrenceConfig(**chosen))


@dataclass(frozen=True)
class Person:
    similarity: float
    latest: tuple[int, ...]


@dataclass(frozen=True)
class Voted:
    """User kNN as a model: users are as similar as the share of a history that they chose, too."""

    dataset: Dataset
    latest: int

    def scores(self, profiles: Matrix) -> Vector:
        found = np.zeros(profiles.shape, dtype=np.float32)
        for row, history in enumerate(_histories(profiles)):
            people = [
                Person(len(set(one) & set(history)) / max(len(history), 1), one[::-1])
                for one in self.dataset.sequences
            ]
            for item, share in vote(people, frozenset(), self.latest).items():
                found[row, item] = share
        return found


class TestUserKnn(PersonalContract):
    chosen: ClassVar = {"latest": CHOSEN}

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        return Voted(dataset, int(chosen["latest"]))


def _histories(profiles: Matrix) -> list[list[int]]:
    """Return the items of each user, newest first: the newest weighs most."""
    rows = [profiles.getrow(row) for row in range(profiles.shape[0])]
    return [[int(one.indices[n]) for n in np.argsort(-one.data, kind="stable")] for one in rows]
