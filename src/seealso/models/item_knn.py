"""ItemKNN: the items that the same users chose."""

from collections.abc import Mapping

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.models.histories import Model, build_interactions
from seealso.models.similarity import ItemNeighbours, keep_strongest
from seealso.types import Vector


def fit_item_knn(dataset: Dataset, chosen: Mapping[str, float]) -> Model:
    """Find the nearest items of each item by who chose both.

    Cosine of the columns with shrinkage, x_i.x_j / (|x_i| |x_j| + shrink), as in Ferrari Dacrema,
    Cremonesi and Jannach 2019, "Are We Really Making Much Progress?".

    Parameters
    ----------
    dataset
        What may be learnt from.
    chosen
        ``k`` neighbours and ``shrink``.
    """
    n = len(dataset.catalogue.ids)
    chose = build_interactions(dataset.sequences, n)
    by_item = chose.T.tocsr()
    length = np.sqrt(np.asarray(chose.sum(axis=0), dtype=np.float32)).ravel()

    def rows(one: slice) -> Vector:
        both: Vector = (by_item[one] @ chose).toarray()
        scale = np.outer(length[one], length) + np.float32(chosen["shrink"])
        return np.divide(both, scale, out=both, where=scale > 0)

    return ItemNeighbours(keep_strongest(rows, n, int(chosen["k"])))
