"""What a smaller model or shorter vectors cost: one bundle, several sizes, the same questions.

Each size is read with onnxruntime, as an index would hold it.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Final, get_args

import numpy as np

from seealso.config import Settings
from seealso.datasets.dataset import Dataset, Events, Items, read_dataset
from seealso.datasets.intervals import Estimate, estimate
from seealso.datasets.questions import Places, Question
from seealso.datasets.ranks import gains, metrics
from seealso.encoder import Bundle, Projection, fit_projection, item_encoder, whitens
from seealso.encoder.description import MODEL, MODEL_INT8, TOKENIZER
from seealso.encoder.store import link
from seealso.evaluation.comparison import BundleRanker
from seealso.log import progress
from seealso.training.exporting.export import Int8, write_int8
from seealso.types import Vector

_FLOAT_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a bundle.

    Attributes
    ----------
    precision
        ``fp32``, ``int8 dynamic``, ``int8 static`` or ``int8 blocks``.
    dimension
        Length of the vectors.
    metrics
        HR@10, HR@20 and NDCG@10 over the full catalogue.
    change
        NDCG@10 minus that of fp32 at full length, over the same users.
    model_bytes, vector_bytes
        Size of the model file, and of the vectors of the catalogue.
    texts_per_second
        Distinct item texts that were read in a second.
    """

    precision: str
    dimension: int
    metrics: Mapping[str, float]
    change: Estimate
    model_bytes: int
    vector_bytes: int
    texts_per_second: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a bundle; the first one is fp32 at full length.

    Attributes
    ----------
    bundle, fingerprint
        Which one.
    split, users, items
        ``dev`` or ``test``, how many were ranked, and among how many items.
    sizes
        The sizes.
    """

    bundle: str
    fingerprint: str
    split: str
    users: int
    items: int
    sizes: tuple[Size, ...]


def measure_sizes(
    settings: Settings,
    items: Items,
    events: Events,
    bundle: Bundle,
    *,
    split: str,
    dimensions: Sequence[int],
) -> Sizes:
    """Measure quality, size and speed of `bundle` in each precision and dimension.

    Parameters
    ----------
    settings
        As for `seealso.evaluation.comparison.compare`.
    items, events
        Give the batches of the catalogue and the event frames.
    bundle
        The bundle; every int8 twin is made again from its fp32 model, the static one measured
        on texts of the catalogue.
    split
        ``dev`` or ``test``.
    dimensions
        Shorter vectors to try; those that are not shorter are left out. They are cut along the
        principal directions, as ``encoder.dimension`` does.

    Raises
    ------
    DataError
        There are no questions.
    BundleError
        The bundle cannot be opened.
    MissingExtraError
        onnx is not installed.
    """
    with progress("reading"):
        dataset = read_dataset(settings, items, events)
    questions = dataset.test if split == "test" else dataset.dev
    found: list[tuple[Places, Size]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, twin in _make_twins(bundle, dataset.catalogue.texts, Path(folder)):
            trial = _Trial(settings, dataset, items, questions, name, twin)
            found += trial.sizes(dimensions)
    base = gains(found[0][0])
    seed = settings.training.seed
    sizes = [replace(size, change=estimate(gains(r) - base, seed)) for r, size in found]
    return Sizes(
        bundle=bundle.name,
        fingerprint=bundle.fingerprint,
        split=split,
        users=len(questions),
        items=len(dataset.catalogue.ids),
        sizes=tuple(sizes),
    )


def _make_twins(bundle: Bundle, texts: Sequence[str], place: Path) -> Iterator[tuple[str, Bundle]]:
    """Yield the name of each precision, and the bundle alone with its model in it."""
    kinds: tuple[Int8, ...] = get_args(Int8)
    for kind in (None, *kinds):
        name = "fp32" if kind is None else f"int8 {kind}"
        folder = place / name
        folder.mkdir()
        for file in (MODEL, TOKENIZER):
            link(bundle.folder / file, folder / file)
        # another twin than the one whose parity is recorded
        moved = replace(bundle, folder=folder, origin={})
        if kind is not None:
            with progress(f"making {name}", total=1) as tick:
                write_int8(moved, folder / MODEL_INT8, kind, texts)
                tick(1)
        yield name, moved


@dataclass(frozen=True)
class _Trial:
    """One precision before the questions, by its name and the bundle with its model."""

    settings: Settings
    dataset: Dataset
    items: Items
    questions: Sequence[Question]
    name: str
    bundle: Bundle

    def sizes(self, dimensions: Sequence[int]) -> list[tuple[Places, Size]]:
        """Return ranks and size for full length and for each of `dimensions` below it."""
        raw, speed = self._read()
        whole, projection = self._projections(raw)
        full = raw.shape[1] if whole is None else whole.matrix.shape[1]
        shorter = sorted({one for one in dimensions if one < full}, reverse=True)
        lengths = [(full, whole), *((one, _cut(projection, one)) for one in shorter)]
        return [self._size(length, chosen, speed) for length, chosen in lengths]

    def _read(self) -> tuple[Vector, float]:
        """Return the raw vectors of the catalogue, shape (n, d), and texts read in a second."""
        texts = self.dataset.catalogue.texts
        encoder = item_encoder(self.bundle, self._settings)
        with progress(f"encoding, {self.name}", len(texts)) as tick:
            began = perf_counter()
            raw = encoder.raw_items(texts, tick=tick)
            took = perf_counter() - began
        return raw, len(set(texts)) / took

    @property
    def _precision(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def _settings(self) -> Settings:
        own = {
            "cache": self.bundle.folder / "vectors.sqlite",
            "precision": self._precision,
            # what is cut and whitened is decided here
            "whiten": False,
            "dimension": None,
        }
        chosen = self.settings.encoder.model_copy(update=own)
        return self.settings.model_copy(update={"encoder": chosen})

    def _projections(self, raw: Vector) -> tuple[Projection | None, Projection]:
        """Return the map of an index at full length, if there is one, and what is cut."""
        bundle, chosen = self.bundle, self.settings.encoder
        if bundle.projection is not None:
            return bundle.projection, bundle.projection
        whiten = whitens(bundle, self.settings, self.dataset.catalogue.texts[: chosen.sample])
        known = raw[raw.any(axis=1)][: chosen.sample]
        fitted = fit_projection(known, whiten=whiten, dimension=None)
        return (fitted if whiten else None), fitted

    def _size(
        self, dimension: int, projection: Projection | None, speed: float
    ) -> tuple[Places, Size]:
        bundle = replace(self.bundle, projection=projection, dimension=dimension)
        ranker = BundleRanker(self._settings, self.dataset, self.items, bundle)
        ranks, _ = ranker.ranks(self.questions)
        model = bundle.folder / (MODEL if self._precision == "fp32" else MODEL_INT8)
        return ranks, Size(
            precision=self.name,
            dimension=dimension,
            metrics=metrics(ranks),
            change=Estimate(0.0, 0.0, 0.0),
            model_bytes=model.stat().st_size,
            vector_bytes=dimension * _FLOAT_BYTES * len(self.dataset.catalogue.ids),
            texts_per_second=speed,
        )


def _cut(projection: Projection, dimension: int) -> Projection:
    # its directions stand in the order of their variance
    return Projection(projection.mean, np.ascontiguousarray(projection.matrix[:, :dimension]))
