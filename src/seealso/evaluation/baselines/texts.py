"""Baselines that read: BM25 between item texts, and a frozen language model.

BM25 is computed here and not in the cluster: a query of a whole history with a weight for each
item is linear in the items, so that one neighbourhood serves every user and every recency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy import sparse

from seealso.config import Settings
from seealso.encoder import BundleStore, Encoder, fit_projection, item_encoder, open_cache
from seealso.errors import MissingExtraError
from seealso.evaluation.baselines.ials import factors, fit_ials, ridge
from seealso.evaluation.baselines.profiles import Directions, Matrix, Model, Neighbours, strongest
from seealso.log import progress
from seealso.training.data.material import Material
from seealso.types import Vector

NEIGHBOURS: Final = 1000


def fit_bm25(material: Material, chosen: Mapping[str, float]) -> Model:
    """Find the items whose texts BM25 ranks best for the text of each item.

    Weights of terms by the library ``bm25s`` (Lucene's variant; Robertson and Zaragoza 2009, "The
    Probabilistic Relevance Framework"). The query of a history is the sum of those of its items.

    Parameters
    ----------
    material
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
    n = len(material.catalogue.texts)
    read = bm25s.tokenize(list(material.catalogue.texts), stopwords=[], show_progress=False)
    weighing = bm25s.BM25(k1=chosen["k1"], b=chosen["b"], method="lucene")
    weighing.index(read, show_progress=False)
    kept = weighing.scores
    terms = len(kept["indptr"]) - 1
    weights = sparse.csc_matrix((kept["data"], kept["indices"], kept["indptr"]), shape=(n, terms))
    counts, by_term = _counts(read.ids, terms), weights.T.tocsr()

    def rows(one: slice) -> Vector:
        found: Vector = (counts[one] @ by_term).toarray()
        return found

    return Neighbours(strongest(rows, n, NEIGHBOURS))


def _counts(ids: list[list[int]], terms: int) -> Matrix:
    """Return how often each term stands in each text, shape (n, terms)."""
    starts = np.concatenate([[0], np.cumsum([len(one) for one in ids])])
    places = np.fromiter((term for one in ids for term in one), dtype=np.int32, count=starts[-1])
    ones = np.ones(len(places), dtype=np.float32)
    found = sparse.csr_matrix((ones, places, starts), shape=(len(ids), terms))
    found.sum_duplicates()
    return found


@dataclass(frozen=True)
class FrozenText:
    """A language model as it was exported: a user is the mean of the history's vectors.

    Attributes
    ----------
    encoder
        Reads the texts; its projection is not used.
    """

    encoder: Encoder
    _read: dict[tuple[str, ...], Vector] = field(default_factory=dict, repr=False)

    def read(self, material: Material) -> None:
        """Encode the catalogue, once for all sittings."""
        texts = material.catalogue.texts
        if texts not in self._read:
            with progress("encoding texts", len(texts)) as tick:
                self._read[texts] = self.encoder.raw_items(texts, tick=tick)

    def fit(self, material: Material, chosen: Mapping[str, float]) -> Model:
        """Return the vectors; ``whitened`` spreads them, fitted on the catalogue alone."""
        return Directions(self.whitened(material) if chosen["whitened"] else self.raw(material))

    def fit_ridge(self, material: Material, chosen: Mapping[str, float]) -> Model:
        """Factorise who chose what, and foretell the factors of items without events from text.

        By `ridge` regression of the factors of `fit_ials` on the whitened vectors; ``ridge`` is
        its penalty, the others are those of `fit_ials`.
        """
        texts, events = self.whitened(material), material.event_counts()
        learnt = fit_ials(material, chosen).items
        foretold = texts @ ridge(texts[events > 0], learnt[events > 0], chosen["ridge"])
        items = np.where((events > 0)[:, None], learnt, foretold)
        return factors(items, chosen["alpha"], chosen["regularisation"])

    def raw(self, material: Material) -> Vector:
        """Return the vectors of the catalogue as the model gives them, shape (n, d)."""
        self.read(material)
        return self._read[material.catalogue.texts]

    def whitened(self, material: Material) -> Vector:
        """Return the vectors of the catalogue, spread, shape (n, m)."""
        raw = self.raw(material)
        known = raw[raw.any(axis=1)]
        return fit_projection(known, whiten=True, dimension=None).apply(raw)


def frozen_text(settings: Settings) -> FrozenText:
    """Return the model of the bundle that the settings name.

    Raises
    ------
    BundleError
        The bundle is not in the store.
    """
    bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    return FrozenText(item_encoder(bundle, settings, open_cache(settings)))
