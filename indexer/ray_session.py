"""Starts Ray for one piece of work: on this machine, reachable by nobody else, and silent."""

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Final

from seealso.encoder.reader import cores
from seealso.errors import MissingExtraError, SeeAlsoError

_QUIET: Final = {
    # nothing about anybody's cluster leaves the machine
    "RAY_USAGE_STATS_ENABLED": "0",
    # what goes wrong is raised; the rest is for those who develop Ray
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}

_ALONE: Final = {
    # off: listen on the loopback address only; its name is that of the systems where that is usual
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # and let nobody in but who knows the token of this process
    "RAY_AUTH_MODE": "token",
}


def require_ray() -> None:
    """Import Ray as it is to be run.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    os.environ.update(_QUIET)
    if not _is_elsewhere():
        os.environ.update(_ALONE)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray.data  # noqa: F401
    except ImportError as exc:
        raise MissingExtraError.of("ray", "ray") from exc
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def start_ray(threads: int) -> Iterator[int]:
    """Run Ray while the block runs.

    It is the one that the program has started itself, or the one that ``RAY_ADDRESS`` names, or
    else one of our own, which leaves nothing behind.

    Parameters
    ----------
    threads
        Of each worker.

    Yields
    ------
    int
        Workers that it has cores for.

    Raises
    ------
    SeeAlsoError
        It cannot be started or reached.
    """
    import ray

    if ray.is_initialized():
        yield _count_workers(threads)
        return
    # short: the paths of its sockets begin with it, and may have 107 characters
    folder = None if _is_elsewhere() else tempfile.mkdtemp(prefix="ray-")
    own = {
        "address": "local",
        "num_cpus": max(1, cores() // threads) * threads,
        "include_dashboard": False,
        "_temp_dir": folder,
    }
    try:
        # Ray tells there what goes on, where only results belong
        with redirect_stdout(sys.stderr):
            try:
                _connect(own if folder else {})
                yield _count_workers(threads)
            finally:
                ray.shutdown()
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(own: Mapping[str, object]) -> None:
    import ray

    try:
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except (ConnectionError, OSError, RuntimeError, ValueError) as exc:
        raise SeeAlsoError(
            f"Ray cannot be started: {str(exc).strip().splitlines()[0]}",
            hint="build with --engine local"
            if own
            else "check RAY_ADDRESS, or leave it out: Ray is then started here",
        ) from exc


def _is_elsewhere() -> bool:
    """Whether a person has named a Ray that runs already."""
    return bool(os.environ.get("RAY_ADDRESS"))


def _count_workers(threads: int) -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
