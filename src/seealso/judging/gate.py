"""The gate of a build: a new index goes live unless what users chose says that it ranks worse.

Both indices are asked by the product's own queries, whatever they were built from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.cluster import Cluster, indices
from seealso.config import Settings, TextSettings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import read_dataset
from seealso.datasets.intervals import Estimate, Values, estimate
from seealso.datasets.questions import Question, sample
from seealso.datasets.ranks import gains
from seealso.encoder import Bundle
from seealso.errors import NotBetter
from seealso.evaluation.leakage import find_leakage, has_learnt
from seealso.evaluation.metrics import DEPTH, ranks_in
from seealso.indexer.inputs import Inputs
from seealso.indexer.live import live_index
from seealso.judging.index_systems import IndexSystem
from seealso.log import progress
from seealso.plugin.recommender import Recommender

EVERY_ITEM = TextSettings(item="item")
"""Gives every item a text: one that the new templates leave without any must not go unasked."""

UNREACHED = 10**6
"""The rank of what is not in a list."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the new index ranks beside the live one.

    Attributes
    ----------
    live, new
        Names of the indices.
    asked
        ``dev`` or ``test``.
    users
        How many were asked about.
    before, after
        NDCG@10 of the live index and of the new one.
    difference
        New minus live, with its 95 % paired bootstrap interval.
    gained, lost
        For how many users the new index ranks better, and for how many worse.
    notes
        What a reader of the figures must know.
    """

    live: str
    new: str
    asked: str
    users: int
    before: float
    after: float
    difference: Estimate
    gained: int
    lost: int
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether the new index ranks worse, beyond chance: the whole interval is below 0."""
        return self.difference.high < 0

    def __str__(self) -> str:
        change = self.difference
        return (
            f"NDCG@10 {self.before:.4f} -> {self.after:.4f}, {change.mean:+.4f} "
            f"({change.low:+.4f} to {change.high:+.4f}); of {self.users:,} {self.asked} users "
            f"{self.gained:,} gain and {self.lost:,} lose"
        )


@dataclass(frozen=True)
class Gate:
    """The questions that a new index has to answer as well as the live one does.

    Attributes
    ----------
    cluster, settings
        Where the indices stand, and how they are asked.
    source
        Catalogue and events.
    asked
        ``dev`` or ``test`` of ``[training]``.
    live
        The index that is live now.
    catalogue, questions
        What was asked of whom, over every item, with a text or without.
    """

    cluster: Cluster
    settings: Settings
    source: Inputs
    asked: str
    live: str
    catalogue: Catalogue
    questions: Sequence[Question]

    @classmethod
    def set_up(
        cls, cluster: Cluster, settings: Settings, source: Inputs, *, asked: str
    ) -> "Gate | None":
        """Read the questions; None where nothing is live, so that there is nothing to lose.

        Parameters
        ----------
        cluster, settings
            Where the live index is; ``training`` says who is asked, ``training.dev_users``
            of them at most.
        source
            Catalogue and events.
        asked
            ``dev`` or ``test``.

        Raises
        ------
        DataError
            Nobody can be asked about.
        BundleError
            The bundle of the live index is not in the store, so that it cannot be asked.
        """
        if indices.find_live(cluster, settings.index.alias) is None:
            return None
        live = live_index(cluster, settings)
        # after hours of building it would be late to find that it is not there
        _ = live.bundle
        training = settings.training
        whole = settings.model_copy(update={"text": EVERY_ITEM})
        with progress("reading questions"):
            dataset = read_dataset(whole, source.items, source.events)
        chosen = dataset.test if asked == "test" else dataset.dev
        questions = sample(chosen, training.dev_users, training.seed)
        catalogue = replace(dataset.catalogue, texts=())
        return cls(cluster, settings, source, asked, live.name, catalogue, questions)

    def judge(self, live: str, new: str) -> Verdict:
        """Ask both indices.

        Parameters
        ----------
        live, new
            Names of physical indices.

        Raises
        ------
        NotBetter
            The new one ranks worse, beyond chance: the 95 % bootstrap interval of the paired
            difference of NDCG@10 lies below 0.
        BundleError
            The bundle of one of them is not in the store.
        ClusterError
            OpenSearch does not answer, or refuses.
        """
        (before, old), (after, own) = self._ask(live, "live"), self._ask(new, "new")
        paired = after - before
        verdict = Verdict(
            live=live,
            new=new,
            asked=self.asked,
            users=len(paired),
            before=float(before.mean()),
            after=float(after.mean()),
            difference=estimate(paired, self.settings.training.seed),
            gained=int((paired > 0).sum()),
            lost=int((paired < 0).sum()),
            notes=self._notes(old, own),
        )
        if verdict.worse:
            raise NotBetter(
                f"{new} is not live: it ranks worse than {live}: {verdict}",
                hint=f"`seealso index swap {new}` makes it live all the same",
                verdict=verdict,
            )
        return verdict

    def _ask(self, name: str, label: str) -> tuple[Values, Bundle]:
        """Return NDCG@10 of each user, and the bundle that the index was built with."""
        recommender = Recommender(self.cluster, self.settings, index=name)
        system = IndexSystem(label, recommender, self.catalogue)
        with progress(f"gate: {label}", len(self.questions)) as tick:
            lists = system.rank(self.questions, DEPTH, None, tick)
        ranks = ranks_in(lists, self.questions)
        return gains(np.where(ranks == 0, UNREACHED, ranks)), recommender.live.encoder.bundle

    def _notes(self, *bundles: Bundle) -> tuple[str, ...]:
        """Say which bundles may have learnt what is asked."""
        if not any(map(has_learnt, bundles)):
            return ()
        known = read_dataset(self.settings, self.source.items, self.source.events).signature
        notes = (note for bundle in bundles for note in find_leakage(bundle, known))
        return tuple(dict.fromkeys(notes))
