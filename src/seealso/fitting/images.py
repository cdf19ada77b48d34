"""How much images of items weigh beside their texts, chosen on dev before behaviour joins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from seealso.config import Settings
from seealso.datasets.questions import Question
from seealso.encoder import Images, ImageVectors, fit_projection
from seealso.encoder.projection import unit_rows
from seealso.errors import DataError
from seealso.fitting.bench import Bench, ndcg
from seealso.log import progress
from seealso.types import Vector

WEIGHTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Weights of an image beside a text that are tried; 0 is no image."""
FEWEST: Final = 2


@dataclass(frozen=True, eq=False)
class ImageContent:
    """The contents of items, texts and images, as behaviour joins them.

    Attributes
    ----------
    vectors
        Content vectors of the catalogue, shape (n, d): of texts alone where images were left out.
    images
        How images join the texts, or none.
    dev
        NDCG@10 on dev that led to it, by name; empty where there are no images.
    facts
        ``weight``, ``dimension``, ``items`` (with an image) and ``unmatched`` (images of items
        that were not ranked); empty where there are no images.
    notes
        What a person should know.
    """

    vectors: Vector
    images: Images | None = None
    dev: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def beside(self, dev: Mapping[str, float]) -> Mapping[str, float]:
        """Return what each step reached, with texts alone and texts and images apart."""
        if self.images is None:
            return dev
        later = {name: reached for name, reached in dev.items() if name != "text alone"}
        return {**self.dev, "text and images": dev["text alone"], **later}


def choose_image_weight(
    settings: Settings,
    ids: Sequence[str],
    texts: Vector,
    questions: Sequence[Question],
    images: ImageVectors | None,
) -> ImageContent:
    """Return the content vectors with the image weight that ranks dev users best.

    Parameters
    ----------
    settings
        ``images.dimension``, ``encoder.sample`` and ``profile`` are used.
    ids
        The n items of the catalogue.
    texts
        Vectors of their texts, shape (n, d).
    questions
        Dev users.
    images
        What the items look like, if anything is known of that.

    Raises
    ------
    DataError
        Fewer than two items have an image, or all images are alike.
    """
    if images is None:
        return ImageContent(texts)
    raw = images.vectors(ids)
    pictured = int(raw.any(axis=1).sum())
    if pictured < FEWEST:
        raise DataError(
            f"images: {pictured} of {len(ids):,} items have one",
            hint="check that the ids of the images are those of the catalogue",
            field="images",
        )
    plain = _fit_images(settings, raw, images.reader)
    reached = _measure_weights(settings, plain, texts, raw, questions)
    # of equal ones the first: no image where images tell nothing
    weight = max(reached, key=lambda one: reached[one])
    facts = {
        "weight": weight,
        "dimension": plain.dimension,
        "items": pictured,
        "unmatched": len(images) - pictured,
    }
    if weight == 0:
        note = "images do not raise NDCG@10 on dev: they are left out"
        return ImageContent(texts, None, {}, facts, (note,))
    chosen = Images(plain.projection, weight, images.reader)
    dev = {"text alone": reached[0.0]}
    return ImageContent(chosen.join(texts, raw), chosen, dev, facts)


def _fit_images(settings: Settings, raw: Vector, reader: str) -> Images:
    rows = unit_rows(raw[raw.any(axis=1)])
    if len(rows) > settings.encoder.sample:
        drawn = np.random.default_rng(settings.training.seed)
        rows = rows[drawn.choice(len(rows), size=settings.encoder.sample, replace=False)]
    dimension = min(settings.images.dimension, rows.shape[1])
    try:
        return Images(fit_projection(rows, whiten=True, dimension=dimension), 1.0, reader)
    except DataError as exc:
        raise DataError(
            f"images: {len(rows):,} vectors, all alike",
            hint="check what made them, or take [images] out of the settings",
            field="images",
        ) from exc


def _measure_weights(
    settings: Settings,
    plain: Images,
    texts: Vector,
    raw: Vector,
    questions: Sequence[Question],
) -> dict[float, float]:
    """Return dev NDCG@10 of the contents alone by image weight."""
    reached = {}
    with progress("images", len(WEIGHTS)) as tick:
        for weight in WEIGHTS:
            vectors = Images(plain.projection, weight).join(texts, raw)
            bench = Bench.of(vectors, questions, settings.profile.history_items)
            reached[weight] = ndcg(
                bench.ranks(bench.text_profiles(settings.profile.recency), vectors)
            )
            tick(1)
    return reached
