"""The server: a socket that is bound before anything is loaded, and uvicorn on it.

Several workers are several processes behind the one socket.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from socket import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    socket,
)
from threading import Thread
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from seealso.config import Settings
from seealso.errors import ConfigError, SeeAlsoError
from seealso.folders import temporary_folder
from seealso.log import configure, logger
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.app import create_app, create_waiting_app
from seealso.plugin.service.metrics import SHARED_FOLDER

log = logger(__name__)

GRACE_SECONDS = 30
"""How long requests that were begun may take after the service was told to end, and how long a
worker on a busy machine may be silent before it is replaced."""

PARENT_SECONDS = 1.0
"""How often a worker looks whether the process that started it is there."""


def listen(host: str, port: int, *, open_to_all: bool) -> socket:
    """Return a socket that is bound to an address.

    Parameters
    ----------
    host
        ``localhost``, or an address of this machine.
    port
        0 for a free one.
    open_to_all
        Whether callers need no key: then other machines must not reach the address.

    Raises
    ------
    ConfigError
        They could, or it cannot be had.
    """
    number = "127.0.0.1" if host == "localhost" else host
    try:
        address = ip_address(number)
    except ValueError as exc:
        raise ConfigError(
            f"service.host: {host!r} is no address", hint="for instance 127.0.0.1"
        ) from exc
    if open_to_all and not address.is_loopback:
        raise ConfigError(
            f"service.host: other machines reach {host}, and callers need no key",
            hint="set [[service.keys]], or listen at 127.0.0.1 behind a gateway that authenticates",
        )
    # by the name of the protocol, asyncio knows that it may switch Nagle's algorithm off: otherwise
    # each answer waits 40 ms for the acknowledgement of its first part
    made = socket(AF_INET if address.version == 4 else AF_INET6, SOCK_STREAM, IPPROTO_TCP)
    # connections of the service before may be closing for a minute
    made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        made.bind((number, port))
    except OSError as exc:
        made.close()
        raise ConfigError(
            f"{host}:{port}: cannot listen there: {exc.strerror}", hint="name another --port"
        ) from exc
    return made


def run(recommender: Recommender, bound: socket) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what was begun and close the recommender."""
    uvicorn.Server(_configure(create_app(recommender))).run(sockets=[bound])


def run_workers(settings: Settings, bound: socket) -> None:
    """Do what `run` does in ``service.workers`` processes; one that dies is replaced.

    They share the socket, the model and what is counted.
    """
    workers, level = settings.service.workers, logging.getLogger("seealso").level
    with temporary_folder("seealso-numbers-") as numbers:
        # what prometheus_client reads when a worker imports it
        os.environ[SHARED_FOLDER] = str(numbers)
        app = partial(_open_app, settings, os.getpid(), logging.getLevelName(level))
        config = _configure(app, factory=True, workers=workers)
        Workers(config, sockets=[bound]).run()


class Workers(Multiprocess):
    """The processes that answer, and who replaces them; how each ended is logged."""

    def keep_subprocess_alive(self) -> None:
        """Replace those that ended, or do not answer."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for ended, successor in zip(before, self.processes, strict=True):
            if ended is not successor:
                how = describe_end(ended.process.exitcode)
                log.warning("worker %s %s; %s is in its place", ended.pid, how, successor.pid)


def describe_end(exitcode: int | None) -> str:
    """Return how a process ended, as `multiprocessing` tells it: below 0, by a signal."""
    if exitcode is None or exitcode >= 0:
        return f"ended with exit code {exitcode}"
    name = signal.Signals(-exitcode).name
    if exitcode == -signal.SIGKILL:
        # who does not answer is killed here, and who needs too much memory by the system
        return f"was ended by {name}: from outside, or it did not answer for {GRACE_SECONDS} s"
    return f"was ended by {name}"


@contextmanager
def sharing_models(settings: Settings) -> Iterator[Settings]:
    """Yield settings with which several processes share models, in a folder of their own."""
    if settings.encoder.shared is not None:
        yield settings
        return
    with temporary_folder("seealso-weights-") as folder:
        encoder = settings.encoder.model_copy(update={"shared": folder})
        yield settings.model_copy(update={"encoder": encoder})


def _configure(app: Callable[..., Any], **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who called
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=GRACE_SECONDS,
        **options,
    )


def _end_with(parent: int) -> None:
    """End this worker once the process that started it is gone: nobody would replace or end it."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _open_app(settings: Settings, parent: int, level: str) -> FastAPI:
    """Return the application of one worker, which logs as its parent does."""
    configure(level)
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        return create_app(Recommender.from_config(settings))
    except SeeAlsoError as exc:
        log.error(
            "a worker cannot answer yet: %s", "; ".join(filter(None, (exc.message, exc.hint)))
        )
        Thread(target=_end_once_it_answers, args=(settings,), daemon=True).start()
        return create_waiting_app(exc)


def _end_once_it_answers(settings: Settings) -> None:
    """End this worker once another one in its place could open the index."""
    while True:
        time.sleep(PARENT_SECONDS)
        with suppress(SeeAlsoError):
            Recommender.from_config(settings).close()
            os.kill(os.getpid(), signal.SIGTERM)
            return
