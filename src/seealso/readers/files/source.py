"""Files of rows: delimited text, JSON and Parquet, each also compressed and in parts.

The extension decides what a file is, and a file that is something else is refused with what it
seems to be. Encoding and separator are found out unless the settings name them.
"""

import bz2
import gzip
import lzma
import shutil
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Final

import polars as pl

from seealso.config import FormatSettings
from seealso.decoding import Utf8Stream, open_utf8
from seealso.errors import DataError
from seealso.readers.files.delimited import read_delimited
from seealso.readers.files.dialects import read_dialect
from seealso.readers.files.documents import read_json
from seealso.readers.files.kinds import recognise_other, recognise_packed
from seealso.readers.files.parquet import read_parquet
from seealso.readers.files.parts import Part, find_parts
from seealso.readers.rows import Rows

DELIMITED: Final = {".csv": ",", ".tsv": "\t", ".txt": ","}
"""Extensions of delimited files, with the separator that they have as a rule."""

FORMATS: Final = (*DELIMITED, ".jsonl", ".ndjson", ".json", ".parquet")

_PACKINGS: Final[Mapping[str, tuple[bytes, str, Callable[[BinaryIO], Any]]]] = {
    ".gz": (b"\x1f\x8b", "gzip", gzip.open),
    ".bz2": (b"BZh", "bzip2", bz2.open),
    ".xz": (b"\xfd7zXZ\x00", "xz", lzma.open),
}

_USUAL_ENCODINGS: Final = (None, "utf-8", "utf-8-sig")

_FOUND_OUT: Final = FormatSettings()


@dataclass(frozen=True)
class FileSource:
    """The rows of a file, read as a stream: memory holds a few batches at a time.

    Parameters
    ----------
    path
        A file called .csv, .tsv, .txt, .jsonl, .ndjson, .json or .parquet, or one of these with
        .gz, .bz2 or .xz; a folder of such parts, or a pattern that names them (``events-*.csv``).
    batch_rows
        Most rows of one batch.
    format
        How it is written; what is not set is found out.
    columns
        The columns that are read; None for all. The others are never in the way, whatever
        they hold.
    section
        The settings section that names the file, for messages.
    part
        The only one of its files that is read; None for all.
    """

    path: Path
    batch_rows: int = 10_000
    format: FormatSettings = _FOUND_OUT
    columns: Collection[str] | None = None
    section: str = ""
    part: Part | None = None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name or self.path.resolve().name or str(self.path)

    def rows(self) -> Iterator[Rows]:
        """Yield all rows in batches, of one part after the other.

        Raises
        ------
        DataError
            A file is missing, is not what its name says, or ends too early.
        """
        parts, others = self._find()
        new = [_describe_passed(others)] if others else []
        noted_before: set[str] = set()
        for part in parts:
            for rows in self._read_part(part):
                # what holds for every part is said of the first
                found = dict.fromkeys(note for note in rows.notes if note not in noted_before)
                noted_before.update(found)
                new += [f"{part.name}: {note}" if part.name else note for note in found]
                noted = replace(rows, notes=new)
                yield _add_part(noted, part, self.columns) if part.name else noted
                new = []

    def split(self) -> list["FileSource"]:
        """Return a source for each file, in their order.

        Raises
        ------
        DataError
            There is none, or they are of several kinds.
        """
        return [replace(self, part=part) for part in self._find()[0]]

    def _find(self) -> tuple[list[Part], list[str]]:
        if self.part is not None:
            return [self.part], []
        try:
            return find_parts(self.path, FORMATS)
        except OSError as exc:
            raise self._describe_unreadable(self.path, exc) from exc

    def _read_part(self, part: Part) -> Iterator[Rows]:
        name = f"{self.name} {part.name}".rstrip()
        try:
            # a writer that had no rows for a part leaves it empty
            if part.name and not part.path.stat().st_size:
                return
            with self._open(part, name) as stream:
                _check_content(stream, part, name)
                if part.kind == ".parquet":
                    yield from self._read_parquet(part, stream)
                else:
                    yield from self._read_text(part, name, stream)
        except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as exc:
            _, packing, _ = _PACKINGS[part.packing]
            raise _describe(
                name,
                part,
                f"is damaged or cut off: its {packing} data does not end well",
                "copy the file again",
            ) from exc
        except pl.exceptions.PolarsError as exc:
            reason = str(exc).splitlines()[0]
            raise _describe(
                name, part, f"is not a readable Parquet file: {reason}", "write it again"
            ) from exc
        except OSError as exc:
            raise self._describe_unreadable(part.path, exc) from exc

    @contextmanager
    def _open(self, part: Part, name: str) -> Iterator[BinaryIO]:
        with part.path.open("rb") as raw:
            if not part.packing:
                yield raw
                return
            start, what, opener = _PACKINGS[part.packing]
            if not raw.peek(6).startswith(start) and raw.peek(1):
                raise _describe(
                    name, part, f"is not {what} data", f"take {part.packing} off its name"
                )
            with opener(raw) as unpacked:
                yield unpacked

    def _read_text(self, part: Part, name: str, raw: BinaryIO) -> Iterator[Rows]:
        buffered, recoded = open_utf8(raw, self.format.encoding)
        with buffered as stream:
            # programs that add a byte order mark may meet one that already exists
            while stream.peek().startswith(BOM_UTF8):
                stream.read(len(BOM_UTF8))
            if part.name and not stream.peek():
                return
            if found := recognise_other(stream.peek(), delimited=part.kind in DELIMITED):
                raise _describe_other(name, part, found)
            separated = ""
            if part.kind in DELIMITED:
                default = DELIMITED[part.kind]
                dialect = read_dialect(
                    stream, name, self.format, default=default, columns=self.columns
                )
                if dialect.separator not in (default, self.format.separator):
                    separated = f"separated by {dialect.separator!r}"
                batches = read_delimited(stream, dialect, batch_rows=self.batch_rows)
            else:
                batches = read_json(stream, name, self.columns, batch_rows=self.batch_rows)
            notes: list[str] = []
            for rows in batches:
                # the encoding may be known only later than the separator
                new = [
                    one
                    for one in (self._describe_encoding(recoded), separated)
                    if one and one not in notes
                ]
                notes += new
                key = f"{self.section}.format".lstrip(".")
                note = f"{', '.join(new)} ({key} changes it if that is wrong)"
                yield replace(rows, notes=[note, *rows.notes]) if new else rows

    def _describe_encoding(self, text: Utf8Stream) -> str:
        """Return how a text was decoded; empty if that is usual or set."""
        if self.format.encoding or text.encoding in _USUAL_ENCODINGS:
            return ""
        # the word of an event could be the name of a user
        example = f" ({text.example!r})" if self.section == "catalogue" and text.example else ""
        return f"read as {text.encoding}{example}"

    def _read_parquet(self, part: Part, stream: BinaryIO) -> Iterator[Rows]:
        if not part.packing:
            yield from read_parquet(part.path, self.columns, batch_rows=self.batch_rows)
            return
        # Parquet is read from its end: unpack to disk, not to memory
        with NamedTemporaryFile(suffix=".parquet") as unpacked:
            shutil.copyfileobj(stream, unpacked)
            unpacked.flush()
            path = Path(unpacked.name)
            yield from read_parquet(path, self.columns, batch_rows=self.batch_rows)

    def _describe_unreadable(self, path: Path, exc: OSError) -> DataError:
        reason = (exc.strerror or str(exc)).lower()
        return DataError(f"{path}: {reason}", hint="check the path", file=str(path))


