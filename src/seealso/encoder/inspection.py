"""May what came from elsewhere be opened? Every file of a foreign bundle is looked at first.

Checksums find damage. The other checks assume that somebody who changed a file also made new
checksums.
"""

import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from seealso.encoder.bundle import Bundle
from seealso.encoder.description import (
    COLLABORATIVE,
    DESCRIPTION,
    IMAGES,
    MODEL,
    MODEL_INT8,
    PROJECTION,
    TOKENIZER,
    read_description,
)
from seealso.encoder.encoder import Encoder
from seealso.encoder.graphs import complaint
from seealso.encoder.texts import ItemText, UserText
from seealso.errors import BundleError, TemplateError
from seealso.types import Vector

LARGEST: Final[Mapping[str, int]] = {
    DESCRIPTION: 1_000_000,
    TOKENIZER: 256_000_000,
    PROJECTION: 256_000_000,
    COLLABORATIVE: 2**31 - 1,
    IMAGES: 256_000_000,
    # protobuf, in which ONNX is written, ends here
    MODEL: 2**31 - 1,
    MODEL_INT8: 2**31 - 1,
}
"""Every file that a bundle may have, and the most bytes of each."""

_ARRAYS: Final = {
    PROJECTION: {"mean.npy", "matrix.npy"},
    COLLABORATIVE: {"ids.npy", "factors.npy", "gram.npy", "predictor.npy", "numbers.npy"},
    IMAGES: {"mean.npy", "matrix.npy", "weight.npy", "reader.npy"},
}
_CO_OCCURRENCE: Final = {
    f"co_occurrence_{name}.npy" for name in ("starts", "places", "weights", "numbers")
}
"""What else is in the part for behaviour, if it knows what is chosen around what."""
_LONGEST_PROBE: Final = 512


def inspect(folder: Path) -> Bundle:
    """Check a bundle that is not trusted, and return it.

    Nothing in it is run before it was looked at: the graphs are opened last.

    Raises
    ------
    BundleError
        A file does not belong, is too large, is not the one recorded, refers to something
        outside the bundle or asks for code that is not onnxruntime's own; or the model does not
        give what the description says.
    """
    present = _entries(folder)
    _check_printable(folder)
    for name in _ARRAYS.keys() & present:
        _check_arrays(folder / name)
    try:
        bundle = Bundle.load(folder)
    except MemoryError as exc:
        raise refused("its arrays ask for more memory than there is") from exc
    if extra := sorted(present - {DESCRIPTION, *bundle.files}):
        raise refused(f"{extra[0]} does not belong: {DESCRIPTION} does not name it")
    for name, part in bundle.parts.items():
        if not all(np.isfinite(array).all() for array in part.arrays().values()):
            raise refused(f"{name} holds numbers that are not finite")
    for name in (MODEL, MODEL_INT8):
        if found := complaint((folder / name).read_bytes()):
            raise refused(f"{name} {found}")
    _check_texts(bundle)
    _probe(bundle)
    return bundle


def refused(why: str) -> BundleError:
    """Return the error that says why a bundle is not imported."""
    return BundleError(
        why, hint="nothing was imported; get the bundle again from where it was made"
    )


def _entries(folder: Path) -> set[str]:
    for entry in folder.iterdir():
        check_entry(entry.name, entry.lstat().st_size)
        if not stat.S_ISREG(entry.lstat().st_mode):
            raise refused(f"{entry.name} is not a plain file")
    return {entry.name for entry in folder.iterdir()}


def check_entry(name: str, size: int) -> None:
    """Raise BundleError if a bundle has no file `name`, or none of that many bytes."""
    if name not in LARGEST:
        raise refused(f"{name!r} does not belong in a bundle")
    if size > LARGEST[name]:
        raise refused(f"{name} has {size:,} bytes; at most {LARGEST[name]:,} are read")


def _check_printable(folder: Path) -> None:
    try:
        texts = list(_texts(read_description(folder)))
    except RecursionError as exc:
        raise refused(f"{DESCRIPTION} is nested too deeply") from exc
    # what a terminal obeys must not reach one: `model show` prints these texts
    if any(not (sign.isprintable() or sign in "\n\t") for text in texts for sign in text):
        raise refused(f"{DESCRIPTION} holds characters that cannot be printed")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield name
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _check_arrays(file: Path) -> None:
    """Look at the sizes in a .npz before any of it is unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError) as exc:
        raise refused(f"{file.name} is not a {file.stem}: {exc}") from exc
    names, expected = [one.filename for one in members], _ARRAYS[file.name]
    if file.name == COLLABORATIVE and _CO_OCCURRENCE & {*names}:
        expected = expected | _CO_OCCURRENCE
    if sorted(names) != sorted(expected):
        raise refused(f"{file.name} holds other arrays than {', '.join(sorted(expected))}")
    check_entry(file.name, sum(one.file_size for one in members))


def _check_texts(bundle: Bundle) -> None:
    if bundle.text is None:
        return
    try:
        ItemText(bundle.text)
        UserText(bundle.text)
    except TemplateError as exc:
        raise refused(f"{DESCRIPTION} holds a template that is refused: {exc.message}") from exc


def _probe(bundle: Bundle) -> None:
    texts = ["probe", "probe " * min(bundle.max_length, _LONGEST_PROBE)]
    for precision, name in (("fp32", MODEL), ("int8", MODEL_INT8)):
        try:
            vectors = _as_held(bundle, Encoder(bundle, precision=precision).encode_users(texts))
        except BundleError:
            raise
        except Exception as exc:  # onnxruntime and tokenizers raise whatever their parts raise
            reason = str(exc).strip().splitlines()
            message = reason[0] if reason else repr(exc)
            raise refused(f"{name} does not fit the description: {message}") from exc
        lengths = np.linalg.norm(vectors, axis=1)
        if vectors.shape[1] != bundle.dimension or not np.allclose(lengths, 1.0, atol=1e-3):
            raise refused(f"{name} does not give unit vectors of {bundle.dimension} dimensions")


def _as_held(bundle: Bundle, content: Vector) -> Vector:
    """Return items of these contents as an index would hold them, shape (n, dimension)."""
    if bundle.collaborative is None:
        return content
    return bundle.collaborative.join([""] * len(content), content)
