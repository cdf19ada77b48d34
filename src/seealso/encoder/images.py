"""Images of items, joined with their texts in one unit vector: their content.

An item is unit([text; g * image]), a user's own words are [text; 0].
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seealso.encoder.arrays import open_arrays
from seealso.encoder.projection import Projection, unit_rows
from seealso.errors import BundleError, DataError
from seealso.types import ImageRows, Vector


@dataclass(frozen=True, eq=False)
class ImageVectors:
    """Image vectors by item id, kept in a file that the system deletes: memory holds the ids.

    Attributes
    ----------
    place
        Row of each item that has an image.
    rows
        The vectors, shape (n, w).
    digests
        Of each image, by row.
    reader
        Fingerprint of the image encoder that made them; empty for vectors that were given.
    """

    place: Mapping[str, int]
    rows: Vector
    digests: Sequence[str]
    reader: str = ""

    @classmethod
    def of(cls, batches: Iterable[ImageRows], reader: str = "") -> "ImageVectors":
        """Keep what `batches` hold.

        Raises
        ------
        DataError
            There is no image at all.
        """
        place: dict[str, int] = {}
        digests: list[str] = []
        width = 0
        with tempfile.TemporaryFile() as spool:
            for batch in batches:
                width = batch.vectors.shape[1]
                spool.write(np.ascontiguousarray(batch.vectors, dtype=np.float32).tobytes())
                place |= {one: row for row, one in enumerate(batch.ids, start=len(place))}
                digests += batch.digests
            if not place:
                raise DataError("there are no images", hint="check [images] in seealso.toml")
            spool.flush()
            rows = np.memmap(spool, dtype=np.float32, mode="r", shape=(len(place), width))
        return cls(place, rows, digests, reader)

    @property
    def width(self) -> int:
        """Length w of the vectors."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        return len(self.place)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.place

    def vectors(self, ids: Sequence[str]) -> Vector:
        """Return the vectors of m items, shape (m, w): zero rows for items without an image."""
        rows = np.array([self.place.get(item_id, -1) for item_id in ids], dtype=np.int64)
        found = np.zeros((len(ids), self.width), dtype=np.float32)
        found[rows >= 0] = self.rows[rows[rows >= 0]]
        return found

    def digest(self, item_id: str) -> str:
        """Return the digest of the image of an item; empty where it has none."""
        row = self.place.get(item_id)
        return "" if row is None else self.digests[row]


@dataclass(frozen=True, eq=False)
class Images:
    """How images of items join their texts.

    Attributes
    ----------
    projection
        From an image vector, shape (w,), to an image part, shape (m,), of unit length.
    weight
        g: what the image weighs beside the text.
    reader
        Fingerprint of the image encoder that the vectors come from; empty for vectors that were
        given.
    """

    projection: Projection
    weight: float
    reader: str = ""

    @property
    def width(self) -> int:
        """Length w of the image vectors."""
        return len(self.projection.mean)

    @property
    def dimension(self) -> int:
        """Length m of an image part."""
        return int(self.projection.matrix.shape[1])

    def join(self, texts: Vector, images: Vector) -> Vector:
        """Return the content vectors unit([t; g * v]) of items.

        Parameters
        ----------
        texts
            t, shape (n, d): unit rows, or zero rows for items without text.
        images
            Image vectors, shape (n, w); zero rows for items without an image.

        Returns
        -------
        Vector
            Shape (n, d + m): unit rows; zero rows for items with neither.
        """
        image_parts = self.projection.apply(unit_rows(images))
        return unit_rows(np.hstack([texts, np.float32(self.weight) * image_parts]))

    def words(self, texts: Vector) -> Vector:
        """Return vectors of words alone, shape (n, d), as content vectors, shape (n, d + m)."""
        return np.pad(texts, ((0, 0), (0, self.dimension)))

    def checked(self, images: ImageVectors | None, bundle: str) -> ImageVectors:
        """Return `images`.

        Raises
        ------
        BundleError
            There are none, or they are not of the kind that `bundle` was fitted with.
        """
        if images is None:
            what = "was fitted with images, and the settings name none"
            hint = "set images.path, or images.folder and images.bundle, as when it was fitted"
        elif images.width != self.width:
            what = (
                f"was fitted with image vectors of {self.width} numbers; those of the settings "
                f"have {images.width}"
            )
            hint = "take the vectors of the same image model, or run `seealso fit` again"
        elif images.reader != self.reader:
            fitted = self.reader or "vectors that were given"
            there = images.reader or "vectors that are given"
            what = f"was fitted with another image encoder ({fitted}, not {there})"
            hint = "set images.bundle to that encoder, or run `seealso fit` again"
        else:
            return images
        raise BundleError(f"{bundle}: {what}", hint=hint, bundle=bundle)

    def content(self) -> bytes:
        """Return its bytes for a fingerprint."""
        settings = f"images {float(self.weight)!r} {self.reader}\n".encode()
        return settings + self.projection.content()

    def arrays(self) -> dict[str, Any]:
        """Return its arrays by name, as its file holds them."""
        reader = np.frombuffer(self.reader.encode(), dtype=np.uint8)
        return {**self.projection.arrays(), "weight": np.array([self.weight]), "reader": reader}

    @classmethod
    def load(cls, file: Path) -> "Images":
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            The file is no such part.
        """
        projection = Projection.load(file)
        hint = "fit the bundle again: seealso fit"
        with open_arrays(file, "the part for images", hint) as arrays:
            (weight,) = map(float, arrays["weight"])
            reader = arrays["reader"].tobytes().decode("ascii")
        return cls(projection, weight, reader)
