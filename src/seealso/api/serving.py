"""``seealso serve``: the library over HTTP."""

from seealso.config import Settings
from seealso.errors import MissingExtraError
from seealso.log import say
from seealso.plugin import Recommender


def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """Answer over HTTP what the library answers, until SIGTERM or Ctrl-C.

    Requests that were begun are answered before it ends.

    Parameters
    ----------
    settings
        ``service`` says where to listen; the other sections are used as for a `Recommender`.
    host, port
        Instead of ``service.host`` and ``service.port``; port 0 is a free one.

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
        from seealso.plugin.service.server import listen, run
    except ImportError as exc:
        raise MissingExtraError.of("fastapi", "serve") from exc
    chosen = settings.service
    number = chosen.port if port is None else port
    with listen(host or chosen.host, number, open_to_all=not chosen.keys) as socket:
        recommender = Recommender.from_config(settings)
        socket.listen()
        name, number = socket.getsockname()[:2]
        address = f"[{name}]" if ":" in name else name
        say(f"listening on http://{address}:{number}, index {recommender.live.name}")
        run(recommender, socket)
