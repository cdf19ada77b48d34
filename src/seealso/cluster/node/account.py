"""The user that runs the node, and folders that this user can read and write.

OpenSearch refuses to run as root. A node that root starts runs as ``nobody``, so its folders
must not lie below one that is closed to others, such as root's own home.
"""

import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from seealso.errors import NodeError
from seealso.log import logger

USER = "nobody"
SYSTEM_CACHE = Path("/var/cache/seealso")
SYSTEM_DATA = Path("/var/lib/seealso")


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the node runs as."""

    uid: int
    gid: int
    switched: bool
    """Whether that is another user than the one who starts it."""


def run_as() -> Account:
    """Return the caller's own account, or for root an unprivileged one."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switched=False)
    try:
        entry = pwd.getpwnam(USER)
    except KeyError as exc:
        raise NodeError(
            f"OpenSearch refuses to run as root, and there is no user {USER!r} to run it as",
            hint="start the node as an ordinary user",
        ) from exc
    return Account(entry.pw_uid, entry.pw_gid, switched=True)


def cache_folder(account: Account, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where assembled homes are kept: shared by all folders of one user."""
    if account.switched:
        return SYSTEM_CACHE
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "seealso"


def reachable(path: Path, account: Account) -> bool:
    """Say whether `account` may pass through every existing folder above `path`."""
    return all(_may_enter(parent.stat(), account) for parent in path.parents if parent.exists())


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def place(root: Path, account: Account, fallback: Path = SYSTEM_DATA) -> Path:
    """Return `root`, or where its content goes instead if the node's user cannot get there.

    The replacement depends on `root` alone, so the same root always finds the same data.
    """
    root = root.absolute()
    if not account.switched or reachable(root / "x", account):
        return root
    key = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    logger(__name__).info("%s is closed to %s: using %s", root, USER, fallback / key)
    return fallback / key


def create(path: Path, account: Account) -> None:
    """Create the folder `path` and those above it, so that the node's user can enter them."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        if account.switched:
            for each in missing:  # whatever the umask is
                each.chmod(0o755)
    except OSError as exc:
        raise _closed(path, exc.strerror or str(exc)) from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise _closed(path, "it belongs to another user")


def write(path: Path, text: str) -> None:
    """Write a file that the node's user can read."""
    try:
        path.write_text(text)
        path.chmod(0o644)
    except OSError as exc:
        raise _closed(path.parent, exc.strerror or str(exc)) from exc


def own(path: Path, account: Account) -> None:
    """Create the folder `path` for `account`, or give an existing one to it.

    Raises
    ------
    NodeError
        If the folder cannot be created or written.
    """
    create(path, account)
    try:
        if account.switched and path.stat().st_uid != account.uid:
            for each in (path, *path.rglob("*")):
                os.chown(each, account.uid, account.gid, follow_symlinks=False)
    except OSError as exc:
        raise _closed(path, exc.strerror or str(exc)) from exc
    if account.switched and not reachable(path / "x", account):
        raise _closed(path, f"{USER} cannot reach it")


def readable_copy(folder: Path, account: Account, cache: Path) -> Path:
    """Return `folder` (a Java home), or a copy in `cache` if the node's user cannot read it."""
    if not account.switched or reachable(folder / "x", account):
        return folder
    changed = str(folder.stat().st_mtime_ns)  # a newer wheel at the same place is another copy
    key = hashlib.sha256(os.fsencode(folder) + changed.encode()).hexdigest()[:12]
    copy = cache / "jdk" / key
    create(copy.parent, account)
    with FileLock(copy.parent / f"{key}.lock"):
        if not copy.is_dir():
            partial = copy.with_name(f".{key}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(folder, partial)
            partial.rename(copy)
    return copy


def _closed(path: Path, why: str) -> NodeError:
    return NodeError(
        f"cannot use the folder {path}: {why}",
        hint="choose another one with --root, or start the node as the user who owns it",
        folder=str(path),
    )
