"""A folder of pictures becomes image vectors; what was encoded before comes from the cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np

from seealso.encoder import ImageEncoder, VectorCache
from seealso.errors import DataError
from seealso.log import progress
from seealso.readers import Problem, Problems
from seealso.types import ImageRows, Vector

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})
LARGEST_FILE: Final = 100_000_000
"""Bytes of a picture: more is none of a product."""
_AT_ONCE: Final = 32


@dataclass(frozen=True)
class Gallery:
    """The pictures of a folder, each called by its item id.

    Attributes
    ----------
    folder
        Where they are. Names are read as in an address: ``a%2Fb.png`` is the item ``a/b``.
    encoder
        Makes their vectors.
    cache
        Keeps them, by the content of a picture.
    problems
        Takes the pictures that cannot be read.
    """

    folder: Path
    encoder: ImageEncoder
    cache: VectorCache | None
    problems: Problems

    def read(self) -> Iterator[ImageRows]:
        """Yield the vectors of all pictures, in the order of their names.

        Raises
        ------
        DataError
            There is no such folder, or a picture is broken and `problems` stops there.
        MissingExtraError
            Pillow is not installed.
        """
        files = self._files()
        reading = self.problems.reading("images", self.folder.name)
        first: dict[str, str] = {}
        with progress("pictures", len(files)) as tick:
            for start in range(0, len(files), _AT_ONCE):
                places = enumerate(files[start : start + _AT_ONCE], start=start + 1)
                pictures = [_open(place, file, first) for place, file in places]
                self._encode([one for one in pictures if not one.fault])
                broken = [Problem(one.place, one.name, one.fault) for one in pictures if one.fault]
                reading.report(broken, "picture")
                sound = [one for one in pictures if not one.fault]
                if sound:
                    vectors = np.stack([one.vector for one in sound])
                    digests = [one.key[:16] for one in sound]
                    yield ImageRows([one.item_id for one in sound], vectors, digests)
                tick(len(pictures))

    def _files(self) -> list[Path]:
        try:
            found = [one for one in self.folder.iterdir() if one.suffix.lower() in SUFFIXES]
        except OSError as exc:
            raise DataError(
                f"{self.folder}: cannot be read: {exc.strerror}",
                hint="check images.folder",
                file=str(self.folder),
                field="images.folder",
            ) from exc
        return sorted(found)

    def _encode(self, pictures: Sequence["_Picture"]) -> None:
        """Give each picture its vector, or note why it has none."""
        model, width = f"image-{self.encoder.fingerprint}", self.encoder.width
        keys = [one.key for one in pictures]
        known = self.cache.get_many(model, keys, width) if self.cache else {}
        pixels: list[tuple[_Picture, Vector]] = []
        for one in pictures:
            if one.key in known:
                one.vector = known[one.key]
                continue
            try:
                pixels.append((one, self.encoder.pixels.read(one.content)))
            except DataError as exc:
                one.fault = exc.message
        if not pixels:
            return
        vectors = self.encoder.run(np.stack([values for _, values in pixels]))
        for (one, _), vector in zip(pixels, vectors, strict=True):
            one.vector = vector
            if not (np.isfinite(vector).all() and vector.any()):
                one.fault = "has no vector: the encoder gives zeros, or nothing finite"
        fresh = [one for one, _ in pixels if not one.fault]
        if self.cache and fresh:
            stacked = np.stack([one.vector for one in fresh])
            self.cache.put_many(model, [one.key for one in fresh], stacked)


@dataclass
class _Picture:
    """A picture, and what is wrong with it.

    Attributes
    ----------
    place, name, item_id
        The number and name of its file, and whose picture it is.
    content
        Of the file.
    fault
        Why it cannot be used; empty where it can.
    vector
        Shape (width,), once it is encoded.
    """

    place: int
    name: str
    item_id: str
    content: bytes = b""
    fault: str = ""
    vector: Vector = field(default_factory=lambda: np.zeros(0, np.float32))

    @cached_property
    def key(self) -> str:
        """What tells its content from others."""
        return sha256(self.content).hexdigest()


def _open(place: int, file: Path, first: dict[str, str]) -> _Picture:
    """Read a file; `first` names the file of each item so far."""
    picture = _Picture(place, file.name, unquote(file.stem))
    if (other := first.setdefault(picture.item_id, file.name)) != file.name:
        picture.fault = f"is the item of {other}, too"
        return picture
    try:
        if file.stat().st_size > LARGEST_FILE:
            picture.fault = f"has more than {LARGEST_FILE:,} bytes"
        else:
            picture.content = file.read_bytes()
    except OSError as exc:
        picture.fault = f"cannot be read: {exc.strerror}"
    return picture
