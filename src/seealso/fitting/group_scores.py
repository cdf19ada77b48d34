"""What users think of every item by their histories alone, with what a fit chose for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from seealso.config import Settings
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.encoder import Collaborative, CoOccurrence
from seealso.fitting.bench import Bench
from seealso.fitting.fitter import Fitted
from seealso.fitting.importance import Shares, weigh_shares
from seealso.fitting.queries import make_queries
from seealso.fitting.recipe import (
    ItemFactors,
    Recipe,
    build_collaborative,
    learn_factors,
    learn_pairs,
)
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class GroupScorer:
    """Scores the catalogue for users as an index would.

    Attributes
    ----------
    texts
        Vectors of the contents of n items, shape (n, d).
    items
        w * E_i, shape (n, dimension).
    learnt, part, pairs, recipe
        What was learnt, and how.
    recency
        Of the texts of a history.
    most
        Newest items of a history that take part.
    """

    texts: Vector
    items: Vector
    learnt: ItemFactors
    part: Collaborative
    pairs: CoOccurrence | None
    recipe: Recipe
    recency: float
    most: int

    @classmethod
    def of(
        cls, settings: Settings, dataset: Dataset, texts: Vector, fitted: Fitted, shares: Shares
    ) -> "GroupScorer":
        """Learn from `dataset` what was chosen; arguments as for `fit_groups`."""
        recipe, ids = fitted.recipe, dataset.catalogue.ids
        learnt, pairs = learn_factors(dataset, recipe), learn_pairs(dataset, recipe)
        part = build_collaborative(ids, learnt, texts, recipe, pairs)
        chosen = fitted.importance
        share = shares[chosen["half_life_days"]]
        weights = weigh_shares(share, chosen["floor"], chosen["ceiling"])
        return cls(
            texts,
            part.join(ids, texts) * weights[:, None],
            learnt,
            part,
            pairs,
            recipe,
            fitted.profile["recency"],
            settings.profile.history_items,
        )

    def score(self, users: Sequence[Question]) -> Vector:
        """Return w * cos with boosts of every item, shape (users, n)."""
        bench = Bench.of(self.texts, users, self.most)
        queries = make_queries(bench, self.learnt, self.recipe, self.recency, self.part, self.pairs)
        found: Vector = queries.vectors @ self.items.T
        found += queries.boosts.toarray()
        return found
