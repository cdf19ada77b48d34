"""The model bundle: a folder with the model, its int8 twin, the tokenizer and bundle.json.

Whatever changes a vector is in its fingerprint; whatever was changed by hand is refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from seealso.config import TextSettings, check_fitted, describe_first_refusal
from seealso.encoder.co_occurrence import Boosted
from seealso.encoder.collaborative import Collaborative
from seealso.encoder.collaborative_file import load_collaborative
from seealso.encoder.description import (
    COLLABORATIVE,
    DESCRIPTION,
    FORMAT,
    IMAGES,
    MODEL,
    MODEL_FILES,
    PROJECTION,
    TOKENIZER,
    check_files,
    check_names,
    read_description,
    sha256,
)
from seealso.encoder.fold_in import Floats, History
from seealso.encoder.images import Images, ImageVectors
from seealso.encoder.projection import Projection
from seealso.errors import BundleError
from seealso.types import Calibration, Space, Vector

LONGEST: Final = 100_000
"""Most tokens that a model may read of one text."""


def _check_scale(found: Calibration) -> Calibration:
    if found.t <= 0:
        raise ValueError("t must be above 0")
    return found


@dataclass(frozen=True, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))
class Bundle:
    """A model as it is used: what reads the text, and how.

    bundle.json holds every field but the folder and the parts that were fitted, which have files
    of their own.

    Attributes
    ----------
    folder
        Where the files are.
    name
        Name of the folder in its store.
    model_fingerprint
        16 hex digits over model, tokenizer, pooling, length and prefixes: raw vectors of equal
        ones are the same.
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
        Whether a projection fitted on a catalogue whitens, where the settings leave it open.
    collaborative
        What behaviour knows of items, if that was fitted.
    fitted
        ``{section: {name: value}}``, which apply where the settings say nothing.
    files
        SHA-256 of each file; none while a bundle is made.
    images
        How images join texts, if images were fitted.
    """

    folder: Annotated[Path, Field(exclude=True)]
    name: str
    dimension: int
    pooling: str
    max_length: Annotated[int, Field(ge=1, le=LONGEST)]
    item_prefix: str
    user_prefix: str
    text: TextSettings | None
    calibration: Annotated[Calibration, AfterValidator(_check_scale)]
    model_fingerprint: str = ""
    fingerprint: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    whiten: bool = True
    fitted: Annotated[Mapping[str, Mapping[str, Any]], AfterValidator(check_fitted)] = field(
        default_factory=dict
    )
    files: Annotated[Mapping[str, str], AfterValidator(check_names)] = field(default_factory=dict)
    projection: InstanceOf[Projection] | None = Field(default=None, exclude=True)
    collaborative: InstanceOf[Collaborative] | None = Field(default=None, exclude=True)
    images: InstanceOf[Images] | None = Field(default=None, exclude=True)

    @property
    def parts(self) -> dict[str, Projection | Collaborative | Images]:
        """What was fitted with it, by the name of the file that holds it."""
        found = {
            PROJECTION: self.projection, COLLABORATIVE: self.collaborative, IMAGES: self.images
        }  # fmt: skip
        return {name: part for name, part in found.items() if part is not None}

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

    def drop_padding(self, items: Vector, space: Space) -> Vector:
        """Return E_i, shape (..., dimension), as an index for `space` holds it, but for w_i."""
        if self.collaborative is None or space is not Space.COSINE:
            return items
        return self.collaborative.layout.drop_padding(items)

    def restore(self, stored: Vector) -> Vector:
        """Return E_i, unit rows, of vectors that an index holds, shape (..., dimension)."""
        if self.collaborative is None:
            unit: Vector = stored / np.linalg.norm(stored, axis=-1, keepdims=True)
            return unit
        return self.collaborative.layout.restore(stored)

    def content_vectors(self, items: Vector) -> Vector:
        """Return what E_i says without behaviour, shape (n, content_dimension)."""
        return items if self.collaborative is None else self.collaborative.layout.contents_of(items)

    def word_vectors(self, texts: Vector) -> Vector:
        """Return vectors of words, shape (n, text_dimension), as items' contents are met."""
        return texts if self.images is None else self.images.words(texts)

    def user_vectors(
        self, texts: Vector, items: Vector, histories: Sequence[History], levels: Vector
    ) -> Vector:
        """Return E_u of users, shape (users, dimension): unit rows, zeros where nothing is known.

        Parameters
        ----------
        texts
            What words, attributes and history of each say, shape (users, content_dimension): unit
            rows, or zeros.
        items
            E_i of the items of all histories, shape (m, dimension).
        histories
            Rows of `items`, for each user.
        levels
            Entry level of each user, shape (users,): what cold items get grows with it.
        """
        if self.collaborative is None:
            return texts
        return self.collaborative.user_vectors(texts, items, histories, levels)

    def user_parts(
        self, texts: Floats, history: Vector, ages: Sequence[int], level: float = 0.0
    ) -> Floats:
        """Return what each part of a user adds to E_u, shape (n + h + 1, dimension).

        Its rows, the last of which is the bonus of cold items, sum up to that of `user_vectors`
        for the sum of `texts`.

        Parameters
        ----------
        texts
            n vectors that sum up to what the user's words, attributes and history say, shape
            (n, content_dimension).
        history
            E_i of the h items of the history, shape (h, dimension).
        ages, level
            Age of each, 0 being the newest, and the entry level of the user.
        """
        if self.collaborative is None:
            return np.vstack([texts, np.zeros((len(history) + 1, self.dimension))])
        return self.collaborative.user_parts(texts, history, ages, level)

    def boosts(self, history: Sequence[str], ages: Sequence[int]) -> Boosted:
        """Return the items that are chosen around those of a history.

        Parameters
        ----------
        history, ages
            Item ids, and the age of each, 0 being the newest.
        """
        part = self.collaborative
        return Boosted() if part is None else part.boosts(history, ages)

    def dilution(self, level: float) -> float:
        """Return what the bonus of cold items leaves of similarities and boosts.

        Parameters
        ----------
        level
            Entry level of the user.
        """
        return 1.0 if self.collaborative is None else self.collaborative.dilution(level)

    def item_query(self, item: Vector) -> Vector:
        """Return the query for items like E_i, shape (dimension,)."""
        return item if self.collaborative is None else self.collaborative.layout.item_query(item)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a bundle and check that nothing in it was changed.

        Raises
        ------
        BundleError
            A file is missing or is not the one recorded, or bundle.json is not understood.
        """
        recorded = {**read_description(folder), "folder": str(folder)}
        try:
            described = _JSON.validate_json(json.dumps(recorded), strict=True)
        except ValidationError as exc:
            raise BundleError(
                f"{folder / DESCRIPTION}: not a bundle description: {describe_first_refusal(exc)}",
                hint="export or fit it again, or take bundles from those you trust",
                file=str(folder / DESCRIPTION),
            ) from exc
        files = described.files
        check_files(folder, files)
        bundle = replace(
            described,
            projection=Projection.load(folder / PROJECTION) if PROJECTION in files else None,
            collaborative=(
                load_collaborative(folder / COLLABORATIVE) if COLLABORATIVE in files else None
            ),
            images=Images.load(folder / IMAGES) if IMAGES in files else None,
        )
        if with_fingerprints(bundle) != bundle:
            raise BundleError(
                f"{folder / DESCRIPTION}: its settings were changed after it was written",
                hint="export or bind the bundle again instead of editing it",
                file=str(folder / DESCRIPTION),
            )
        return bundle

    def describe(self) -> dict[str, Any]:
        """Return what bundle.json says of it, as plain values."""
        described: dict[str, Any] = _JSON.dump_python(self, mode="json")
        return described

    def write(self) -> "Bundle":
        """Write bundle.json for the files that are in the folder, replacing it atomically.

        Returns
        -------
        Bundle
            This one, with the digests of those files and the fingerprints that follow.
        """
        files = {name: sha256(self.folder / name) for name in (*MODEL_FILES, *self.parts)}
        written = with_fingerprints(replace(self, files=files))
        description = {"format": FORMAT, **written.describe()}
        partial = self.folder / f".{DESCRIPTION}.partial"
        partial.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
        partial.replace(self.folder / DESCRIPTION)
        return written


_JSON: Final = TypeAdapter(Bundle)


def with_fingerprints(bundle: Bundle) -> Bundle:
    """Return the bundle with the fingerprints of its model and of all that makes its vectors.

    The calibration changes no vector: a bundle that is calibrated again still fits its index.
    """
    model = _digest(
        [
            bundle.files[MODEL], bundle.files[TOKENIZER], bundle.pooling, bundle.max_length,
            bundle.item_prefix, bundle.user_prefix,
        ]
    )  # fmt: skip
    templates = None if bundle.text is None else bundle.text.model_dump(mode="json")
    parts = [hashlib.sha256(part.content()).hexdigest() for part in bundle.parts.values()]
    whole = _digest([model, templates, *(parts or (None,))])
    return replace(bundle, model_fingerprint=model, fingerprint=whole)


def _digest(parts: list[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
