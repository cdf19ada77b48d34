"""``seealso serve``."""

import click

from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.who import recommender_for
from seealso.errors import MissingExtraError
from seealso.log import say


@click.command(cls=Command)
@click.option("--host", help="Address to listen at.  [default: service.host]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="0 for a free one.  [default: service.port]"
)
@pass_context
def serve(context: Context, host: str | None, port: int | None) -> None:
    """Answer over HTTP: lists, reasons, neighbours, personalised searches.

    /openapi.json describes every request. SIGTERM and Ctrl-C end it after the requests that it has
    begun to answer. It asks callers for no key, so it listens only where this machine alone reaches
    it: put a gateway that authenticates in front of it.
    """
    try:
        from seealso.plugin.service.server import listen, run
    except ImportError as exc:
        raise MissingExtraError.of("fastapi", "serve") from exc
    settings = context.settings.service
    with listen(host or settings.host, settings.port if port is None else port) as socket:
        recommender = recommender_for(context, None)
        socket.listen()
        name, number = socket.getsockname()[:2]
        address = f"[{name}]" if ":" in name else name
        say(f"listening on http://{address}:{number}, index {recommender.live.name}")
        run(recommender, socket)
