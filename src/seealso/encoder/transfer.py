"""Takes bundles elsewhere and back: a folder of bundles (a mounted share) or an archive file.

What comes in is checked in a hidden folder and appears in the store only if all is well.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from seealso.encoder.archive import is_archive, pack, unpack
from seealso.encoder.bundle import Bundle
from seealso.encoder.description import DESCRIPTION, sha256
from seealso.encoder.inspection import LARGEST, check_entry, inspect, refused
from seealso.encoder.store import BundleStore
from seealso.errors import BundleError
from seealso.folders import temporary_folder


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was moved.

    Attributes
    ----------
    name, fingerprint
        The bundle.
    place
        Where it is now.
    size
        Bytes of its files.
    sha256
        Of the sender's bundle.json, which holds a checksum of every other file: whoever has it
        by another way can tell that nothing was exchanged.
    """

    name: str
    fingerprint: str
    place: Path
    size: int
    sha256: str


def plan_push(bundle: Bundle, destination: Path, *, replacing: bool) -> Transfer:
    """Say what `push` would do.

    Parameters
    ----------
    bundle
        A bundle that was loaded, and so checked.
    destination
        A folder of bundles, or a file that ends in .tar.gz, .tgz or .zip.
    replacing
        Whether what already exists may be replaced.

    Raises
    ------
    BundleError
        Something already exists.
    """
    place = destination
    if not is_archive(destination):
        place = BundleStore(destination).folder_of(bundle.folder.name)
    if place.exists() and (not replacing or place.is_dir() == is_archive(destination)):
        raise BundleError(
            f"{place}: already exists", hint="choose another place, or replace it with --force"
        )
    return Transfer(
        name=bundle.folder.name,
        fingerprint=bundle.fingerprint,
        place=place,
        size=sum(file.stat().st_size for file in _files(bundle.folder)),
        sha256=sha256(bundle.folder / DESCRIPTION),
    )


def push(bundle: Bundle, destination: Path, *, replacing: bool) -> Transfer:
    """Copy a bundle to a folder of bundles or into an archive; it appears whole or not at all.

    Parameters and errors are those of `plan_push`.
    """
    planned = plan_push(bundle, destination, replacing=replacing)
    if not is_archive(destination):
        with BundleStore(destination).draft(planned.name) as folder:
            for file in _files(bundle.folder):
                shutil.copyfile(file, folder / file.name)
        return planned
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".partial.{destination.name}")
    try:
        pack(bundle.folder, planned.name, partial)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    return planned


@dataclass(frozen=True, slots=True)
class Pull:
    """Where a bundle comes from, and what it must be.

    Attributes
    ----------
    source
        A bundle folder, or an archive file.
    name
        Its name in the store; its own name if none.
    sha256
        What `push` said; not compared if none.
    replacing
        Whether a bundle of that name may be replaced.
    """

    source: Path
    name: str | None = None
    sha256: str | None = None
    replacing: bool = False


def plan_pull(request: Pull, store: BundleStore) -> Transfer:
    """Check a bundle from elsewhere as `pull` does, and keep nothing of it.

    Raises
    ------
    BundleError
        As `pull` raises it.
    """
    with tempfile.TemporaryDirectory() as incoming:
        return _received(request, store, Path(incoming))[0]


def pull(request: Pull, store: BundleStore) -> Transfer:
    """Take a bundle from elsewhere into the store.

    Raises
    ------
    BundleError
        It is not a bundle, was damaged or tampered with, is not the one that was expected, or
        one of that name is there. The store is as it was.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with temporary_folder(".incoming.", store.root) as incoming:
        received, bundle = _received(request, store, incoming)
        with store.draft(received.name) as folder:
            for file in _files(bundle.folder):
                file.rename(folder / file.name)
            if bundle.name != received.name:
                replace(bundle, folder=folder, name=received.name).write()
    return received


def _received(request: Pull, store: BundleStore, incoming: Path) -> tuple[Transfer, Bundle]:
    try:
        _bring(request.source, incoming)
        found = sha256(incoming / DESCRIPTION) if (incoming / DESCRIPTION).is_file() else ""
        if request.sha256 is not None and found != request.sha256.lower():
            raise refused(
                f"{DESCRIPTION} is not the expected one: its SHA-256 is {found or 'none'}"
            )
        bundle = inspect(incoming)
    except BundleError as exc:
        # the hidden folder means nothing to anybody
        message = exc.message.replace(f"{incoming}{os.sep}", "").replace(f"{incoming}: ", "")
        raise BundleError(
            f"{request.source}: {message}", hint=refused("").hint, source=str(request.source)
        ) from exc
    except OSError as exc:
        raise BundleError(
            f"{request.source}: cannot be read: {exc.strerror or exc}", hint="check the path"
        ) from exc
    name = request.name or bundle.name
    place = store.folder_of(name)
    if place.exists() and not request.replacing:
        raise BundleError(
            f"{place}: already exists",
            hint="give another NAME, or replace it with --force",
            bundle=name,
        )
    size = sum(file.stat().st_size for file in _files(incoming))
    return Transfer(name, bundle.fingerprint, place, size, found), bundle


def _bring(source: Path, incoming: Path) -> None:
    if is_archive(source) and not source.is_dir():
        unpack(source, incoming)
        return
    if not source.is_dir():
        raise BundleError("is neither a bundle folder nor a .tar.gz, .tgz or .zip file")
    for entry in sorted(source.iterdir()):
        check_entry(entry.name, entry.lstat().st_size)
        if entry.is_symlink() or not entry.is_file():
            raise refused(f"{entry.name} is not a plain file")
        shutil.copyfile(entry, incoming / entry.name, follow_symlinks=False)


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in LARGEST if (folder / name).is_file()]
