"""The model bundle: a folder with the model, its int8 twin, the tokenizer and bundle.json.

Whatever changes a vector is in its fingerprint; whatever was changed by hand is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from seealso.config import TextSettings, check_fitted
from seealso.encoder.collaborative import Collaborative
from seealso.encoder.collaborative_file import load_collaborative
from seealso.encoder.description import (
    COLLABORATIVE,
    DESCRIPTION,
    IMAGES,
    MODEL,
    MODEL_FILES,
    PROJECTION,
    TOKENIZER,
    check_files,
    read_description,
)
from seealso.encoder.fingerprints import fingerprint_bundle, fingerprint_model
from seealso.encoder.fold_in import Floats
from seealso.encoder.images import Images, ImageVectors
from seealso.encoder.projection import Projection
from seealso.errors import BundleError
from seealso.types import Calibration, Vector

POOLINGS: Final = ("mean", "cls", "last")


@dataclass(frozen=True)
class Bundle:
    """A model as it is used: what reads the text, and how.

    Attributes
    ----------
    folder
        Where the files are.
    name
        Name of the folder in its store.
    model_fingerprint
        16 hex digits over model, tokenizer, pooling, length and prefixes: raw vectors with
        equal ones are interchangeable.
    fingerprint
        16 hex digits over that, the text templates and the projection: vectors in an index
        with equal ones are comparable.
    dimension
        Length of the vectors of items and users as an index holds them.
    pooling
        ``mean``, ``cls`` or ``last``.
    max_length
        Tokens that the model reads of one text, special tokens included.
    item_prefix, user_prefix
        Put before every text of an item or a user (E5-like models need them).
    text
        The text templates, once the bundle is bound to a catalogue.
    projection
        The map fitted on the catalogue, if there is one.
    calibration
        Parameters of the probability.
    origin
        Where the model came from and how well the export matches: for people, not for code.
    whiten
        Whether a projection that is fitted on a catalogue should whiten, where the settings
        leave it open.
    collaborative
        What behaviour knows of items, if that was fitted.
    fitted
        Settings that were fitted with it, ``{section: {name: value}}``: they apply where the
        settings say nothing.
    digests
        SHA-256 of each model file, as bundle.json records them; none while a bundle is made.
    images
        How images of items join their texts, if images were fitted.
    """

    folder: Path
    name: str
    model_fingerprint: str
    fingerprint: str
    dimension: int
    pooling: str
    max_length: int
    item_prefix: str
    user_prefix: str
    text: TextSettings | None
    projection: Projection | None
    calibration: Calibration
    origin: Mapping[str, Any] = field(default_factory=dict)
    whiten: bool = True
    collaborative: Collaborative | None = None
    fitted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    images: Images | None = None

    @property
    def content_dimension(self) -> int:
        """Length of the vectors of the contents of items, without behaviour."""
        return self.dimension if self.collaborative is None else self.collaborative.text_dimension

    @property
    def text_dimension(self) -> int:
        """Length of the vectors of texts alone."""
        return self.content_dimension - (0 if self.images is None else self.images.dimension)

    def item_vectors(
        self, ids: Sequence[str], texts: Vector, images: ImageVectors | None = None
    ) -> Vector:
        """Return E_i of items, shape (n, dimension), from vectors of their texts and images.

        Parameters
        ----------
        ids
            n items.
        texts
            Shape (n, text_dimension), unit rows; zero rows, for items without text, stay zero
            unless the item has an image.
        images
            Image vectors, for a bundle that was fitted with images.

        Raises
        ------
        BundleError
            The bundle was fitted with images, and these are none or others.
        """
        content = texts
        if self.images is not None:
            known = self.images.checked(images, self.name)
            content = self.images.join(texts, known.vectors(ids))
        return content if self.collaborative is None else self.collaborative.join(ids, content)

    def content_vectors(self, items: Vector) -> Vector:
        """Return what E_i says without behaviour, shape (n, content_dimension)."""
        return items if self.collaborative is None else self.collaborative.contents_of(items)

    def word_vectors(self, texts: Vector) -> Vector:
        """Return vectors of words, shape (n, text_dimension), as items' contents are met."""
        return texts if self.images is None else self.images.words(texts)

    def user_vector(
        self, text: Vector | None, history: Sequence[Vector], ages: Sequence[int]
    ) -> Vector | None:
        """Return E_u, shape (dimension,), of unit length; None where nothing is known.

        Parameters
        ----------
        text
            What the user's words, attributes and history say, shape (content_dimension,), of
            unit length, or none.
        history
            E_i of items of the history.
        ages
            Age of each, 0 being the newest item of the history.
        """
        if self.collaborative is None:
            return text
        return self.collaborative.user_vector(text, history, ages)

    def user_parts(self, texts: Floats, history: Sequence[Vector], ages: Sequence[int]) -> Floats:
        """Return what each part of a user adds to E_u, shape (n + h + 1, dimension).

        Its rows, the last of which is the bonus of cold items, sum up to `user_vector` of the sum
        of `texts`.

        Parameters
        ----------
        texts
            n vectors that sum up to what the user's words, attributes and history say, shape
            (n, content_dimension).
        history, ages
            As for `user_vector`.
        """
        if self.collaborative is None:
            return np.vstack([texts, np.zeros((len(history) + 1, self.dimension))])
        return self.collaborative.user_parts(texts, history, ages)

    def boosts(self, history: Sequence[str], ages: Sequence[int]) -> dict[str, float]:
        """Return what a history adds to w * similarity of items that are chosen around its own.

        Parameters
        ----------
        history
            Item ids.
        ages
            Age of each, 0 being the newest.
        """
        return {} if self.collaborative is None else self.collaborative.boosts(history, ages)

    def item_query(self, item: Vector) -> Vector:
        """Return the query for items like E_i, shape (dimension,)."""
        return item if self.collaborative is None else self.collaborative.item_query(item)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a bundle and check that nothing in it was changed.

        Raises
        ------
        BundleError
            A file is missing or is not the one recorded, or bundle.json is not understood.
        """
        recorded = read_description(folder)
        try:
            return _build(folder, recorded)
        except (KeyError, TypeError, ValueError, ValidationError) as exc:
            raise BundleError(
                f"{folder / DESCRIPTION}: not a bundle description: {exc!r}",
                hint="export the model again: seealso model export",
                file=str(folder / DESCRIPTION),
            ) from exc


def _build(folder: Path, recorded: Mapping[str, Any]) -> Bundle:
    files = dict(recorded["files"])
    check_files(folder, files)
    model_fingerprint = fingerprint_model(
        files[MODEL],
        files[TOKENIZER],
        recorded["pooling"],
        recorded["max_length"],
        recorded["item_prefix"],
        recorded["user_prefix"],
    )
    text = None if recorded["text"] is None else TextSettings.model_validate(recorded["text"])
    projection = Projection.load(folder / PROJECTION) if PROJECTION in files else None
    collaborative = load_collaborative(folder / COLLABORATIVE) if COLLABORATIVE in files else None
    images = Images.load(folder / IMAGES) if IMAGES in files else None
    fingerprint = fingerprint_bundle(model_fingerprint, text, projection, collaborative, images)
    if (model_fingerprint, fingerprint) != (recorded["model_fingerprint"], recorded["fingerprint"]):
        raise BundleError(
            f"{folder / DESCRIPTION}: its settings were changed after it was written",
            hint="export or bind the bundle again instead of editing it",
            file=str(folder / DESCRIPTION),
        )
    return Bundle(
        folder=folder,
        name=str(recorded["name"]),
        model_fingerprint=model_fingerprint,
        fingerprint=fingerprint,
        dimension=int(recorded["dimension"]),
        pooling=str(recorded["pooling"]),
        max_length=int(recorded["max_length"]),
        item_prefix=str(recorded["item_prefix"]),
        user_prefix=str(recorded["user_prefix"]),
        text=text,
        projection=projection,
        calibration=Calibration(**recorded["calibration"]),
        origin=dict(recorded["origin"]),
        whiten=bool(recorded.get("whiten", True)),
        collaborative=collaborative,
        fitted=_fitted(folder, recorded.get("fitted", {})),
        digests={name: files[name] for name in MODEL_FILES},
        images=images,
    )


def _fitted(folder: Path, recorded: Any) -> dict[str, dict[str, Any]]:
    try:
        return check_fitted(recorded)
    except ValueError as exc:
        raise BundleError(
            f"{folder / DESCRIPTION}: fitted: {exc}",
            hint="take bundles from those you trust, or fit one yourself: seealso fit",
            file=str(folder / DESCRIPTION),
        ) from exc
