"""Files of rows: delimited text, JSON lines and Parquet, each also as .gz.

The name says what a file is; a file that is something else is refused with what it seems to be.
How it is written (encoding, separator) is found out where the settings do not say it.
"""

import gzip
import shutil
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, Final, cast

import polars as pl

from seealso.config import FormatSettings
from seealso.decoding import as_utf8
from seealso.errors import DataError
from seealso.interactions.delimited import read_delimited
from seealso.interactions.dialects import open_delimited
from seealso.interactions.documents import read_json
from seealso.interactions.parquet import read_parquet
from seealso.interactions.rows import Rows
from seealso.log import logger

DELIMITED: Final = {".csv": ",", ".tsv": "\t", ".txt": ","}
"""Extensions of delimited files, with the separator that they have as a rule."""

FORMATS: Final = (*DELIMITED, ".jsonl", ".ndjson", ".json", ".parquet")

# first bytes of what people hand over under a wrong name
_SIGNATURES = (
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
)

_USUAL_ENCODINGS: Final = (None, "utf-8", "utf-8-sig")

_FOUND_OUT: Final = FormatSettings()

_log = logger(__name__)


@dataclass(frozen=True)
class FileSource:
    """The rows of a file, read as a stream: memory holds a few batches at a time.

    Parameters
    ----------
    path
        A file called .csv, .tsv, .txt, .jsonl, .ndjson, .json or .parquet, or one of these
        with .gz.
    batch_rows
        Most rows of one batch.
    format
        How it is written; what is not set is found out.
    columns
        The columns that are read; None for all. The others are never in the way, whatever
        they hold.
    """

    path: Path
    batch_rows: int = 10_000
    format: FormatSettings = _FOUND_OUT
    columns: Collection[str] | None = None
    _said: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    def rows(self) -> Iterator[Rows]:
        """Yield all rows in batches.

        Raises
        ------
        DataError
            The file is missing, is not what its name says, or ends too early.
        """
        suffix = self._suffix()
        try:
            with self._open() as stream:
                self._check_content(stream, suffix)
                if suffix == ".parquet":
                    yield from self._parquet(stream)
                else:
                    yield from self._text(stream, suffix)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise self._error(
                "is damaged or cut off: its gzip data does not end well", "copy the file again"
            ) from exc
        except pl.exceptions.PolarsError as exc:
            reason = str(exc).splitlines()[0]
            raise self._error(f"is no readable Parquet file: {reason}", "write it again") from exc
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise DataError(
                f"{self.path}: {reason}", hint="check the path", file=str(self.path)
            ) from exc

    @property
    def _zipped(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    def _suffix(self) -> str:
        inner = self.path.with_suffix("") if self._zipped else self.path
        suffix = inner.suffix.lower()
        if suffix not in FORMATS:
            raise self._error(
                f"has an unknown extension {suffix!r}" if suffix else "has no extension",
                f"name it {', '.join(FORMATS)}, or one of these with .gz",
            )
        return suffix

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        with self.path.open("rb") as raw:
            if not self._zipped:
                yield raw
                return
            if raw.peek(2)[:2] not in (b"\x1f\x8b", b""):
                raise self._error("is not gzip data", "take .gz off its name")
            with gzip.GzipFile(fileobj=raw) as unpacked:
                # GzipFile is a buffered stream without being declared as one
                yield cast(BinaryIO, unpacked)

    def _check_content(self, stream: BinaryIO, suffix: str) -> None:
        head = stream.read(4)
        stream.seek(0)
        expected = "Parquet" if suffix == ".parquet" else None
        found = next((what for start, what in _SIGNATURES if head.startswith(start)), None)
        if found != expected and head:
            seems = f"it seems to be {found}" if found else "it does not start as Parquet does"
            raise self._error(
                f"is not what its extension {suffix} says: {seems}",
                "rename the file, or convert it to CSV, JSON lines or Parquet",
            )

    def _text(self, raw: BinaryIO, suffix: str) -> Iterator[Rows]:
        buffered, recoded = as_utf8(raw, self.format.encoding)
        with buffered as stream:
            if suffix in DELIMITED:
                default = DELIMITED[suffix]
                dialect = open_delimited(
                    stream, self.name, self.format, default=default, columns=self.columns
                )
                if dialect.separator not in (default, self.format.separator):
                    self._say(f"its fields are separated by {dialect.separator!r}")
                batches = read_delimited(stream, dialect, batch_rows=self.batch_rows)
            else:
                batches = read_json(stream, self.name, self.columns, batch_rows=self.batch_rows)
            for rows in batches:
                if self.format.encoding is None and recoded.encoding not in _USUAL_ENCODINGS:
                    self._say(f"its encoding is {recoded.encoding}")
                yield rows

    def _say(self, found: str) -> None:
        """Say once how the file is written, where that was found out and is not the usual."""
        if found not in self._said:
            self._said.add(found)
            _log.warning("%s: %s, as it seems; format can say otherwise", self.name, found)

    def _parquet(self, stream: BinaryIO) -> Iterator[Rows]:
        if not self._zipped:
            yield from read_parquet(self.path, self.columns, batch_rows=self.batch_rows)
            return
        # Parquet is read from its end: unpack to disk, not to memory
        with NamedTemporaryFile(suffix=".parquet") as unpacked:
            shutil.copyfileobj(stream, unpacked)
            unpacked.flush()
            path = Path(unpacked.name)
            yield from read_parquet(path, self.columns, batch_rows=self.batch_rows)

    def _error(self, what: str, hint: str) -> DataError:
        return DataError(f"{self.name} {what}", hint=hint, file=str(self.path))
