"""The folder of bundles: find one by name or fingerprint, bind one to a catalogue.

A bundle appears whole or not at all: it is made in a hidden folder and then renamed.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from seealso.config import TextSettings
from seealso.encoder.bundle import Bundle, with_fingerprints
from seealso.encoder.collaborative import Collaborative
from seealso.encoder.description import DESCRIPTION, MODEL_FILES, read_description
from seealso.encoder.images import Images
from seealso.encoder.projection import Projection
from seealso.errors import BundleError
from seealso.folders import temporary_folder
from seealso.types import Calibration


class BundleStore:
    """The bundles below one folder.

    Parameters
    ----------
    root
        Folder of the bundles (``encoder.store``); it need not exist yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, name_or_path: str) -> Bundle:
        """Return the bundle of that name, or the one in that folder.

        Raises
        ------
        BundleError
            There is none, or it is damaged.
        """
        for folder in (self.root / name_or_path, Path(name_or_path)):
            if (folder / DESCRIPTION).is_file():
                return Bundle.load(folder)
        known = ", ".join(folder.name for folder in self._folders()) or "none"
        raise BundleError(
            f"no bundle {name_or_path!r} in {self.root} (there: {known})",
            hint=f"make it: seealso model export --out {Path(name_or_path).name}",
            bundle=name_or_path,
        )

    def has(self, name: str) -> bool:
        """Whether there is a bundle of that name, whole or damaged."""
        return (self.root / name / DESCRIPTION).is_file()

    def by_fingerprint(self, fingerprint: str) -> Bundle:
        """Return the bundle whose vectors carry `fingerprint`.

        Raises
        ------
        BundleError
            There is none, or it is damaged.
        """
        unread = ""
        for folder in self._folders():
            try:
                recorded = read_description(folder)
            except BundleError as exc:
                # one of an earlier version keeps nobody from the others
                unread += f"; {exc.message}"
                continue
            if recorded.get("fingerprint") == fingerprint:
                return Bundle.load(folder)
        raise BundleError(
            f"no bundle with fingerprint {fingerprint} in {self.root}{unread}",
            hint="copy the bundle that the index was built with into the store, or build the "
            "index again: seealso index build",
            fingerprint=fingerprint,
        )

    def all(self) -> dict[str, Bundle | BundleError]:
        """Return every bundle by the name of its folder; the error, where it cannot be read."""
        found: dict[str, Bundle | BundleError] = {}
        for folder in self._folders():
            try:
                found[folder.name] = Bundle.load(folder)
            except BundleError as exc:
                found[folder.name] = exc
        return found

    def folder_of(self, name: str) -> Path:
        """Return the folder that a new bundle called `name` gets.

        Raises
        ------
        BundleError
            `name` is not a plain name.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise BundleError(
                f"{name!r} cannot be the name of a bundle",
                hint="use letters, digits, dots, dashes and underscores",
                bundle=name,
            )
        return self.root / name

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """Give a hidden folder to make a bundle in; it becomes `name` when the block ends well.

        A folder that is already there under that name is replaced.

        Yields
        ------
        Path
            The hidden folder, in the same file system as the store.
        """
        target = self.folder_of(name)
        self.root.mkdir(parents=True, exist_ok=True)
        with temporary_folder(f".{name}.", self.root) as hidden:
            # it keeps others out; a bundle is as readable as any file the user makes
            hidden.chmod(0o755)
            made = hidden / "made"
            made.mkdir()
            yield made
            _replace(target, made, hidden)

    def _folders(self) -> list[Path]:
        return sorted(
            file.parent
            for file in self.root.glob(f"*/{DESCRIPTION}")
            if not file.parent.name.startswith(".")
        )


def _replace(target: Path, made: Path, hidden: Path) -> None:
    """Move `made` to `target`, and what is there to `hidden`; the last of several writers stays."""
    for number in count():
        with suppress(FileNotFoundError):
            target.rename(hidden / f"replaced{number}")
        try:
            made.rename(target)
        except OSError as exc:
            # somebody else wrote the same bundle in between
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return


def bind(
    bundle: Bundle,
    *,
    text: TextSettings,
    projection: Projection | None,
    collaborative: Collaborative | None = None,
    images: Images | None = None,
    calibration: Calibration = Calibration(),  # noqa: B008 (a frozen value)
    store: BundleStore,
    name: str | None = None,
) -> Bundle:
    """Bind a model to a catalogue: its text templates, projection and calibration.

    Parameters
    ----------
    bundle
        The model; one that is already bound gets the new texts and projection instead.
    text
        The text templates.
    projection
        The map fitted on the catalogue, or none.
    collaborative
        What behaviour knows of items, fitted over vectors of this projection and these images,
        or none.
    images
        How images of items join their texts, or none.
    calibration
        Parameters of the probability; not part of the fingerprint.
    store
        Where the bundle is made.
    name
        What it is called; ``<name>-<first 8 digits of the fingerprint>`` by default.

    Returns
    -------
    Bundle
        Equal inputs give the same fingerprint, and the folder that is already there; another
        int8 twin gives the same fingerprint and takes the place of the one that is there.

    Raises
    ------
    BundleError
        The projection does not fit the model.
    """
    raw = bundle.text_dimension if bundle.projection is None else len(bundle.projection.mean)
    if projection is not None and len(projection.mean) != raw:
        raise BundleError(
            f"a projection from {len(projection.mean)} dimensions does not fit {bundle.name}, "
            f"which has {raw}",
            hint="fit the projection on vectors of this model",
        )
    width = raw if projection is None else projection.matrix.shape[1]
    width += 0 if images is None else images.dimension
    if collaborative is not None and collaborative.text_dimension != width:
        raise BundleError(
            f"a collaborative part over {collaborative.text_dimension} dimensions does not fit "
            f"{bundle.name}, which has {width}",
            hint="fit it on vectors of this model: seealso fit",
        )
    bound = with_fingerprints(
        replace(
            bundle,
            dimension=width if collaborative is None else collaborative.dimension,
            text=text,
            projection=projection,
            collaborative=collaborative,
            images=images,
            calibration=calibration,
        )
    )
    name = name or (
        f"{bundle.name.removesuffix('-' + bundle.fingerprint[:8])}-{bound.fingerprint[:8]}"
    )
    bound = replace(bound, folder=store.folder_of(name), name=name)
    there = _there(bound.folder)
    if there is not None and _is_same(there, bound):
        if (there.calibration, there.origin) == (bound.calibration, bound.origin):
            return there
        return replace(there, calibration=bound.calibration, origin=bound.origin).write()
    with store.draft(name) as folder:
        for file in MODEL_FILES:
            link(bundle.folder / file, folder / file)
        for file, part in bound.parts.items():
            np.savez(folder / file, **part.arrays())
        written = replace(bound, folder=folder).write()
    return replace(written, folder=bound.folder)


def _is_same(there: Bundle, bound: Bundle) -> bool:
    """Return whether a bundle differs by its calibration and where it comes from at most."""
    return (there.fingerprint, there.fitted) == (bound.fingerprint, bound.fitted) and all(
        there.files[name] == bound.files[name] for name in MODEL_FILES
    )


def _there(folder: Path) -> Bundle | None:
    """Return the bundle of a folder; what is damaged, or of an older format, is as good as none."""
    try:
        return Bundle.load(folder)
    except BundleError:
        return None


def link(source: Path, target: Path) -> None:
    """Let `target` be the same file as `source`, or a copy where links cannot be made."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
