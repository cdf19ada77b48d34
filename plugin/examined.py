"""The product under examination: its own query path, over an index that knows no answers.

The index stands beside the live one, is built from what may be known in a sitting, and goes when
the sitting ends.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from filelock import FileLock, Timeout

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import ClusterError
from seealso.evaluation.exams import Sitting, known_events
from seealso.evaluation.systems import NOTHING, Entrant, Lists, Mask, Tick, ignore
from seealso.indexer.build import build
from seealso.indexer.inputs import Inputs
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.requests import Filter, Wish
from seealso.training.data.pairs import Catalogue
from seealso.training.data.ranking import Question
from seealso.types import HistoryEntry, User

USERS_AT_ONCE: Final = 64
"""Users of one request."""
REQUESTS_AT_ONCE: Final = 2

SUFFIX: Final = "-evaluation"
"""Behind the alias: that of the index that is examined."""

Prepare = Callable[[Settings, Sitting], Settings]


@dataclass(frozen=True)
class IndexSystem:
    """Lists as users would get them, from an index.

    Attributes
    ----------
    name
        What it is called in tables.
    recommender
        Asks the index.
    catalogue
        Positions of the items.
    changes
        Settings of ``recommend`` that differ for this system.
    """

    name: str
    recommender: Recommender
    catalogue: Catalogue
    changes: Mapping[str, Any] = field(default_factory=dict)

    def rank(
        self,
        asked: Sequence[Question],
        depth: int,
        among: Mask | None = None,
        tick: Tick = ignore,
    ) -> Lists:
        """Return the lists of `depth` items, with their probabilities."""
        wish = Wish.of(
            self.recommender.settings.recommend,
            **{**self.changes, "size": depth, "fields": (), "filters": self._only(among)},
        )
        places = np.full((len(asked), depth), NOTHING, dtype=np.int64)
        probabilities = np.full((len(asked), depth), np.nan)
        row = 0
        for lists in self._answers(asked, wish):
            for one in lists:
                # an item without a text is in no ranking of the others
                kept = [item for item in one if item.item_id in self.catalogue.place]
                places[row, : len(kept)] = [self.catalogue.place[item.item_id] for item in kept]
                probabilities[row, : len(kept)] = [
                    np.nan if item.probability is None else item.probability for item in kept
                ]
                row += 1
            tick(len(lists))
        return Lists(places, probabilities)

    def _only(self, among: Mask | None) -> tuple[Filter, ...]:
        if among is None:
            return ()
        ids = [self.catalogue.ids[place] for place in np.flatnonzero(among)]
        return ({"ids": {"values": ids}},)

    def _answers(self, asked: Sequence[Question], wish: Wish) -> Iterator[list[RecommendationList]]:
        """Ask with several requests on the way, answer in the order of the questions."""
        waiting: deque[Future[list[RecommendationList]]] = deque()
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            for start in range(0, len(asked), USERS_AT_ONCE):
                users = [self._user(one) for one in asked[start : start + USERS_AT_ONCE]]
                waiting.append(pool.submit(self.recommender.recommend_users, users, wish))
                if len(waiting) > REQUESTS_AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _user(self, question: Question) -> User:
        ids = self.catalogue.ids
        history = tuple(HistoryEntry(ids[place]) for place in question.history)
        return User(None, history, frozenset(ids[place] for place in question.seen))


def as_set(settings: Settings, sitting: Sitting) -> Settings:  # noqa: ARG001
    """Return the settings as they are: the bundle learns nothing for an exam."""
    return settings


@dataclass(frozen=True)
class IndexContender:
    """Builds an index for each sitting and asks it, with the tail share as set and with none.

    Attributes
    ----------
    cluster, settings
        Where to build, and what: all sections are used.
    source
        Catalogue and events. Only what a sitting may know of the events is built with.
    keep
        Leave the index of the last sitting in the cluster.
    prepare
        Returns the settings of a sitting: those of a bundle that was fitted for it, for instance.
    name
        What the system is called.
    """

    cluster: Cluster
    settings: Settings
    source: Inputs
    keep: bool = False
    prepare: Prepare = as_set
    name: str = "seealso"

    @contextmanager
    def sit(self, sitting: Sitting) -> Iterator[Sequence[Entrant]]:
        """Build the index, yield its systems, and delete it, whatever happens.

        Raises
        ------
        ClusterError
            Another evaluation of the same alias runs, or OpenSearch refuses.
        BundleError
            The bundle is not in the store.
        """
        settings = _beside(self.prepare(self.settings, sitting))
        alias = settings.index.alias
        with _alone(settings):
            # one that was killed may have left its own
            _clear(self.cluster, alias)
            try:
                known = known_events(self.settings, self.source.events, sitting)
                build(self.cluster, settings, replace(self.source, events=lambda: [known]))
                yield self._entrants(settings, sitting)
            finally:
                if not self.keep:
                    _clear(self.cluster, alias)

    def _entrants(self, settings: Settings, sitting: Sitting) -> list[Entrant]:
        recommender = Recommender(self.cluster, settings)
        systems = [IndexSystem(self.name, recommender, sitting.material.catalogue)]
        if settings.recommend.tail_share > 0:
            without = f"{self.name}, no tail share"
            changes = {"tail_share": 0.0}
            systems.append(IndexSystem(without, recommender, sitting.material.catalogue, changes))
        note = _note(settings, sitting)
        return [Entrant(system, None, baseline=False, note=note) for system in systems]


def _beside(settings: Settings) -> Settings:
    alias = settings.index.alias + SUFFIX
    index = settings.index.model_copy(update={"alias": alias})
    return settings.model_copy(update={"index": index})


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Keep two evaluations of one alias from asking each other's index."""
    folder = settings.encoder.store.parent
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{settings.index.alias}.lock")
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout as exc:
        raise ClusterError(
            f"{settings.index.alias}: another evaluation is running",
            hint="wait for it to end",
            alias=settings.index.alias,
        ) from exc


def _clear(cluster: Cluster, alias: str) -> None:
    for index in indices.listing(cluster, alias):
        indices.delete(cluster, index.name)


def _note(settings: Settings, sitting: Sitting) -> str:
    """Say where a bundle may have learnt what is asked."""
    bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    trained = bundle.origin.get("training")
    if trained is None:
        return ""
    if sitting.cold.any():
        return f"{bundle.name} was fine-tuned before the exam: it may know events of cold items"
    if trained.get("data") != sitting.material.signature:
        return f"{bundle.name} was fine-tuned on other events: they may hold what is asked here"
    return ""
