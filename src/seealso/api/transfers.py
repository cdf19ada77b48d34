"""``seealso model push`` and ``pull``: a bundle moves between stores, and is checked on its way."""

from pathlib import Path

from seealso.api.bundles import show_model
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.encoder import transfer as moving
from seealso.encoder.transfer import Transfer
from seealso.log import progress


def push_model(settings: Settings, name: str, dest: Path | str, *, force: bool = False) -> Transfer:
    """Copy a bundle to a folder of bundles, or to a .tar.gz or .zip file.

    Parameters
    ----------
    settings
        ``encoder.store`` is where it is.
    name
        The bundle.
    dest
        A folder, which may be a mounted share or another store, or a file.
    force
        Replace what already exists.
    """
    bundle = BundleStore(settings.encoder.store).find(name)
    with progress("pushing", total=1) as tick:
        moved = moving.push(bundle, Path(dest), replacing=force)
        tick(1)
    return moved


def plan_push_model(
    settings: Settings, name: str, dest: Path | str, *, force: bool = False
) -> Transfer:
    """Say what `push_model` would write; nothing is written."""
    return moving.plan_push(show_model(settings, name), Path(dest), replacing=force)


def pull_model(
    settings: Settings,
    source: Path | str,
    name: str | None = None,
    *,
    sha256: str | None = None,
    force: bool = False,
) -> Transfer:
    """Take in a bundle from elsewhere, checked before it appears in the store.

    Parameters
    ----------
    settings
        ``encoder.store`` is where it goes.
    source
        A bundle folder, or a .tar.gz or .zip file.
    name
        Its name in the store; its own by default.
    sha256
        What `push_model` said; any other bundle is refused.
    force
        Replace what already exists.

    Raises
    ------
    BundleError
        It is not a bundle, was tampered with, or is another one; the store is as it was.
    """
    with progress("checking", total=1) as tick:
        moved = moving.pull(
            moving.Pull(Path(source), name, sha256, force), BundleStore(settings.encoder.store)
        )
        tick(1)
    return moved


def plan_pull_model(
    settings: Settings,
    source: Path | str,
    name: str | None = None,
    *,
    sha256: str | None = None,
    force: bool = False,
) -> Transfer:
    """Check a bundle as `pull_model` does, and keep nothing of it."""
    store = BundleStore(settings.encoder.store)
    return moving.plan_pull(moving.Pull(Path(source), name, sha256, force), store)
