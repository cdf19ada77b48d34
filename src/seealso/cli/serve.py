"""``seealso serve``."""

import click

from seealso import api
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context


@click.command(cls=Command)
@click.option("--host", help="Address to listen at.  [default: service.host]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="0 for a free one.  [default: service.port]"
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes that answer; they share one model.  [default: service.workers]",
)
@pass_context
def serve(context: Context, host: str | None, port: int | None, workers: int | None) -> None:
    """Answer over HTTP what the library answers.

    /openapi.json describes every request, and / shows lists to people. SIGTERM and Ctrl-C end it
    after the requests that it has begun to answer. Without keys ([[service.keys]]) it listens only
    where this machine alone reaches it.
    """
    api.serve(context.settings, host=host, port=port, workers=workers)
