"""The gate of a build: a new index goes live unless what users chose says that it ranks worse.

Both are asked by the product's own queries, and neither knows the answers: each is built once more
from its own documents, and what its bundle knows of behaviour is learnt anew without them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from seealso.cluster import Cluster, indices, scan
from seealso.config import Settings, TextSettings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import read_dataset
from seealso.datasets.intervals import Estimate, Values, estimate
from seealso.datasets.questions import Question, sample
from seealso.errors import NotBetter
from seealso.evaluation.metrics import DEPTH, per_user, ranks_in
from seealso.evaluation.protocols import hold_out
from seealso.indexer.documents import read_item
from seealso.indexer.importance import settings_of
from seealso.indexer.inputs import Inputs
from seealso.indexer.live import LiveIndex, live_index, open_index
from seealso.judging.index_systems import IndexSystems
from seealso.log import progress
from seealso.types import Item
from seealso.wording import format_count

SUFFIX: Final = "-gate"
"""Added to the alias: the name of the index that is queried in place of one with all events."""

EVERY_ITEM = TextSettings(item="item")
"""Gives every item a text: one that the new templates leave without any must not go unasked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the new index ranks beside the live one.

    Attributes
    ----------
    live, new
        Names of the indices.
    split
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
    split: str
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
        return self.difference.standing == "worse"

    def __str__(self) -> str:
        change, users = self.difference, format_count(self.users, f"{self.split} user")
        return (
            f"NDCG@10 {self.before:.4f} -> {self.after:.4f}, {change.mean:+.4f} "
            f"({change.low:+.4f} to {change.high:+.4f}); of {users} "
            f"{self.gained:,} gain and {self.lost:,} lose"
        )


@dataclass(frozen=True)
class Gate:
    """The questions that a new index has to answer as well as the live one does.

    Attributes
    ----------
    cluster, settings
        Where the indices are, and how they are queried.
    source
        Catalogue and events.
    split
        ``dev`` or ``test`` of ``[training]``.
    live
        The index that is live now.
    catalogue, questions
        What was asked of whom, over every item, with a text or without.
    """

    cluster: Cluster
    settings: Settings
    source: Inputs
    split: str
    live: str
    catalogue: Catalogue
    questions: Sequence[Question]

    @classmethod
    def set_up(
        cls, cluster: Cluster, settings: Settings, source: Inputs, *, split: str
    ) -> "Gate | None":
        """Read the questions; None where nothing is live, so that there is nothing to lose.

        Parameters
        ----------
        cluster, settings
            Where the live index is; ``training`` chooses the questions, ``training.dev_users`` of
            them at most.
        source
            Catalogue and events.
        split
            ``dev`` or ``test``.

        Raises
        ------
        DataError
            There are no questions.
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
            dataset = read_dataset(whole, source.items, source.learnt)
        chosen = dataset.test if split == "test" else dataset.dev
        questions = sample(chosen, training.dev_users, training.seed)
        catalogue = replace(dataset.catalogue, texts=())
        return cls(cluster, settings, source, split, live.name, catalogue, questions)

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
        before, old = self._ask(live, "gate: live")
        after, own = self._ask(new, "gate: new")
        paired = after - before
        verdict = Verdict(
            live=live,
            new=new,
            split=self.split,
            users=len(paired),
            before=float(before.mean()),
            after=float(after.mean()),
            difference=estimate(paired, self.settings.training.seed),
            gained=int((paired > 0).sum()),
            lost=int((paired < 0).sum()),
            notes=tuple(dict.fromkeys((*old, *own))),
        )
        if verdict.worse:
            raise NotBetter(
                f"{new} is not live: it ranks worse than {live}: {verdict}",
                hint=f"`seealso index swap {new}` makes it live anyway",
                verdict=verdict,
            )
        return verdict

    def _ask(self, name: str, label: str) -> tuple[Values, tuple[str, ...]]:
        """Return NDCG@10 of each user, and what a reader of the figures must know.

        What serves has learnt the answers. So the index is built once more: from its own documents,
        templates and importance, with its own bundle, learnt anew from what may be known.
        """
        settings, source = self._restrict(open_index(self.cluster, self.settings, name))
        names = [settings.training.split]
        (holdout,) = hold_out(settings, source.items, source.learnt, names=names, split=self.split)
        once_more = IndexSystems(
            self.cluster, settings, source, suffix=SUFFIX, catalogue=self.catalogue
        )
        with once_more.build(holdout) as (fitted, *_), progress(label, len(self.questions)) as tick:
            lists = fitted.system.rank(self.questions, DEPTH, None, tick)
        return per_user(ranks_in(lists, self.questions))["ndcg@10"], fitted.notes

    def _restrict(self, index: LiveIndex) -> tuple[Settings, Inputs]:
        """Return settings and inputs by which an index can be built again as it is."""
        encoder = self.settings.encoder.model_copy(update={"bundle": index.bundle.name})
        space = self.settings.index.model_copy(update={"space": index.space})
        own = {
            "encoder": encoder,
            "index": space,
            "text": index.text,
            "importance": settings_of(index.meta["importance"]),
        }
        items = partial(_scan_items, self.cluster, index.name)
        return self.settings.model_copy(update=own), replace(self.source, items=items)


def _scan_items(cluster: Cluster, index: str) -> Iterator[list[Item]]:
    for hits in scan(cluster, index, source={"excludes": ["vector"]}):
        yield [read_item(hit["_source"]) for hit in hits]
