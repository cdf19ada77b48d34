"""The server: a socket that is bound before anything is loaded, and uvicorn on it."""

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

import uvicorn

from seealso.errors import ConfigError
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.app import create_app

GRACE_SECONDS = 30
"""How long requests that were begun may take after the service was told to end."""


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
    config = uvicorn.Config(
        create_app(recommender),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[bound])
