"""The server: a socket that is bound before anything is loaded, and uvicorn on it."""

from ipaddress import ip_address
from socket import AF_INET, AF_INET6, socket

import uvicorn

from seealso.errors import ConfigError
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.app import create_app

GRACE_SECONDS = 30
"""How long requests that were begun may take after the service was told to end."""


def listen(host: str, port: int) -> socket:
    """Return a socket that listens at an address of this machine alone.

    Parameters
    ----------
    host
        ``localhost``, or a loopback address.
    port
        0 for a free one.

    Raises
    ------
    ConfigError
        Other machines could reach the address, or it cannot be had.
    """
    number = "127.0.0.1" if host == "localhost" else host
    try:
        address = ip_address(number)
    except ValueError as exc:
        raise ConfigError(
            f"service.host: {host!r} is no address", hint="for instance 127.0.0.1"
        ) from exc
    if not address.is_loopback:
        raise ConfigError(
            f"service.host: other machines reach {host}, and the service asks nobody for a key",
            hint="listen at 127.0.0.1, behind a gateway that authenticates",
        )
    made = socket(AF_INET if address.version == 4 else AF_INET6)
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
