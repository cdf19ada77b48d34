"""The product as a system to evaluate: its own query path, over an index built without the answers.

That index is separate from the live one, holds only what may be known in a holdout, and is deleted
when the holdout ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seealso.cluster import Cluster, hold, indices
from seealso.config import Settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.questions import Question, as_user
from seealso.encoder import find_serving_bundle
from seealso.evaluation.leakage import find_leakage
from seealso.evaluation.metrics import DEPTH
from seealso.evaluation.protocols import Holdout, known_events
from seealso.evaluation.systems import NOTHING, FittedSystem, Lists, Mask
from seealso.indexer.build import build
from seealso.indexer.inputs import Inputs
from seealso.judging.group_systems import group_systems
from seealso.log import Tick, no_progress
from seealso.plugin.batch.lists import recommend_in_order
from seealso.plugin.ranking.options import Filter, RecommendOptions
from seealso.plugin.recommender import Recommender

SUFFIX: Final = "-evaluation"
"""Added to the alias: the name of the index that is evaluated."""


@dataclass(frozen=True)
class IndexSystem:
    """Lists as users would get them, from an index.

    Attributes
    ----------
    name
        What it is called in tables.
    recommender
        Ranks by the index.
    catalogue
        Positions of the items.
    tail_share
        That of this system; as in the settings for None.
    """

    name: str
    recommender: Recommender
    catalogue: Catalogue
    tail_share: float | None = None

    def rank(
        self,
        questions: Sequence[Question],
        depth: int,
        among: Mask | None = None,
        tick: Tick = no_progress,
    ) -> Lists:
        """Return the lists of `depth` items, with their probabilities."""
        options = RecommendOptions(
            size=depth, fields=(), filters=self._only(among), tail_share=self.tail_share
        )
        places = np.full((len(questions), depth), NOTHING, dtype=np.int64)
        probabilities = np.full((len(questions), depth), np.nan)
        users = (as_user(question, self.catalogue.ids) for question in questions)
        row = 0
        for lists in recommend_in_order(self.recommender, users, options):
            for one in lists:
                # the other systems cannot rank items without a text
                items = [item for item in one if item.item_id in self.catalogue.place]
                places[row, : len(items)] = [self.catalogue.place[item.item_id] for item in items]
                probabilities[row, : len(items)] = [
                    np.nan if item.probability is None else item.probability for item in items
                ]
                row += 1
            tick(len(lists))
        return Lists(places, probabilities)

    def _only(self, among: Mask | None) -> tuple[Filter, ...]:
        if among is None:
            return ()
        ids = [self.catalogue.ids[place] for place in np.flatnonzero(among)]
        return ({"ids": {"values": ids}},)


@dataclass(frozen=True)
class IndexSystems:
    """Builds an index for each holdout, and ranks by it with the tail share as set and with none.

    Attributes
    ----------
    cluster, settings
        Where to build, and how: all sections are used.
    source
        Catalogue and events. The index is built from those events alone that a holdout may know.
    keep
        Leave the index of the last holdout in the cluster.
    name
        What the system is called.
    suffix
        Added to the alias: the name of the index.
    catalogue
        Gives the places of items in questions and lists; that of the holdout for None.
    """

    cluster: Cluster
    settings: Settings
    source: Inputs
    keep: bool = False
    name: str = "seealso"
    suffix: str = SUFFIX
    catalogue: Catalogue | None = None

    @contextmanager
    def build(self, holdout: Holdout) -> Iterator[Sequence[FittedSystem]]:
        """Build the index, yield its systems, and delete it, whatever happens.

        Raises
        ------
        ClusterError
            Another evaluation of the same alias runs, or OpenSearch refuses.
        BundleError
            The bundle is not in the store.
        """
        source, settings = self.source, self._beside()
        alias = settings.index.alias
        # two evaluations of one alias would use each other's index and bundle
        with hold(self.cluster, alias, "evaluation", "another evaluation is running"):
            # an evaluation that was killed may have left an index
            _clear(self.cluster, alias)
            try:
                settings = _learn_anew(settings, holdout, source)
                known = known_events(source.learnt, holdout)
                build(self.cluster, settings, replace(source, events=lambda: [known]))
                with Recommender(self.cluster, settings) as recommender:
                    yield self._systems(recommender, holdout)
            finally:
                if not self.keep:
                    _clear(self.cluster, alias)

    def _beside(self) -> Settings:
        settings = self.settings
        index = settings.index.model_copy(update={"alias": settings.index.alias + self.suffix})
        # the fit of the real alias is evaluated
        fit = settings.fit.model_copy(update={"name": settings.fit_name})
        training = settings.training.model_copy(update={"name": settings.tuned_name})
        return settings.model_copy(update={"index": index, "fit": fit, "training": training})

    def _systems(self, recommender: Recommender, holdout: Holdout) -> list[FittedSystem]:
        settings = recommender.settings
        catalogue = self.catalogue or holdout.dataset.catalogue
        systems = [IndexSystem(self.name, recommender, catalogue)]
        if settings.recommend.tail_share > 0:
            without = f"{self.name}, no tail share"
            systems.append(IndexSystem(without, recommender, catalogue, 0.0))
        bundle = find_serving_bundle(settings)
        notes = find_leakage(bundle, holdout.dataset.signature)
        users = frozenset(one.name for one in holdout.for_users)
        found = [
            FittedSystem(system, None, baseline=False, notes=notes, protocols=users)
            for system in systems
        ]
        groups = frozenset(one.name for one in holdout.protocols) - users
        if groups:
            found += group_systems(self.name, recommender, catalogue, DEPTH, groups, notes)
        return found


def _learn_anew(settings: Settings, holdout: Holdout, source: Inputs) -> Settings:
    """Return settings whose bundle has learnt from what may be known in `holdout`."""
    if find_serving_bundle(settings).collaborative is None:
        return settings
    # texts alone are compared without the extra that this needs
    from seealso.fitting.refit import refit

    return refit(settings, holdout, source.items, source.images)


def _clear(cluster: Cluster, alias: str) -> None:
    for index in indices.list_indices(cluster, alias):
        indices.delete(cluster, index.name)
