"""``seealso serve`` and ``seealso mcp``: the library over HTTP, and as tools of assistants."""

from contextlib import nullcontext
from socket import socket

from seealso.config import Settings
from seealso.errors import MissingExtraError
from seealso.log import say
from seealso.plugin import Recommender


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> None:
    """Answer over HTTP what the library answers, until SIGTERM or Ctrl-C.

    Requests that were begun are answered before it ends.

    Parameters
    ----------
    settings
        ``service`` says where to listen; the other sections are used as for a `Recommender`.
    host, port, workers
        Instead of those of ``service``; port 0 is a free one.

    Raises
    ------
    ConfigError
        Other machines could reach the address, or it cannot be had.
    MissingExtraError
        The extra ``serve`` is not installed.
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """
    try:
        from seealso.plugin.service.server import listen, run, run_workers, sharing_models
    except ImportError as exc:
        raise MissingExtraError.of("fastapi", "serve") from exc
    chosen = settings.service.model_copy(
        update={
            name: value
            for name, value in (("host", host), ("port", port), ("workers", workers))
            if value is not None
        }
    )
    settings = settings.model_copy(update={"service": chosen})
    with (
        listen(chosen.host, chosen.port, open_to_all=not chosen.keys) as bound,
        sharing_models(settings) if chosen.workers > 1 else nullcontext(settings) as settings,
    ):
        # before any worker: what cannot serve ends here
        recommender = Recommender.from_config(settings)
        bound.listen()
        page = f"; playground at {_address(bound)}/" if chosen.playground else ""
        say(f"listening on {_address(bound)}, index {recommender.live.name}{page}")
        if chosen.workers == 1:
            run(recommender, bound)
        else:
            recommender.close()
            run_workers(settings, bound)


def serve_mcp(settings: Settings) -> None:
    """Answer an assistant's calls of tools over standard input and output, until input ends.

    That is the Model Context Protocol, for a client that starts this as a process. Nothing is ever
    written: lists are not logged to UBI either, whatever ``ubi.enabled`` says.

    Parameters
    ----------
    settings
        Used as for a `Recommender`.

    Raises
    ------
    MissingExtraError
        The extra ``mcp`` is not installed.
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """
    try:
        from seealso.plugin.assistants.server import run
    except ImportError as exc:
        raise MissingExtraError.of("mcp", "mcp") from exc
    if settings.ubi.enabled:
        say("note: ubi.enabled: lists for assistants are not logged, so that nothing is written")
    silent = settings.ubi.model_copy(update={"enabled": False})
    with Recommender.from_config(settings.model_copy(update={"ubi": silent})) as recommender:
        say(f"answering a client of MCP on standard input, index {recommender.live.name}")
        run(recommender)


def _address(bound: socket) -> str:
    name, number = bound.getsockname()[:2]
    return f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"
