"""iALS: matrix factorisation for implicit feedback; users are folded in from their history."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from seealso.datasets.dataset import Dataset
from seealso.encoder.blas import one_thread
from seealso.encoder.fold_in import fold_in
from seealso.errors import MissingExtraError
from seealso.models.histories import Matrix, build_interactions
from seealso.types import Vector

ITERATIONS: Final = 15
SEED: Final = 17


@dataclass(frozen=True, eq=False)
class Factors:
    """Item factors, and what folds a history in.

    Attributes
    ----------
    items
        V, shape (n, f).
    solved
        Z = V (V'V + regularisation I)^-1, shape (n, f).
    alpha
        An item of weight w has the confidence 1 + alpha w.
    """

    items: Vector
    solved: Vector
    alpha: float

    def users(self, profiles: Matrix) -> Vector:
        """Fold histories in, as a query does.

        Parameters
        ----------
        profiles
            Weights of history items, shape (users, n).

        Returns
        -------
        Vector
            Shape (users, f).
        """
        found = np.zeros((profiles.shape[0], self.items.shape[1]), dtype=np.float32)
        # systems of a history are small: threads would wait for each other longer than they work
        with one_thread():
            for row in range(profiles.shape[0]):
                own = slice(profiles.indptr[row], profiles.indptr[row + 1])
                places, extra = profiles.indices[own], self.alpha * profiles.data[own]
                found[row] = fold_in(self.items[places], self.solved[places], extra)
        return found

    def scores(self, profiles: Matrix) -> Vector:
        """Return inner products of the users folded in with every item, shape (users, n)."""
        return np.asarray(self.users(profiles) @ self.items.T, dtype=np.float32)


def fit_ials(dataset: Dataset, chosen: Mapping[str, float]) -> Factors:
    """Factorise who chose what with the library ``implicit``.

    Parameters
    ----------
    dataset
        What may be learnt from.
    chosen
        ``factors``, ``alpha`` and ``regularisation``.

    Raises
    ------
    MissingExtraError
        implicit is not installed.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ModuleNotFoundError as exc:
        raise MissingExtraError.of("implicit", "evaluate") from exc
    chose = build_interactions(dataset.sequences, len(dataset.catalogue.ids))
    alpha, regularisation = chosen["alpha"], chosen["regularisation"]
    # implicit takes an entry for the confidence itself, and 1 for what is not there
    chose.data[:] = 1.0 + alpha
    # it has threads of its own; those of BLAS on top slow it down. `one_thread` may have looked for
    # BLAS before implicit brought another one
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=int(chosen["factors"]),
            regularization=regularisation,
            alpha=1.0,
            iterations=ITERATIONS,
            random_state=SEED,
        )
        model.fit(chose, show_progress=False)
    return factors(np.asarray(model.item_factors, dtype=np.float32), alpha, regularisation)


def factors(items: Vector, alpha: float, regularisation: float) -> Factors:
    """Return what folds histories into the space of `items`, shape (n, f)."""
    inner = items.T @ items + np.float32(regularisation) * np.eye(items.shape[1], dtype=np.float32)
    solved = np.ascontiguousarray(np.linalg.solve(inner, items.T).T, dtype=np.float32)
    return Factors(items, solved, alpha)


def ridge(texts: Vector, learnt: Vector, penalty: float) -> Vector:
    """Return the map from texts to factors by ridge regression, shape (d, f).

    As in Gantner et al. 2010, "Learning Attribute-to-Feature Mappings for Cold-Start
    Recommendations".

    Parameters
    ----------
    texts, learnt
        Vectors of texts and factors of the same items, shapes (n, d) and (n, f).
    penalty
        Of the squared coefficients.
    """
    inner = texts.T @ texts + np.float32(penalty) * np.eye(texts.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(inner, texts.T @ learnt), dtype=np.float32)
