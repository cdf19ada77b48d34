"""Two bundles asked the same questions: which one ranks better, for whom, beyond chance.

Reads with onnxruntime, as an index does; torch is not needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seealso.config import Settings, TextSettings, with_fitted
from seealso.datasets.dataset import Dataset, Events, Items, read_dataset
from seealso.datasets.questions import Places, Question, sample
from seealso.datasets.ranks import profile_vectors, target_ranks
from seealso.encoder import (
    Bundle,
    Encoder,
    History,
    ImageVectors,
    ItemText,
    UserText,
    encode_views,
    fit_projection,
    item_encoder,
    whitens,
)
from seealso.encoder.projection import unit_rows
from seealso.evaluation.changes import Move
from seealso.evaluation.leakage import find_leakage
from seealso.evaluation.segments import segments
from seealso.indexer.images import images_for, no_images
from seealso.log import progress
from seealso.types import Vector


@dataclass(frozen=True, slots=True)
class ComparedBundle:
    """A bundle as it was compared.

    Attributes
    ----------
    name, fingerprint
        Which one.
    projection
        ``its own``, or what was fitted on the catalogue as a build would: ``whitened``, ``cut``
        or ``none``.
    notes
        How it may have learnt what is asked.
    """

    name: str
    fingerprint: str
    projection: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome.

    Attributes
    ----------
    old, new
        The bundles.
    split
        ``dev`` or ``test``.
    signature
        Tells catalogue, events and questions from others.
    segments
        All users first, then parts of them.
    better
        Whether NEW ranks better by NDCG@10, beyond chance.
    """

    old: ComparedBundle
    new: ComparedBundle
    split: str
    signature: str
    segments: tuple[Move, ...]
    better: bool


def compare(
    settings: Settings,
    items: Items,
    events: Events,
    old: Bundle,
    new: Bundle,
    *,
    split: str,
    images: Callable[[], ImageVectors | None] = no_images,
) -> Comparison:
    """Ask both bundles which item each user chose next, over the whole catalogue.

    Parameters
    ----------
    settings
        ``text``, ``events.positive``, ``training`` (its split), ``profile`` and ``encoder``.
    items, events
        Give the batches of the catalogue and the event frames.
    old, new
        The bundles. One that is bound reads with its own templates and projection; another one
        gets those of the settings, as ``index build`` would give it.
    split
        ``dev`` or ``test``.
    images
        Reads what the items look like; asked only for a bundle that was fitted with images.

    Raises
    ------
    DataError
        There are no questions.
    BundleError
        A bundle cannot be opened, or was fitted with other images.
    """
    with progress("reading"):
        dataset = read_dataset(settings, items, events)
    questions = dataset.test if split == "test" else dataset.dev
    ranked = [
        BundleRanker(settings, dataset, items, bundle, images).ranks(questions)
        for bundle in (old, new)
    ]
    (old_ranks, one), (new_ranks, other) = ranked
    parts = tuple(
        Move.of(name, old_ranks[rows], new_ranks[rows], settings.training.seed)
        for name, rows in segments(dataset, questions)
    )
    better = parts[0].differences["ndcg@10"].standing == "better"
    return Comparison(one, other, split, dataset.signature, parts, better)


