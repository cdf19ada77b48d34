"""A frozen language model: a user is the weighted sum of the history's text vectors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from seealso.config import Settings
from seealso.datasets.dataset import Dataset
from seealso.encoder import BundleStore, Encoder, fit_projection, item_encoder
from seealso.log import progress
from seealso.models.histories import Matrix, Model
from seealso.models.ials import factors, fit_ials, ridge
from seealso.types import Vector


@dataclass(frozen=True, eq=False)
class VectorModel:
    """Scores by inner products: a user is the weighted sum of the vectors of the history.

    Attributes
    ----------
    vectors
        Shape (n, d).
    """

    vectors: Vector

    def scores(self, profiles: Matrix) -> Vector:
        """Return inner products of the users' sums with every vector."""
        return np.asarray((profiles @ self.vectors) @ self.vectors.T, dtype=np.float32)


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

    def read(self, dataset: Dataset) -> None:
        """Encode the catalogue, once for all holdouts."""
        texts = dataset.catalogue.texts
        if texts not in self._read:
            with progress("encoding texts", len(texts)) as tick:
                self._read[texts] = self.encoder.raw_items(texts, tick=tick)

    def fit(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        """Return the vectors; ``whitened`` spreads them, fitted on the catalogue alone."""
        return VectorModel(self.whitened(dataset) if chosen["whitened"] else self.raw(dataset))

    def fit_ridge(self, dataset: Dataset, chosen: Mapping[str, float]) -> Model:
        """Factorise behaviour, and predict the factors of items without events from their text.

        By `ridge` regression of the factors of `fit_ials` on the whitened vectors; ``ridge`` is
        its penalty, the others are those of `fit_ials`.
        """
        texts, events = self.whitened(dataset), dataset.event_counts()
        learnt = fit_ials(dataset, chosen).items
        foretold = texts @ ridge(texts[events > 0], learnt[events > 0], chosen["ridge"])
        items = np.where((events > 0)[:, None], learnt, foretold)
        return factors(items, chosen["alpha"], chosen["regularisation"])

    def raw(self, dataset: Dataset) -> Vector:
        """Return the vectors of the catalogue as the model gives them, shape (n, d)."""
        self.read(dataset)
        return self._read[dataset.catalogue.texts]

    def whitened(self, dataset: Dataset) -> Vector:
        """Return the vectors of the catalogue, spread, shape (n, m)."""
        raw = self.raw(dataset)
        known = raw[raw.any(axis=1)]
        return fit_projection(known, whiten=True, dimension=None).apply(raw)


def open_text_model(settings: Settings) -> FrozenText:
    """Return the model of the bundle that the settings name.

    Raises
    ------
    BundleError
        The bundle is not in the store.
    """
    bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    return FrozenText(item_encoder(bundle, settings))
