"""A folder of pictures becomes image vectors; what was encoded before comes from the cache."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np

from seealso.config import Settings
from seealso.encoder import ImageEncoder, VectorCache, open_cache
from seealso.encoder.pictures import usable
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

    @classmethod
    def of(cls, settings: Settings, folder: Path, bundle: Path, problems: Problems) -> "Gallery":
        """Return the gallery of ``images.folder``, with the encoder in ``images.bundle``.

        Raises
        ------
        BundleError
            The encoder cannot be used.
        """
        encoder = ImageEncoder(bundle, settings.encoder.threads)
        return cls(folder, encoder, open_cache(settings), problems)

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
                wall = _PictureBatch(start + 1, files[start : start + _AT_ONCE], first)
                rows = self._encoded(wall)
                reading.report(wall.broken, "picture")
                if rows.ids:
                    yield rows
                tick(len(wall.files))

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

    def _encoded(self, wall: "_PictureBatch") -> ImageRows:
        model, width = f"image-{self.encoder.fingerprint}", self.encoder.width
        pictures = wall.pictures()
        keys = {name: sha256(content).hexdigest() for name, content in pictures.items()}
        known = self.cache.get_many(model, list(keys.values()), width) if self.cache else {}
        inputs = {}
        for item_id, content in pictures.items():
            if keys[item_id] not in known:
                try:
                    inputs[item_id] = self.encoder.pixels.read(content)
                except DataError as exc:
                    wall.refuse(item_id, exc.message)
        fresh = self._run(wall, inputs)
        if self.cache and fresh:
            made = [keys[item_id] for item_id in fresh]
            self.cache.put_many(model, made, np.stack(list(fresh.values())))
        found = {
            item_id: vector
            for item_id, key in keys.items()
            if (vector := fresh.get(item_id, known.get(key))) is not None
        }
        stacked = np.stack(list(found.values())) if found else np.zeros((0, width), np.float32)
        return ImageRows(list(found), stacked, [keys[item_id][:16] for item_id in found])

    def _run(self, wall: "_PictureBatch", inputs: dict[str, Vector]) -> dict[str, Vector]:
        if not inputs:
            return {}
        found = zip(inputs, self.encoder.run(np.stack(list(inputs.values()))), strict=True)
        sound = {}
        for item_id, vector in found:
            if usable(vector):
                sound[item_id] = vector
            else:
                wall.refuse(item_id, "has no vector: the encoder gives zeros, or nothing finite")
        return sound


@dataclass
class _PictureBatch:
    """Some pictures that hang together, and what is wrong with them.

    Attributes
    ----------
    start
        Number of the first one.
    files
        Where they are.
    first
        File of each item so far, on this wall and those before.
    """

    start: int
    files: Sequence[Path]
    first: dict[str, str]
    broken: list[Problem] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def pictures(self) -> dict[str, bytes]:
        """Return the content of each file by item, and note what cannot be read."""
        found = {}
        for place, file in enumerate(self.files, start=self.start):
            item_id = unquote(file.stem)
            if item_id in self.first:
                self._note(place, file.name, f"is the item of {self.first[item_id]}, too")
                continue
            self.first[item_id] = file.name
            self._places[item_id] = place
            try:
                if file.stat().st_size > LARGEST_FILE:
                    self._note(place, file.name, f"has more than {LARGEST_FILE:,} bytes")
                else:
                    found[item_id] = file.read_bytes()
            except OSError as exc:
                self._note(place, file.name, f"cannot be read: {exc.strerror}")
        return found

    def refuse(self, item_id: str, reason: str) -> None:
        """Note why the picture of an item is no picture."""
        self._note(self._places[item_id], self.first[item_id], reason)

    def _note(self, place: int, name: str, reason: str) -> None:
        self.broken.append(Problem(place, name, reason))