def _check_content(stream: BinaryIO, part: Part, name: str) -> None:
    head = stream.read(16)
    stream.seek(0)
    expected = "Parquet" if part.kind == ".parquet" else None
    found = recognise_packed(head)
    if found != expected and head:
        raise _describe_other(name, part, found)


def _describe_other(name: str, part: Part, found: str | None) -> DataError:
    seems = f"it seems to be {found}" if found else "it does not start as Parquet does"
    return _describe(
        name,
        part,
        f"is not what its extension {part.kind} says: {seems}",
        "rename the file, or convert it to CSV, JSON lines or Parquet",
    )


def _add_part(rows: Rows, part: Part, columns: Collection[str] | None) -> Rows:
    """Return rows that name their part, with the columns from the names of its folders."""
    frame = rows.frame
    if columns is not None and not rows.sparse and not {*frame.columns, *part.values} & {*columns}:
        raise DataError(
            f"{part.path}: has none of the needed columns; it has {', '.join(rows.others)}",
            hint="the first line of every part must name the columns",
            file=str(part.path),
        )
    values = {
        key: value
        for key, value in part.values.items()
        if key not in frame.columns and (columns is None or key in columns)
    }
    frame = frame.with_columns(
        pl.lit(value, dtype=pl.String).alias(key) for key, value in values.items()
    )
    return replace(rows, frame=frame, unit=f"{part.name} {rows.unit}", part=part.name)


def _describe_passed(others: Sequence[str]) -> str:
    examples = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
    were = "other file in it was" if len(others) == 1 else "other files in it were"
    return f"{len(others)} {were} skipped ({examples})"


def _describe(name: str, part: Part, what: str, hint: str) -> DataError:
    return DataError(f"{name} {what}", hint=hint, file=str(part.path))
