"""The bundles around a fit: the bare one that reads the contents, and the one that is written.

A protocol makes bundles of the same kind, from what may be known in it.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np
import orjson

from seealso.config import Settings
from seealso.datasets.dataset import Dataset, Items
from seealso.datasets.sampling import SampledEvents, hash_rows
from seealso.encoder import (
    Bundle,
    BundleStore,
    Collaborative,
    ImageVectors,
    ItemText,
    bind,
    encode_views,
    item_encoder,
)
from seealso.fitting.fitter import Fitted
from seealso.fitting.groups import ChosenGroups
from seealso.fitting.lineage import Lineage
from seealso.indexer.binding import bind_to_catalogue, sample_texts
from seealso.indexer.inputs import Inputs, read_ids, survey
from seealso.log import no_progress, progress
from seealso.types import Calibration, GroupMembers, Vector
from seealso.version import __version__


def strip_collaborative(bundle: Bundle) -> Bundle:
    """Return the bundle without a collaborative part: what knows the contents of items."""
    return replace(bundle, collaborative=None, dimension=bundle.content_dimension, fitted={})


def read_contents(
    settings: Settings,
    base: Bundle,
    items: Items,
    dataset: Dataset,
    images: ImageVectors | None = None,
) -> tuple[Bundle, Vector]:
    """Return the bundle bound to the catalogue, and the vectors of its contents, shape (n, d).

    They are those of the texts alone for a bundle that was not fitted with images.
    """
    with progress("reading") as tick:
        drawn = survey(Inputs(items, list), settings, tick).sample
    plain = bind_to_catalogue(base, sample_texts(drawn, settings, images), settings)
    encoder, text = item_encoder(plain, settings), ItemText(settings.text)
    place = dataset.catalogue.place
    texts = np.zeros((len(place), plain.dimension), dtype=np.float32)
    with progress("encoding", len(place) * len(text.names)) as tick:
        for batch in items():
            kept = [item for item in batch if item.item_id in place]
            _, vectors = encode_views(encoder, text, kept, images=images, tick=tick)
            texts[[place[item.item_id] for item in kept]] = vectors
    return plain, texts


def identify_inputs(
    settings: Settings,
    models: Sequence[Bundle],
    dataset: Dataset,
    items: Items,
    events: SampledEvents,
    images: ImageVectors | None,
    groups: GroupMembers,
) -> str:
    """Return 16 hex digits over all that a fit depends on: data, models, and settings.

    Every event counts, not only what may be learnt: importance comes from those of nobody too, and
    an item that somebody met is no new one. So do those of users who are none of the sample: all
    of them are in the index.
    """
    sections = settings.model_dump(
        mode="json",
        include={
            "fit": {"factors", "cold_loss"},
            "text": True,
            "images": True,
            "profile": True,
            "importance": True,
            "events": {"positive"},
            "users": {"enabled"},
            "training": {"split", "dev_share", "test_share", "dev_users", "seed"},
            "encoder": {"precision", "whiten", "dimension", "sample"},
        },
    )
    pictures = None if images is None else list(images.digests)
    numbers = None
    if settings.importance.kind == "expression":
        _, numbers = read_ids(Inputs(items, list), settings, "expression", no_progress)
    facts = [
        __version__,
        dataset.signature,
        events.signature,
        None if numbers is None else sha256(hash_rows(numbers)).hexdigest(),
        [model.model_fingerprint for model in models],
        sections,
        pictures,
    ]
    if groups:
        facts.append({"members": dict(groups), "fairness": settings.groups.fairness})
    return sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def write_fitted(
    settings: Settings,
    plain: Bundle,
    part: Collaborative,
    fitted: Fitted,
    lineage: Lineage,
    groups: ChosenGroups | None,
) -> Bundle:
    """Write the fitted bundle: `plain` with a collaborative part and all that was chosen on dev."""
    sections = {
        "profile": fitted.profile,
        "importance": fitted.importance,
        "neighbours": fitted.neighbours,
        "groups": {} if groups is None else groups.settings,
    }
    described = replace(
        plain,
        origin=lineage.as_origin(plain.origin),
        fitted={name: dict(values) for name, values in sections.items() if values},
        calibration=fitted.calibration or Calibration(),
    )
    return write_joined(settings, described, part, settings.fit_name)


def write_joined(settings: Settings, plain: Bundle, part: Collaborative, name: str) -> Bundle:
    """Write the bundle `name` to the store: `plain` with a collaborative part."""
    return bind(
        plain,
        text=settings.text,
        projection=plain.projection,
        collaborative=part,
        images=plain.images,
        calibration=plain.calibration,
        store=BundleStore(settings.encoder.store),
        name=name,
    )
