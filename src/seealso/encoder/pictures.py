"""Pictures to vectors with an ONNX image encoder (CLIP, DINO and their like), read by Pillow.

Pictures come from anywhere: only JPEG and PNG are opened, and none that unpacks to a huge one.
"""

import io
import json
import warnings
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np

from seealso.encoder.graphs import complaint
from seealso.encoder.reader import open_session
from seealso.errors import BundleError, DataError, MissingExtraError
from seealso.types import Vector

GRAPH: Final = "image.onnx"
DESCRIPTION: Final = "image.json"
FORMATS: Final = ("JPEG", "PNG")
MOST_PIXELS: Final = 50_000_000
"""A picture of more is refused before it is unpacked: 150 MB of memory."""
LARGEST_SIZE: Final = 2048
EMBEDDING: Final = "image_embeds"
"""Output of a CLIP export; without it, the first one of a row an image is taken."""

_REFUSED: Final = "see docs/how-to/images.md for what image.onnx and image.json are"


@dataclass(frozen=True, slots=True)
class Pixels:
    """How a picture becomes the input of the encoder.

    Attributes
    ----------
    height, width
        The picture is scaled and cut at its longer side to this size.
    mean, std
        Of each colour, for values from 0 to 1: the input is (value - mean) / std.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, description: Any) -> "Pixels":
        """Return the values of image.json.

        Raises
        ------
        ValueError
            It has other contents.
        """
        size = description["size"]
        height, width = (size, size) if isinstance(size, int) else size
        colours = [tuple(float(one) for one in description[name]) for name in ("mean", "std")]
        sound = (
            all(isinstance(one, int) and 1 <= one <= LARGEST_SIZE for one in (height, width))
            and all(len(one) == 3 and np.isfinite(one).all() for one in colours)
            and min(colours[1]) > 0
        )
        if not sound:
            raise ValueError("size, mean and std are no size and three numbers each")
        return cls(height, width, *colours)  # type: ignore[arg-type]

    def read(self, picture: bytes) -> Vector:
        """Return the input for one picture, shape (3, height, width).

        Raises
        ------
        DataError
            It is no picture that can be read; the message is the end of a sentence that starts
            with the file.
        MissingExtraError
            Pillow is not installed.
        """
        values = np.asarray(self._opened(picture), dtype=np.float32) / np.float32(255)
        mean, std = (np.asarray(one, dtype=np.float32) for one in (self.mean, self.std))
        return np.ascontiguousarray(((values - mean) / std).transpose(2, 0, 1))

    def _opened(self, picture: bytes) -> Any:
        try:
            from PIL import Image, ImageOps
        except ModuleNotFoundError as exc:
            raise MissingExtraError.of("pillow", "images") from exc
        try:
            with warnings.catch_warnings():
                # Pillow only warns of a picture that is far too large, and goes on
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                opened = Image.open(io.BytesIO(picture), formats=FORMATS)
            if opened.width * opened.height > MOST_PIXELS:
                raise DataError(f"has {opened.width * opened.height:,} pixels, too many to unpack")
            with opened:
                turned = ImageOps.exif_transpose(opened).convert("RGB")
                return ImageOps.fit(turned, (self.width, self.height), Image.Resampling.BICUBIC)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
            raise DataError("has too many pixels to unpack") from exc
        except (OSError, SyntaxError, ValueError) as exc:
            # SyntaxError is what Pillow raises of a broken PNG
            raise DataError("is not a JPEG or PNG that can be read") from exc


class ImageEncoder:
    """An ONNX image encoder in a folder with image.onnx and image.json.

    Parameters
    ----------
    folder
        The folder.
    threads
        Threads of one run; 0 takes all cores that this process may use.

    Attributes
    ----------
    pixels
        How pictures are read.
    fingerprint
        16 hex digits over both files.
    width
        Length of the vectors.

    Raises
    ------
    BundleError
        A file is missing, is not what it should be, or the model gives no vectors.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        graph, described = (_bytes(folder / name) for name in (GRAPH, DESCRIPTION))
        try:
            self.pixels = Pixels.of(json.loads(described))
        except (KeyError, TypeError, ValueError) as exc:
            raise _refused(folder / DESCRIPTION, f"not a description: {exc!r}") from exc
        if found := complaint(graph):
            raise _refused(folder / GRAPH, found)
        self.fingerprint = sha256(sha256(graph).digest() + sha256(described).digest()).hexdigest()
        self.fingerprint = self.fingerprint[:16]
        try:
            self._session = open_session(graph, threads)
            self._input = self._session.get_inputs()[0].name
            self._output = _output(self._session)
            blank = np.zeros((2, 3, self.pixels.height, self.pixels.width), dtype=np.float32)
            vectors = self.run(blank)
        except Exception as exc:  # onnxruntime raises whatever its parts raise
            reason = (str(exc).splitlines() or [repr(exc)])[0]
            raise _refused(folder / GRAPH, f"does not encode pictures: {reason}") from exc
        if vectors.ndim != 2 or len(vectors) != 2:
            raise _refused(folder / GRAPH, f"gives {vectors.shape} for 2 pictures, not rows")
        self.width = vectors.shape[1]

    def run(self, inputs: Vector) -> Vector:
        """Return the vectors of m inputs of shape (m, 3, height, width), shape (m, w)."""
        found = self._session.run([self._output], {self._input: inputs})[0]
        return np.asarray(found, dtype=np.float32)


def _output(session: Any) -> str:
    outputs = session.get_outputs()
    rows = [one.name for one in outputs if len(one.shape) == 2]
    if not rows:
        raise ValueError(f"no output of a row an image among {[one.name for one in outputs]}")
    return EMBEDDING if EMBEDDING in rows else str(rows[0])


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise _refused(file, f"cannot be read: {exc.strerror}") from exc


def _refused(file: Path, reason: str) -> BundleError:
    return BundleError(f"{file}: {reason}", hint=_REFUSED, file=str(file), field="images.bundle")
