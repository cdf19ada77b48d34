"""The numbers that make a collaborative part, and the part they make."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from seealso.datasets.dataset import Dataset
from seealso.encoder import Collaborative, CoOccurrence
from seealso.models.co_occurrence import CoOccurrenceConfig, fit_co_occurrence
from seealso.models.ials import Factors, fit_ials, ridge
from seealso.types import Vector

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was chosen on dev.

    Attributes
    ----------
    factors, alpha, regularisation
        Of iALS.
    recency
        Confidence of a history item relative to the next newer one, when a user is folded in.
    weight
        b: what the factors weigh beside the text; they have unit mean square.
    ridge
        Penalty of the regression that predicts factors from texts.
    cold_length
        Length of a predicted factor, relative to the median of those that were learnt.
    cold_start_bonus, cold_start_share
        What is added to the similarity of items without a factor: the bonus, and this share of
        the entry level of the user.
    co_occurrence
        What pairs of items weigh that are chosen around each other, if they help.
    """

    factors: int
    alpha: float
    regularisation: float
    recency: float
    weight: float
    ridge: float
    cold_length: float
    cold_start_bonus: float = 0.0
    cold_start_share: float = 0.0
    co_occurrence: CoOccurrenceConfig | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of `as_dict`."""
        config = values.get("co_occurrence")
        co_occurrence = None if config is None else CoOccurrenceConfig(**config)
        return cls(**{**values, "co_occurrence": co_occurrence})


@dataclass(frozen=True, eq=False)
class ItemFactors:
    """Factors of items as iALS learnt them, scaled to unit mean square.

    Attributes
    ----------
    items
        Shape (n, k); the factor of an item without events has no meaning.
    known
        Items with events, shape (n,).
    scale
        What they were divided by.
    unchosen
        Items that users met and nobody chose. They are not new: their factor is zero, as the
        factorisation has it, not what their text predicts.
    """

    items: Vector
    known: Mask
    scale: float
    unchosen: frozenset[int] = frozenset()

    @property
    def warm(self) -> Mask:
        """Items that users met, chosen or not: those that are not cold, shape (n,)."""
        warm = self.known.copy()
        warm[list(self.unchosen)] = True
        return warm

    @property
    def median(self) -> float:
        """Median length of the factors of known items."""
        return float(np.median(np.linalg.norm(self.items[self.known], axis=1)))


def learn_collaborative(dataset: Dataset, texts: Vector, recipe: Recipe) -> Collaborative:
    """Learn a collaborative part as `recipe` says, from all that `dataset` knows.

    Choosing, serving and examining share it; what they learn from is what tells them apart.

    Parameters
    ----------
    dataset
        What is learnt from.
    texts
        Vectors of the contents of its n items, shape (n, d).
    recipe
        What was chosen on dev.

    Raises
    ------
    MissingExtraError
        implicit is not installed.
    """
    learnt, pairs = learn_factors(dataset, recipe), learn_pairs(dataset, recipe)
    return build_collaborative(dataset.catalogue.ids, learnt, texts, recipe, pairs)


def learn_factors(dataset: Dataset, recipe: Recipe) -> ItemFactors:
    """Factorise who chose what, as `recipe` says.

    Raises
    ------
    MissingExtraError
        implicit is not installed.
    """
    return scale_factors(fit_ials(dataset, recipe.as_dict()), dataset)


def learn_pairs(dataset: Dataset, recipe: Recipe) -> CoOccurrence | None:
    """Return the pairs of `dataset` as `recipe` says, or None where they do not help."""
    config = recipe.co_occurrence
    return None if config is None else fit_co_occurrence(dataset, config)


def scale_factors(found: Factors, dataset: Dataset) -> ItemFactors:
    """Return the factors that were learnt from `dataset`, scaled."""
    known = dataset.event_counts() > 0
    scale = float(np.sqrt((found.items[known] ** 2).sum(axis=1).mean()))
    return ItemFactors(found.items / np.float32(scale), known, scale, dataset.unchosen)


def known_factors(learnt: ItemFactors) -> Vector:
    """Return the factors with zeros for items that nobody chose, shape (n, k)."""
    return np.where(learnt.known[:, None], learnt.items, np.float32(0))


def fit_predictor(learnt: ItemFactors, texts: Vector, penalty: float) -> Vector:
    """Return the map from text vectors to factors, shape (d, k), by what is known.

    Parameters
    ----------
    learnt
        The factors.
    texts
        Vectors of the texts of the catalogue, shape (n, d).
    penalty
        Of the ridge regression.
    """
    return ridge(texts[learnt.known], learnt.items[learnt.known], penalty)


def build_collaborative(
    ids: Sequence[str],
    learnt: ItemFactors,
    texts: Vector,
    recipe: Recipe,
    co_occurrence: CoOccurrence | None = None,
) -> Collaborative:
    """Return the collaborative part of a bundle.

    Parameters
    ----------
    ids
        The n items of the catalogue.
    learnt
        Their factors.
    texts
        Vectors of their texts, shape (n, d).
    recipe
        How both are joined.
    co_occurrence
        Pairs of the n items, if they help.
    """
    inner = learnt.items.astype(np.float64)
    gram = inner.T @ inner
    gram[np.diag_indices_from(gram)] += recipe.regularisation / learnt.scale**2
    warm = learnt.warm
    return Collaborative(
        ids=tuple(compress(ids, warm)),
        factors=np.ascontiguousarray(known_factors(learnt)[warm]),
        gram=gram,
        predictor=fit_predictor(learnt, texts, recipe.ridge),
        weight=recipe.weight,
        confidence=recipe.alpha,
        recency=recipe.recency,
        cold_length=recipe.cold_length * learnt.median,
        cold_start_bonus=recipe.cold_start_bonus,
        cold_start_share=recipe.cold_start_share,
        co_occurrence=None if co_occurrence is None else co_occurrence.among(warm),
    )
