"""Reads image vectors that exist already, from Parquet, JSON lines, .npz and .npy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.config import ImagesSettings
from seealso.decoding import read_text
from seealso.errors import DataError
from seealso.readers.files import FileSource
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows, batches
from seealso.readers.values.cells import Fault
from seealso.readers.values.columns import ColumnCheck, select_column
from seealso.readers.values.ids import parse_ids
from seealso.types import ImageRows, Vector

_ROWS_AT_ONCE = 4096


def read_image_vectors(images: ImagesSettings, problems: Problems) -> Iterator[ImageRows]:
    """Yield the image vectors of ``images.path`` in batches, in its order.

    Parameters
    ----------
    images
        The file and its columns.
    problems
        Takes the broken rows: no id, one over 512 bytes or there already, no vector, one of
        another length than the first, numbers that are not finite, zeros only.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or a row is broken and `problems` stops there.
    """
    file = images.path
    if file is None:
        return
    reading = problems.reading("images", file.name)
    checker = _ImageChecker(images.id, images.vector)
    arrays = file.suffix.lower() in (".npy", ".npz")
    for rows in _read_arrays(file, images) if arrays else _read_columns(file, images):
        good, broken = checker.check(rows)
        reading.take(rows, broken)
        if good.ids:
            yield good


@dataclass
class _ImageChecker:
    """Separates good rows from broken ones; remembers ids and the length of vectors."""

    id: str
    vector: str
    width: int = 0
    first: dict[str, int] = field(default_factory=dict)

    def check(self, rows: Rows) -> tuple[ImageRows, list[Problem]]:
        broken: list[Problem] = []
        ids, vectors = [], []
        cells = parse_ids(select_column(rows.frame, self.id))
        parsed = zip(
            cells.values.to_list(), _parse_vectors(rows, self.vector), rows.places, strict=True
        )
        for row, (item_id, vector, place) in enumerate(parsed):
            if fault := cells.faults.get(row) or self._check_id(item_id, rows.unit):
                broken.append(Problem(place, self.id, fault.reason, fault.value))
            elif fault := self._check_vector(vector):
                broken.append(Problem(place, self.vector, fault.reason))
            elif item_id is not None and vector is not None:
                self.first[item_id] = place
                ids.append(item_id)
                vectors.append(vector)
        found = np.stack(vectors) if vectors else np.zeros((0, self.width), dtype=np.float32)
        return ImageRows(ids, found, [_hash_vector(one) for one in found]), broken

    def _check_id(self, item_id: str | None, unit: str) -> Fault | None:
        if item_id is None:
            return Fault("is empty")
        if item_id in self.first:
            return Fault(f"{item_id!r} already exists, on {unit} {self.first[item_id]}")
        return None

    def _check_vector(self, vector: Vector | None) -> Fault | None:
        if vector is None or not len(vector):
            return Fault("is empty, or no list of numbers")
        self.width = self.width or len(vector)
        if len(vector) != self.width:
            return Fault(f"has {len(vector)} numbers, the first vector has {self.width}")
        if not np.isfinite(vector).all():
            return Fault("holds numbers that are not finite")
        return None if vector.any() else Fault("holds nothing but zeros")


def _hash_vector(vector: Vector) -> str:
    """Return 16 hex digits over an image vector of shape (w,)."""
    return blake2b(vector.astype("<f4").tobytes(), digest_size=8).hexdigest()


def _parse_vectors(rows: Rows, name: str) -> list[Vector | None]:
    """Return vectors with NaN in the place of what is no number; None without any number."""
    values = select_column(rows.frame, name)
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    if not isinstance(values.dtype, pl.List):
        return [None] * len(values)
    numbers = values.cast(pl.List(pl.Float64), strict=False)
    # what is too large for float32 becomes infinite, and is refused as such
    with np.errstate(over="ignore"):
        return [
            None if row is None else row.fill_null(float("nan")).to_numpy().astype(np.float32)
            for row in numbers
        ]


def _read_columns(file: Path, images: ImagesSettings) -> Iterator[Rows]:
    names = (images.id, images.vector)
    check = ColumnCheck(file.name, "images", names, names)
    for rows in batches(FileSource(file, _ROWS_AT_ONCE, columns=names)):
        check.see(rows)
        yield rows


def _read_arrays(file: Path, images: ImagesSettings) -> Iterator[Rows]:
    try:
        if file.suffix.lower() == ".npz":
            # opened here: numpy leaves a file open that only begins like an archive
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                ids, vectors = arrays["ids"].astype(str).tolist(), arrays["vectors"]
        else:
            vectors = np.load(file, allow_pickle=False, mmap_mode="r")
            ids = [] if images.ids is None else read_text(images.ids).splitlines()
    except KeyError as exc:
        raise _describe_unreadable(file, f"it has no array {exc}") from exc
    except (EOFError, OSError, TypeError, ValueError, BadZipFile) as exc:
        raise _describe_unreadable(
            file, str(exc).splitlines()[0] if str(exc) else repr(exc)
        ) from exc
    _check_shape(file, ids, vectors)
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(ids))
        columns = {
            images.id: pl.Series(ids[start:stop], dtype=pl.String),
            images.vector: pl.Series(np.asarray(vectors[start:stop], dtype=np.float64)),
        }
        yield Rows(pl.DataFrame(columns), range(start + 1, stop + 1), unit="row")


def _check_shape(file: Path, ids: Sequence[str], vectors: npt.NDArray[Any]) -> None:
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu":
        raise _describe_unreadable(
            file, f"vectors of shape {vectors.shape} and type {vectors.dtype}, not a row an item"
        )
    if len(ids) != len(vectors):
        raise _describe_unreadable(file, f"{len(ids):,} ids for {len(vectors):,} vectors")


def _describe_unreadable(file: Path, reason: str) -> DataError:
    return DataError(
        f"{file.name}: image vectors cannot be read: {reason}",
        hint="see docs/how-to/images.md for what these files hold",
        file=str(file),
        field="images.path",
    )
