"""BM25 between item texts.

Computed here and not in the cluster: a query of a whole history with a weight for each item is
linear in the items, so that one neighbourhood serves every user and every recency.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy import sparse

from seealso.datasets.dataset import Dataset
from seealso.errors import MissingExtraError
from seealso.models.histories import Matrix, Model
from seealso.models.similarity import ItemNeighbours, keep_strongest
from seealso.types import Vector

NEIGHBOURS: Final = 1000


def fit_bm25(dataset: Dataset, chosen: Mapping[str, float]) -> Model:
    """Find the items whose texts BM25 ranks best for the text of each item.

    Weights of terms by the library ``bm25s`` (Lucene's variant; Robertson and Zaragoza 2009, "The
    Probabilistic Relevance Framework"). The query of a history is the sum of those of its items.

    Parameters
    ----------
    dataset
        The texts are those of its catalogue.
    chosen
        ``k1`` and ``b``.

    Raises
    ------
    MissingExtraError
        bm25s is not installed.
    """
    try:
        import bm25s
    except ModuleNotFoundError as exc:
        raise MissingExtraError.of("bm25s", "evaluate") from exc
    n = len(dataset.catalogue.texts)
    read = bm25s.tokenize(list(dataset.catalogue.texts), stopwords=[], show_progress=False)
    weighing = bm25s.BM25(k1=chosen["k1"], b=chosen["b"], method="lucene")
    weighing.index(read, show_progress=False)
    kept = weighing.scores
    terms = len(kept["indptr"]) - 1
    weights = sparse.csc_matrix((kept["data"], kept["indices"], kept["indptr"]), shape=(n, terms))
    counts, by_term = _counts(read.ids, terms), weights.T.tocsr()

    def rows(one: slice) -> Vector:
        found: Vector = (counts[one] @ by_term).toarray()
        return found

    return ItemNeighbours(keep_strongest(rows, n, NEIGHBOURS))


def _counts(ids: list[list[int]], terms: int) -> Matrix:
    """Return how often each term is in each text, shape (n, terms)."""
    starts = np.concatenate([[0], np.cumsum([len(one) for one in ids])])
    places = np.fromiter((term for one in ids for term in one), dtype=np.int32, count=starts[-1])
    ones = np.ones(len(places), dtype=np.float32)
    found = sparse.csr_matrix((ones, places, starts), shape=(len(ids), terms))
    found.sum_duplicates()
    return found
