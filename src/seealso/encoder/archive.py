"""A bundle as one file, .tar.gz or .zip: packed the same every time, unpacked with suspicion.

Nothing is written under a name that an archive chose: members are matched with the names that a
bundle has, and their content is copied up to the size that such a file may have.
"""

import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from seealso.encoder.inspection import LARGEST, check_entry, refused

SUFFIXES: Final = (".tar.gz", ".tgz", ".zip")
_AT_ONCE: Final = 1 << 20
_NOT_AN_ARCHIVE: Final = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, ValueError,
    NotImplementedError, RuntimeError, RecursionError,
)  # fmt: skip


def is_archive(file: Path) -> bool:
    """Return whether the name is that of an archive."""
    return file.name.lower().endswith(SUFFIXES)


def pack(folder: Path, name: str, file: Path) -> None:
    """Write the files of `folder` below `name`/ into a new archive.

    Equal files give equal bytes: no time, owner or folder of this machine is in them.
    """
    members = [folder / one for one in LARGEST if (folder / one).is_file()]
    if file.name.lower().endswith(".zip"):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member in members:
                info = zipfile.ZipInfo(f"{name}/{member.name}")
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                info.file_size = member.stat().st_size
                with member.open("rb") as source, archive.open(info, "w") as target:
                    shutil.copyfileobj(source, target, _AT_ONCE)
        return
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for member in members:
            entry = tarfile.TarInfo(f"{name}/{member.name}")
            entry.size, entry.mode = member.stat().st_size, 0o644
            with member.open("rb") as source:
                archive.addfile(entry, source)


def unpack(file: Path, folder: Path) -> None:
    """Write the files of an archive into the empty `folder`.

    Raises
    ------
    BundleError
        It is not an archive, or it holds something that no bundle has: another name, a link, a
        path that leads elsewhere, a file twice, or one that is too large.
    """
    tops: set[str] = set()
    try:
        with closing(_members(file)) as members:
            for path, size, source in members:
                top, name = _place(path)
                tops.add(top)
                check_entry(name, size)
                if len(tops) > 1:
                    raise refused(f"{path!r} does not belong: one bundle expected")
                _write(source, folder / name, size)
    except _NOT_AN_ARCHIVE as exc:
        reason = str(exc).splitlines()
        raise refused(f"cannot be unpacked: {reason[0] if reason else exc!r}") from exc


def _place(path: str) -> tuple[str, str]:
    """Return folder and name of a member; there may be one folder, and none above it."""
    parts = PurePosixPath(path).parts
    if not 1 <= len(parts) <= 2 or path.startswith("/") or ".." in parts or "\\" in path:
        raise refused(f"{path!r} does not belong in a bundle")
    return ("" if len(parts) == 1 else parts[0]), parts[-1]


def _write(source: IO[bytes], target: Path, size: int) -> None:
    if target.exists():
        raise refused(f"{target.name} is there twice")
    with target.open("xb") as stream:
        shutil.copyfileobj(source, stream, _AT_ONCE)
    if target.stat().st_size != size:
        raise refused(f"{target.name} is cut off")


def _members(file: Path) -> Generator[tuple[str, int, IO[bytes]], None, None]:
    """Yield path, size and content of each file of an archive, in its order."""
    with ExitStack() as stack:
        if file.name.lower().endswith(".zip"):
            archive = stack.enter_context(zipfile.ZipFile(file))
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as source:
                        yield info.filename, info.file_size, source
            return
        unzipped = stack.enter_context(gzip.open(file))
        bounded: Any = _Bounded(unzipped)
        tar = stack.enter_context(tarfile.open(fileobj=bounded, mode="r:"))
        while (entry := tar.next()) is not None:
            # a sparse file of a few bytes can claim any size
            plain = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and entry.sparse is None
            if not plain and not entry.isdir():
                raise refused(f"{entry.name!r} is not a plain file")
            content = tar.extractfile(entry)
            if content is not None:
                with content:
                    yield entry.name, entry.size, content


class _Bounded:
    """An unzipped stream that gives little at once: a tar header may claim gigabytes of itself."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _AT_ONCE:
            raise refused("it is not a tar archive of a bundle: a header is too large")
        return self._stream.read(size)