@dataclass(frozen=True)
class BundleRanker:
    """One bundle before the questions.

    Attributes
    ----------
    settings, dataset, items
        The questions, and the catalogue with its fields.
    bundle
        The questions.
    images
        Reads what the items look like.
    """

    settings: Settings
    dataset: Dataset
    items: Items
    bundle: Bundle
    images: Callable[[], ImageVectors | None] = no_images

    def ranks(self, questions: Sequence[Question]) -> tuple[Places, ComparedBundle]:
        """Return the rank of each target, and how the bundle was read."""
        encoder, projection = self._fitted()
        texts, vectors = self.read(encoder)
        users = self._users(encoder, texts, vectors, questions)
        bundle, notes = self.bundle, find_leakage(self.bundle, self.dataset.signature)
        if bundle.collaborative is not None:
            # what serves has learnt from all events; only `seealso evaluate` fits it anew
            notes += (f"{bundle.name} was fitted on all events: it has learnt the answers",)
        compared = ComparedBundle(bundle.name, bundle.fingerprint, projection, notes)
        return target_ranks(users, vectors, questions), compared

    def _users(
        self, encoder: Encoder, texts: Sequence[str], vectors: Vector, questions: Sequence[Question]
    ) -> Vector:
        """Return the profiles as a query makes them, shape (users, dimension)."""
        bundle = encoder.bundle
        profile = with_fitted(self.settings, bundle.fitted).profile
        most = profile.history_items
        if profile.history_as == "text":
            profiles = encoder.encode_users(self._user_texts(encoder, texts, questions))
        else:
            contents = bundle.content_vectors(vectors)
            profiles = profile_vectors(contents, questions, profile.recency, most)
        if bundle.collaborative is None:
            return profiles
        recent = [np.array(question.history[:most], dtype=np.int64) for question in questions]
        used, rows = np.unique(np.concatenate(recent), return_inverse=True)
        ends = np.cumsum([len(one) for one in recent])[:-1]
        histories = [History(one, np.arange(len(one))) for one in np.split(rows, ends)]
        levels = np.zeros(len(questions), dtype=np.float32)
        return bundle.user_vectors(unit_rows(profiles), vectors[used], histories, levels)

    def read(self, encoder: Encoder) -> tuple[list[str], Vector]:
        """Return texts and vectors of the catalogue as an index would hold them, shape (n, d)."""
        place = self.dataset.catalogue.place
        texts = [""] * len(place)
        rows = np.zeros((len(place), encoder.bundle.dimension), dtype=np.float32)
        text = ItemText(self._text)
        images = images_for(encoder.bundle, self.images)
        with progress(f"encoding, {self.bundle.name}", len(place) * len(text.names)) as tick:
            for batch in self.items():
                known = [item for item in batch if item.item_id in place]
                read, found = encode_views(encoder, text, known, images=images, tick=tick)
                for item, own, vector in zip(known, read, found, strict=True):
                    texts[place[item.item_id]] = own
                    rows[place[item.item_id]] = vector
        return texts, rows

    @property
    def _text(self) -> TextSettings:
        return self.bundle.text or self.settings.text

    def _encoder(self, bundle: Bundle) -> Encoder:
        return item_encoder(bundle, self.settings)

    def _fitted(self) -> tuple[Encoder, str]:
        """Return the bundle's encoder with the projection that a build would bind to it."""
        chosen, encoder = self.settings.encoder, self._encoder(self.bundle)
        if self.bundle.projection is not None:
            return encoder, "its own"
        seed = self.settings.training.seed
        texts = sample(self.dataset.catalogue.texts, chosen.sample, seed)
        whiten = whitens(self.bundle, self.settings, texts)
        if self.bundle.text is not None or not (whiten or chosen.dimension):
            return encoder, "none"
        with progress("fitting projection", len(texts)) as tick:
            raw = encoder.raw_items(texts, tick=tick)
        fitted = fit_projection(raw[raw.any(axis=1)], whiten=whiten, dimension=chosen.dimension)
        bound = replace(self.bundle, projection=fitted, dimension=fitted.matrix.shape[1])
        return self._encoder(bound), "whitened" if whiten else "cut"

    def _user_texts(
        self, encoder: Encoder, texts: Sequence[str], questions: Sequence[Question]
    ) -> list[str]:
        user_text = UserText(self._text)
        most = self.settings.profile.history_items
        return [
            user_text.render(
                words="",
                attributes={},
                history=[texts[place] for place in question.history[:most]],
                budget=self.bundle.max_length,
                count_tokens=encoder.count_tokens,
            )
            for question in questions
        ]
