"""Folders for the time that something takes, and files that are there whole or not at all."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary_folder(prefix: str, place: Path | None = None) -> Iterator[Path]:
    """Yield a folder of one's own, which is deleted at the end.

    The system lets go of a lock when the process that has it ends, however it does: a folder that
    nobody locks was left by one that was killed. Such folders are deleted first.

    Parameters
    ----------
    prefix
        What its name begins with, and those of all folders for the same purpose.
    place
        Where it is; the folder of the system for such by default.

    Raises
    ------
    OSError
        It cannot be made there.
    """
    place = Path(tempfile.gettempdir()) if place is None else place
    _sweep(place, prefix)
    folder = Path(tempfile.mkdtemp(prefix=f".unlocked-{prefix}", dir=place))
    lock = os.open(folder, os.O_RDONLY)
    try:
        # where the file system has no locks, none is ever taken for one that was left
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        # before it is locked, it must not look like one that was left behind
        folder = folder.rename(folder.with_name(folder.name.removeprefix(".unlocked-")))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(place: Path, prefix: str) -> None:
    """Delete the folders of processes that are gone; what cannot be deleted stays."""
    for folder in place.glob(f"{prefix}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(lock)


def write_whole(file: Path, content: bytes) -> Path:
    """Write a file in one step: whoever reads it finds what was there before, or all of this.

    Raises
    ------
    OSError
        It cannot be written; what was there before still is.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return file
