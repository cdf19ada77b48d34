"""What an index is asked with: vectors of users, and what their histories add to items."""

from dataclasses import dataclass

import numpy as np

from seealso.encoder import Collaborative, CoOccurrence
from seealso.encoder.co_occurrence import entry_boost
from seealso.fitting.bench import Bench
from seealso.fitting.co_occurrence import boosts
from seealso.fitting.recipe import ItemFactors, Recipe
from seealso.models.histories import Matrix
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class Queries:
    """What the users of a bench are asked for with.

    Attributes
    ----------
    vectors
        E_u, unit rows, shape (users, dimension).
    boosts
        What is added to each w * cos, shape (users, n).
    """

    vectors: Vector
    boosts: Matrix


def make_queries(
    bench: Bench,
    learnt: ItemFactors,
    recipe: Recipe,
    recency: float,
    part: Collaborative,
    pairs: CoOccurrence | None = None,
) -> Queries:
    """Return vectors and boosts of the users of a bench, as profiles have them.

    Parameters
    ----------
    bench
        The users.
    learnt, recipe
        Factors that they are folded into, and how.
    recency
        Of the texts of their histories.
    part
        What joins both.
    pairs
        Pairs of the n items, if they help.
    """
    added = boosts(bench, pairs)
    levels = entry_levels(bench, added)
    texts, factors = bench.text_profiles(recency), bench.fold_in(learnt, recipe)
    diluted = Matrix(added.multiply(part.dilutions(levels)[:, None]), dtype=np.float32)
    return Queries(unit_users(texts, factors, part, levels), diluted)


def join_users(texts: Vector, factors: Vector, weight: float) -> Vector:
    """Return the vectors of users, shape (users, d + k)."""
    return np.hstack([texts, np.float32(weight) * factors])


def unit_users(texts: Vector, factors: Vector, part: Collaborative, levels: Vector) -> Vector:
    """Return E_u of users of these entry levels, shape (users, dimension)."""
    return part.add_bonus(join_users(texts, factors, part.weight), levels)


def entry_levels(bench: Bench, boosts: Matrix) -> Vector:
    """Return the entry level of each user, shape (users,): `Boosted.entry_level` of many.

    Parameters
    ----------
    bench
        The users.
    boosts
        What their histories add to each item, shape (users, n).
    """
    levels = np.zeros(len(bench.questions), dtype=np.float32)
    for row, question in enumerate(bench.questions):
        one = slice(boosts.indptr[row], boosts.indptr[row + 1])
        news = ~np.isin(boosts.indices[one], question.history)
        levels[row] = entry_boost(boosts.data[one][news])
    return levels
